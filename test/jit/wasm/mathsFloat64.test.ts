import { describe, expect, test } from 'vitest'
import { type UnaryOp, maths, scalars } from '@cotangent/core'
import { mapKernel, wasmKernel } from './mathsSupport.ts'
import { float64Samples, stepsBetween64 } from './mathsSamples.ts'

const { binaryOp, unaryOp } = scalars

// Two units of ours, and what the reference may be off.
const units: Readonly<Partial<Record<UnaryOp, number>>> = {
  exp: 3,
  exp2: 3,
  expm1: 3,
  log: 3,
  log1p: 3,
  sin: 3,
  cos: 3,
  tan: 3,
  asin: 3,
  acos: 3,
  atan: 3,
  sinh: 4,
  cosh: 4,
  tanh: 4,
  asinh: 4,
  acosh: 4,
  atanh: 4,
  logistic: 3,
  erf: 4,
  erfc: 8,
  erfInverse: 16,
  cbrt: 2,
  rsqrt: 1,
  sign: 0,
}

const logistic = (x: number): number => {
  const z = Math.exp(-Math.abs(x))
  return (x < 0 ? z : 1) / (1 + z)
}

describe('float64 in lanes', () => {
  const samples = float64Samples(4000)
  test.each(Object.entries(units))('%s', (name, limit) => {
    const op = Object.keys(units).find((key): key is UnaryOp => key === name)!
    const kernel = wasmKernel(mapKernel(samples.length, ['float64'], (x) => unaryOp(op, x!)))
    expect(kernel.host).toEqual([])
    expect(kernel.hasLanes).toBe(true)
    const [x, out] = kernel.arrays
    x!.set(samples)
    kernel.run()
    const truth = op === 'logistic' ? logistic : maths.unaryFunction(op, 'float64')
    const wrong = Array.from(samples)
      .map((value, i) => ({ value, found: out![i]!, truth: truth(value) }))
      .filter((row) => stepsBetween64(row.found, row.truth) > limit)
    expect([wrong.length, ...wrong.slice(0, 5)]).toEqual([0])
  })

  // Near their zeros between the poles only the absolute error is small.
  test.each(['logGamma', 'digamma'] as const)('%s', (op) => {
    const kernel = wasmKernel(mapKernel(samples.length, ['float64'], (x) => unaryOp(op, x!)))
    const [x, out] = kernel.arrays
    x!.set(samples)
    kernel.run()
    const truth = maths.unaryFunction(op, 'float64')
    const wrong = Array.from(samples)
      .map((value, i) => ({ value, found: out![i]!, truth: truth(value) }))
      .filter(({ found, truth: t, value }) => {
        if (!Number.isFinite(t)) return !Object.is(found, t)
        // The reference reduces πx no better than it rounds.
        const unit = 2 ** -50 * Math.max(1, Math.abs(t), op === 'digamma' ? t * t : Math.abs(value))
        return Math.abs(found - t) > 8 * unit
      })
    expect([wrong.length, ...wrong.slice(0, 5)]).toEqual([0])
  })

  test('atan2', () => {
    const special = [0, -0, 1, -1, 2.5, -3, Infinity, -Infinity, NaN, 5e-324, -1e308, 1e-300]
    const pairs = special.flatMap((a) => special.map((b) => [a, b] as const))
    const kernel = wasmKernel(
      mapKernel(pairs.length, ['float64', 'float64'], (y, x) => binaryOp('atan2', y!, x!)),
    )
    const [y, x, out] = kernel.arrays
    y!.set(pairs.map(([a]) => a))
    x!.set(pairs.map(([, b]) => b))
    kernel.run()
    const wrong = pairs
      .map(([a, b], i) => ({ a, b, found: out![i]!, truth: Math.atan2(a, b) }))
      .filter((row) => stepsBetween64(row.found, row.truth) > 2)
    expect(wrong).toEqual([])
  })
})
