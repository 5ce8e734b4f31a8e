/** Attention layers. */
export type { BlockOptions, FeedForwardParams, NormParams } from './block.ts'
export * from './multiHead.ts'
export * from './positional.ts'
export * from './seq2seq.ts'
export type {
  CacheTree,
  StackCache,
  StackOptions,
  StackParams,
  StackTree,
  Stepwise,
} from './stack.ts'
export * from './transformer.ts'
export * from './transformerDecoder.ts'
export * from './transformerEncoder.ts'
export type {
  AttentionCache,
  AttentionInput,
  AttentionOutput,
  AttentionQuery,
  SequenceInput,
  Visibility,
  VisibleSequence,
} from './types.ts'
