/** What a law needs to know of a primitive: inputs in its domain, and a program that uses it. */
import { type DType, type Shape, type Tensor, sizeOf, tensor } from '@cotangent/core'

/** Uniform on [0, 1); the same sequence for the same seed. */
export type Random = () => number

/** @see Steele, Lea & Flood 2014, Fast Splittable Pseudorandom Number Generators: the mixer. */
export const seeded = (seed: number): Random => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x9e3779b9) >>> 0
    let z = state
    z = Math.imul(z ^ (z >>> 16), 0x85ebca6b)
    z = Math.imul(z ^ (z >>> 13), 0xc2b2ae35)
    return ((z ^ (z >>> 16)) >>> 0) / 2 ** 32
  }
}

/**
 * `smooth`: forward, reverse and second derivatives agree with differences. `forward`, `reverse`:
 * only this mode exists. `none`: nothing to differentiate.
 */
export type Derivatives = 'smooth' | 'forward' | 'reverse' | 'none'

export interface Sample {
  readonly label: string
  readonly inputs: (random: Random) => readonly Tensor[]
  readonly run: (...inputs: readonly Tensor[]) => readonly Tensor[]
  /** Differentiated by its float64 inputs. */
  readonly derivatives: Derivatives
  /** Inputs that must not carry a batch axis. */
  readonly unbatched: readonly number[]
}

export interface SampleOptions {
  readonly derivatives?: Derivatives
  readonly unbatched?: readonly number[]
}

type Output = Tensor | readonly Tensor[]

export const sample = (
  label: string,
  inputs: (random: Random) => readonly Tensor[],
  run: (...inputs: readonly Tensor[]) => Output,
  { derivatives = 'none', unbatched = [] }: SampleOptions = {},
): Sample => ({
  label,
  inputs,
  run: (...xs) => [run(...xs)].flat(),
  derivatives,
  unbatched,
})

/** A tensor whose elements `f` makes. */
export const filled = (shape: Shape, dtype: DType, f: (i: number) => number): Tensor =>
  tensor(
    Float64Array.from({ length: sizeOf(shape) }, (_, i) => f(i)),
    { shape, dtype },
  )

/** Uniform floats in [low, high), or integers from low to high. */
export const uniform = (
  random: Random,
  shape: Shape,
  dtype: DType = 'float64',
  low = -1,
  high = 1,
): Tensor => {
  const integer = dtype === 'bool' || dtype.includes('int')
  return filled(shape, dtype, () =>
    integer ? Math.floor(low + (high - low + 1) * random()) : low + (high - low) * random(),
  )
}

/** Different numbers, at least 0.1 apart, in random order: no ties, no kinks nearby. */
export const distinct = (random: Random, shape: Shape, dtype: DType = 'float64'): Tensor => {
  const order = Array.from({ length: sizeOf(shape) }, (_, i) => i)
  for (let i = order.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    const held = order[i]!
    order[i] = order[j]!
    order[j] = held
  }
  const middle = order.length / 2
  return filled(shape, dtype, (i) => (order[i]! - middle) * 0.3 + 0.1 * random())
}

export const floatTypes = ['float64', 'float32', 'float16', 'bfloat16'] as const
export const integerTypes = ['int32', 'uint32', 'int16', 'uint16', 'int8', 'uint8'] as const

/** Integers over most of the range of the dtype. */
export const integers = (random: Random, shape: Shape, dtype: DType): Tensor => {
  const bits = Number(dtype.replace(/\D/g, ''))
  return dtype.startsWith('u')
    ? uniform(random, shape, dtype, 0, 2 ** bits - 1)
    : uniform(random, shape, dtype, -(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
}
