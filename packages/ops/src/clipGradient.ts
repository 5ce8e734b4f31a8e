/** Bounds on what flows back through a value. */
import { customVjp, tree, type Tensor } from '@cotangent/core'
import { clip } from './numpy/math.ts'

/**
 * `x` itself (a tensor or a tree), whose cotangent is clipped to `[low, high]` element by element.
 * Reverse mode only.
 * @throws UnsupportedError in forward mode.
 * @example
 * grad((x: Tensor) => clipGradient(-1, 1, x).mul(100))(tensor(3)) // 1
 */
export const clipGradient = <T>(low: number, high: number, x: T): T =>
  customVjp(
    (value: T) => value,
    (value: T) => [value, null] as const,
    (_, cotangent: T) => [tree.map((ct: Tensor) => clip(ct, low, high), cotangent)],
  )(x)
