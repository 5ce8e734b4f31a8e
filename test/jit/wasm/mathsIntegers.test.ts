import { describe, expect, test } from 'vitest'
import {
  type BinaryOp,
  type DType,
  type UnaryOp,
  integerRange,
  maths,
  scalars,
} from '@cotangent/core'
import { mapKernel, wasmKernel } from './mathsSupport.ts'

const { binaryOp, literal, unaryOp } = scalars
const dtypes: readonly DType[] = ['int32', 'uint32', 'int8', 'uint8']

const samplesOf = (dtype: DType): readonly number[] => {
  const [low, high] = integerRange(dtype)
  const near = [0, 1, 2, 3, 5, 7, 8, 15, 16, 31, 32, 33, 100, 127, 46341, 65535]
  const all = [low, low + 1, high, high - 1, Math.floor(high / 2), Math.floor(high / 3)]
  for (const x of near) all.push(x, -x)
  return [...new Set(all)].filter((x) => x >= low && x <= high)
}

describe.each(dtypes)('%s in lanes', (dtype) => {
  const samples = samplesOf(dtype)
  const unary: readonly UnaryOp[] = [
    'populationCount',
    'countLeadingZeros',
    'sign',
    'absolute',
    'negate',
    'not',
  ]
  test.each(unary)('%s', (op) => {
    const kernel = wasmKernel(mapKernel(samples.length, [dtype], (x) => unaryOp(op, x!)))
    expect(kernel.hasLanes).toBe(true)
    const [x, out] = kernel.arrays
    x!.set(samples)
    kernel.run()
    const f = maths.unaryFunction(op, dtype)
    expect(Array.from(out!)).toEqual(samples.map((v) => f(v) + 0))
  })

  const binary: readonly BinaryOp[] = [
    'divide',
    'remainder',
    'power',
    'shiftLeft',
    'shiftRightLogical',
    'shiftRightArithmetic',
    'multiply',
    'maximum',
    'minimum',
  ]
  const pairs = samples.flatMap((a) => samples.map((b) => [a, b] as const))
  test.each(binary)('%s', (op) => {
    const kernel = wasmKernel(
      mapKernel(pairs.length, [dtype, dtype], (x, y) => binaryOp(op, x!, y!)),
    )
    expect(kernel.hasLanes).toBe(true)
    const [x, y, out] = kernel.arrays
    x!.set(pairs.map(([a]) => a))
    y!.set(pairs.map(([, b]) => b))
    kernel.run()
    const f = maths.binaryFunction(op, dtype)
    const wrong = pairs
      .map(([a, b], i) => ({ a, b, found: out![i]!, truth: f(a, b) + 0 }))
      .filter(({ found, truth }) => found !== truth)
    expect(wrong.slice(0, 5)).toEqual([])
  })

  test.each([-1, 0, 1, 5, 7, 8, 31, 32])('shifts by %s', (count) => {
    if (dtype.startsWith('u') && count < 0) return
    for (const op of ['shiftLeft', 'shiftRightLogical', 'shiftRightArithmetic'] as const) {
      const kernel = wasmKernel(
        mapKernel(samples.length, [dtype], (x) => binaryOp(op, x!, literal(dtype, count))),
      )
      const [x, out] = kernel.arrays
      x!.set(samples)
      kernel.run()
      const f = maths.binaryFunction(op, dtype)
      expect(Array.from(out!)).toEqual(samples.map((v) => f(v, count) + 0))
    }
  })
})
