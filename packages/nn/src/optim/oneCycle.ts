/** One cycle: up to a large rate, down to a very small one; momentum the other way round. */
import { type Tensor, UnsupportedError } from '@cotangent/core'
import { cosineBetween } from './cycles.ts'
import { type Schedule, constantSchedule, stepOf } from './schedule.ts'

type Interpolation = 'linear' | 'cosine'

const between: Readonly<Record<Interpolation, (a: number, b: number, share: Tensor) => Tensor>> = {
  // As a sum of shares, so that both ends are exact.
  linear: (a, b, share) => share.neg().add(1).mul(a).add(share.mul(b)),
  cosine: cosineBetween,
}

/** Values at steps, in order, and what lies between: constant before the first and after the last. */
const through =
  (kind: Interpolation, points: readonly (readonly [step: number, value: number])[]): Schedule =>
  (step) => {
    const at = stepOf(step)
    const start = constantSchedule(points[0]![1])(at)
    return points.slice(1).reduce((value, [end, target], i) => {
      const [begin, from] = points[i]!
      const share = at
        .sub(begin)
        .div(end > begin ? end - begin : 1)
        .clip(0, 1)
      return between[kind](from, target, share).where(at.greaterEqual(begin), value)
    }, start)
  }

/**
 * From each boundary's value to the next; each is the one before times its factor.
 * @throws UnsupportedError for negative factors.
 * @example
 * piecewiseInterpolate('cosine', 0.1, { 100: 10, 1000: 0.01 }) // 0.1, then 1, then 0.01
 */
export const piecewiseInterpolate = (
  kind: Interpolation,
  initial: number,
  boundaries: Readonly<Record<number, number>> = {},
): Schedule => {
  const points: (readonly [number, number])[] = [[0, initial]]
  let value = initial
  for (const [boundary, factor] of Object.entries(boundaries)) {
    if (factor < 0) {
      throw new UnsupportedError({
        operation: 'piecewiseInterpolate',
        problem: 'factors are not negative',
        got: `${factor} at ${boundary}`,
        fix: 'give the ratio of the value at this boundary to the one before',
      })
    }
    value *= factor
    points.push([Number(boundary), value])
  }
  return through(kind, points)
}

const requireSteps = (operation: string, steps: number): void => {
  if (steps > 0) return
  throw new UnsupportedError({
    operation,
    problem: 'a cycle takes one step or more',
    got: `${steps} steps`,
    fix: 'give the number of steps of the whole training',
  })
}

export interface LinearOneCycleOptions {
  readonly steps: number
  readonly peak: number
  /** The share of steps to the peak; 0.3 by default. */
  readonly percentStart?: number
  /** The share of steps at which the first value is reached again; 0.85 by default. */
  readonly percentFinal?: number
  /** From the first value to the peak; 25 by default. */
  readonly divFactor?: number
  /** From the last value to the first; 1e4 by default. */
  readonly finalDivFactor?: number
}

/** Straight lines up to the peak, down, and further down to the end. @see Smith & Topin 2019 */
export const linearOneCycle = (options: LinearOneCycleOptions): Schedule => {
  const { steps, peak, percentStart = 0.3, percentFinal = 0.85 } = options
  const { divFactor = 25, finalDivFactor = 1e4 } = options
  requireSteps('linearOneCycle', steps)
  return through('linear', [
    [0, peak / divFactor],
    [Math.trunc(percentStart * steps), peak],
    [Math.trunc(percentFinal * steps), peak / divFactor],
    [steps, peak / divFactor / finalDivFactor],
  ])
}

export type CosineOneCycleOptions = Omit<LinearOneCycleOptions, 'percentFinal'>

/** Cosines up to the peak and down to the end. @see Smith & Topin 2019 */
export const cosineOneCycle = (options: CosineOneCycleOptions): Schedule => {
  const { steps, peak, percentStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options
  requireSteps('cosineOneCycle', steps)
  return through('cosine', [
    [0, peak / divFactor],
    [Math.trunc(percentStart * steps), peak],
    [steps, peak / (divFactor * finalDivFactor)],
  ])
}

export interface OneCycleOptions extends CosineOneCycleOptions {
  /** `cosine` by default. */
  readonly anneal?: Interpolation
  /** Down to the first value in as many steps as up, and only then to the last; false by default. */
  readonly threePhase?: boolean
  /** The lowest momentum, at the peak; 0.85 by default. */
  readonly baseMomentum?: number
  /** The highest momentum, at both ends; 0.95 by default. */
  readonly maxMomentum?: number
}

/**
 * PyTorch's one-cycle policy: the rate and the momentum that goes with it. The last value is at
 * step `steps − 1`.
 * @see Smith & Topin 2019
 * @example
 * const { rate, momentum } = optim.oneCycle({ peak: 0.1, steps: 1000 })
 * optim.injectHyperparams((h) => optim.sgd(h.rate, { momentum: h.momentum }), { rate, momentum })
 */
export const oneCycle = (
  options: OneCycleOptions,
): { readonly rate: Schedule; readonly momentum: Schedule } => {
  const { steps, peak, percentStart = 0.3, divFactor = 25, finalDivFactor = 1e4 } = options
  const { anneal = 'cosine', threePhase = false } = options
  const { baseMomentum = 0.85, maxMomentum = 0.95 } = options
  requireSteps('oneCycle', steps)
  const initial = peak / divFactor
  const top = percentStart * steps - 1
  const middle: readonly (readonly [number, number])[] = threePhase ? [[2 * top, initial]] : []
  const level: readonly (readonly [number, number])[] = threePhase ? [[2 * top, maxMomentum]] : []
  const rate = through(anneal, [
    [0, initial],
    [top, peak],
    ...middle,
    [steps - 1, initial / finalDivFactor],
  ])
  const momentum = through(anneal, [
    [0, maxMomentum],
    [top, baseMomentum],
    ...level,
    [steps - 1, maxMomentum],
  ])
  return Object.freeze({ rate, momentum })
}
