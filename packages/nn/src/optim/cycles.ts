/** Schedules that come back: cosine annealing, warm restarts, triangles. */
import { type Tensor, UnsupportedError } from '@cotangent/core'
import { type Schedule, stepOf } from './schedule.ts'

/** From one value to another along half a cosine; `share` from 0 to 1. */
export const cosineBetween = (start: number, end: number, share: Tensor): Tensor =>
  share
    .mul(Math.PI)
    .cos()
    .add(1)
    .mul((start - end) / 2)
    .add(end)

export interface AnnealingOptions {
  readonly initial: number
  /** Steps of the way down, and as many of the way up again. */
  readonly period: number
  /** The lowest value; 0 by default. */
  readonly end?: number
}

/** A cosine down to `end` in `period` steps, up again in as many, and so on. @see Loshchilov & Hutter 2017 */
export const cosineAnnealing =
  ({ initial, period, end = 0 }: AnnealingOptions): Schedule =>
  (step) =>
    cosineBetween(
      initial,
      end,
      stepOf(step)
        .mod(2 * period)
        .div(period),
    )

export interface WarmRestartOptions extends AnnealingOptions {
  /** Each period is this many times the one before, a whole number from 1 on; 1 by default. */
  readonly factor?: number
}

/**
 * A cosine down to `end` in `period` steps, then from the top again, in longer and longer periods.
 * @throws UnsupportedError for a factor that is no whole number from 1 on.
 * @see Loshchilov & Hutter 2017, equation 5
 */
export const cosineWarmRestarts = ({
  initial,
  period,
  end = 0,
  factor = 1,
}: WarmRestartOptions): Schedule => {
  if (!Number.isInteger(factor) || factor < 1) {
    throw new UnsupportedError({
      operation: 'cosineWarmRestarts',
      problem: 'periods grow by a whole number',
      got: `factor ${factor}`,
      fix: 'give 1, 2, …',
    })
  }
  if (factor === 1) {
    return (step) => cosineBetween(initial, end, stepOf(step).mod(period).div(period))
  }
  return (step) => {
    const at = stepOf(step)
    // Half a step ahead, no step lies so close to a restart that rounding could matter.
    const ratio = at
      .add(0.5)
      .mul((factor - 1) / period)
      .add(1)
    const restarts = ratio.log().div(Math.log(factor)).floor()
    const length = restarts.mul(Math.log(factor)).exp().mul(period).round()
    const since = at.sub(length.sub(period).div(factor - 1))
    return cosineBetween(initial, end, since.div(length))
  }
}

export interface CyclicOptions {
  readonly base: number
  readonly peak: number
  /** Steps from base to peak. */
  readonly up: number
  /** Steps from peak to base; as many as `up` by default. */
  readonly down?: number
  /** Equal triangles (the default), each half as high as the last, or shrinking by `gamma` a step. */
  readonly mode?: 'triangular' | 'triangular2' | 'expRange'
  /** The factor per step of `expRange`; 1 by default. */
  readonly gamma?: number
}

/**
 * Triangles from `base` to `peak` and back. With both exchanged, the momentum that goes with them.
 * @see Smith 2017
 */
export const cyclic = (options: CyclicOptions): Schedule => {
  const { base, peak, up, down = up, mode = 'triangular', gamma = 1 } = options
  const heightAt = (at: Tensor): Tensor => {
    if (mode === 'expRange') return at.mul(Math.log(gamma)).exp()
    const cycles = at.div(up + down).floor()
    return mode === 'triangular' ? cycles.mul(0).add(1) : cycles.mul(-Math.LN2).exp()
  }
  return (step) => {
    const at = stepOf(step)
    const position = at.mod(up + down)
    const falling = position
      .neg()
      .add(up + down)
      .div(down)
    const triangle = position.div(up).where(position.lessEqual(up), falling)
    return triangle
      .mul(heightAt(at))
      .mul(peak - base)
      .add(base)
  }
}
