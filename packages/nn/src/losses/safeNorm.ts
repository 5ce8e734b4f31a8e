/** A norm whose derivative is defined at 0. */
import type { Axes, Tensor } from '@cotangent/core'

export interface SafeNormOptions {
  /** All axes by default. */
  readonly axis?: Axes
  readonly keepdims?: boolean
}

/**
 * √Σ x², but at least `least`, with derivative 0 at and below it: no NaN at 0.
 * @example
 * losses.safeNorm(tensor([3, 4]), 0).item() // 5
 */
export const safeNorm = (x: Tensor, least: number, options: SafeNormOptions = {}): Tensor => {
  const squares = x.square().sum(options)
  const isLarge = squares.greater(least * least)
  return squares.where(isLarge, 1).sqrt().where(isLarge, least)
}
