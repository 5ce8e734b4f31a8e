/** What goes into attention layers and comes out. */
import type { Shape, Tensor } from '@cotangent/core'
import { ShapeError, showShape } from '@cotangent/core'
import type { Attention } from '../../functional/attention/index.ts'
import { combineMasks, paddingMask } from '../../functional/attention/index.ts'

/** What a query may see. */
export interface Visibility {
  /** Bool, broadcast to `[batch, heads, t, s]`: true where a query may see a key. */
  readonly mask?: Tensor | undefined
  /** Added to the products, broadcast to `[batch, heads, t, s]`. */
  readonly bias?: Tensor | undefined
  /** `[batch]`: keys at and past a sequence's end are not seen. */
  readonly lengths?: Tensor | undefined
}

/** Queries, and what they look at: themselves where there is nothing else. */
export interface AttentionQuery extends Visibility {
  /** `[batch, t, features]`. */
  readonly inputs: Tensor
  /** `[batch, s, features]`; the inputs by default. */
  readonly key?: Tensor | undefined
  /** `[batch, s, features]`; the key by default. */
  readonly value?: Tensor | undefined
}
export type AttentionInput = Tensor | AttentionQuery

/** A sequence with what may be seen of it. */
export interface VisibleSequence extends Visibility {
  readonly inputs: Tensor
}
export type SequenceInput = Tensor | VisibleSequence

/** Keys and values of the steps so far, in arrays of fixed length. */
export interface AttentionCache {
  /** `[batch, maxLength, heads, headFeatures]`. */
  readonly key: Tensor
  readonly value: Tensor
  /** How many steps there are. */
  readonly index: Tensor
}

export type AttentionOutput<O> = O extends { readonly returnWeights: true } ? Attention : Tensor

/** The mask, and the ends of sequences as one. */
export const visible = ({ mask, lengths }: Visibility, s: number): Tensor | undefined =>
  combineMasks(mask?.astype('bool'), lengths === undefined ? undefined : paddingMask(lengths, s))

/** @throws ShapeError unless it is `[batch, time, features]`. */
export const requireSteps = (name: string, shape: Shape, features?: number): void => {
  const rankFits = shape.length === 3
  if (rankFits && (features === undefined || shape[2] === features)) return
  throw new ShapeError({
    operation: name,
    problem: rankFits
      ? 'axis 2 (features) of the input does not fit the parameters'
      : 'the input has the wrong number of axes',
    got: `shape ${showShape(shape)}`,
    want: `[batch, time, ${features ?? 'features'}]`,
    fix: rankFits
      ? 'initialise the layer with the shape of the input it will get'
      : 'put the batch first, then time, then features',
  })
}
