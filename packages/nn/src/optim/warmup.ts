/** Schedules that begin with a straight line up. */
import {
  type ExponentialDecayOptions,
  type Schedule,
  cosineDecay,
  exponentialDecay,
  joinSchedules,
  linear,
  stepOf,
} from './schedule.ts'

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

export interface WarmupExponentialOptions extends ExponentialDecayOptions {
  readonly peak: number
  /** Steps of the straight line to the peak. */
  readonly warmup: number
}

/** A straight line to `peak`, then an exponential decay from there; `begin` counts from the peak. */
export const warmupExponential = ({
  initial,
  peak,
  warmup,
  ...decay
}: WarmupExponentialOptions): Schedule =>
  joinSchedules(
    [linear(initial, peak, warmup), exponentialDecay({ ...decay, initial: peak })],
    [warmup],
  )

/**
 * Warm restarts as a list of warm-ups and cosines, one after the other; each counts its `steps`.
 * @see Loshchilov & Hutter 2017
 */
export const sgdr = (cycles: readonly WarmupCosineOptions[]): Schedule => {
  const ends = cycles.map((_, i) => cycles.slice(0, i + 1).reduce((sum, c) => sum + c.steps, 0))
  return joinSchedules(cycles.map(warmupCosine), ends.slice(0, -1))
}

/**
 * A straight line to `peak` over `warmup` steps, then peak · √(warmup / step), steps counted from 1.
 * @see Vaswani et al. 2017, equation 3
 */
export const inverseSquareRoot =
  (peak: number, warmup: number): Schedule =>
  (step) => {
    const at = stepOf(step).add(1)
    const falling = at.reciprocal().mul(warmup).sqrt()
    return at.div(warmup).minimum(falling).mul(peak)
  }
