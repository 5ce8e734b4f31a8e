/** What every primitive must satisfy, checked on one function at given inputs. */
import { type DType, type Tensor, isFloat, jvp, tensor, vjp, vmap } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { expect } from 'vitest'

export type TensorFunction = (...inputs: Tensor[]) => Tensor

/** Deterministic numbers in (−1, 1), far from each other. */
export const noise = (shape: readonly number[], seed: number, dtype: DType = 'float64'): Tensor => {
  let state = (seed * 2654435761 + 12345) >>> 0
  const next = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
  const size = shape.reduce((n, extent) => n * extent, 1)
  return tensor(Float64Array.from({ length: size }, next), { shape, dtype })
}

/** Integers in `[low, high)`. */
export const integers = (
  shape: readonly number[],
  low: number,
  high: number,
  seed: number,
): Tensor => {
  const u = noise(shape, seed).data()
  const values = Int32Array.from(u, (v) => low + Math.floor(((v + 1) / 2) * (high - low)))
  return tensor(values, { shape })
}

export const expectClose = (got: Tensor, wanted: Tensor, tolerance: number, what: string): void => {
  expect(got.shape, what).toEqual(wanted.shape)
  expect(got.dtype, what).toBe(wanted.dtype)
  const [a, b] = [got.data(), wanted.data()]
  const scale = Math.max(1, ...[...b].filter(Number.isFinite).map(Math.abs))
  for (let i = 0; i < b.length; i++) {
    const same = a[i] === b[i] || (Number.isNaN(a[i]!) && Number.isNaN(b[i]!))
    if (!same && !(Math.abs(a[i]! - b[i]!) <= tolerance * scale)) {
      expect.fail(`${what}: element ${i} is ${a[i]}, expected ${b[i]}`)
    }
  }
}

const inner = (a: Tensor, b: Tensor): number => {
  const [x, y] = [a.data(), b.data()]
  let sum = 0
  for (let i = 0; i < x.length; i++) sum += x[i]! * y[i]!
  return sum
}

const stepped = (x: Tensor, direction: Tensor, step: number): Tensor => {
  const [a, d] = [x.data(), direction.data()]
  return tensor(
    Float64Array.from(a, (v, i) => v + step * d[i]!),
    { shape: x.shape, dtype: x.dtype },
  )
}

const finiteDifference = (
  f: TensorFunction,
  inputs: readonly Tensor[],
  directions: readonly Tensor[],
): Tensor => {
  const h = 1e-5
  const at = (step: number): Tensor => f(...inputs.map((x, i) => stepped(x, directions[i]!, step)))
  const [forward, backward] = [at(h).data(), at(-h).data()]
  const { shape, dtype } = at(0)
  return tensor(
    Float64Array.from(forward, (v, i) => (v - backward[i]!) / (2 * h)),
    { shape, dtype },
  )
}

/**
 * First and second derivatives in the float64 inputs: forward mode against central differences,
 * reverse against forward mode, and the same again for the gradient.
 */
export const checkDerivatives = (f: TensorFunction, inputs: readonly Tensor[], seed = 1): void => {
  const positions = inputs.flatMap((x, i) => (isFloat(x.dtype) ? [i] : []))
  const chosen = positions.map((i) => inputs[i]!)
  const g: TensorFunction = (...xs) => f(...inputs.map((x, i) => xs[positions.indexOf(i)] ?? x))
  checkOrder(g, chosen, seed, 'first order')
  const cotangent = noise(g(...chosen).shape, seed + 50)
  // One number that depends on every gradient.
  const gradient: TensorFunction = (...xs) => {
    const [, pullback] = vjp(g, ...xs)
    const terms = pullback(cotangent).map((ct, i) => ct.mul(noise(ct.shape, seed + 60 + i)).sum())
    return terms.reduce((sum, term) => sum.add(term))
  }
  checkOrder(gradient, chosen, seed + 1, 'second order')
}

const checkOrder = (
  f: TensorFunction,
  inputs: readonly Tensor[],
  seed: number,
  what: string,
): void => {
  const directions = inputs.map((x, i) => noise(x.shape, seed + 10 + i))
  const [y, dy] = jvp(f, inputs, directions)
  expectClose(dy, finiteDifference(f, inputs, directions), 2e-6, `${what}: jvp against differences`)
  const ct = noise(y.shape, seed + 20)
  const [, pullback] = vjp(f, ...inputs)
  const cts = pullback(ct)
  const backward = directions.reduce((sum, d, i) => sum + inner(cts[i]!, d), 0)
  const forward = inner(ct, dy)
  const allowed = 1e-9 * Math.max(1, Math.abs(forward))
  expect(Math.abs(backward - forward), `${what}: vjp against jvp`).toBeLessThan(allowed)
}

const entry = (x: Tensor, axis: number, at: number): Tensor => {
  const shape = x.shape.filter((_, d) => d !== axis)
  const innerSize = x.shape.slice(axis + 1).reduce((n, e) => n * e, 1)
  const extent = x.shape[axis]!
  const data = x.data()
  const size = shape.reduce((n, e) => n * e, 1)
  const values = Float64Array.from({ length: size }, (_, i) => {
    const [outer, rest] = [Math.floor(i / innerSize), i % innerSize]
    return data[(outer * extent + at) * innerSize + rest]!
  })
  return tensor(values, { shape, dtype: x.dtype })
}

/**
 * vmap against a loop, for every choice of batched inputs, batch axis first and last.
 * `make(batch)` gives inputs; where `batch` is set each has one more axis there.
 */
export const checkBatching = (
  f: TensorFunction,
  inputs: readonly Tensor[],
  vary: (x: Tensor, position: number, copy: number) => Tensor,
  tolerance = 0,
): void => {
  const size = 3
  for (let subset = 1; subset < 2 ** inputs.length; subset++) {
    for (const end of [false, true]) {
      const inAxes = inputs.map((x, i) => ((subset >> i) & 1 ? (end ? x.ndim : 0) : null))
      const stacked = inputs.map((x, i) =>
        inAxes[i] === null ? x : stack(x, i, size, inAxes[i]!, vary),
      )
      const got = vmap(f, { inAxes })(...stacked)
      for (let b = 0; b < size; b++) {
        const one = inputs.map((x, i) => (inAxes[i] === null ? x : vary(x, i, b)))
        expectClose(
          entry(got, 0, b),
          f(...one),
          tolerance,
          `vmap over [${inAxes.join()}], entry ${b}`,
        )
      }
    }
  }
}

const stack = (
  x: Tensor,
  position: number,
  size: number,
  axis: number,
  vary: (x: Tensor, position: number, copy: number) => Tensor,
): Tensor => {
  const copies = Array.from({ length: size }, (_, b) => vary(x, position, b).data())
  const shape = [...x.shape.slice(0, axis), size, ...x.shape.slice(axis)]
  const innerSize = x.shape.slice(axis).reduce((n, e) => n * e, 1)
  const values = Float64Array.from({ length: x.size * size }, (_, i) => {
    const outer = Math.floor(i / (innerSize * size))
    const b = Math.floor(i / innerSize) % size
    return copies[b]![outer * innerSize + (i % innerSize)]!
  })
  return tensor(values, { shape, dtype: x.dtype })
}

/** Fresh numbers for floats, and the same integers turned round: indices stay in range. */
export const varied = (x: Tensor, position: number, copy: number): Tensor => {
  if (isFloat(x.dtype)) return noise(x.shape, 1000 + 17 * position + copy, x.dtype)
  const data = x.data()
  return tensor(
    Int32Array.from(data, (_, i) => data[(i + copy) % data.length]!),
    { shape: x.shape, dtype: x.dtype },
  )
}

/** The compiled function against the interpreter. */
export const checkCompiled = (
  f: TensorFunction,
  inputs: readonly Tensor[],
  tolerance = 0,
): void => {
  const compiled = jit(f)
  const wanted = f(...inputs)
  expectClose(compiled(...inputs), wanted, tolerance, 'compiled against interpreted')
  if (wanted.size > 0)
    expect(compiled.lower(...inputs).kernels.length, 'kernels').toBeGreaterThan(0)
}
