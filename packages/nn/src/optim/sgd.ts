/** Stochastic gradient descent. */
import {
  type CountState,
  type EmptyState,
  type GradientTransformation,
  chain,
} from './transformation.ts'
import { type ScheduleOr, scaleByLearningRate } from './schedule.ts'
import { type Tree, mapTrees, zerosOf } from './trees.ts'

/** The running sum of gradients, in the parameters' structure. */
export interface TraceState {
  readonly trace: Tree
}

/**
 * Momentum: trace' = g + decay · trace. The update is the trace; with Nesterov's correction,
 * g + decay · trace'.
 * @see Sutskever et al. 2013
 */
export const trace = (decay: number, nesterov = false): GradientTransformation<TraceState> => ({
  init: (params) => Object.freeze({ trace: zerosOf(params) }),
  update: (grads, state) => {
    const next = mapTrees('trace', (g, t) => g.add(t!.mul(decay)), grads, state.trace)
    const updates = nesterov ? mapTrees('trace', (g, t) => g.add(t!.mul(decay)), grads, next) : next
    return [updates, Object.freeze({ trace: next })]
  },
})

export interface SgdOptions {
  /** The share of the last step that is taken again; none by default. */
  readonly momentum?: number
  /** Look ahead along the momentum. */
  readonly nesterov?: boolean
}

/** The states of momentum (if any) and of the learning rate. */
export type SgdState = readonly (TraceState | EmptyState | CountState)[]

/**
 * Stochastic gradient descent: p ← p − rate · g, or the momentum's trace in place of g.
 * @example
 * optim.sgd(0.1, { momentum: 0.9, nesterov: true })
 */
export const sgd = (
  rate: ScheduleOr,
  { momentum, nesterov = false }: SgdOptions = {},
): GradientTransformation<SgdState> =>
  momentum === undefined
    ? chain(scaleByLearningRate(rate))
    : chain(trace(momentum, nesterov), scaleByLearningRate(rate))
