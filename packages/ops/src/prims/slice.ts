/** Slices, reversals, padding: each is the transpose of a neighbour. */
import {
  type Aval,
  type NDArray,
  type Primitive,
  type Shape,
  ShapeError,
  type Tensor,
  aval,
  bind1,
  broadcastFront,
  broadcastInDim,
  definePrimitive,
  fill,
  gatherOffsets,
  givesView,
  isLinear,
  makeArray,
  moveBatchToFront,
  range,
  reduceSum,
  scalars,
  showAval,
  showShape,
  stridesOf,
  wholeEquation,
  zerosLike,
} from '@cotangent/core'
import { sub } from './arithmetic.ts'
import { select } from './compare.ts'
import { type Padding, evaluatePad, lowerPad, padTyping } from './padding.ts'

const { affine } = scalars

export type { Padding } from './padding.ts'

// A strided, possibly backwards walk through `x`.
const walk = (x: NDArray, shape: Shape, strides: readonly number[], offset: number): NDArray => {
  const out = makeArray(aval(shape, x.dtype))
  const offsets = gatherOffsets(shape, strides)
  for (let i = 0; i < offsets.length; i++) out.data[i] = x.data[offset + offsets[i]!]!
  return out
}

const requireAxes = (operation: string, x: Aval, axes: readonly number[]): void => {
  const inRange = axes.every((a) => Number.isInteger(a) && a >= 0 && a < x.shape.length)
  if (inRange && new Set(axes).size === axes.length) return
  throw new ShapeError({
    operation,
    problem: 'not a set of axes of the input',
    got: `axes [${axes.join(',')}] of ${showAval(x)}`,
    want: `different axes among 0 … ${x.shape.length - 1}`,
    fix: 'name each axis once',
  })
}

/** The elements in opposite order along the given axes. */
export const reverseP: Primitive<readonly ['x'], { readonly axes: readonly number[] }> =
  definePrimitive({
    name: 'reverse',
    slots: ['x'],
    typing: ([x], { axes }) => {
      requireAxes('reverse', x, axes)
      return [x]
    },
    evaluate: ([x], { axes }) => {
      const strides = stridesOf(x.shape)
      if (x.data.length === 0) return [x]
      const last = axes.reduce((sum, a) => sum + strides[a]! * (x.shape[a]! - 1), 0)
      return [
        walk(
          x,
          x.shape,
          strides.map((s, d) => (axes.includes(d) ? -s : s)),
          last,
        ),
      ]
    },
    jvp: { x: (dx, _, __, { axes }) => reverse(dx, axes) },
    transpose: { x: (ct, _, { axes }) => reverse(ct, axes) },
    partition: wholeEquation,
    batch: ([x], [dim], { axes }) => ({
      outputs: [
        reverse(
          moveBatchToFront(x, dim),
          axes.map((a) => a + 1),
        ),
      ],
      dims: [0],
    }),
    lower: ([x], { axes }) => ({
      tag: 'pull',
      cost: 'movement',
      outputs: [
        (index) =>
          x.at(index.map((i, d) => (axes.includes(d) ? affine([[-1, i]], x.shape[d]! - 1) : i))),
      ],
    }),
    effectful: false,
  })

givesView(reverseP, ({ offset, strides }, { shape }, { axes }) => ({
  offset: axes.reduce((sum, a) => sum + strides[a]! * (shape[a]! - 1), offset),
  strides: strides.map((s, d) => (axes.includes(d) ? -s : s)),
}))

export const reverse = (x: Tensor, axes: readonly number[]): Tensor =>
  axes.length === 0 ? x : bind1(reverseP, [x], { axes })

export interface SliceParams {
  readonly start: readonly number[]
  readonly limit: readonly number[]
  readonly strides: readonly number[]
}

const isWithin = (
  shape: Shape,
  start: readonly number[],
  limit: readonly number[],
  strides: readonly number[],
): boolean => {
  const rank = shape.length
  if (start.length !== rank || limit.length !== rank || strides.length !== rank) return false
  for (let d = 0; d < rank; d++) {
    const [from, to, step] = [start[d]!, limit[d]!, strides[d]!]
    if (!(Number.isInteger(from) && Number.isInteger(to) && Number.isInteger(step))) return false
    if (from < 0 || from > to || to > shape[d]! || step < 1) return false
  }
  return true
}

const sliceTyping = (x: Aval, { start, limit, strides }: SliceParams): Aval => {
  if (!isWithin(x.shape, start, limit, strides)) {
    throw new ShapeError({
      operation: 'slice',
      problem: 'the bounds do not fit the input',
      got: `${showAval(x)} from ${showShape(start)} to ${showShape(limit)} by ${showShape(strides)}`,
      want: '0 ≤ start ≤ limit ≤ extent and stride ≥ 1 on every axis',
      fix: 'keep the bounds within the tensor; x.at clamps them',
    })
  }
  return { ...x, shape: start.map((s, d) => Math.ceil((limit[d]! - s) / strides[d]!)) }
}

// Padding that puts a slice back where it was taken from.
const slicePadding = (type: Aval, ct: Shape, { start, strides }: SliceParams): Padding =>
  type.shape.map((n, d) => {
    const count = ct[d]!
    if (count === 0) return [n, 0, 0]
    const end = start[d]! + (count - 1) * strides[d]! + 1
    return [start[d]!, n - end, strides[d]! - 1]
  })

/** Every `strides[d]`-th element from `start[d]` up to but without `limit[d]`. */
export const sliceP: Primitive<readonly ['x'], SliceParams> = definePrimitive({
  name: 'slice',
  slots: ['x'],
  typing: ([x], params) => [sliceTyping(x, params)],
  evaluate: ([x], { start, strides }, types) => {
    const steps = stridesOf(x.shape)
    const offset = start.reduce((sum, s, d) => sum + s * steps[d]!, 0)
    return [
      walk(
        x,
        types[0]!.shape,
        steps.map((step, d) => step * strides[d]!),
        offset,
      ),
    ]
  },
  jvp: { x: (dx, _, __, params) => bind1(sliceP, [dx], params) },
  transpose: {
    x: (ct, _, params, type) =>
      pad(ct, fill([], 0, ct.dtype), slicePadding(type, ct.shape, params)),
  },
  partition: wholeEquation,
  batch: ([x], [dim], { start, limit, strides }, { size }) => ({
    outputs: [slice(moveBatchToFront(x, dim), [0, ...start], [size, ...limit], [1, ...strides])],
    dims: [0],
  }),
  lower: ([x], { start, strides }) => ({
    tag: 'pull',
    cost: 'movement',
    outputs: [(index) => x.at(index.map((i, d) => affine([[strides[d]!, i]], start[d]!)))],
  }),
  effectful: false,
})

givesView(sliceP, ({ offset, strides: steps }, _, { start, strides }) => ({
  offset: start.reduce((sum, s, d) => sum + s * steps[d]!, offset),
  strides: strides.map((s, d) => s * steps[d]!),
}))

/** `start`, `limit` and `strides` (1 by default) have an entry for each axis. */
export const slice = (
  x: Tensor,
  start: readonly number[],
  limit: readonly number[],
  strides: readonly number[] = start.map(() => 1),
): Tensor => {
  const whole = start.every((s, d) => s === 0 && limit[d] === x.shape[d] && strides[d] === 1)
  return whole && start.length === x.ndim ? x : bind1(sliceP, [x], { start, limit, strides })
}

const uncrop = (padding: Padding): Padding => padding.map(([low, high]) => [-low, -high, 0])

// The part of a padded cotangent that lies on the input's elements.
const unpad = (ct: Tensor, padding: Padding): Tensor => {
  const spread = pad(ct, fill([], 0, ct.dtype), uncrop(padding))
  return slice(
    spread,
    padding.map(() => 0),
    spread.shape,
    padding.map(([, , interior]) => interior + 1),
  )
}

const frontPadding = (padding: Padding): Padding => [[0, 0, 0], ...padding]

/** Puts `value` around and between the elements; negative amounts crop. */
export const padP: Primitive<readonly ['x', 'value'], { readonly padding: Padding }> =
  definePrimitive({
    name: 'pad',
    slots: ['x', 'value'],
    typing: ([x, value], { padding }) => [padTyping(x, value, padding)],
    evaluate: ([x, value], { padding }, types) => [
      evaluatePad(x, value.data[0]!, padding, types[0]!),
    ],
    jvp: ([x, value], [dx, dvalue], { padding }) => ({
      outputs: [pad(x, value, padding)],
      tangents: [
        dx === null && dvalue === null
          ? null
          : pad(dx ?? zerosLike(x), dvalue ?? zerosLike(value), padding),
      ],
    }),
    transpose: ([ct], [x, value], { padding }) => {
      if (ct === null || ct === undefined) return [null, null]
      const inside = unpad(ct, padding)
      const whole = (t: Tensor): Tensor => reduceSum(t, range(t.ndim))
      return [isLinear(x) ? inside : null, isLinear(value) ? sub(whole(ct), whole(inside)) : null]
    },
    partition: wholeEquation,
    batch: ([x, value], [xDim, valueDim], { padding }, { size }) => {
      const xs = xDim === null ? broadcastFront(x, size) : moveBatchToFront(x, xDim)
      if (valueDim === null) return { outputs: [pad(xs, value, frontPadding(padding))], dims: [0] }
      const padded = pad(xs, fill([], 0, x.dtype), frontPadding(padding))
      const mask = pad(fill(xs.shape, 1, 'bool'), fill([], 0, 'bool'), frontPadding(padding))
      const values = broadcastInDim(moveBatchToFront(value, valueDim), padded.shape, [0])
      return { outputs: [select(mask, padded, values)], dims: [0] }
    },
    lower: ([x, value], { padding }) => ({
      tag: 'pull',
      cost: 'movement',
      outputs: [(index) => lowerPad(x, value.at([]), padding, index)],
    }),
    effectful: false,
  })

/** `value` is a scalar tensor of the dtype of `x`. */
export const pad = (x: Tensor, value: Tensor, padding: Padding): Tensor => {
  const unchanged = padding.length === x.ndim && padding.every((p) => p.every((n) => n === 0))
  const fits = value.ndim === 0 && value.dtype === x.dtype
  return unchanged && fits ? x : bind1(padP, [x, value], { padding })
}
