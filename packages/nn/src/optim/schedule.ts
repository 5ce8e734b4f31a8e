/** Learning rates: numbers, or pure functions of the number of updates made so far. */
import { type Tensor, type TensorLike, UnsupportedError, asTensor } from '@cotangent/core'
import type {
  AnyTransformation,
  CountState,
  EmptyState,
  GradientTransformation,
} from './transformation.ts'
import { statelessTransformation, zeroCount } from './transformation.ts'
import { mapTrees } from './trees.ts'

/** A value for each step, counted from 0; works on traced steps too. */
export type Schedule = (step: TensorLike) => Tensor

/** A fixed number, or one for each step. */
export type ScheduleOr = number | ((step: Tensor) => TensorLike)

/** Multiplies by a number. */
export const scale = (factor: number): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => mapTrees('scale', (g) => g.mul(factor), grads))

/** Multiplies by a schedule's value. */
export const scaleBySchedule = (
  schedule: (step: Tensor) => TensorLike,
): GradientTransformation<CountState> => ({
  init: () => Object.freeze({ count: zeroCount() }),
  update: (grads, { count }) => {
    const factor = asTensor(schedule(count))
    const updates = mapTrees('scaleBySchedule', (g) => g.mul(factor.astype(g.dtype)), grads)
    return [updates, Object.freeze({ count: count.add(1) })]
  },
})

/** The last part of most optimisers: times −rate, so that adding the update descends. */
export const scaleByLearningRate = (
  rate: ScheduleOr,
): GradientTransformation<EmptyState | CountState> => {
  // Both states are frozen records; which one it is, is fixed by `rate`.
  const part: AnyTransformation =
    typeof rate === 'number' ? scale(-rate) : scaleBySchedule((step) => asTensor(rate(step)).neg())
  return {
    init: (params) => stateOf(part.init(params)),
    update: (grads, state, params) => {
      const [updates, next] = part.update(grads, state, params)
      return [updates, stateOf(next)]
    },
  }
}

const hasCount = (state: unknown): state is CountState =>
  typeof state === 'object' && state !== null && 'count' in state

const stateOf = (state: unknown): EmptyState | CountState =>
  hasCount(state) ? state : Object.freeze({})

const stepOf = (step: TensorLike): Tensor => asTensor(step).astype('float32')

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
  stepOf(step).sub(begin).clip(0, steps)

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
    const since = stepOf(step).sub(begin)
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
export const cosineDecay =
  (initial: number, steps: number, { alpha = 0, exponent = 1 }: CosineOptions = {}): Schedule =>
  (step) => {
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

/**
 * Multiplies the value by a factor once each boundary is reached.
 * @example
 * piecewiseConstant(0.1, { 1000: 0.5, 5000: 0.1 })
 */
export const piecewiseConstant =
  (initial: number, boundaries: Readonly<Record<number, number>>): Schedule =>
  (step) => {
    const at = stepOf(step)
    return Object.entries(boundaries).reduce(
      (value, [boundary, factor]) =>
        value.mul(factor).where(at.greaterEqual(Number(boundary)), value),
      constantSchedule(initial)(step),
    )
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

/** A straight line to `peak`, then `peak`. */
export const warmupConstant = (initial: number, peak: number, warmup: number): Schedule =>
  linear(initial, peak, warmup)

export interface WarmupCosineOptions {
  readonly initial: number
  readonly peak: number
  /** Steps of the straight line to the peak. */
  readonly warmup: number
  /** Steps in all. */
  readonly steps: number
  readonly end?: number
  readonly exponent?: number
}

/** A straight line to `peak`, then a cosine to `end`. */
export const warmupCosine = (options: WarmupCosineOptions): Schedule => {
  const { initial, peak, warmup, steps, end = 0, exponent = 1 } = options
  const alpha = peak === 0 ? 0 : end / peak
  const decay = cosineDecay(peak, steps - warmup, { alpha, exponent })
  return joinSchedules([linear(initial, peak, warmup), decay], [warmup])
}
