/** Types of trees that pass through loops and branches. */
import {
  type Aval,
  type Gradient,
  type Structure,
  type Tensor,
  TreeError,
  flatten,
  leafTensor,
} from '@cotangent/core'

/** The same tree with tensors at its leaves: what a loop's body gets. */
export type Tensors<T> = Gradient<T>

/** A tree that may stand for this one: tensors and plain numbers at its leaves. */
export type Like<T> = T extends Tensor | number | boolean
  ? Tensor | number | boolean
  : T extends null | undefined
    ? T
    : { readonly [K in keyof T]: Like<T[K]> }

export interface TensorTree {
  readonly leaves: readonly Tensor[]
  readonly structure: Structure
}

/** The leaves as tensors, and the structure. */
export const flattenTensors = (tree: unknown, operation: string): TensorTree => {
  const { leaves, structure } = flatten(tree, operation)
  return { leaves: leaves.map(leafTensor), structure }
}

export const typesOfTensors = (xs: readonly Tensor[]): readonly Aval[] => xs.map((x) => x.aval)

/** The two results of a body. @throws TreeError for anything else. */
export const pairStructures = (
  operation: string,
  structure: Structure,
): readonly [Structure, Structure] => {
  if (structure.tag === 'list' && structure.children.length === 2) {
    return [structure.children[0]!, structure.children[1]!]
  }
  throw new TreeError({
    operation,
    problem: 'the body returns two values',
    got: structure.key,
    want: '[carry, y]',
    fix: 'return [carry, null] where there is nothing to stack',
  })
}
