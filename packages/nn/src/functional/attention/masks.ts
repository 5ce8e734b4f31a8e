/** Masks of attention: bool, true where a query may see a key. */
import type { Tensor } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { maskOfLengths } from '../recurrent/overTime.ts'

/**
 * `[t, s]`: query i, which is step `offset + i`, sees the keys 0 … offset + i.
 * @example
 * functional.causalMask(2, 3, 1) // [[true, true, false], [true, true, true]]
 */
export const causalMask = (t: number, s: number = t, offset: number | Tensor = 0): Tensor =>
  np.arange(s).lessEqual(np.arange(t).add(offset).reshape([t, 1]))

/** `[t, s]`: query i sees the `size` keys up to and including its own. @see Beltagy et al. 2020 */
export const slidingWindowMask = (t: number, s: number, size: number): Tensor => {
  const distance = np.arange(t).reshape([t, 1]).sub(np.arange(s))
  return distance.greaterEqual(0).logicalAnd(distance.less(size))
}

/** `[batch, 1, 1, s]`: all queries see the keys before each sequence's end. */
export const paddingMask = (lengths: Tensor, s: number): Tensor =>
  maskOfLengths(lengths, s).reshape([lengths.size, 1, 1, s])

/** `[…, 1, t, s]` from `queries: […, t]` and `keys: […, s]`: true where both are there. */
export const attentionMask = (queries: Tensor, keys: Tensor): Tensor => {
  const [t, s] = [queries.astype('bool'), keys.astype('bool')]
  return t.expandDims(-1).logicalAnd(s.expandDims(-2)).expandDims(-3)
}

/** Only what all of the masks show; none where there are none. */
export const combineMasks = (...masks: readonly (Tensor | undefined)[]): Tensor | undefined => {
  const given = masks.flatMap((mask) => (mask === undefined ? [] : [mask]))
  return given.length === 0 ? undefined : given.reduce((a, b) => a.logicalAnd(b))
}
