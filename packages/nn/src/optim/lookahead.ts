/** Lookahead: slow weights that follow fast ones. */
import { type Tensor, UnsupportedError, frozenPair } from '@cotangent/core'
import { zeroCount } from './hyper.ts'
import { type GradientTransformation, requireParams } from './transformation.ts'
import { type Tree, frozenCopy, mapTrees, select } from './trees.ts'

export interface LookaheadState<S> {
  readonly fast: S
  /** The slow parameters: those to evaluate and to keep. */
  readonly slow: Tree
  /** Steps since both were brought together: int32, shape []. */
  readonly stepsSinceSync: Tensor
}

export interface LookaheadOptions {
  /** Fast steps between two slow ones; at least 1. */
  readonly syncPeriod: number
  /** How far the slow parameters go towards the fast ones, from 0 to 1. */
  readonly slowStepSize: number
  /** Begin the fast optimiser's state anew after each slow step; false by default. */
  readonly resetState?: boolean
}

/**
 * Every `syncPeriod` steps the slow parameters go a part of the way to the fast ones, which then
 * begin from there. The parameters that `update` gets, and updates, are the fast ones; the slow ones
 * are in the state, so that this is a transformation like any other.
 * @throws UnsupportedError where the period is below one; TreeError where update gets no parameters.
 * @see Zhang et al. 2019, algorithm 1
 * @example
 * const optimizer = lookahead(adam(1e-3), { syncPeriod: 5, slowStepSize: 0.5 })
 */
export const lookahead = <S>(
  fast: GradientTransformation<S>,
  { syncPeriod, slowStepSize, resetState = false }: LookaheadOptions,
): GradientTransformation<LookaheadState<S>> => {
  if (syncPeriod < 1) {
    throw new UnsupportedError({
      operation: 'lookahead',
      problem: 'the slow parameters follow after one step or more',
      got: `syncPeriod ${syncPeriod}`,
      fix: 'give a whole number from 1 on',
    })
  }
  return {
    init: (params) =>
      Object.freeze({
        fast: fast.init(params),
        slow: frozenCopy(params),
        stepsSinceSync: zeroCount(),
      }),
    update: (grads, state, params, extra) => {
      const known = requireParams('lookahead', params)
      const [steps, next] = fast.update(grads, state.fast, known, extra)
      const sync = state.stepsSinceSync.equal(syncPeriod - 1)
      const gaps = mapTrees('lookahead', (u, p, s) => p.add(u).sub(s), steps, known, state.slow)
      const slow = mapTrees(
        'lookahead',
        (s, gap) => s.add(gap.mul(slowStepSize)).where(sync, s),
        state.slow,
        gaps,
      )
      const updates = mapTrees(
        'lookahead',
        (u, gap) => u.sub(gap.mul(1 - slowStepSize)).where(sync, u),
        steps,
        gaps,
      )
      const later = {
        fast: resetState ? select(sync, fast.init(known), next) : next,
        slow,
        stepsSinceSync: state.stepsSinceSync.add(1).mod(syncPeriod),
      }
      return frozenPair(updates, Object.freeze(later))
    },
  }
}
