/** Penalties on parameters: numbers to be added to a loss. */
import {
  type Leaf,
  type Tensor,
  fill,
  flatten,
  isFloat,
  leafPaths,
  leafTensor,
} from '@cotangent/core'
import { maskOf } from './optim/trees.ts'

/** From a tree of parameters to a scalar; `train.fit` takes one as `regularizer`. */
export type Regularizer = (params: unknown) => Tensor

export interface RegularizerOptions {
  /**
   * The leaves that are penalised: a predicate of leaf and path, as in `tree.partition`, or a tree of
   * booleans; all floats by default.
   */
  readonly on?: Choice
}

/** Which leaves: by path (`conv1.kernel`), or a tree of booleans of the parameters' structure. */
export type Choice = ((leaf: Tensor, path: string) => boolean) | Readonly<Record<string, unknown>>

const chosenLeaves = (name: string, params: unknown, on: Choice | undefined): readonly Tensor[] => {
  const { leaves, structure } = flatten(params, name)
  const floats = leaves.map((leaf: Leaf) => leafTensor(leaf))
  const isChosen = chooser(name, params, on)
  const paths = leafPaths(structure)
  return floats.filter((x, i) => isFloat(x.dtype) && isChosen(x, paths[i]!, i))
}

const chooser = (
  name: string,
  params: unknown,
  on: Choice | undefined,
): ((leaf: Tensor, path: string, index: number) => boolean) => {
  if (on === undefined) return () => true
  if (typeof on === 'function') return (leaf, path) => on(leaf, path)
  const mask = maskOf(name, on, params)
  return (_leaf, _path, index) => mask[index]!
}

const penalty =
  (name: string, each: (leaf: Tensor) => Tensor, strength: number, options: RegularizerOptions) =>
  (params: unknown): Tensor => {
    const terms = chosenLeaves(name, params, options.on).map((leaf) => each(leaf).sum())
    const [first, ...rest] = terms
    if (first === undefined) return fill([], 0, 'float32')
    const total = rest.reduce((sum, term) => sum.add(term), first)
    return strength === 1 ? total : total.mul(strength)
  }

/**
 * `strength` times the number of parameters that are not 0. It has no useful derivative (0 everywhere): a
 * figure to look at, or to choose between models by; `l1` is its convex relative.
 * @example
 * regularizers.l0()({ kernel: tensor([1, 0, -2]) }).item() // 2
 */
export const l0 = (strength = 1, options: RegularizerOptions = {}): Regularizer =>
  penalty('regularizers.l0', (w) => w.notEqual(0).astype('float32'), strength, options)

/**
 * `strength` · Σ |w|, which drives parameters to exactly 0.
 * @see Tibshirani 1996
 * @example
 * regularizers.l1(0.1, { on: (_, path) => path.endsWith('kernel') })(params)
 */
export const l1 = (strength = 1, options: RegularizerOptions = {}): Regularizer =>
  penalty('regularizers.l1', (w) => w.abs(), strength, options)

/**
 * `strength` · Σ w², whose gradient is 2 · strength · w: weight decay by λ is the strength λ / 2.
 * @see Hoerl & Kennard 1970
 * @example
 * train.fit({ …, regularizer: regularizers.l2(1e-4, { on: (w) => w.ndim > 1 }) })
 */
export const l2 = (strength = 1, options: RegularizerOptions = {}): Regularizer =>
  penalty('regularizers.l2', (w) => w.square(), strength, options)

export interface ElasticNetOptions extends RegularizerOptions {
  /** Of Σ |w|; 1 by default. */
  readonly l1?: number
  /** Of Σ w²; 1 by default. */
  readonly l2?: number
}

/** `l1` · Σ |w| + `l2` · Σ w². @see Zou & Hastie 2005 */
export const elasticNet = (options: ElasticNetOptions = {}): Regularizer => {
  const { l1: absolute = 1, l2: squared = 1 } = options
  return (params) => l1(absolute, options)(params).add(l2(squared, options)(params))
}
