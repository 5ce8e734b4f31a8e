/** Adafactor: second moments of matrices kept as one row and one column. */
import { type DType, type Shape, type Tensor, fill, frozenPair, zerosLike } from '@cotangent/core'
import { clipByBlockRms } from './clip.ts'
import { addDecayedWeights } from './decay.ts'
import { type EmaState, ema } from './ema.ts'
import { type ScheduleOr, blend, increment, squared, zeroCount } from './hyper.ts'
import { type RateState, scale, scaleByLearningRate } from './rate.ts'
import { scaleByParamBlockRms } from './scaling.ts'
import { type CountState, type GradientTransformation, chain } from './transformation.ts'
import { type Mask, type Tree, mapTrees } from './trees.ts'

export interface FactoredState extends CountState {
  /** Means over the largest axis, for factored leaves; one zero elsewhere. */
  readonly vRow: Tree
  /** Means over the second largest axis, for factored leaves; one zero elsewhere. */
  readonly vCol: Tree
  /** The whole second moment, for leaves that are not factored; one zero elsewhere. */
  readonly v: Tree
}

export interface FactoredRmsOptions {
  /** Whether to factor at all; true by default. */
  readonly factored?: boolean
  /** The second moment's decay at step t is 1 − (t + 1)^−decayRate; 0.8 by default. */
  readonly decayRate?: number
  /** Steps are counted from here: for fine-tuning; 0 by default. */
  readonly decayOffset?: number
  /** Leaves with two axes of at least this size are factored; 128 by default. */
  readonly minDimSizeToFactor?: number
  /** Added to squared gradients; 1e-30 by default. */
  readonly epsilon?: number
}

/** The second largest and the largest axis, or null for leaves that are not factored. */
const factoredAxes = (shape: Shape, least: number): readonly [number, number] | null => {
  if (shape.length < 2) return null
  const order = shape.map((_, axis) => axis).sort((a, b) => shape[a]! - shape[b]! || a - b)
  const [second, largest] = [order.at(-2)!, order.at(-1)!]
  return shape[second]! < least ? null : [second, largest]
}

const placeholder = (x: Tensor): Tensor => fill([1], 0, x.dtype)

/** g / √second moment, factored where it is worth it. @see Shazeer & Stern 2018, algorithm 4 */
export const scaleByFactoredRms = (
  options: FactoredRmsOptions = {},
): GradientTransformation<FactoredState> => {
  const { factored = true, decayRate = 0.8, decayOffset = 0 } = options
  const { minDimSizeToFactor = 128, epsilon = 1e-30 } = options
  const axesOf = (x: Tensor): readonly [number, number] | null =>
    factored ? factoredAxes(x.shape, minDimSizeToFactor) : null
  const without = (x: Tensor, which: 0 | 1): Tensor => {
    const axes = axesOf(x)
    return axes === null ? placeholder(x) : zerosLike(x).sum(axes[which])
  }
  return {
    init: (params) =>
      Object.freeze({
        count: zeroCount(),
        vRow: mapTrees('adafactor', (p) => without(p, 1), params),
        vCol: mapTrees('adafactor', (p) => without(p, 0), params),
        v: mapTrees(
          'adafactor',
          (p) => (axesOf(p) === null ? zerosLike(p) : placeholder(p)),
          params,
        ),
      }),
    update: (grads, state) => {
      const { count } = state
      const decay = rateOfDecay(count, decayOffset, decayRate)
      const square = (g: Tensor): Tensor => squared(g).add(epsilon)
      const towards = (g: Tensor, mean: Tensor, which: 0 | 1): Tensor => {
        const axes = axesOf(g)
        return axes === null ? mean : blend(square(g).mean(axes[which]), mean, decay)
      }
      const vRow = mapTrees('adafactor', (g, r) => towards(g, r, 1), grads, state.vRow)
      const vCol = mapTrees('adafactor', (g, c) => towards(g, c, 0), grads, state.vCol)
      const v = mapTrees(
        'adafactor',
        (g, w) => (axesOf(g) === null ? blend(square(g), w, decay) : w),
        grads,
        state.v,
      )
      const updates = mapTrees(
        'adafactor',
        (g, row, column, whole) => {
          const axes = axesOf(g)
          return axes === null ? g.div(whole.sqrt()) : overFactors(g, row, column, axes)
        },
        grads,
        vRow,
        vCol,
        v,
      )
      return frozenPair(updates, Object.freeze({ count: increment(count), vRow, vCol, v }))
    },
  }
}

const rateOfDecay = (count: Tensor, offset: number, exponent: number): Tensor => {
  const t = count.sub(offset).add(1).astype('float32')
  return t.log().mul(-exponent).exp().neg().add(1)
}

const overFactors = (
  g: Tensor,
  row: Tensor,
  column: Tensor,
  [second, largest]: readonly [number, number],
): Tensor => {
  const kept = second > largest ? second - 1 : second
  const ratio = row.div(row.mean({ axis: kept, keepdims: true }))
  const rows = ratio.sqrt().reciprocal().expandDims(largest)
  const columns = column.sqrt().reciprocal().expandDims(second)
  return g.mul(rows).mul(columns)
}

export interface AdafactorOptions extends FactoredRmsOptions {
  /** Multiply by the root mean square of each parameter; true by default. */
  readonly multiplyByParameterScale?: boolean
  /** Largest root mean square of an update, null for none; 1 by default. */
  readonly clippingThreshold?: number | null
  /** Decay of a mean of updates; none by default. */
  readonly momentum?: number
  readonly dtypeMomentum?: DType
  /** Of the parameters, not times the rate; none by default. */
  readonly weightDecayRate?: ScheduleOr
  readonly weightDecayMask?: Mask
}

/** The states of Adafactor's parts, of those that the options ask for. */
export type AdafactorState = readonly (FactoredState | RateState | EmaState)[]

/**
 * Adam's second moments in O(rows + columns) memory.
 * @see Shazeer & Stern 2018
 * @example
 * optim.adafactor(1e-3, { minDimSizeToFactor: 32 })
 */
export const adafactor = (
  rate?: ScheduleOr,
  options: AdafactorOptions = {},
): GradientTransformation<AdafactorState> => {
  const { multiplyByParameterScale = true, clippingThreshold = 1, momentum } = options
  const { dtypeMomentum = 'float32', weightDecayRate, weightDecayMask } = options
  const parts: readonly (GradientTransformation<AdafactorState[number]> | null)[] = [
    scaleByFactoredRms(options),
    clippingThreshold === null ? null : clipByBlockRms(clippingThreshold),
    rate === undefined ? null : scaleByLearningRate(rate, { flipSign: false }),
    multiplyByParameterScale ? scaleByParamBlockRms() : null,
    momentum === undefined
      ? null
      : ema(momentum, { debias: false, accumulatorDtype: dtypeMomentum }),
    weightDecayRate === undefined ? null : addDecayedWeights(weightDecayRate, weightDecayMask),
    scale(-1),
  ]
  return chain(...parts.filter((part) => part !== null))
}
