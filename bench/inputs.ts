/** Inputs that are the same in every run. */
import { type Shape, type Tensor, tensor } from '@cotangent/core'
import { random } from '@cotangent/ops'

/** Standard normal float32 values. */
export const normal = (seed: number, shape: Shape, scale = 1): Tensor =>
  tensor(random.normal(random.key(seed), shape).mul(scale))

/** Integers from 0 up to `classes`, exclusive. */
export const labels = (seed: number, count: number, classes: number): Tensor =>
  random.randint(random.key(seed), [count], { minval: 0, maxval: classes })

/** The elements of a float32 tensor, for loops written by hand. */
export const floats = (x: Tensor): Float32Array => {
  const data = x.data()
  if (data instanceof Float32Array) return data
  throw new TypeError(`expected float32, got ${x.dtype}`)
}
