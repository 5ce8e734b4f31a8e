/** Trees with a part for each cell: by layer where there are several, then by direction. */
import {
  type Tensor,
  TreeError,
  flatten,
  leafPaths,
  leafTensor,
  range,
  showAval,
  showShape,
} from '@cotangent/core'

const isRecord = (tree: unknown): tree is Readonly<Record<string, unknown>> =>
  typeof tree === 'object' && tree !== null

/** Making such trees, and reading them. */
export interface Parts {
  readonly build: (f: (layer: number, direction: number) => unknown) => unknown
  readonly read: (tree: unknown, layer: number, direction: number) => unknown
}

const child = (tree: unknown, name: string): unknown => (isRecord(tree) ? tree[name] : undefined)

export const partsOf = (layers: number, bidirectional: boolean): Parts => {
  const directions = ['forward', 'backward']
  const directed = (f: (direction: number) => unknown): unknown =>
    bidirectional ? Object.freeze({ forward: f(0), backward: f(1) }) : f(0)
  return {
    build: (f) =>
      layers === 1
        ? directed((d) => f(0, d))
        : Object.freeze(
            Object.fromEntries(
              range(layers).map((l) => [`layer${l + 1}`, directed((d) => f(l, d))]),
            ),
          ),
    read: (tree, layer, direction) => {
      const inner = layers === 1 ? tree : child(tree, `layer${layer + 1}`)
      return bidirectional ? child(inner, directions[direction]!) : inner
    },
  }
}

// Paths with what stands there.
const describe = (tree: unknown, show: (x: Tensor) => string): string => {
  const { leaves, structure } = flatten(tree)
  const paths = leafPaths(structure)
  return leaves
    .map((leaf, i) => `${paths[i]!}: ${show(leafTensor(leaf))}`)
    .sort()
    .join(', ')
}
const ofShape = (tree: unknown): string => describe(tree, (x) => showShape(x.shape))
const ofType = (tree: unknown): string => describe(tree, (x) => showAval(x.aval))

/** @throws TreeError unless the initial state of a cell has the structure and shapes that it begins with. */
export const requireCarry = (name: string, given: unknown, want: unknown): void => {
  if (given !== undefined && ofShape(given) === ofShape(want)) return
  throw new TreeError({
    operation: name,
    problem: 'the initial state does not fit the cells',
    got: given === undefined ? 'nothing for one of them' : ofType(given),
    want: ofType(want),
    fix: 'give a carry as returnCarry gives it: by layer where there are several, then by direction',
  })
}
