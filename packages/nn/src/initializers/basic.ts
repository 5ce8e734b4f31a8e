/** Constants, and samples of one distribution whatever the shape. */
import { type DType, type Shape, type Tensor, fill } from '@cotangent/core'
import { random } from '@cotangent/ops'

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
