/** What a dataset stands on: numbered elements, read one by one or gathered into a batch. */
import type { Tensor, tree } from '@cotangent/core'
import { stack } from './stack.ts'

/** An element, or a batch of them, with tensors at its leaves. */
export type Batched<E> = tree.Mapped<E, Tensor>

export interface Rows<E> {
  /** How many there are; `Infinity` for an endless repetition. */
  readonly count: () => number
  /** The element of a number from 0 to count − 1: a pure function of that number. */
  readonly get: (index: number) => E
  /** Several elements along a new first axis. */
  readonly gather: (indices: Float64Array) => Batched<E>
}

/** Rows made one by one. */
export const computedRows = <E>(count: () => number, get: (index: number) => E): Rows<E> => ({
  count,
  get,
  gather: (indices) => stack(Array.from(indices, get)),
})

/** Rows of another source under new numbers; a gather stays a gather. */
export const renumbered = <E>(
  rows: Rows<E>,
  count: () => number,
  number: (index: number) => number,
): Rows<E> => ({
  count,
  get: (index) => rows.get(number(index)),
  gather: (indices) => rows.gather(indices.map(number)),
})

/** Rows of another source in a given order, which is worked out at the first use. */
export const ordered = <E>(rows: Rows<E>, order: () => ArrayLike<number>): Rows<E> => {
  const kept = once(order)
  return renumbered(
    rows,
    () => kept().length,
    (index) => kept()[index]!,
  )
}

/** The numbers start … start + count − 1. */
export const range = (start: number, count: number): Float64Array =>
  Float64Array.from({ length: count }, (_, i) => start + i)

/** Computes a value at the first call and remembers it. */
export const once = <T>(compute: () => T): (() => T) => {
  let kept: { readonly value: T } | undefined
  return () => (kept ??= { value: compute() }).value
}
