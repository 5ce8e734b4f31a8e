/** Products of vectors and matrices. */
import {
  type Shape,
  ShapeError,
  type Tensor,
  type TensorLike,
  broadcastShapes,
  listOfNumbers,
  normalizeAxis,
  range,
  reshape,
  showAval,
} from '@cotangent/core'
import { dotGeneral } from '../prims/contract.ts'
import { broadcastTensor, cast, promoteDTypes } from '../promote.ts'
import { multiply, subtract } from './arithmetic.ts'
import { expandDims, moveaxis, ravel } from './shape.ts'
import { stack } from './joining.ts'
import { sliceAxis } from './sliceAxis.ts'

// A product of weak types is a tensor like any other.
const pair = (operation: string, x: TensorLike, y: TensorLike): readonly [Tensor, Tensor] => {
  const [a, b] = promoteDTypes(operation, [x, y])
  return [cast(a!, a!.dtype), cast(b!, b!.dtype)]
}

const mismatch = (operation: string, x: Tensor, y: Tensor, want: string): ShapeError =>
  new ShapeError({
    operation,
    problem: 'the contracted extents differ',
    got: `${showAval(x.aval)} and ${showAval(y.aval)}`,
    want,
    fix: 'transpose one operand, or check the order of the factors',
  })

/**
 * The matrix product over the last two axes; leading axes broadcast. Vectors are a row on the left,
 * a column on the right, and that axis vanishes.
 * @throws ShapeError for scalars and extents that do not fit.
 * @example
 * np.matmul([[1, 2], [3, 4]], [1, 1]).toArray() // [3, 7]
 */
export const matmul = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = pair('np.matmul', x, y)
  if (a.ndim === 0 || b.ndim === 0) {
    throw new ShapeError({
      operation: 'np.matmul',
      problem: 'a scalar is no matrix',
      got: `${showAval(a.aval)} and ${showAval(b.aval)}`,
      fix: 'use np.multiply',
    })
  }
  const inner = b.ndim === 1 ? 0 : b.ndim - 2
  if (a.shape[a.ndim - 1] !== b.shape[inner]) {
    throw mismatch('np.matmul', a, b, '[…, n, k] and […, k, m]')
  }
  return batchedProduct(a, b, inner)
}

const batchedProduct = (a: Tensor, b: Tensor, inner: number): Tensor => {
  const [leadA, leadB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)]
  // A matrix on the right meets every row on the left: one large product.
  if (b.ndim <= 2) {
    return dotGeneral(a, b, { contract: [[a.ndim - 1], [inner]], batch: [[], []] })
  }
  const lead = broadcastShapes(leadA, leadB)
  if (lead === null) throw mismatch('np.matmul', a, b, 'leading axes that broadcast')
  // Axes that only one operand has are free, not batch axes: nothing is repeated.
  if (a.ndim <= 2) {
    const product = dotGeneral(a, b, { contract: [[a.ndim - 1], [inner]], batch: [[], []] })
    return a.ndim === 1 ? product : moveaxis(product, 0, -2)
  }
  const batch = range(lead.length)
  return dotGeneral(broadcastLead(a, lead), broadcastLead(b, lead), {
    contract: [[lead.length + 1], [lead.length]],
    batch: [batch, batch],
  })
}

const broadcastLead = (x: Tensor, lead: Shape): Tensor =>
  broadcastTensor('np.matmul', x, [...lead, ...x.shape.slice(-2)])

/**
 * NumPy's dot: the product of scalars, of vectors, of matrices; in general over the last axis of
 * `x` and the second to last of `y`.
 * @throws ShapeError where those differ.
 */
export const dot = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = pair('np.dot', x, y)
  if (a.ndim === 0 || b.ndim === 0) return multiply(a, b)
  const inner = b.ndim === 1 ? 0 : b.ndim - 2
  if (a.shape[a.ndim - 1] !== b.shape[inner]) throw mismatch('np.dot', a, b, '[…, k] and […, k, m]')
  return dotGeneral(a, b, { contract: [[a.ndim - 1], [inner]], batch: [[], []] })
}

/** Sums of products over the last axes of both. @throws ShapeError where those differ. */
export const inner = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = pair('np.inner', x, y)
  if (a.ndim === 0 || b.ndim === 0) return multiply(a, b)
  if (a.shape.at(-1) !== b.shape.at(-1)) throw mismatch('np.inner', a, b, 'equal last extents')
  return dotGeneral(a, b, { contract: [[a.ndim - 1], [b.ndim - 1]], batch: [[], []] })
}

/** The sum of products of all elements. @throws ShapeError for different sizes. */
export const vdot = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = pair('np.vdot', x, y)
  if (a.size !== b.size) throw mismatch('np.vdot', a, b, 'as many elements in both')
  return dot(ravel(a), ravel(b))
}

/** Sums of products along one axis (the last by default), the others broadcast. */
export const vecdot = (
  x: TensorLike,
  y: TensorLike,
  options: { readonly axis?: number } = {},
): Tensor => {
  const [a, b] = promoteDTypes('np.vecdot', [x, y])
  const axis = options.axis ?? -1
  const [p, q] = [moveaxis(a!, axis, -1), moveaxis(b!, axis, -1)]
  if (p.shape.at(-1) !== q.shape.at(-1)) throw mismatch('np.vecdot', p, q, 'equal extents')
  const product = matmul(expandDims(p, -2), expandDims(q, -1))
  return reshape(product, product.shape.slice(0, -2))
}

/** A matrix, or a stack of them, times vectors. */
export const matvec = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = pair('np.matvec', x, y)
  const product = matmul(a, expandDims(b, -1))
  return reshape(product, product.shape.slice(0, -1))
}

/** All products of elements of two flattened tensors: `[x.size, y.size]`. */
export const outer = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = pair('np.outer', x, y)
  return multiply(reshape(a, [a.size, 1]), reshape(b, [1, b.size]))
}

/** The axes that `tensordot` sums over: how many, or which of each operand. */
export type ContractedAxes =
  | number
  | readonly [number | readonly number[], number | readonly number[]]

/**
 * Sums products over several axes: the last `n` of `x` with the first `n` of `y`, or given ones.
 * @throws ShapeError where paired extents differ.
 * @example
 * np.tensordot(a, b, [[1, 2], [1, 0]])
 */
export const tensordot = (
  x: TensorLike,
  y: TensorLike,
  axes: ContractedAxes | { readonly axes?: ContractedAxes } = 2,
): Tensor => {
  const [a, b] = pair('np.tensordot', x, y)
  const given = contractedAxes(axes)
  const [from, to] =
    typeof given === 'number'
      ? [range(given).map((i) => a.ndim - given + i), range(given)]
      : [axisList(given[0], a), axisList(given[1], b)]
  const fits = from.length === to.length && from.every((d, i) => a.shape[d] === b.shape[to[i]!])
  if (!fits)
    throw mismatch(
      'np.tensordot',
      a,
      b,
      `equal extents on axes [${from.join(',')}] and [${to.join(',')}]`,
    )
  return dotGeneral(a, b, { contract: [from, to], batch: [[], []] })
}

const contractedAxes = (
  axes: ContractedAxes | { readonly axes?: ContractedAxes },
): ContractedAxes => {
  if (typeof axes === 'number') return axes
  return isPair(axes) ? axes : (axes.axes ?? 2)
}

const isPair = (
  axes: Exclude<ContractedAxes, number> | { readonly axes?: ContractedAxes },
): axes is Exclude<ContractedAxes, number> => Array.isArray(axes)

const axisList = (axes: number | readonly number[], x: Tensor): readonly number[] =>
  listOfNumbers('np.tensordot', 'the axis', axes).map((d) =>
    normalizeAxis('np.tensordot', d, x.ndim),
  )

/** The Kronecker product: every element of `x` times the whole of `y`. */
export const kron = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = pair('np.kron', x, y)
  const rank = Math.max(a.ndim, b.ndim)
  const grow = (t: Tensor): Shape => [...new Array<number>(rank - t.ndim).fill(1), ...t.shape]
  const [p, q] = [grow(a), grow(b)]
  const left = reshape(
    a,
    p.flatMap((n) => [n, 1]),
  )
  const right = reshape(
    b,
    q.flatMap((n) => [1, n]),
  )
  return reshape(
    multiply(left, right),
    p.map((n, d) => n * q[d]!),
  )
}

/** Axes of the vectors of a cross product; the last of each by default. */
export interface CrossOptions {
  readonly axisa?: number
  readonly axisb?: number
  readonly axisc?: number
  /** All three at once. */
  readonly axis?: number
}

/**
 * The cross product of vectors of 3 (or 2, then its third component alone).
 * @throws ShapeError for other extents.
 */
export const cross = (x: TensorLike, y: TensorLike, options: CrossOptions = {}): Tensor => {
  const [a, b] = promoteDTypes('np.cross', [x, y])
  const p = moveaxis(a!, options.axis ?? options.axisa ?? -1, -1)
  const q = moveaxis(b!, options.axis ?? options.axisb ?? -1, -1)
  const [m, n] = [p.shape.at(-1)!, q.shape.at(-1)!]
  if (![2, 3].includes(m) || ![2, 3].includes(n)) {
    throw mismatch('np.cross', p, q, 'vectors of 2 or 3 along the axis')
  }
  const part = (t: Tensor, i: number): Tensor | null =>
    i < t.shape.at(-1)! ? sliceAxis(t, t.ndim - 1, i, i + 1).squeeze(-1) : null
  const minor = (i: number, j: number): Tensor | null =>
    difference(part(p, i), part(q, j), part(p, j), part(q, i))
  const third = minor(0, 1)!
  if (m === 2 && n === 2) return third
  return moveaxis(
    stack([minor(1, 2)!, minor(2, 0)!, third], -1),
    -1,
    options.axis ?? options.axisc ?? -1,
  )
}

// a·b − c·d, where an absent factor is 0.
const difference = (
  a: Tensor | null,
  b: Tensor | null,
  c: Tensor | null,
  d: Tensor | null,
): Tensor | null => {
  const first = a === null || b === null ? null : multiply(a, b)
  const second = c === null || d === null ? null : multiply(c, d)
  if (first === null) return second === null ? null : subtract(0, second)
  return second === null ? first : subtract(first, second)
}
