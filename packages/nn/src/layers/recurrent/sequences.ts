/** Sequences that go into recurrent layers: their shapes and their masks. */
import { type Shape, ShapeError, type Tensor, showShape } from '@cotangent/core'
import { requireRank } from '../../errors.ts'
import { maskOfLengths, swapBatchAndTime } from '../../functional/recurrent/index.ts'
import type { Sequence } from './types.ts'

/** @throws ShapeError unless there is one axis of features after the leading ones, batch and perhaps time. */
export const requireFeatures = (layer: string, shape: Shape, leading: number): void => {
  const want = leading === 1 ? '[batch, features]' : '[batch, time, features]'
  requireRank(layer, shape, (rank) => rank === leading + 1, want)
}

/** @throws ShapeError for less than `[batch, time, features]`. */
export const requireSequence = (name: string, shape: Shape): void => {
  if (shape.length >= 3) return
  throw new ShapeError({
    operation: name,
    problem: 'the input has the wrong number of axes',
    got: `shape ${showShape(shape)}`,
    want: '[batch, time, features]',
    fix: 'add the batch or the time axis, each of extent 1 where there is one sequence or step',
  })
}

/** The mask `[time, batch]` of a sequence, where it has one. @throws ShapeError where it does not fit. */
export const maskOf = (
  name: string,
  x: Tensor,
  { mask, lengths }: Omit<Sequence<unknown>, 'inputs'>,
): Tensor | undefined => {
  if (mask === undefined && lengths === undefined) return undefined
  const [batch, time] = x.shape
  const chosen = mask ?? lengths!
  const want = mask === undefined ? [batch!] : [batch!, time!]
  if (chosen.shape.join() !== want.join()) {
    throw new ShapeError({
      operation: name,
      problem:
        mask === undefined
          ? 'there is one length per sequence'
          : 'the mask does not fit the sequences',
      got: `${mask === undefined ? 'lengths' : 'mask'} of shape ${showShape(chosen.shape)} for inputs ${showShape(x.shape)}`,
      want: `shape ${showShape(want)}`,
      fix: 'put the batch first, as in the inputs',
    })
  }
  const full = mask === undefined ? maskOfLengths(chosen, time!) : mask.astype('bool')
  return swapBatchAndTime(full)
}
