/** Choosing between tensors by conditions. */
import { ShapeError, type Tensor, type TensorLike, range, showAval } from '@cotangent/core'
import * as compare from '../prims/compare.ts'
import {
  asCondition,
  broadcastTensor,
  cast,
  commonShape,
  constantLike,
  promoteDTypes,
  promoteOne,
} from '../promote.ts'

/**
 * `onTrue` where the condition is not zero, `onFalse` elsewhere; all three broadcast. The branch
 * that is not taken gets a derivative of 0, but a NaN in its own derivative stays NaN (0 · ∞): guard
 * its argument with another `where`.
 * @throws ShapeError where the shapes do not broadcast.
 * @example
 * np.where(x.greater(0), x, 0)
 */
export const where = (condition: TensorLike, onTrue: TensorLike, onFalse: TensorLike): Tensor => {
  const mask = asCondition('np.where', condition)
  const [a, b] = promoteDTypes('np.where', [onTrue, onFalse])
  const shape = commonShape('np.where', [mask.shape, a!.shape, b!.shape])
  const spread = (x: Tensor): Tensor => broadcastTensor('np.where', x, shape)
  return compare.select(spread(mask), spread(a!), spread(b!))
}

/**
 * The choice of the first condition that holds, `fallback` where none does.
 * @throws ShapeError for lists of different lengths.
 * @example
 * np.select([x.less(0), x.greater(1)], [0, 1], x)
 */
export const select = (
  conditions: readonly TensorLike[],
  choices: readonly TensorLike[],
  fallback: TensorLike | { readonly default?: TensorLike } = 0,
): Tensor => {
  if (conditions.length !== choices.length || conditions.length === 0) {
    throw new ShapeError({
      operation: 'np.select',
      problem: 'every condition needs one choice',
      got: `${conditions.length} conditions and ${choices.length} choices`,
      fix: 'give as many choices as conditions',
    })
  }
  const [otherwise, ...typed] = promoteDTypes('np.select', [fallbackOf(fallback), ...choices])
  return range(typed.length).reduceRight<Tensor>(
    (rest, i) => where(conditions[i]!, typed[i]!, rest),
    otherwise!,
  )
}

const isOptions = (
  value: TensorLike | { readonly default?: TensorLike },
): value is { readonly default?: TensorLike } =>
  typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype

const fallbackOf = (value: TensorLike | { readonly default?: TensorLike }): TensorLike =>
  isOptions(value) ? (value.default ?? 0) : value

/**
 * `choices[a[i]][i]`, broadcast. Positions outside are clamped, or taken modulo the count.
 * @throws ShapeError for no choices.
 */
export const choose = (
  a: TensorLike,
  choices: readonly TensorLike[],
  options: { readonly mode?: 'clip' | 'wrap' } = {},
): Tensor => {
  const positions = cast(promoteOne('np.choose', a), 'int32')
  const typed = promoteDTypes('np.choose', choices)
  if (typed.length === 0)
    throw new ShapeError({
      operation: 'np.choose',
      problem: 'no choices',
      fix: 'give at least one',
    })
  const last = typed.length - 1
  const at = options.mode === 'wrap' ? positions.mod(typed.length) : positions.clip(0, last)
  return typed
    .slice(0, last)
    .reduceRight<Tensor>(
      (rest, choice, i) => where(compare.eq(at, constantLike(at, i)), choice, rest),
      typed[last]!,
    )
}

/**
 * `x` with the elements where `mask` holds replaced by `values`, repeated in order.
 * @throws ShapeError where the mask has another shape.
 */
export const place = (x: TensorLike, mask: TensorLike, values: TensorLike): Tensor => {
  const a = promoteOne('np.place', x)
  const condition = asCondition('np.place', mask)
  const source = cast(promoteOne('np.place', values).ravel(), a.dtype)
  if (condition.size !== a.size || source.size === 0) {
    throw new ShapeError({
      operation: 'np.place',
      problem:
        'the mask must have one element for each of the tensor’s, and some values are needed',
      got: `${showAval(condition.aval)} for ${showAval(a.aval)}, ${source.size} values`,
      fix: 'give a mask of the same shape, and at least one value',
    })
  }
  const chosen = condition.ravel()
  const order = chosen.astype('int32').cumsum().sub(1).mod(source.size)
  return where(chosen, source.at(order), a.ravel()).reshape(a.shape)
}
