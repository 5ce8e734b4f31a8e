/** Transformations that apply at some steps only. */
import { type Tensor, fill, frozenPair } from '@cotangent/core'
import { increment, zeroCount } from './hyper.ts'
import { skipNotFinite } from './accumulate.ts'
import type { Extra, GradientTransformation } from './transformation.ts'
import { select, zerosOf } from './trees.ts'

export interface ConditionalState<S> {
  /** Updates asked for so far: int32, shape []. */
  readonly step: Tensor
  readonly inner: S
}

/** Whether to transform at a step: one boolean, from the step and what update gets beside it. */
export type ShouldTransform = (step: Tensor, extra: Extra | undefined) => Tensor

const conditional = <S>(
  inner: GradientTransformation<S>,
  should: ShouldTransform,
  otherwise: <G>(grads: G) => G,
): GradientTransformation<ConditionalState<S>> => ({
  init: (params) => Object.freeze({ step: zeroCount(), inner: inner.init(params) }),
  update: (grads, state, params, extra) => {
    const now = should(state.step, extra)
    const [updates, next] = inner.update(grads, state.inner, params, extra)
    const later = { step: increment(state.step), inner: select(now, next, state.inner) }
    return frozenPair(select(now, updates, otherwise(grads)), Object.freeze(later))
  },
})

/**
 * Transforms where the condition holds; elsewhere gradients pass as they are, the state stays.
 * @example
 * conditionallyTransform(clipByGlobalNorm(1), (step) => step.less(1000))
 */
export const conditionallyTransform = <S>(
  inner: GradientTransformation<S>,
  should: ShouldTransform,
): GradientTransformation<ConditionalState<S>> => conditional(inner, should, (grads) => grads)

/** Transforms where the condition holds; elsewhere updates are zero and the state stays. */
export const conditionallyMask = <S>(
  inner: GradientTransformation<S>,
  should: ShouldTransform,
): GradientTransformation<ConditionalState<S>> => conditional(inner, should, zerosOf)

export interface ApplyIfFiniteState<S> {
  /** Steps in a row, up to the last, with an element that was not finite: int32, shape []. */
  readonly notFiniteCount: Tensor
  /** Whether the last gradients were finite: bool, shape []. */
  readonly lastFinite: Tensor
  /** All steps with an element that was not finite: int32, shape []. */
  readonly totalNotFinite: Tensor
  readonly inner: S
}

/**
 * Skips gradients that are not finite: zero updates, the state stays; but not more than
 * `maxConsecutiveErrors` times in a row.
 */
export const applyIfFinite = <S>(
  inner: GradientTransformation<S>,
  maxConsecutiveErrors: number,
): GradientTransformation<ApplyIfFiniteState<S>> => ({
  init: (params) =>
    Object.freeze({
      notFiniteCount: zeroCount(),
      lastFinite: fill([], 1, 'bool'),
      totalNotFinite: zeroCount(),
      inner: inner.init(params),
    }),
  update: (grads, state, params, extra) => {
    const bad = skipNotFinite(grads, state.totalNotFinite, params)
    const notFiniteCount = increment(state.notFiniteCount).where(bad, zeroCount())
    const go = bad.logicalNot().logicalOr(notFiniteCount.greater(maxConsecutiveErrors))
    const [updates, next] = inner.update(grads, state.inner, params, extra)
    const later = {
      notFiniteCount,
      lastFinite: bad.logicalNot(),
      totalNotFinite: increment(state.totalNotFinite).where(bad, state.totalNotFinite),
      inner: select(go, next, state.inner),
    }
    return frozenPair(select(go, updates, zerosOf(updates)), Object.freeze(later))
  },
})
