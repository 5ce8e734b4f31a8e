import { CotangentError, type Tensor } from 'cotangent'
import { expect } from 'vitest'

/** Every number of a nested array, in row-major order. */
export const numbersOf = (value: unknown): readonly number[] =>
  Array.isArray(value) ? value.flatMap(numbersOf) : [Number(value)]

/** Asserts shape and elements, within `tolerance` of the larger of 1 and the expected magnitude. */
export const expectClose = (got: Tensor, wanted: unknown, tolerance = 1e-5): void => {
  const a = numbersOf(got.toArray())
  const b = numbersOf(wanted)
  expect(shapeOf(got.toArray())).toEqual(shapeOf(wanted))
  a.forEach((x, i) => {
    const y = b[i]!
    if (Number.isNaN(y)) expect(x).toBeNaN()
    else if (!Number.isFinite(y)) expect(x).toBe(y)
    else expect(Math.abs(x - y)).toBeLessThanOrEqual(tolerance * Math.max(1, Math.abs(y)))
  })
}

/** The shape of a nested array that is not ragged. */
export const shapeOf = (value: unknown): readonly number[] =>
  Array.isArray(value) ? [value.length, ...(value.length === 0 ? [] : shapeOf(value[0]))] : []

/** The error that `f` throws: it must be one of the library's own. */
export const thrownBy = (f: () => unknown): CotangentError => {
  try {
    f()
  } catch (error) {
    expect(error).toBeInstanceOf(CotangentError)
    if (error instanceof CotangentError) return error
  }
  throw new Error('nothing was thrown')
}

/** The line of the test file this is called from, moved by `offset`. */
export const lineHere = (offset = 0): number => {
  const frames = (new Error('line').stack ?? '')
    .split('\n')
    .filter((line) => line.includes('.test.ts'))
  return Number(/:(\d+):\d+\)?$/.exec(frames[0] ?? '')?.[1]) + offset
}
