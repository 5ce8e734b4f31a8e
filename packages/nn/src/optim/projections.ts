/**
 * The nearest point of a set, for whole trees: what keeps parameters within bounds after an update.
 * @example
 * params = optim.projections.l2Ball(optim.applyUpdates(params, updates), 10)
 */
import { Tensor, flatten, leafTensor, reshape, unflatten } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { projectToSimplex } from '../losses/fenchelYoung.ts'
import { type Hyper, like, negative, times } from './hyper.ts'
import { addScaled, globalNorm, scaled, squaredNorm, treeDot, treeSum } from './norms.ts'
import { type Tree, mapTrees, select } from './trees.ts'

const isHyper = (bound: unknown): bound is Hyper =>
  typeof bound === 'number' || bound instanceof Tensor

/** Applies a function of one vector to the elements of all leaves. */
const onVector = <T>(x: T, f: (v: Tensor) => Tensor): T => {
  const { leaves, structure } = flatten(x, 'projections')
  const tensors = leaves.map(leafTensor)
  const all = f(np.concatenate(tensors.map((leaf) => reshape(leaf, [leaf.size]))))
  let start = 0
  return unflatten<T>(
    structure,
    tensors.map(({ shape, size, dtype }) => {
      const part = all.at(`${start}:${start + size}`)
      start += size
      return reshape(part, shape).astype(dtype)
    }),
  )
}

/** max(x, 0), element by element. */
export const nonNegative = <T>(x: T): T => mapTrees('nonNegative', (leaf) => leaf.maximum(0), x)

/** Between two bounds, element by element: numbers, or trees of the same structure. */
export const box = <T>(x: T, lower: Hyper | T, upper: Hyper | T): T => {
  const above = isHyper(lower)
    ? mapTrees('box', (leaf) => leaf.maximum(like(lower, leaf)), x)
    : mapTrees('box', (leaf, bound) => leaf.maximum(bound), x, lower)
  return isHyper(upper)
    ? mapTrees('box', (leaf) => leaf.minimum(like(upper, leaf)), above)
    : mapTrees('box', (leaf, bound) => leaf.minimum(bound), above, upper)
}

/** Between 0 and `scale`, element by element. */
export const hypercube = <T>(x: T, scale: Hyper = 1): T => box<T>(x, 0, scale)

/** Between −`scale` and `scale`, element by element. */
export const linfBall = <T>(x: T, scale: Hyper = 1): T => box<T>(x, negative(scale), scale)

/** Non-negative elements whose sum over all leaves is `scale`. @see Duchi et al. 2008 */
export const simplex = <T>(x: T, scale: Hyper = 1): T =>
  onVector(x, (v) => times(projectToSimplex(v.div(like(scale, v))), scale))

/** Elements whose magnitudes add up to `scale` over all leaves. */
export const l1Sphere = <T>(x: T, scale: Hyper = 1): T =>
  onVector(x, (v) => {
    const magnitudes = times(projectToSimplex(v.abs().div(like(scale, v))), scale)
    return magnitudes.neg().where(v.less(0), magnitudes)
  })

/** Elements whose magnitudes add up to `scale` at most, over all leaves. */
export const l1Ball = <T>(x: T, scale: Hyper = 1): T => {
  const norm = treeSum(mapTrees('l1Ball', (leaf) => leaf.abs(), x))
  return select(norm.lessEqual(scale), x, l1Sphere(x, scale))
}

/** Of 2-norm `scale` over all leaves; NaN for zeros, which all its points are as near to. */
export const l2Sphere = <T>(x: T, scale: Hyper = 1): T =>
  scaled(x, globalNorm(x).reciprocal().mul(scale))

/** Of 2-norm `scale` at most, over all leaves. */
export const l2Ball = <T>(x: T, scale: Hyper = 1): T =>
  select(globalNorm(x).lessEqual(scale), x, l2Sphere(x, scale))

/** The multiple of a tree that is nearest: ⟨x, a⟩ / ⟨a, a⟩ · a. */
export const vector = <T>(x: T, a: T): T => scaled(a, treeDot(a, x).div(squaredNorm(a)))

// (⟨x, a⟩ − b) / ⟨a, a⟩: how far x lies beyond the plane ⟨·, a⟩ = b, in steps of a.
const beyond = (x: Tree, a: Tree, b: Hyper): Tensor => treeDot(a, x).sub(b).div(squaredNorm(a))

/** Where ⟨·, a⟩ = b. */
export const hyperplane = <T>(x: T, a: T, b: Hyper): T => addScaled(x, beyond(x, a, b).neg(), a)

/** Where ⟨·, a⟩ ≤ b. */
export const halfspace = <T>(x: T, a: T, b: Hyper): T =>
  addScaled(x, beyond(x, a, b).maximum(0).neg(), a)
