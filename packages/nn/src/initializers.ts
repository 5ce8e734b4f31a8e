/** Initialisers: functions of a key and a shape. They give JAX's numbers for JAX's keys. */
import {
  type DType,
  type Shape,
  ShapeError,
  type Tensor,
  fill,
  moveAxis,
  normalizeAxis,
  showShape,
  sizeOf,
} from '@cotangent/core'
import { foriLoop, random } from '@cotangent/ops'

/** Makes a parameter. */
export type Initializer = (key: Tensor, shape: Shape, dtype?: DType) => Tensor

export const zeros: Initializer = (_, shape, dtype = 'float32') => fill(shape, 0, dtype)
export const ones: Initializer = (_, shape, dtype = 'float32') => fill(shape, 1, dtype)
export const constant =
  (value: number): Initializer =>
  (_, shape, dtype = 'float32') =>
    fill(shape, value, dtype)

/** Uniform on [0, scale). */
export const uniform =
  (scale = 0.01): Initializer =>
  (key, shape, dtype = 'float32') =>
    random.uniform(key, shape, { dtype }).mul(scale)

/** Uniform on [−limit, limit): PyTorch's habit for recurrent weights, with limit 1/√units. */
export const uniformAround =
  (limit: number): Initializer =>
  (key, shape, dtype = 'float32') =>
    random.uniform(key, shape, { dtype, minval: -1 }).mul(limit)

/** Normal with mean 0. */
export const normal =
  (standardDeviation = 0.01): Initializer =>
  (key, shape, dtype = 'float32') =>
    random.normal(key, shape, { dtype }).mul(standardDeviation)

export interface TruncatedNormalOptions {
  /** Of the normal before it is cut; 0.01 by default. */
  readonly standardDeviation?: number
  readonly mean?: number
  /** Cuts, in standard deviations from the mean; −2 and 2 by default. */
  readonly lower?: number
  readonly upper?: number
}

export const truncatedNormal = (options: TruncatedNormalOptions = {}): Initializer => {
  const { standardDeviation = 0.01, mean = 0, lower = -2, upper = 2 } = options
  return (key, shape, dtype = 'float32') => {
    const sample = random.truncatedNormal(key, shape, { dtype, lower, upper })
    const scaled = sample.mul(standardDeviation)
    return mean === 0 ? scaled : scaled.add(mean)
  }
}

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
    (typeof axis === 'number' ? [axis] : axis).map((a) =>
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

const family =
  (scale: number, mode: FanMode, distribution: Distribution) =>
  (axes: FanAxes = {}): Initializer =>
    varianceScaling({ scale, mode, distribution, ...axes })

/** Variance 2 / (fanIn + fanOut), uniform. @see Glorot & Bengio 2010, eq. 16 */
export const glorotUniform: (axes?: FanAxes) => Initializer = family(1, 'fanAvg', 'uniform')
/** Variance 2 / (fanIn + fanOut), truncated normal. */
export const glorotNormal: (axes?: FanAxes) => Initializer = family(1, 'fanAvg', 'truncatedNormal')
export const xavierUniform: (axes?: FanAxes) => Initializer = glorotUniform
export const xavierNormal: (axes?: FanAxes) => Initializer = glorotNormal
/** Variance 2 / fanIn, uniform: for rectified units. @see He et al. 2015, eq. 10 */
export const heUniform: (axes?: FanAxes) => Initializer = family(2, 'fanIn', 'uniform')
/** Variance 2 / fanIn, truncated normal. */
export const heNormal: (axes?: FanAxes) => Initializer = family(2, 'fanIn', 'truncatedNormal')
export const kaimingUniform: (axes?: FanAxes) => Initializer = heUniform
export const kaimingNormal: (axes?: FanAxes) => Initializer = heNormal
/** Variance 1 / fanIn, uniform. @see LeCun et al. 1998, Efficient BackProp, section 4.6 */
export const lecunUniform: (axes?: FanAxes) => Initializer = family(1, 'fanIn', 'uniform')
/** Variance 1 / fanIn, truncated normal. */
export const lecunNormal: (axes?: FanAxes) => Initializer = family(1, 'fanIn', 'truncatedNormal')

export interface OrthogonalOptions {
  /** Factor of the orthonormal matrix; 1 by default. */
  readonly scale?: number
  /** The axis of the columns, the last by default; all others together are the rows. */
  readonly columnAxis?: number
}

/**
 * A random orthonormal matrix: columns (rows, where there are fewer rows) of length 1 at right
 * angles to each other. Work grows with the cube of the extents.
 * @see Saxe, McClelland & Ganguli 2014
 */
export const orthogonal =
  ({ scale = 1, columnAxis = -1 }: OrthogonalOptions = {}): Initializer =>
  (key, shape, dtype = 'float32') => {
    if (shape.length < 2) {
      throw new ShapeError({
        operation: 'initializers.orthogonal',
        problem: 'a matrix has rows and columns',
        got: `shape ${showShape(shape)}`,
        want: 'at least two axes',
        fix: 'use another initialiser for vectors',
      })
    }
    const axis = normalizeAxis('initializers.orthogonal', columnAxis, shape.length)
    const rows = shape[axis]!
    const columns = sizeOf(shape) / Math.max(1, rows)
    const tall = random.normal(key, [Math.max(rows, columns), Math.min(rows, columns)])
    const q = orthonormalColumns(tall)
    const flat = rows < columns ? q.T : q
    const rest = shape.filter((_, d) => d !== axis)
    return moveAxis(flat.reshape([rows, ...rest]), 0, axis)
      .mul(scale)
      .astype(dtype)
  }

// Gram and Schmidt's process in float64, each projection taken twice, which is enough for columns
// that are orthogonal to rounding; the signs are those of a QR decomposition with positive diagonal.
const orthonormalColumns = (a: Tensor): Tensor => {
  const columns = a.astype('float64')
  const withoutParts = (q: Tensor, v: Tensor): Tensor => v.sub(q.matmul(v.matmul(q)))
  return foriLoop(
    0,
    a.shape[1]!,
    (i, q) => {
      const v = withoutParts(q, withoutParts(q, columns.at(':', i)))
      return q.set([':', i], v.div(v.square().sum().sqrt()))
    },
    fill(a.shape, 0, 'float64'),
  )
}

/** An orthogonal matrix at the centre of a convolution's window, zeros around it. @see Xiao et al. 2018 */
export const deltaOrthogonal =
  (options: OrthogonalOptions = {}): Initializer =>
  (key, shape, dtype = 'float32') => {
    const window = shape.slice(0, -2)
    const matrix = orthogonal(options)(key, shape.slice(-2), dtype)
    const centre = window.map((extent) => Math.floor((extent - 1) / 2))
    return fill(shape, 0, dtype).set(centre, matrix)
  }
