/** Line searches as the last part of a chain: they multiply the updates by a step size. */
import {
  type Structure,
  type Tensor,
  type TensorLike,
  erase,
  fill,
  flatten,
  frozenPair,
  grad as gradientOf,
  leafTensor,
  typed,
  unflatten,
  valueAndGrad,
} from '@cotangent/core'
import { cond, whileLoop } from '@cotangent/ops'
import { scalar, times, zeroCount } from './hyper.ts'
import { addScaled, treeDot } from './norms.ts'
import { type GradientTransformation, requireExtra, requireParams } from './transformation.ts'
import { type Tree, mapTrees, tensorsOf, zerosOf } from './trees.ts'
import { type ZoomOptions, zoomLinesearch } from './zoom.ts'

export interface LinesearchInfo {
  /** Evaluations of the function. */
  readonly numLinesearchSteps: Tensor
  /** How far the function was from falling enough. */
  readonly decreaseError: Tensor
}

export interface ZoomState {
  /** The step size of the last update. */
  readonly learningRate: Tensor
  /** The function after the last update: infinite before the first. */
  readonly value: Tensor
  /** Its gradient there. */
  readonly grad: Tree
  readonly info: LinesearchInfo & { readonly curvatureError: Tensor }
}

export interface ScaleByZoomOptions extends ZoomOptions {
  /** Begin with the last step size (`keep`, by default) or with one. */
  readonly initialGuessStrategy?: 'keep' | 'one'
}

type ValueFunction = (params: never) => TensorLike

// The parameters' type is known to the caller alone; it is that of what update got.
const onLeaves = (
  f: ValueFunction,
  structure: Structure,
): ((leaves: readonly Tensor[]) => Tensor) => {
  const call: (params: Tree) => TensorLike = typed(erase(f))
  return (leaves) => scalar(call(unflatten(structure, leaves)))
}

/**
 * Searches along the updates for a step size with the strong Wolfe conditions.
 * @throws UnsupportedError unless update gets `{ value, grad, valueFn }`.
 * @see Nocedal & Wright 2006, chapter 3
 */
export const scaleByZoomLinesearch = (
  options: ScaleByZoomOptions,
): GradientTransformation<ZoomState> => ({
  init: (params) =>
    Object.freeze({
      learningRate: fill([], 1, 'float32'),
      value: fill([], Infinity, 'float32'),
      grad: zerosOf(params),
      info: Object.freeze({
        numLinesearchSteps: zeroCount(),
        decreaseError: fill([], Infinity, 'float32'),
        curvatureError: fill([], Infinity, 'float32'),
      }),
    }),
  update: (grads, state, params, extra) => {
    const operation = 'scaleByZoomLinesearch'
    const { initialGuessStrategy = 'keep' } = options
    const { leaves, structure } = flatten(requireParams(operation, params), operation)
    const found = zoomLinesearch(
      {
        valueAndGrad: valueAndGrad(onLeaves(requireExtra(operation, extra, 'valueFn'), structure)),
        params: leaves.map(leafTensor),
        updates: tensorsOf(operation, grads),
        value: scalar(requireExtra(operation, extra, 'value')),
        grad: tensorsOf(operation, requireExtra(operation, extra, 'grad')),
        guess: initialGuessStrategy === 'one' ? fill([], 1, 'float32') : state.learningRate,
      },
      options,
    )
    const { stepsize, value, count, decreaseError, curvatureError } = found
    const grad = unflatten(structure, found.grad)
    const updates = mapTrees(operation, (u) => times(u, stepsize), grads)
    const info = Object.freeze({ numLinesearchSteps: count, decreaseError, curvatureError })
    return frozenPair(updates, Object.freeze({ learningRate: stepsize, value, grad, info }))
  },
})

export interface BacktrackingState {
  /** The step size of the last update. */
  readonly learningRate: Tensor
  /** The function after the last update: infinite before the first. */
  readonly value: Tensor
  /** Its gradient there, with `storeGrad`; else null. */
  readonly grad: Tree
  readonly info: LinesearchInfo
}

export interface BacktrackingOptions {
  /** Shorter steps at most after the first. */
  readonly maxBacktrackingSteps: number
  /** The share of the slope by which the function is to fall; 1e-4 by default. */
  readonly slopeRtol?: number
  /** From one step to the next shorter one; 0.8 by default. */
  readonly decreaseFactor?: number
  /** From the last step size to the first one tried; 1.5 by default. */
  readonly increaseFactor?: number
  /** Steps are not longer; 1 by default. */
  readonly maxLearningRate?: number
  /** How far the function may be from falling enough; 0 by default. */
  readonly atol?: number
  /** The same as a share of its value; 0 by default. */
  readonly rtol?: number
  /** Keep the gradient after the step, for the next one; false by default. */
  readonly storeGrad?: boolean
}

/**
 * Shortens the step until the function falls by a share of the slope (Armijo's condition).
 * @throws UnsupportedError unless update gets `{ value, grad, valueFn }`.
 * @see Nocedal & Wright 2006, algorithm 3.1
 */
export const scaleByBacktrackingLinesearch = (
  options: BacktrackingOptions,
): GradientTransformation<BacktrackingState> => {
  const operation = 'scaleByBacktrackingLinesearch'
  const { maxBacktrackingSteps, slopeRtol = 1e-4, decreaseFactor = 0.8 } = options
  const { increaseFactor = 1.5, maxLearningRate = 1, atol = 0, rtol = 0 } = options
  const { storeGrad = false } = options
  return {
    init: (params) =>
      Object.freeze({
        learningRate: fill([], 1, 'float32'),
        value: fill([], Infinity, 'float32'),
        grad: storeGrad ? zerosOf(params) : null,
        info: Object.freeze({
          numLinesearchSteps: zeroCount(),
          decreaseError: fill([], Infinity, 'float32'),
        }),
      }),
    update: (grads, state, params, extra) => {
      const { leaves, structure } = flatten(requireParams(operation, params), operation)
      const known = leaves.map(leafTensor)
      const direction = tensorsOf(operation, grads)
      const f = onLeaves(requireExtra(operation, extra, 'valueFn'), structure)
      const value = scalar(requireExtra(operation, extra, 'value'))
      const slope = treeDot(grads, requireExtra(operation, extra, 'grad')).astype('float32')
      const errorAt = (rate: Tensor, next: Tensor): Tensor => {
        const bound = value.mul(1 + rtol).add(rate.mul(slope).mul(slopeRtol))
        const error = next.sub(bound)
        return error.where(error.equal(error), Infinity).maximum(0)
      }
      const end = whileLoop(
        (s) =>
          s.error.lessEqual(atol).logicalNot().logicalAnd(s.count.lessEqual(maxBacktrackingSteps)),
        (s) => {
          const rate = s.rate.mul(decreaseFactor).where(s.count.greater(0), s.rate)
          const next = f(addScaled(known, rate, direction))
          return { rate, value: next, error: errorAt(rate, next), count: s.count.add(1) }
        },
        {
          rate: state.learningRate.mul(increaseFactor).minimum(maxLearningRate),
          value,
          error: fill([], Infinity, 'float32'),
          count: zeroCount(),
        },
      )
      const learningRate = fill([], 0, 'float32').where(end.error.equal(Infinity), end.rate)
      const updates = mapTrees(operation, (u) => times(u, learningRate), grads)
      const gradAfter = (): Tree =>
        unflatten(structure, gradientOf(f)(addScaled(known, learningRate, direction)))
      const next = {
        learningRate,
        value: end.value,
        grad: storeGrad ? gradAfter() : null,
        info: Object.freeze({ numLinesearchSteps: end.count, decreaseError: end.error }),
      }
      return frozenPair(updates, Object.freeze(next))
    },
  }
}

/**
 * The value and gradient that a line search has left in its state, or computed where there is none
 * (before the first step): saves one evaluation for each step.
 * @example
 * const [value, grad] = valueAndGradFromState(loss)(params, state[2])
 */
export const valueAndGradFromState =
  <P>(valueFn: (params: P) => Tensor) =>
  (params: P, state: { readonly value: Tensor; readonly grad: Tree }): readonly [Tensor, P] => {
    // Infinity − infinity is NaN, which is not equal to zero.
    const known = state.value.sub(state.value).equal(0)
    const { leaves, structure } = flatten(params, 'valueAndGradFromState')
    const compute = valueAndGrad(onLeaves(valueFn, structure))
    const kept = tensorsOf('valueAndGradFromState', state.grad)
    const [value, grad] = cond(
      known,
      () => [state.value, kept] as const,
      () => compute(leaves.map(leafTensor)),
    )
    return frozenPair(value, unflatten<P>(structure, grad))
  }
