/** Questions about trees, and editing them. */
import { produce } from 'immer'
import { requireOptions } from '../arguments.ts'
import { showAval } from '../aval.ts'
import { leafAval, leafTensor } from '../convert.ts'
import { dtypeInfo } from '../dtype.ts'
import { TreeError } from '../errors.ts'
import { sameShape, sizeOf } from '../shape.ts'
import { Tensor } from '../tensor.ts'
import { flatten, leafPaths } from './structure.ts'

/**
 * The subtree at a path: `at(params, 'conv1.kernel')`, `at(params, ['layers', 0])`.
 * @throws TreeError naming the part of the path that does not exist.
 */
export const at = (tree: unknown, path: string | readonly (string | number)[]): unknown => {
  const parts = typeof path === 'string' ? path.split(/[.[\]]+/).filter((p) => p !== '') : path
  let current: unknown = tree
  for (const [i, part] of parts.entries()) {
    const held: unknown =
      typeof current === 'object' && current !== null && !(current instanceof Tensor)
        ? new Map(Object.entries(current)).get(String(part))
        : undefined
    if (held === undefined) {
      const names =
        typeof current === 'object' && current !== null
          ? Object.keys(current).join(', ')
          : 'nothing'
      throw new TreeError({
        operation: 'tree.at',
        problem: `no "${String(part)}" at ${i === 0 ? 'the root' : parts.slice(0, i).join('.')}`,
        got: `path ${parts.join('.')}`,
        want: `one of ${names}`,
        fix: 'correct the path; tree.toString lists all of them',
      })
    }
    current = held
  }
  return current
}

const compare = (a: unknown, b: unknown, close: (x: number, y: number) => boolean): boolean => {
  const left = flatten(a, 'tree.equals')
  const right = flatten(b, 'tree.equals')
  if (left.structure.key !== right.structure.key) return false
  return left.leaves.every((leaf, i) => {
    const x = leafTensor(leaf)
    const y = leafTensor(right.leaves[i]!)
    if (x.dtype !== y.dtype || !sameShape(x.shape, y.shape)) return false
    const ys = y.data()
    return x.data().every((value, k) => close(value, ys[k]!))
  })
}

/** Same nesting, dtypes, shapes and values (NaN equals NaN). */
export const equals = (a: unknown, b: unknown): boolean =>
  compare(a, b, (x, y) => x === y || (Number.isNaN(x) && Number.isNaN(y)))

export interface Closeness {
  /** Relative to the second tree; 1e-5 by default. */
  readonly rtol?: number
  /** Absolute; 1e-8 by default. */
  readonly atol?: number
}

/**
 * Same nesting, dtypes and shapes, and values up to `atol + rtol · |b|` (NaN equals NaN).
 * @example
 * allClose({ w: 1 }, { w: 1.001 }, { rtol: 1e-2 }) // true
 */
export const allClose = (a: unknown, b: unknown, options: Closeness = {}): boolean => {
  requireOptions('tree.allClose', options, ['rtol', 'atol'])
  const { rtol = 1e-5, atol = 1e-8 } = options
  return compare(
    a,
    b,
    (x, y) =>
      x === y ||
      Math.abs(x - y) <= atol + rtol * Math.abs(y) ||
      (Number.isNaN(x) && Number.isNaN(y)),
  )
}

/** The number of elements in all leaves: the parameter count. */
export const size = (tree: unknown): number =>
  flatten(tree, 'tree.size').leaves.reduce<number>((n, leaf) => n + sizeOf(leafAval(leaf).shape), 0)

/** The bytes that all leaves take. */
export const bytes = (tree: unknown): number =>
  flatten(tree, 'tree.bytes').leaves.reduce<number>((n, leaf) => {
    const { shape, dtype } = leafAval(leaf)
    return n + sizeOf(shape) * dtypeInfo[dtype].bytes
  }, 0)

/** A table: path, type and element count of each leaf, and the total. */
export const toString = (tree: unknown): string => {
  const flat = flatten(tree, 'tree.toString')
  const paths = leafPaths(flat.structure)
  const rows = flat.leaves.map((leaf, i) => {
    const type = leafAval(leaf)
    return [paths[i]!, showAval(type), sizeOf(type.shape).toLocaleString('en')] as const
  })
  const total = ['total', '', size(tree).toLocaleString('en')] as const
  const all = [...rows, total]
  const width = (column: 0 | 1 | 2): number => Math.max(...all.map((row) => row[column].length))
  return all
    .map(
      ([path, type, count]) =>
        `${path.padEnd(width(0))}  ${type.padEnd(width(1))}  ${count.padStart(width(2))}`,
    )
    .join('\n')
}

/** A tree that a recipe may assign to; tensors are replaced, never written into. */
export type Edit<T> = T extends Tensor ? T : { -readonly [K in keyof T]: Edit<T[K]> }

/**
 * immer's recipe: write to the draft, get a new frozen tree; untouched parts are the same objects.
 * @example
 * update(params, (draft) => { draft.dense2.bias = np.zeros([10]) })
 */
export const update = <T extends object>(tree: T, recipe: (draft: Edit<T>) => void): T =>
  produce(tree, (draft) => {
    // immer's Draft strips readonly inside tensors and then rejects them; Edit leaves them whole.
    const editable: unknown = draft
    recipe(editable as Edit<T>)
  })
