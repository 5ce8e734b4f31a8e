/** L-BFGS: curvature from the last steps. */
import { type Tensor, UnsupportedError, fill, frozenPair } from '@cotangent/core'
import { np, scan } from '@cotangent/ops'
import { type ScheduleOr, increment, zeroCount } from './hyper.ts'
import { type ScaleByZoomOptions, type ZoomState, scaleByZoomLinesearch } from './linesearch.ts'
import { addScaled, difference, globalNorm, scaled, squaredNorm, treeDot } from './norms.ts'
import { type RateState, scale, scaleByLearningRate } from './rate.ts'
import {
  type CountState,
  type EmptyState,
  type GradientTransformation,
  chain,
  identity,
  requireParams,
} from './transformation.ts'
import { type Tree, frozenCopy, mapTrees, tensorsOf, zerosOf } from './trees.ts'

export interface LbfgsState extends CountState {
  /** The last parameters. */
  readonly params: Tree
  /** The last gradients. */
  readonly updates: Tree
  /** Differences of parameters: a ring of `memorySize` along a new first axis of each leaf. */
  readonly diffParamsMemory: Tree
  /** Differences of gradients, in the same ring. */
  readonly diffUpdatesMemory: Tree
  /** One over their inner products; zero where there is none yet: [memorySize]. */
  readonly weightsMemory: Tensor
}

export interface ScaleByLbfgsOptions {
  /** Steps remembered; 10 by default. */
  readonly memorySize?: number
  /** Scale the first estimate of the inverse Hessian (true by default), or take the identity. */
  readonly scaleInitPrecond?: boolean
}

/** The product with the inverse Hessian's estimate, by two loops over the memory. */
const twoLoops = <G>(
  grads: G,
  state: LbfgsState,
  position: Tensor,
  size: number,
  first: Tensor,
): G => {
  const slots = np.arange(size).add(position).mod(size)
  const [params, updates] = [state.diffParamsMemory, state.diffUpdatesMemory]
  const ofParams = tensorsOf('lbfgs', params)
  const ofUpdates = tensorsOf('lbfgs', updates)
  const at = (memory: readonly Tensor[], slot: Tensor): readonly Tensor[] =>
    memory.map((m) => m.at(slot))
  const weight = (slot: Tensor): Tensor => state.weightsMemory.at(slot)
  const [scaledDown, alphas] = scan(
    (v: readonly Tensor[], slot: Tensor) => {
      const alpha = weight(slot)
        .mul(treeDot(at(ofParams, slot), v))
        .astype('float32')
      return [addScaled(v, alpha.neg(), at(ofUpdates, slot)), alpha]
    },
    tensorsOf('lbfgs', grads),
    slots,
    { reverse: true },
  )
  const [direction] = scan(
    (v: readonly Tensor[], [slot, alpha]: readonly [Tensor, Tensor]) => {
      const beta = weight(slot)
        .mul(treeDot(at(ofUpdates, slot), v))
        .astype('float32')
      return [addScaled(v, alpha.sub(beta), at(ofParams, slot)), null]
    },
    scaled(scaledDown, first),
    [slots, alphas] as const,
  )
  let i = 0
  return mapTrees('lbfgs', (g) => direction[i++]!.astype(g.dtype), grads)
}

/** The first estimate: the curvature of the last step, or a first step of length one at most. */
const firstScale = (grads: Tree, diffParams: Tree, diffUpdates: Tree, isFirst: Tensor): Tensor => {
  const curvature = squaredNorm(diffUpdates)
  const flat = curvature.greater(0).logicalNot()
  const ratio = treeDot(diffUpdates, diffParams).div(curvature.mul(0).add(1).where(flat, curvature))
  const known = fill([], 1, 'float32').where(flat, ratio)
  return globalNorm(grads).reciprocal().minimum(1).where(isFirst, known)
}

/**
 * Multiplies by an estimate of the inverse Hessian from the last steps.
 * @throws UnsupportedError where the memory is smaller than one; TreeError where update gets no
 * parameters.
 * @see Nocedal & Wright 2006, algorithm 7.4
 */
export const scaleByLbfgs = (
  options: ScaleByLbfgsOptions = {},
): GradientTransformation<LbfgsState> => {
  const { memorySize = 10, scaleInitPrecond = true } = options
  if (memorySize < 1) {
    throw new UnsupportedError({
      operation: 'scaleByLbfgs',
      problem: 'the memory holds at least one step',
      got: `memorySize ${memorySize}`,
      fix: 'give a whole number from 1 on',
    })
  }
  return {
    init: (params) => {
      const zeros = zerosOf(params)
      const ring = mapTrees('lbfgs', (p) => fill([memorySize, ...p.shape], 0, p.dtype), params)
      return Object.freeze({
        count: zeroCount(),
        params: zeros,
        updates: zeros,
        diffParamsMemory: ring,
        diffUpdatesMemory: ring,
        weightsMemory: fill([memorySize], 0, 'float32'),
      })
    },
    update: (grads, state, params) => {
      const known = requireParams('scaleByLbfgs', params)
      const isFirst = state.count.equal(0)
      const since = <T>(now: T, before: Tree): T =>
        mapTrees('lbfgs', (d) => d.mul(0).where(isFirst, d), difference(now, before))
      const [diffParams, diffUpdates] = [since(known, state.params), since(grads, state.updates)]
      const product = treeDot(diffUpdates, diffParams).astype('float32')
      const none = product.equal(0)
      const weight = product.mul(0).where(none, product.where(none.logicalNot(), 1).reciprocal())
      const slot = state.count.sub(1).mod(memorySize)
      const put = (memory: Tree, x: Tree): Tree =>
        mapTrees('lbfgs', (m, d) => m.set([slot], d), memory, x)
      const next: LbfgsState = Object.freeze({
        count: increment(state.count),
        params: frozenCopy(known),
        updates: frozenCopy(grads),
        diffParamsMemory: put(state.diffParamsMemory, diffParams),
        diffUpdatesMemory: put(state.diffUpdatesMemory, diffUpdates),
        weightsMemory: state.weightsMemory.set([slot], weight),
      })
      const first = scaleInitPrecond
        ? firstScale(grads, diffParams, diffUpdates, isFirst)
        : fill([], 1, 'float32')
      return frozenPair(twoLoops(grads, next, state.count, memorySize, first), next)
    },
  }
}

export interface LbfgsOptions<L> extends ScaleByLbfgsOptions {
  /** The line search; null for none, which wants a rate. A zoom of 20 steps from one by default. */
  readonly linesearch?: GradientTransformation<L> | null
}

const defaultSearch: ScaleByZoomOptions = { maxLinesearchSteps: 20, initialGuessStrategy: 'one' }

/** The states of L-BFGS: of the estimate, the rate and the line search. */
export type LbfgsChainState<L> = readonly [LbfgsState, RateState, L | ZoomState | EmptyState]

/**
 * L-BFGS. With the line search, `update` gets the loss, its gradient and the function itself:
 * `update(grads, state, params, { value, grad, valueFn })`.
 * @see Liu & Nocedal 1989
 * @example
 * const optimizer = optim.lbfgs()
 * const step = jit((params, state) => {
 *   const [value, grad] = valueAndGrad(loss)(params)
 *   const [updates, next] = optimizer.update(grad, state, params, { value, grad, valueFn: loss })
 *   return [optim.applyUpdates(params, updates), next]
 * })
 */
export const lbfgs = <L = ZoomState>(
  rate: ScheduleOr | null = null,
  { linesearch, ...options }: LbfgsOptions<L> = {},
): GradientTransformation<LbfgsChainState<L>> => {
  const descent: GradientTransformation<RateState> =
    rate === null ? scale(-1) : scaleByLearningRate(rate)
  const search: GradientTransformation<L | ZoomState | EmptyState> =
    linesearch === null ? identity() : (linesearch ?? scaleByZoomLinesearch(defaultSearch))
  return chain(scaleByLbfgs(options), descent, search)
}
