/** Stochastic gradient descent, with momentum, Nesterov's correction and dampening. */
import { type DType, type Tensor, frozenPair } from '@cotangent/core'
import { type Hyper, type ScheduleOr, increment, times, zeroCount } from './hyper.ts'
import { type RateState, scaleByLearningRate } from './rate.ts'
import { type EmptyState, type GradientTransformation, chain } from './transformation.ts'
import { type Tree, castTo, mapTrees, zerosOf } from './trees.ts'

/** The running sum of gradients, in the parameters' structure. */
export interface TraceState {
  readonly trace: Tree
  /** Updates made so far; only with dampening, which spares the first gradient. */
  readonly count?: Tensor
}

export interface TraceOptions {
  /** Look ahead along the momentum; false by default. */
  readonly nesterov?: boolean
  /** The share of each gradient but the first that is left out, as in PyTorch; 0 by default. */
  readonly dampening?: number
  /** The dtype of the sum, that of the gradients by default. */
  readonly accumulatorDtype?: DType
}

/**
 * Momentum: trace' = (1 − dampening) · g + decay · trace. The update is the trace; with Nesterov's
 * correction, g + decay · trace'.
 * @see Sutskever et al. 2013
 */
export const trace = (
  decay: Hyper,
  options: TraceOptions | boolean = {},
): GradientTransformation<TraceState> => {
  const {
    nesterov = false,
    dampening = 0,
    accumulatorDtype,
  } = typeof options === 'boolean' ? { nesterov: options } : options
  const push = <G>(grads: G, sum: Tree): G =>
    mapTrees('trace', (g, t) => g.add(times(t, decay)), grads, sum)
  return {
    init: (params) => {
      const start = zerosOf(params, accumulatorDtype)
      return Object.freeze(
        dampening === 0 ? { trace: start } : { trace: start, count: zeroCount() },
      )
    },
    update: (grads, { trace: sum, count }) => {
      const share: Hyper =
        count === undefined
          ? 1
          : count
              .equal(0)
              .astype('float32')
              .mul(dampening)
              .add(1 - dampening)
      const damped = share === 1 ? grads : mapTrees('trace', (g) => times(g, share), grads)
      const next = push(damped, sum)
      const kept = castTo(next, accumulatorDtype)
      const state = count === undefined ? { trace: kept } : { trace: kept, count: increment(count) }
      return frozenPair(nesterov ? push(grads, next) : next, Object.freeze(state))
    },
  }
}

export interface SgdOptions extends TraceOptions {
  /** The share of the last step that is taken again; none by default. */
  readonly momentum?: Hyper
}

/** The states of momentum (if any) and of the learning rate. */
export type SgdState = readonly (TraceState | EmptyState | RateState)[]

/**
 * Stochastic gradient descent: p ← p − rate · g, or the momentum's trace in place of g.
 * @example
 * optim.sgd(0.1, { momentum: 0.9, nesterov: true })
 */
export const sgd = (
  rate: ScheduleOr,
  { momentum, ...options }: SgdOptions = {},
): GradientTransformation<SgdState> =>
  momentum === undefined
    ? chain(scaleByLearningRate(rate))
    : chain(trace(momentum, options), scaleByLearningRate(rate))
