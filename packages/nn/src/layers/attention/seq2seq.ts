/** Attention of recurrent decoders: Bahdanau's and Luong's. */
import { type Shape, type Tensor } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireSize } from '../../errors.ts'
import {
  type AdditiveWeights,
  type ConcatWeights,
  type Context,
  additiveScores,
  concatScores,
  dotScores,
  generalScores,
  readMemory,
} from '../../functional/attention/index.ts'
import { maskOfLengths } from '../../functional/recurrent/index.ts'
import { lecunNormal, zeros } from '../../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../../layer.ts'
import { requireSteps } from './types.ts'

/** A decoder's state and what it looks at. */
export interface MemoryQuery {
  /** `[batch, features]`. */
  readonly query: Tensor
  /** `[batch, s, features]`. */
  readonly memory: Tensor
  /** `[batch]`: steps of the memory at and past a sequence's end are not seen. */
  readonly lengths?: Tensor | undefined
}

const read = (scores: Tensor, { memory, lengths }: MemoryQuery): Context => {
  const mask = lengths === undefined ? undefined : maskOfLengths(lengths, memory.shape[1]!)
  return Object.freeze(readMemory(scores, memory, mask))
}

/** What a layer is told of the query where it differs from the memory. */
export interface QueryOptions {
  /** Features of the query; the memory's by default. */
  readonly queryFeatures?: number
}

const check = (name: string, { query, memory }: MemoryQuery, q: number, m: number): void => {
  requireSteps(`${name} (memory)`, memory.shape, m)
  requireExtent(`${name} (query)`, query.shape, 1, q, 'features')
}

/**
 * Attention with scores v · tanh(q W + m U + b). `init` takes the memory's shape `[batch, s, features]`;
 * gives `{ context: [batch, features], weights: [batch, s] }`.
 * @see Bahdanau, Cho & Bengio 2015, neural machine translation by jointly learning to align and translate
 * @example
 * const [{ context }] = additiveAttention(64).apply(variables, { query: carry.h, memory, lengths })
 */
export const additiveAttention = (
  units: number,
  { queryFeatures }: QueryOptions = {},
): Layer<AdditiveWeights, None, 'additiveAttention', Context, MemoryQuery> => {
  const name = 'additiveAttention'
  requireSize(name, 'units', units)
  return defineLayer<AdditiveWeights, None, 'additiveAttention', Context, MemoryQuery>({
    name,
    mainInput: 'memory',
    init: (key, memoryShape: Shape) => {
      requireSteps(name, memoryShape)
      const [queryKey, memoryKey, biasKey, scaleKey] = random.split(key, 4)
      const [batch, , features] = memoryShape
      const params = {
        query: lecunNormal()(queryKey!, [queryFeatures ?? features!, units]),
        memory: lecunNormal()(memoryKey!, [features!, units]),
        bias: zeros(biasKey!, [units]),
        scale: lecunNormal()(scaleKey!, [units, 1]).reshape([units]),
      }
      return { params, state: none, outputShape: [batch!, features!] }
    },
    apply: ({ params, state }, input) => {
      check(name, input, params.query.shape[0]!, params.memory.shape[0]!)
      return [read(additiveScores(input.query, input.memory, params), input), state]
    },
  })
}

/** `dotAttention` learns nothing: query and memory have the same features. @see Luong et al. 2015 */
export const dotAttention = (): Layer<None, None, 'dotAttention', Context, MemoryQuery> =>
  defineLayer<None, None, 'dotAttention', Context, MemoryQuery>({
    name: 'dotAttention',
    mainInput: 'memory',
    init: (_, memoryShape) => {
      requireSteps('dotAttention', memoryShape)
      return { params: none, state: none, outputShape: [memoryShape[0]!, memoryShape[2]!] }
    },
    apply: ({ state }, input) => {
      const features = input.memory.shape[2]!
      check('dotAttention', input, features, features)
      return [read(dotScores(input.query, input.memory), input), state]
    },
  })

export interface GeneralAttentionParams {
  /** `[query features, memory features]`. */
  readonly kernel: Tensor
}

/** Attention with scores q W m. @see Luong, Pham & Manning 2015, "general" */
export const generalAttention = ({
  queryFeatures,
}: QueryOptions = {}): Layer<
  GeneralAttentionParams,
  None,
  'generalAttention',
  Context,
  MemoryQuery
> =>
  defineLayer<GeneralAttentionParams, None, 'generalAttention', Context, MemoryQuery>({
    name: 'generalAttention',
    mainInput: 'memory',
    init: (key, memoryShape) => {
      requireSteps('generalAttention', memoryShape)
      const [batch, , features] = memoryShape
      const kernel = lecunNormal()(key, [queryFeatures ?? features!, features!])
      return { params: { kernel }, state: none, outputShape: [batch!, features!] }
    },
    apply: ({ params: { kernel }, state }, input) => {
      check('generalAttention', input, kernel.shape[0]!, kernel.shape[1]!)
      return [read(generalScores(input.query, input.memory, kernel), input), state]
    },
  })

/**
 * Attention with scores v · tanh([q; m] W), of query and memory side by side: as `additiveAttention`
 * without the bias, with one kernel.
 * @see Luong, Pham & Manning 2015, "concat"
 */
export const concatAttention = (
  units: number,
  { queryFeatures }: QueryOptions = {},
): Layer<ConcatWeights, None, 'concatAttention', Context, MemoryQuery> => {
  const name = 'concatAttention'
  requireSize(name, 'units', units)
  return defineLayer<ConcatWeights, None, 'concatAttention', Context, MemoryQuery>({
    name,
    mainInput: 'memory',
    init: (key, memoryShape) => {
      requireSteps(name, memoryShape)
      const [kernelKey, scaleKey] = random.split(key)
      const [batch, , features] = memoryShape
      const params = {
        kernel: lecunNormal()(kernelKey!, [(queryFeatures ?? features!) + features!, units]),
        scale: lecunNormal()(scaleKey!, [units, 1]).reshape([units]),
      }
      return { params, state: none, outputShape: [batch!, features!] }
    },
    apply: ({ params, state }, input) => {
      const features = input.memory.shape[2]!
      check(name, input, params.kernel.shape[0]! - features, features)
      return [read(concatScores(input.query, input.memory, params), input), state]
    },
  })
}
