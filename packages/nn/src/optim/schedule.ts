/** Learning rates: numbers, or pure functions of the number of updates made so far. */
import { type Tensor, type TensorLike, UnsupportedError, asTensor } from '@cotangent/core'

/** A value for each step, counted from 0; works on traced steps too. */
export type Schedule = (step: TensorLike) => Tensor

/** A step as a float. */
export const stepOf = (step: TensorLike): Tensor => asTensor(step).astype('float32')

/** The same value at every step. */
export const constantSchedule =
  (value: number): Schedule =>
  (step) =>
    stepOf(step).mul(0).add(value)

export interface PolynomialOptions {
  readonly initial: number
  readonly end: number
  /** 1 is a straight line. */
  readonly power: number
  readonly steps: number
  /** Steps before the change begins; 0 by default. */
  readonly begin?: number
}

// A position from 0 (before `begin`) to `steps`.
const within = (step: TensorLike, steps: number, begin: number): Tensor =>
  stepOf(step).sub(Math.max(begin, 0)).clip(0, steps)

/** From `initial` to `end` along (1 − step / steps)^power. */
export const polynomial = ({
  initial,
  end,
  power,
  steps,
  begin = 0,
}: PolynomialOptions): Schedule => {
  if (steps <= 0) return constantSchedule(initial)
  return (step) => {
    const left = within(step, steps, begin).div(steps).neg().add(1)
    return left
      .pow(power)
      .mul(initial - end)
      .add(end)
  }
}

/** A straight line from `initial` to `end` over `steps`. */
export const linear = (initial: number, end: number, steps: number, begin = 0): Schedule =>
  polynomial({ initial, end, steps, begin, power: 1 })

export interface ExponentialDecayOptions {
  readonly initial: number
  /** The factor over `steps` steps. */
  readonly rate: number
  readonly steps: number
  readonly begin?: number
  /** Change every `steps` steps only. */
  readonly staircase?: boolean
  /** Not beyond this: a lower bound for decay, an upper one for growth. */
  readonly end?: number
}

/** initial · rate^(step / steps). */
export const exponentialDecay = (options: ExponentialDecayOptions): Schedule => {
  const { initial, rate, steps, begin = 0, staircase = false, end } = options
  if (steps <= 0 || rate === 0) return constantSchedule(initial)
  return (step) => {
    const since = stepOf(step).sub(Math.max(begin, 0))
    const exponent = since.div(steps)
    const turns = staircase ? exponent.floor() : exponent
    const decayed = turns.mul(Math.log(rate)).exp().mul(initial).where(since.greater(0), initial)
    if (end === undefined) return decayed
    return rate < 1 ? decayed.maximum(end) : decayed.minimum(end)
  }
}

export interface CosineOptions {
  /** The final value, as a fraction of the initial one; 0 by default. */
  readonly alpha?: number
  readonly exponent?: number
}

/** initial · ((1 − alpha) · ((1 + cos(π step / steps)) / 2)^exponent + alpha). @see Loshchilov & Hutter 2017 */
export const cosineDecay = (
  initial: number,
  steps: number,
  { alpha = 0, exponent = 1 }: CosineOptions = {},
): Schedule => {
  if (steps <= 0) {
    throw new UnsupportedError({
      operation: 'cosineDecay',
      problem: 'the cosine takes some steps',
      got: `${steps} steps`,
      fix: 'give a positive number; the steps of a warm-up are not among them',
    })
  }
  return (step) => {
    const wave = within(step, steps, 0)
      .mul(Math.PI / steps)
      .cos()
      .add(1)
      .mul(0.5)
    const shaped = exponent === 1 ? wave : wave.pow(exponent)
    return shaped
      .mul(1 - alpha)
      .add(alpha)
      .mul(initial)
  }
}

/**
 * Multiplies the value by a factor once each boundary is reached.
 * @throws UnsupportedError for negative factors.
 * @example
 * piecewiseConstant(0.1, { 1000: 0.5, 5000: 0.1 })
 */
export const piecewiseConstant = (
  initial: number,
  boundaries: Readonly<Record<number, number>> = {},
): Schedule => {
  const steps = Object.entries(boundaries)
  const wrong = steps.find(([, factor]) => factor < 0)
  if (wrong !== undefined) {
    throw new UnsupportedError({
      operation: 'piecewiseConstant',
      problem: 'factors are not negative',
      got: `${wrong[1]} at ${wrong[0]}`,
      fix: 'give the ratio of the value from this boundary on to the one before',
    })
  }
  return (step) => {
    const at = stepOf(step)
    return steps.reduce(
      (value, [boundary, factor]) =>
        value.mul(factor).where(at.greaterEqual(Number(boundary)), value),
      constantSchedule(initial)(step),
    )
  }
}

/** One schedule until the first boundary, the next until the second, …; each counts from its start. */
export const joinSchedules = (
  schedules: readonly Schedule[],
  boundaries: readonly number[],
): Schedule => {
  const [first, ...others] = schedules
  if (first === undefined || others.length !== boundaries.length) {
    throw new UnsupportedError({
      operation: 'joinSchedules',
      problem: 'each two schedules need one boundary between them',
      got: `${schedules.length} schedules, ${boundaries.length} boundaries`,
      fix: 'give one boundary fewer than schedules',
    })
  }
  return (step) =>
    others.reduce((value, schedule, i) => {
      const at = stepOf(step)
      const since = at.sub(boundaries[i]!)
      return schedule(since).where(since.greaterEqual(0), value)
    }, first(step))
}
