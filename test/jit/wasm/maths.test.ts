import { describe, expect, test } from 'vitest'
import { type BinaryOp, type UnaryOp, maths, scalars } from '@cotangent/core'
import { mapKernel, wasmKernel } from './mathsSupport.ts'
import { float32Samples, stepsBetween32 } from './mathsSamples.ts'

const { binaryOp, unaryOp } = scalars

const unary: readonly UnaryOp[] = [
  'exp',
  'exp2',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'logistic',
  'erf',
  'erfc',
  'erfInverse',
  'logGamma',
  'digamma',
  'cbrt',
  'rsqrt',
  'sign',
  'sqrt',
  'floor',
  'ceil',
  'round',
  'negate',
  'absolute',
]

// 1 / (1 + exp(−x)) loses its digits where the exponential overflows.
const truthOf = (op: UnaryOp): ((x: number) => number) =>
  op === 'logistic'
    ? (x) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)))
    : maths.unaryFunction(op, 'float64')

describe('float32 in lanes', () => {
  const samples = float32Samples(1 << 15)
  test.each(unary)('%s is within 2 units in the last place', (op) => {
    const kernel = wasmKernel(mapKernel(samples.length, ['float32'], (x) => unaryOp(op, x!)))
    expect(kernel.host).toEqual([])
    expect(kernel.hasLanes).toBe(true)
    const [x, out] = kernel.arrays
    x!.set(samples)
    kernel.run()
    const truth = truthOf(op)
    const wrong = Array.from(samples)
      .map((value, i) => ({ value, found: out![i]!, truth: truth(value) }))
      .filter((row) => stepsBetween32(row.found, row.truth) > 2)
    expect(wrong.slice(0, 5)).toEqual([])
  })

  test('acosh is, where its root and its logarithm err the same way', () => {
    const kernel = wasmKernel(mapKernel(4096, ['float32'], (x) => unaryOp('acosh', x!)))
    const [x, out] = kernel.arrays
    // Neighbours of 1.030052900314331, from which it was 2.05 units off.
    x!.set(Float32Array.from({ length: 4096 }, (_, i) => 1.030052900314331 + (i - 2048) * 2 ** -23))
    kernel.run()
    const furthest = Array.from(x!).map((value, i) => Math.abs(out![i]! - Math.acosh(value)))
    // Results lie between 1/8 and 1/4, where a unit is 2^-26.
    expect(Math.max(...furthest) / 2 ** -26).toBeLessThan(2)
  })

  test('exp of what is never positive is, too', () => {
    const kernel = wasmKernel(
      mapKernel(samples.length, ['float32'], (x) =>
        unaryOp('exp', unaryOp('negate', binaryOp('multiply', x!, x!))),
      ),
    )
    const [x, out] = kernel.arrays
    // Squares up to where exp has long been 0, most of them where it is not.
    x!.set(samples.map((value, i) => (i % 2 === 0 ? value : Math.sqrt((i / samples.length) * 110))))
    kernel.run()
    const wrong = Array.from(x!)
      .map((value, i) => ({
        value,
        found: out![i]!,
        truth: Math.exp(-Math.fround(value * value)),
      }))
      .filter((row) => stepsBetween32(row.found, row.truth) > 2)
    expect(wrong.slice(0, 5)).toEqual([])
  })

  test.each(unary)('%s without lanes', (op) => {
    const few = samples.filter((_, i) => i % 29 === 0)
    const lanes = mapKernel(few.length, ['float32'], (x) => unaryOp(op, x!))
    const body = lanes.body.map((s) => (s.tag === 'for' ? { ...s, parallel: false } : s))
    const kernel = wasmKernel({ ...lanes, body })
    expect(kernel.host).toEqual([])
    expect(kernel.hasLanes).toBe(false)
    const [x, out] = kernel.arrays
    x!.set(few)
    kernel.run()
    const truth = truthOf(op)
    const wrong = Array.from(few)
      .map((value, i) => ({ value, found: out![i]!, truth: truth(value) }))
      .filter((row) => stepsBetween32(row.found, row.truth) > 2)
    expect(wrong.slice(0, 5)).toEqual([])
  })

  const pairs = ((): readonly [Float32Array, Float32Array] => {
    const some = float32Samples(1 << 10)
    const special = [
      0,
      -0,
      1,
      -1,
      2,
      -2,
      3,
      -3,
      0.5,
      -0.5,
      2.5,
      Infinity,
      -Infinity,
      NaN,
      1e-45,
      3e38,
      2 ** 24,
      -(2 ** 24) + 1,
    ]
    const [x, y]: [number[], number[]] = [[], []]
    for (const a of special) x.push(...special.map(() => a))
    for (const _ of special) y.push(...special)
    for (let i = 0; i < some.length; i++) {
      x.push(some[i]!, some[i]!, Math.abs(some[i]!) % 8)
      y.push(
        some[(i * 7919) % some.length]!,
        special[i % special.length]!,
        some[(i * 31) % some.length]! % 64,
      )
    }
    return [Float32Array.from(x), Float32Array.from(y)]
  })()
  const binary: readonly BinaryOp[] = [
    'power',
    'atan2',
    'remainder',
    'nextAfter',
    'maximum',
    'minimum',
  ]
  test.each(binary)('%s is within 2 units in the last place', (op) => {
    const [xs, ys] = pairs
    const kernel = wasmKernel(
      mapKernel(xs.length, ['float32', 'float32'], (x, y) => binaryOp(op, x!, y!)),
    )
    expect(kernel.host).toEqual([])
    expect(kernel.hasLanes).toBe(true)
    const [x, y, out] = kernel.arrays
    x!.set(xs)
    y!.set(ys)
    kernel.run()
    const truth = maths.binaryFunction(op, 'float32')
    const wrong = Array.from(xs)
      .map((a, i) => ({ a, b: ys[i]!, found: out![i]!, truth: truth(a, ys[i]!) }))
      .filter((row) => stepsBetween32(row.found, row.truth) > 2)
    expect(wrong.slice(0, 5)).toEqual([])
  })

  test.each([0, 1, 2, 3, 4, -1, 0.5, -0.5, 1.7])('power of %s', (exponent) => {
    const kernel = wasmKernel(
      mapKernel(samples.length, ['float32'], (x) =>
        binaryOp('power', x!, scalars.literal('float32', exponent)),
      ),
    )
    const [x, out] = kernel.arrays
    x!.set(samples)
    kernel.run()
    const power = maths.binaryFunction('power', 'float32')
    const wrong = Array.from(samples)
      .map((value, i) => ({ value, found: out![i]!, truth: power(value, Math.fround(exponent)) }))
      .filter((row) => stepsBetween32(row.found, row.truth) > 2)
    expect(wrong.slice(0, 5)).toEqual([])
  })
})
