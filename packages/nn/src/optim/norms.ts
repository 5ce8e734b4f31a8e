/** Norms and products of whole trees. */
import { type Tensor, fill, isComplex } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { type Hyper, like, squared } from './hyper.ts'
import { type Tree, mapTrees, tensorsOf } from './trees.ts'

const total = (terms: readonly Tensor[]): Tensor => {
  const [first, ...rest] = terms
  return first === undefined ? fill([], 0, 'float32') : rest.reduce((a, b) => a.add(b), first)
}

/** The sum of all elements of all leaves. */
export const treeSum = (tree: Tree): Tensor => total(tensorsOf('treeSum', tree).map((x) => x.sum()))

/** The sum of squares of all leaves together. */
export const squaredNorm = (tree: Tree): Tensor =>
  total(tensorsOf('squaredNorm', tree).map((x) => squared(x).sum()))

/**
 * The 2-norm of all leaves together.
 * @example
 * optim.globalNorm({ a: tensor([3]), b: tensor([4]) }) // 5
 */
export const globalNorm = (tree: Tree): Tensor => squaredNorm(tree).sqrt()

/** The largest absolute value of all leaves. */
export const maximumNorm = (tree: Tree): Tensor => {
  const [first, ...rest] = tensorsOf('maximumNorm', tree).map((x) => x.abs().max())
  return first === undefined ? fill([], 0, 'float32') : rest.reduce((a, b) => a.maximum(b), first)
}

/** The inner product of two trees, conjugating the first. */
export const treeDot = (a: Tree, b: Tree): Tensor => {
  const products = mapTrees(
    'treeDot',
    (x, y) => (isComplex(x.dtype) ? np.conj(x) : x).mul(y).sum(),
    a,
    b,
  )
  return total(tensorsOf('treeDot', products))
}

/** a + factor · b. */
export const addScaled = <T>(a: T, factor: Hyper, b: Tree): T =>
  mapTrees('addScaled', (x, y) => x.add(y.mul(like(factor, y)).astype(x.dtype)), a, b)

/** a − b. */
export const difference = <T>(a: T, b: Tree): T => mapTrees('difference', (x, y) => x.sub(y), a, b)

/** factor · a. */
export const scaled = <T>(a: T, factor: Hyper): T =>
  mapTrees('scaled', (x) => x.mul(like(factor, x)), a)

/** The 2-norm of one tensor, not below `minimum`; its gradient there is zero rather than NaN. */
export const safeNorm = (x: Tensor, minimum: Hyper): Tensor => atLeast(squared(x).sum(), minimum)

/** The root of the mean square of one tensor, not below `minimum`. */
export const safeRms = (x: Tensor, minimum: Hyper): Tensor => atLeast(squared(x).mean(), minimum)

// √ of a value below the bound is not taken: its derivative would be infinite at zero.
const atLeast = (square: Tensor, minimum: Hyper): Tensor => {
  const bound = like(minimum, square)
  const small = square.sqrt().lessEqual(bound)
  const root = fill([], 1, square.dtype).where(small, square).sqrt()
  return fill([], 0, square.dtype).add(bound).where(small, root)
}
