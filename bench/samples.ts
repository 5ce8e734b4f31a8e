/** Numbers of results, and statistics of times. */
import { Tensor } from '@cotangent/core'

/** The middle one, or the mean of the middle two. */
export const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

type Numbers = ArrayLike<number>

const isNumbers = (value: object): value is object & Numbers =>
  ArrayBuffer.isView(value) && !(value instanceof DataView)

/** Every array of numbers in a result, in a fixed order: tensors, typed arrays, numbers, trees. */
export const arraysOf = (result: unknown): readonly Numbers[] => {
  if (result instanceof Tensor) return [result.data()]
  if (typeof result === 'number' || typeof result === 'boolean') return [[Number(result)]]
  if (typeof result !== 'object' || result === null) return []
  if (isNumbers(result)) return [result]
  const entries = Object.entries(result).sort(([a], [b]) => (a < b ? -1 : 1))
  return entries.flatMap(([, value]) => arraysOf(value))
}

/**
 * The greatest difference between the numbers of two results, each array measured by its greatest
 * number; Infinity where structures, lengths, or the places of NaN differ.
 */
export const difference = (got: readonly Numbers[], want: readonly Numbers[]): number => {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY
  return got.reduce<number>((most, xs, i) => Math.max(most, arrayDifference(xs, want[i]!)), 0)
}

const arrayDifference = (got: Numbers, want: Numbers): number => {
  if (got.length !== want.length) return Number.POSITIVE_INFINITY
  let greatest = 0
  let apart = 0
  for (let i = 0; i < want.length; i++) {
    const [x, y] = [got[i]!, want[i]!]
    if (Object.is(x, y) || x === y) {
      greatest = Math.max(greatest, Number.isFinite(y) ? Math.abs(y) : 0)
      continue
    }
    if (!Number.isFinite(x) || !Number.isFinite(y)) return Number.POSITIVE_INFINITY
    greatest = Math.max(greatest, Math.abs(y))
    apart = Math.max(apart, Math.abs(x - y))
  }
  return apart === 0 ? 0 : apart / greatest
}
