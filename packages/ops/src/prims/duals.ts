/**
 * Derivatives of reductions and scans by an associative operation, with any number of zeros and
 * ties: the operation runs on pairs of value and tangent, in a tree. Nothing is divided.
 */
import {
  type Tensor,
  add,
  fill,
  moveAxis,
  range,
  replaced,
  reshape,
  sizeOf,
  zerosLike,
} from '@cotangent/core'
import { mul } from './arithmetic.ts'
import { concatenate, reverse, slice } from './structural.ts'

/** A value and its tangent. */
export interface Dual {
  readonly x: Tensor
  readonly dx: Tensor
}

export type Combine = (earlier: Dual, later: Dual) => Dual

const map = (f: (t: Tensor) => Tensor, { x, dx }: Dual): Dual => ({ x: f(x), dx: f(dx) })

// Elements start, start + step, … below limit along the first axis.
const rows = (start: number, limit: number, step: number, dual: Dual): Dual =>
  map((t) => {
    const from = replaced(
      t.shape.map(() => 0),
      0,
      start,
    )
    const strides = replaced(
      t.shape.map(() => 1),
      0,
      step,
    )
    return slice(t, from, replaced(t.shape, 0, limit), strides)
  }, dual)

const join = (first: Dual, second: Dual): Dual => ({
  x: concatenate([first.x, second.x], 0),
  dx: concatenate([first.dx, second.dx], 0),
})

const lengthOf = ({ x }: Dual): number => x.shape[0]!

export const product: Combine = (a, b) => ({
  x: mul(a.x, b.x),
  dx: add(mul(a.dx, b.x), mul(a.x, b.dx)),
})

/** The tangent of a product over `axes`. */
export const productTangent = (x: Tensor, dx: Tensor, axes: readonly number[]): Tensor => {
  const kept = range(x.ndim).filter((d) => !axes.includes(d))
  const shape = kept.map((d) => x.shape[d]!)
  const count = sizeOf(axes.map((d) => x.shape[d]!))
  if (count === 0) return fill(shape, 0, x.dtype)
  const flatten = (t: Tensor): Tensor =>
    reshape(
      axes.reduce((moved, axis, k) => moveAxis(moved, axis, k), t),
      [count, ...shape],
    )
  let dual = map(flatten, { x, dx })
  for (let n = count; n > 1; n = lengthOf(dual)) {
    const half = Math.floor(n / 2)
    const combined = product(rows(0, half, 1, dual), rows(half, 2 * half, 1, dual))
    dual = n % 2 === 0 ? combined : join(combined, rows(n - 1, n, 1, dual))
  }
  return reshape(dual.dx, shape)
}

// even[0], odd[0], even[1], odd[1], …; even may be one longer.
const interleaveRows = (even: Dual, odd: Dual): Dual => {
  const pairs = lengthOf(odd)
  const column = (t: Tensor): Tensor => reshape(t, [pairs, 1, ...t.shape.slice(1)])
  const weave = (e: Tensor, o: Tensor): Tensor =>
    reshape(concatenate([column(e), column(o)], 1), [2 * pairs, ...o.shape.slice(1)])
  const paired = rows(0, pairs, 1, even)
  const woven = { x: weave(paired.x, odd.x), dx: weave(paired.dx, odd.dx) }
  return lengthOf(even) === pairs ? woven : join(woven, rows(pairs, pairs + 1, 1, even))
}

/** All prefixes, by Blelloch's recursion: O(n) work in O(log n) equations. */
const prefixes = (combine: Combine, dual: Dual): Dual => {
  const n = lengthOf(dual)
  if (n < 2) return dual
  const pairs = Math.floor(n / 2)
  const odd = prefixes(combine, combine(rows(0, 2 * pairs, 2, dual), rows(1, n, 2, dual)))
  const first = rows(0, 1, 1, dual)
  const later = Math.ceil(n / 2) - 1
  const even =
    later === 0 ? first : join(first, combine(rows(0, later, 1, odd), rows(2, n, 2, dual)))
  return interleaveRows(even, odd)
}

/** The tangent of the running combination along `axis`. */
export const scanTangent = (
  combine: Combine,
  x: Tensor,
  dx: Tensor,
  axis: number,
  backwards: boolean,
): Tensor => {
  if (x.size === 0) return zerosLike(dx)
  const turn = (t: Tensor): Tensor => (backwards ? reverse(t, [0]) : t)
  const front = map((t) => turn(moveAxis(t, axis, 0)), { x, dx })
  return moveAxis(turn(prefixes(combine, front).dx), 0, axis)
}
