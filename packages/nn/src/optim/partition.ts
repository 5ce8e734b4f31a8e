/** Different transformations for different parts of the tree. */
import { TreeError, erase, flatten, frozenPair, typed, unflatten } from '@cotangent/core'
import { type MaskedState, masked } from './masked.ts'
import type { AnyTransformation, GradientTransformation, StateOf } from './transformation.ts'
import { type Mask, type Tree, valueForEach } from './trees.ts'

/** A label for each leaf or branch, or a function from the tree to such labels. */
export type Labels = string | object | ((tree: Tree) => Tree)

/** The states of the groups, by label. */
export interface PartitionState<Groups> {
  readonly inner: { readonly [Label in keyof Groups]: MaskedState<StateOf<Groups[Label]>> }
}

interface Partition {
  <const Groups extends Readonly<Record<string, AnyTransformation>>>(
    groups: Groups,
    labels: Labels,
  ): GradientTransformation<PartitionState<Groups>>
}

type Untyped = { readonly inner: Readonly<Record<string, MaskedState<unknown>>> }

const isFunction = (labels: Labels): labels is (tree: Tree) => Tree => typeof labels === 'function'
const isLabel = (value: unknown): value is string => typeof value === 'string'

const labelsOf = (labels: Labels, tree: Tree, names: readonly string[]): readonly string[] => {
  const given = isFunction(labels) ? labels(tree) : labels
  const all = valueForEach('partition', 'the labels', given, tree, isLabel)
  const unknown = all.find((label) => !names.includes(label))
  if (unknown === undefined) return all
  throw new TreeError({
    operation: 'partition',
    problem: 'some parameters have no transformation',
    got: `the label ${unknown}`,
    want: names.join(', '),
    fix: 'add a transformation for this label, or give the parameters another one',
  })
}

const partitioned = (
  groups: Readonly<Record<string, AnyTransformation>>,
  labels: Labels,
): GradientTransformation<Untyped> => {
  const names = Object.keys(groups)
  const partsFor = (
    tree: Tree,
  ): ReadonlyMap<string, GradientTransformation<MaskedState<unknown>>> => {
    const each = labelsOf(labels, tree, names)
    const { structure } = flatten(tree, 'partition')
    const maskFor = (name: string): Mask =>
      unflatten<Mask>(
        structure,
        each.map((label) => label === name),
      )
    return new Map(names.map((name) => [name, masked(groups[name]!, maskFor(name))]))
  }
  return {
    init: (params) => {
      const parts = [...partsFor(params)]
      const inner = Object.fromEntries(parts.map(([name, part]) => [name, part.init(params)]))
      return Object.freeze({ inner: Object.freeze(inner) })
    },
    update: (grads, state, params, extra) => {
      let updates = grads
      const next = [...partsFor(grads)].map(([name, part]) => {
        const [u, s] = part.update(updates, state.inner[name]!, params, extra)
        updates = u
        return [name, s] as const
      })
      return frozenPair(updates, Object.freeze({ inner: Object.freeze(Object.fromEntries(next)) }))
    },
  }
}

/**
 * One transformation for each group of leaves. Labels are a tree of strings (or a prefix: one for a
 * branch), or a function from the tree to them.
 * @throws TreeError where a label has no transformation.
 * @example
 * partition({ fast: adam(1e-2), still: setToZero() }, { head: 'fast', body: 'still' })
 */
export const partition: Partition = typed(erase(partitioned))

/** Optax's older name of `partition`. */
export const multiTransform: Partition = partition
