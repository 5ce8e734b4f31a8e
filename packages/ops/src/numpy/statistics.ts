/** Covariance and correlation; unwrapping and numerical gradients. */
import {
  ShapeError,
  type Tensor,
  type TensorLike,
  listOfNumbers,
  normalizeAxis,
  range,
  reshape,
  showAval,
} from '@cotangent/core'
import { promoteDTypes, promoteOne } from '../promote.ts'
import { cumsum, diff } from './cumulative.ts'
import { concatenate } from './joining.ts'
import { sliceAxis } from './sliceAxis.ts'
import { clip } from './math.ts'
import { matmul } from './linear.ts'
import { diagonal } from './rearrange.ts'
import { where } from './select.ts'
import { atleast2d } from './shape.ts'

export interface CovarianceOptions {
  /** Whether rows are variables (the default) or columns. */
  readonly rowvar?: boolean
  /** Divides by the count instead of the count less one. */
  readonly bias?: boolean
  readonly ddof?: number
  /** How often each observation counts. */
  readonly fweights?: TensorLike
  /** How much each observation weighs. */
  readonly aweights?: TensorLike
}

const observations = (
  operation: string,
  x: TensorLike,
  y: TensorLike | null,
  rowvar: boolean,
): Tensor => {
  const rows = (v: Tensor): Tensor => {
    if (v.ndim > 2)
      throw new ShapeError({
        operation,
        problem: 'observations form a matrix',
        got: showAval(v.aval),
        fix: 'reshape them to [variables, observations]',
      })
    return v.ndim === 2 && !rowvar ? v.T : atleast2d(v)
  }
  const [a, b] = promoteDTypes(operation, y === null ? [x] : [x, y], { inexact: true })
  return b === undefined ? rows(a!) : concatenate([rows(a!), rows(b)], 0)
}

/** The covariance matrix of variables; a number for one variable. */
export const cov = (
  x: TensorLike,
  y: TensorLike | null = null,
  options: CovarianceOptions = {},
): Tensor => {
  const data = observations('np.cov', x, y, options.rowvar ?? true)
  const ddof = options.ddof ?? (options.bias === true ? 0 : 1)
  const n = data.shape[1]!
  const weights = weightsOf(options)
  if (weights === null) {
    const centred = data.sub(data.mean({ axis: 1, keepdims: true }))
    return matmul(centred, centred.T)
      .div(n - ddof)
      .squeeze()
  }
  const total = weights.sum()
  const centred = data.sub(data.mul(weights).sum({ axis: 1, keepdims: true }).div(total))
  const { aweights } = options
  const lost =
    aweights === undefined
      ? ddof
      : weights.mul(promoteOne('np.cov', aweights)).sum().div(total).mul(ddof)
  return matmul(centred, centred.mul(weights).T).div(total.sub(lost)).squeeze()
}

const weightsOf = ({ fweights, aweights }: CovarianceOptions): Tensor | null => {
  if (fweights === undefined)
    return aweights === undefined ? null : promoteOne('np.cov', aweights, { inexact: true })
  const counts = promoteOne('np.cov', fweights, { inexact: true })
  return aweights === undefined ? counts : counts.mul(aweights)
}

/** The correlation matrix, between −1 and 1; NaN for a constant variable. */
export const corrcoef = (
  x: TensorLike,
  y: TensorLike | null = null,
  options: { readonly rowvar?: boolean } = {},
): Tensor => {
  const c = cov(x, y, options)
  if (c.ndim === 0) return c.div(c)
  const deviation = diagonal(c).sqrt()
  return clip(c.div(deviation.expandDims(1)).div(deviation.expandDims(0)), -1, 1)
}

export interface UnwrapOptions {
  /** Jumps below this (half a period by default) are kept. */
  readonly discont?: number
  readonly axis?: number
  /** 2π by default. */
  readonly period?: number
}

/** Adds multiples of the period, so that neighbours differ by less than half of one. */
export const unwrap = (x: TensorLike, options: UnwrapOptions = {}): Tensor => {
  const { period = 2 * Math.PI } = options
  const a = promoteOne('np.unwrap', x, { inexact: true })
  const axis = normalizeAxis('np.unwrap', options.axis ?? -1, a.ndim)
  const half = period / 2
  const steps = diff(a, { axis })
  const wrapped = steps.add(half).mod(period).sub(half)
  const signed = where(wrapped.equal(-half).logicalAnd(steps.greater(0)), half, wrapped)
  const correction = where(steps.abs().less(options.discont ?? half), 0, signed.sub(steps))
  const rest = sliceAxis(a, axis, 1, a.shape[axis]!).add(cumsum(correction, axis))
  return concatenate([sliceAxis(a, axis, 0, Math.min(1, a.shape[axis]!)), rest], axis)
}

/** The distance between samples, or their positions along the axis. */
export type Spacing = number | Tensor | readonly number[]

/**
 * Central differences along each axis, one-sided at the ends: one tensor for a single axis, a list
 * otherwise. @throws ShapeError for an axis of fewer than two samples.
 */
export const gradients = (
  x: TensorLike,
  spacing: Spacing | readonly Spacing[] = 1,
  options: { readonly axis?: number | readonly number[] | null } = {},
): readonly Tensor[] => {
  const a = promoteOne('np.gradient', x, { inexact: true })
  const { axis = null } = options
  const axes = axis === null ? range(a.ndim) : listOfNumbers('np.gradient', 'the axis', axis)
  return axes.map((d, i) => {
    const at = normalizeAxis('np.gradient', d, a.ndim)
    return gradientAlong(a, at, spacingOf(spacing, i, axes.length, a.shape[at]!))
  })
}

const spacingOf = (
  spacing: Spacing | readonly Spacing[],
  i: number,
  count: number,
  extent: number,
): Spacing => {
  if (!Array.isArray(spacing)) return isSpacing(spacing) ? spacing : 1
  const isPositions =
    count === 1 && spacing.length === extent && spacing.every((s) => typeof s === 'number')
  return isPositions ? spacing : (spacing[i] ?? spacing[0] ?? 1)
}

const isSpacing = (spacing: Spacing | readonly Spacing[]): spacing is Spacing =>
  !Array.isArray(spacing)

/** `gradients` of a vector, or along one axis. */
export const gradient = (
  x: TensorLike,
  spacing: Spacing | readonly Spacing[] = 1,
  options: { readonly axis?: number | readonly number[] | null } = {},
): Tensor | readonly Tensor[] => {
  const all = gradients(x, spacing, options)
  return all.length === 1 ? all[0]! : all
}

const gradientAlong = (x: Tensor, axis: number, spacing: Spacing): Tensor => {
  const n = x.shape[axis]!
  if (n < 2) {
    throw new ShapeError({
      operation: 'np.gradient',
      problem: 'a difference needs two samples',
      got: `axis ${axis} of ${showAval(x.aval)}`,
      fix: 'leave this axis out',
    })
  }
  const part = (start: number, stop: number): Tensor => sliceAxis(x, axis, start, stop)
  const first = part(1, 2).sub(part(0, 1))
  const last = part(n - 1, n).sub(part(n - 2, n - 1))
  const distance =
    typeof spacing === 'number' ? null : promoteOne('np.gradient', spacing, { inexact: true })
  if (distance === null || distance.ndim === 0) {
    const h = distance ?? promoteOne('np.gradient', typeof spacing === 'number' ? spacing : 1)
    const inner = part(2, n)
      .sub(part(0, n - 2))
      .mul(0.5)
    return concatenate([first, inner, last], axis).div(h)
  }
  return unevenGradient(x, axis, diff(distance), first, last)
}

// The second-order formula for uneven samples: a weighted mean of the two one-sided differences.
const unevenGradient = (
  x: Tensor,
  axis: number,
  h: Tensor,
  first: Tensor,
  last: Tensor,
): Tensor => {
  const n = x.shape[axis]!
  const column = (t: Tensor): Tensor =>
    reshape(
      t,
      x.shape.map((_, d) => (d === axis ? t.size : 1)),
    )
  const [before, after] = [column(h.at('0:-1')), column(h.at('1:'))]
  const part = (start: number, stop: number): Tensor => sliceAxis(x, axis, start, stop)
  const [left, middle, right] = [part(0, n - 2), part(1, n - 1), part(2, n)]
  const span = before.add(after)
  const inner = left
    .mul(after.neg().div(before.mul(span)))
    .add(middle.mul(after.sub(before).div(before.mul(after))))
    .add(right.mul(before.div(after.mul(span))))
  return concatenate([first.div(h.at(0)), inner, last.div(h.at(-1))], axis)
}
