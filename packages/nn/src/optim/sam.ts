/** Sharpness-aware minimisation: the gradient from the worst point nearby. */
import { type Tensor, UnsupportedError, erase, frozenPair } from '@cotangent/core'
import { zeroCount } from './hyper.ts'
import {
  type GradientTransformation,
  applyUpdates,
  requireExtra,
  requireParams,
} from './transformation.ts'
import { type Tree, frozenCopy, mapTrees, select } from './trees.ts'

export interface SamState<O, A> {
  /** Ascents since the last descent: int32, shape []. */
  readonly stepsSinceSync: Tensor
  readonly optimizer: O
  readonly adversary: A
  /** The parameters before the ascent; null in opaque mode. */
  readonly cache: Tree
}

export interface SamOptions {
  /** Steps to a descent: all but the last go uphill; 2 by default. */
  readonly syncPeriod?: number
  /** Begin the adversary's state anew after each descent; true by default. */
  readonly resetState?: boolean
  /** Do all of it in one update, which then gets `{ gradFn }`; false by default. */
  readonly opaqueMode?: boolean
}

const negated = <T>(updates: T): T => mapTrees('sam', (u) => u.neg(), updates)

/**
 * SAM: the adversary goes uphill from the parameters, the optimiser steps from them by the gradient
 * found there. By default this takes `syncPeriod` updates, each with the gradient at the parameters
 * that the last one gave; in opaque mode one update does it with `gradFn(params, i)`.
 * @throws UnsupportedError where the period is below one, or gradFn is missing; TreeError where
 * update gets no parameters.
 * @see Foret et al. 2021, algorithm 1
 * @example
 * const optimizer = sam(sgd(0.1), chain(normalize(), sgd(0.05)), { opaqueMode: true })
 * optimizer.update(grads, state, params, { gradFn: (p) => grad(loss)(p) })
 */
export const sam = <O, A>(
  optimizer: GradientTransformation<O>,
  adversary: GradientTransformation<A>,
  { syncPeriod = 2, resetState = true, opaqueMode = false }: SamOptions = {},
): GradientTransformation<SamState<O, A>> => {
  if (syncPeriod < 1) {
    throw new UnsupportedError({
      operation: 'sam',
      problem: 'a descent takes one step or more',
      got: `syncPeriod ${syncPeriod}`,
      fix: 'give a whole number from 1 on',
    })
  }
  const init = (params: Tree): SamState<O, A> =>
    Object.freeze({
      stepsSinceSync: zeroCount(),
      optimizer: optimizer.init(params),
      adversary: adversary.init(params),
      cache: opaqueMode ? null : frozenCopy(params),
    })
  if (opaqueMode) {
    return {
      init,
      update: (grads, state, params, extra) => {
        const known = requireParams('sam', params)
        const gradFn = erase(requireExtra('sam', extra, 'gradFn'))
        let [place, gradient, hostile]: readonly [Tree, Tree, A] = [known, grads, state.adversary]
        for (let i = 0; i < syncPeriod - 1; i++) {
          const [up, next] = adversary.update(gradient, hostile, place)
          place = applyUpdates(place, negated(up))
          gradient = gradFn(place, i)
          hostile = next
        }
        const there = mapTrees('sam', (_, g) => g, grads, gradient)
        const [updates, next] = optimizer.update(there, state.optimizer, known)
        const later = {
          stepsSinceSync: zeroCount(),
          optimizer: next,
          adversary: resetState ? adversary.init(known) : hostile,
          cache: null,
        }
        return frozenPair(updates, Object.freeze(later))
      },
    }
  }
  return {
    init,
    update: (grads, state, params) => {
      const known = requireParams('sam', params)
      const first = state.stepsSinceSync.equal(0)
      const last = state.stepsSinceSync.equal(syncPeriod - 1)
      const [up, hostile] = adversary.update(grads, state.adversary, known)
      const [down, next] = optimizer.update(grads, state.optimizer, state.cache)
      const back = mapTrees('sam', (u, c, p) => c.sub(p).add(u), down, state.cache, known)
      const later = {
        stepsSinceSync: state.stepsSinceSync.add(1).mod(syncPeriod),
        optimizer: select(last, next, state.optimizer),
        adversary: select(last, resetState ? adversary.init(known) : state.adversary, hostile),
        cache: select(first, known, state.cache),
      }
      return frozenPair(select(last, back, negated(up)), Object.freeze(later))
    },
  }
}
