/** Gradients of several steps as one. */
import { type DType, type Tensor, fill, frozenPair } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { increment, scalar, times, zeroCount } from './hyper.ts'
import { squaredNorm } from './norms.ts'
import type { CountState, GradientTransformation } from './transformation.ts'
import { type Tree, castTo, mapTrees, select, tensorsOf, zerosOf } from './trees.ts'

export interface AccumulateState<S> {
  /** Gradients gathered since the last update: int32, shape []. */
  readonly miniStep: Tensor
  /** Updates made: int32, shape []. */
  readonly gradientStep: Tensor
  readonly inner: S
  /** Their mean or sum. */
  readonly accumulated: Tree
  /** Whether the last gradient was left out: bool, shape []. */
  readonly skipped: Tensor
}

/** Whether to leave a gradient out of the sum: one boolean. */
export type ShouldSkip = (grads: Tree, gradientStep: Tensor, params: Tree) => Tensor

export interface AccumulateOptions {
  /** The mean of gradients (true by default) or their sum. */
  readonly useGradMean?: boolean
  /** Leaves out some gradients, as if they had not been computed: `skipNotFinite`, … */
  readonly shouldSkip?: ShouldSkip
  /** float32 by default. */
  readonly accumulatorDtype?: DType
}

/** Skips gradients with an element that is not finite. */
export const skipNotFinite: ShouldSkip = (grads) =>
  tensorsOf('skipNotFinite', grads)
    .map((g) => np.isfinite(g).all().logicalNot())
    .reduce((a, b) => a.logicalOr(b), fill([], 0, 'bool'))

/** Skips gradients whose squared global norm is not below the bound. */
export const skipLargeUpdates =
  (maxSquaredNorm: number): ShouldSkip =>
  (grads) =>
    squaredNorm(grads).less(maxSquaredNorm).logicalNot()

/**
 * Gathers gradients over `every` steps (a number, or a function of the updates made so far) and
 * then lets one update of the inner transformation through; between, updates are zero. With the
 * mean, `every` steps on small batches equal one on all of them together. Optax's `MultiSteps`.
 * @example
 * accumulate(adam(1e-3), 4)
 */
export const accumulate = <S>(
  inner: GradientTransformation<S>,
  every: number | ((gradientStep: Tensor) => Tensor | number),
  options: AccumulateOptions = {},
): GradientTransformation<AccumulateState<S>> => {
  const { useGradMean = true, shouldSkip, accumulatorDtype = 'float32' } = options
  return {
    init: (params) =>
      Object.freeze({
        miniStep: zeroCount(),
        gradientStep: zeroCount(),
        inner: inner.init(params),
        accumulated: zerosOf(params, accumulatorDtype),
        skipped: fill([], 0, 'bool'),
      }),
    update: (grads, state, params, extra) => {
      const { miniStep, gradientStep } = state
      const period = scalar(typeof every === 'number' ? every : every(gradientStep), 'int32')
      const share = miniStep.add(1).astype('float32').reciprocal()
      const gathered = mapTrees(
        'accumulate',
        (g, a) => (useGradMean ? a.add(times(g.sub(a), share)) : a.add(g)),
        grads,
        state.accumulated,
      )
      const mean = mapTrees('accumulate', (g, a) => a.astype(g.dtype), grads, gathered)
      const [updates, next] = inner.update(mean, state.inner, params, extra)
      const skipped = shouldSkip?.(grads, gradientStep, params) ?? fill([], 0, 'bool')
      const emit = miniStep.equal(period.sub(1)).logicalAnd(skipped.logicalNot())
      const kept = select(emit, zerosOf(gathered), castTo(gathered, accumulatorDtype))
      const later = {
        miniStep: miniStep.where(skipped, miniStep.add(1).mod(period)),
        gradientStep: increment(gradientStep).where(emit, gradientStep),
        inner: select(emit, next, state.inner),
        accumulated: select(skipped, state.accumulated, kept),
        skipped,
      }
      return frozenPair(select(emit, updates, zerosOf(updates)), Object.freeze(later))
    },
  }
}

/** Whether the last step was one that updated. */
export const hasUpdated = (state: AccumulateState<unknown>): Tensor =>
  state.miniStep.equal(0).logicalAnd(state.gradientStep.greater(0))

export interface ApplyEveryState extends CountState {
  readonly accumulated: Tree
}

/** Sums updates over `k` steps and lets the sum through then; between, zeros. */
export const applyEvery = (k = 1): GradientTransformation<ApplyEveryState> => ({
  init: (params) => Object.freeze({ count: zeroCount(), accumulated: zerosOf(params) }),
  update: (grads, state) => {
    const { count } = state
    const first = count.equal(0)
    const accumulated = mapTrees(
      'applyEvery',
      (g, a) => g.where(first, g.add(a)),
      grads,
      state.accumulated,
    )
    const updates = select(count.equal(k - 1), accumulated, zerosOf(accumulated))
    return frozenPair(updates, Object.freeze({ count: count.add(1).mod(k), accumulated }))
  },
})
