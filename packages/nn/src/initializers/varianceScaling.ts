/** Weights whose variance goes by the extents of the kernel. */
import { type Shape, ShapeError, listOfNumbers, normalizeAxis, showShape } from '@cotangent/core'
import { random } from '@cotangent/ops'
import type { Initializer } from './basic.ts'

/** Which axes of a kernel hold its inputs and its outputs; all others are the receptive field. */
export interface FanAxes {
  /** The last but one by default. */
  readonly inAxis?: number | readonly number[]
  /** The last by default. */
  readonly outAxis?: number | readonly number[]
  /** Axes of independent kernels, which do not count. */
  readonly batchAxis?: number | readonly number[]
}

/** Kernels `[outputs, inputs, …window]`. */
export const convAxes: FanAxes = Object.freeze({ inAxis: 1, outAxis: 0 })

const fans = (shape: Shape, axes: FanAxes): readonly [fanIn: number, fanOut: number] => {
  if (shape.length < 2) {
    throw new ShapeError({
      operation: 'initializers',
      problem: 'fan-in and fan-out need an input and an output axis',
      got: `shape ${showShape(shape)}`,
      want: 'at least two axes',
      fix: 'use zeros, constant, normal or uniform for vectors',
    })
  }
  const list = (axis: number | readonly number[]): readonly number[] =>
    listOfNumbers('initializers', 'the axis', axis).map((a) =>
      normalizeAxis('initializers', a, shape.length),
    )
  const [ins, outs] = [list(axes.inAxis ?? -2), list(axes.outAxis ?? -1)]
  const batch = list(axes.batchAxis ?? [])
  const extent = (over: readonly number[]): number => over.reduce((n, a) => n * shape[a]!, 1)
  const rest = shape.map((_, a) => a).filter((a) => ![...ins, ...outs, ...batch].includes(a))
  const field = extent(rest)
  return [extent(ins) * field, extent(outs) * field]
}

export type FanMode = 'fanIn' | 'fanOut' | 'fanAvg' | 'fanGeoAvg'
export type Distribution = 'truncatedNormal' | 'normal' | 'uniform'

export interface VarianceScalingOptions extends FanAxes {
  readonly scale: number
  readonly mode: FanMode
  readonly distribution: Distribution
}

const denominator = (mode: FanMode, fanIn: number, fanOut: number): number => {
  switch (mode) {
    case 'fanIn':
      return fanIn
    case 'fanOut':
      return fanOut
    case 'fanAvg':
      return (fanIn + fanOut) / 2
    case 'fanGeoAvg':
      return Math.sqrt(fanIn * fanOut)
    default:
      return mode satisfies never
  }
}

// The standard deviation of a standard normal cut at ±2.
const truncatedDeviation = 0.87962566103423978

/**
 * Weights of variance scale / fan, so that the signal keeps its size through the layer. The
 * truncated normal is widened to have that variance after the cut.
 * @throws ShapeError for fewer than two axes.
 * @example
 * varianceScaling({ scale: 2, mode: 'fanIn', distribution: 'normal' })(random.key(0), [784, 10])
 */
export const varianceScaling =
  (options: VarianceScalingOptions): Initializer =>
  (key, shape, dtype = 'float32') => {
    const variance =
      options.scale / Math.max(1e-300, denominator(options.mode, ...fans(shape, options)))
    switch (options.distribution) {
      case 'truncatedNormal':
        return random
          .truncatedNormal(key, shape, { dtype, lower: -2, upper: 2 })
          .mul(Math.sqrt(variance) / truncatedDeviation)
      case 'normal':
        return random.normal(key, shape, { dtype }).mul(Math.sqrt(variance))
      case 'uniform':
        return random.uniform(key, shape, { dtype, minval: -1 }).mul(Math.sqrt(3 * variance))
      default:
        return options.distribution satisfies never
    }
  }

export interface FanOptions extends FanAxes {
  /** What the activation calls for, as `calculateGain` says; the scale is its square. */
  readonly gain?: number
  /** Which fan divides the variance. */
  readonly mode?: FanMode
}

const family =
  (scale: number, mode: FanMode, distribution: Distribution) =>
  ({ gain, ...options }: FanOptions = {}): Initializer =>
    varianceScaling({
      mode,
      distribution,
      ...options,
      scale: gain === undefined ? scale : gain * gain,
    })

/** Variance 2 / (fanIn + fanOut), uniform. @see Glorot & Bengio 2010, eq. 16 */
export const glorotUniform: (options?: FanOptions) => Initializer = family(1, 'fanAvg', 'uniform')
/** Variance 2 / (fanIn + fanOut), truncated normal. */
export const glorotNormal: (options?: FanOptions) => Initializer = family(
  1,
  'fanAvg',
  'truncatedNormal',
)
export const xavierUniform: (options?: FanOptions) => Initializer = glorotUniform
export const xavierNormal: (options?: FanOptions) => Initializer = glorotNormal
/** Variance 2 / fanIn, uniform: for rectified units. @see He et al. 2015, eq. 10 */
export const heUniform: (options?: FanOptions) => Initializer = family(2, 'fanIn', 'uniform')
/** Variance 2 / fanIn, truncated normal. */
export const heNormal: (options?: FanOptions) => Initializer = family(2, 'fanIn', 'truncatedNormal')
export const kaimingUniform: (options?: FanOptions) => Initializer = heUniform
export const kaimingNormal: (options?: FanOptions) => Initializer = heNormal
/** Variance 1 / fanIn, uniform. @see LeCun et al. 1998, Efficient BackProp, section 4.6 */
export const lecunUniform: (options?: FanOptions) => Initializer = family(1, 'fanIn', 'uniform')
/** Variance 1 / fanIn, truncated normal. */
export const lecunNormal: (options?: FanOptions) => Initializer = family(
  1,
  'fanIn',
  'truncatedNormal',
)
