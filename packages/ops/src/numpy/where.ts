/** `where` with three arguments or, as `nonzero`, with one. */
import type { Tensor, TensorLike } from '@cotangent/core'
import { type NonzeroOptions, nonzero } from './searching.ts'
import { where as choose } from './select.ts'

/**
 * `onTrue` where the condition is not zero, `onFalse` elsewhere; all three broadcast. With the
 * condition alone, the positions where it holds, as `nonzero` gives them.
 * @throws ShapeError where the shapes do not broadcast; TracerError for a lone traced condition
 * without `size`.
 * @example
 * np.where(x.greater(0), x, 0)
 */
export function where(condition: TensorLike, onTrue: TensorLike, onFalse: TensorLike): Tensor
export function where(condition: TensorLike, options?: NonzeroOptions): readonly Tensor[]
export function where(
  condition: TensorLike,
  onTrue?: TensorLike | NonzeroOptions,
  onFalse?: TensorLike,
): Tensor | readonly Tensor[] {
  if (onFalse !== undefined && isValue(onTrue)) return choose(condition, onTrue, onFalse)
  return nonzero(condition, isValue(onTrue) ? {} : (onTrue ?? {}))
}

const isValue = (given: TensorLike | NonzeroOptions | undefined): given is TensorLike =>
  given !== undefined &&
  (typeof given !== 'object' || Object.getPrototypeOf(given) !== Object.prototype)
