/** Trees: how a nested value becomes a list of leaves and back. */
import { TreeError } from '../errors.ts'
import { Tensor } from '../tensor.ts'

/** A leaf: a tensor, or a plain number or boolean that acts as one. */
export type Leaf = Tensor | number | boolean

/** A registered class's way to expose its children. */
export interface ClassHandler<T> {
  readonly name: string
  /** The children (trees), and data that is part of the structure (compared by its JSON). */
  readonly flatten: (value: T) => { readonly children: readonly unknown[]; readonly data?: unknown }
  readonly unflatten: (children: readonly unknown[], data: unknown) => T
}

/** The shape of a tree without its leaves. `key` is equal exactly for equal structures. */
export type Structure =
  | { readonly tag: 'leaf'; readonly key: string; readonly size: 1 }
  | { readonly tag: 'none'; readonly key: string; readonly size: 0 }
  | {
      readonly tag: 'list'
      readonly key: string
      readonly size: number
      readonly children: readonly Structure[]
    }
  | {
      readonly tag: 'record'
      readonly key: string
      readonly size: number
      /** Sorted, so that property order does not matter. */
      readonly names: readonly string[]
      readonly children: readonly Structure[]
    }
  | {
      readonly tag: 'instance'
      readonly key: string
      readonly size: number
      readonly id: number
      readonly data: unknown
      readonly children: readonly Structure[]
    }

export const leafStructure: Structure = { tag: 'leaf', key: '*', size: 1 }
const none: Structure = { tag: 'none', key: '-', size: 0 }

interface Registered {
  readonly id: number
  readonly handler: ClassHandler<unknown>
}
const registered = new Map<unknown, Registered>()
const handlers: ClassHandler<unknown>[] = []

/**
 * Makes instances of a class usable as trees.
 * @throws TreeError when the class is registered already.
 * @example
 * register(Point, { name: 'Point', flatten: (p) => ({ children: [p.x, p.y] }), unflatten: ([x, y]) => new Point(x, y) })
 */
export const register = <T>(
  constructor: abstract new (...args: never[]) => T,
  handler: ClassHandler<T>,
): void => {
  if (registered.has(constructor)) {
    throw new TreeError({
      operation: 'tree.register',
      problem: `${handler.name} is registered already`,
      fix: 'register each class once, beside its definition',
    })
  }
  const erased: ClassHandler<unknown> = {
    name: handler.name,
    // Looked up by constructor, so the value is a T.
    flatten: (value) => handler.flatten(value as T),
    unflatten: handler.unflatten,
  }
  registered.set(constructor, { id: handlers.length, handler: erased })
  handlers.push(erased)
}

export interface Flat {
  readonly leaves: readonly Leaf[]
  readonly structure: Structure
}

const isLeaf = (value: unknown): value is Leaf =>
  value instanceof Tensor || typeof value === 'number' || typeof value === 'boolean'

const isPlain = (value: object): value is Record<string, unknown> => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

const sum = (children: readonly Structure[]): number => children.reduce((n, c) => n + c.size, 0)

export const listStructure = (children: readonly Structure[]): Structure => ({
  tag: 'list',
  key: `[${children.map((c) => c.key).join(',')}]`,
  size: sum(children),
  children,
})

const recordStructure = (names: readonly string[], children: readonly Structure[]): Structure => ({
  tag: 'record',
  key: `{${names.map((name, i) => `${JSON.stringify(name)}:${children[i]!.key}`).join(',')}}`,
  size: sum(children),
  names,
  children,
})

const showPath = (path: readonly (string | number)[]): string =>
  path.length === 0
    ? 'the value itself'
    : path.map((p) => (typeof p === 'number' ? `[${p}]` : `.${p}`)).join('')

/**
 * The leaves of a tree, in a fixed order (lists in order, records by sorted key), and its structure.
 * @throws TreeError at a value that is neither tree nor leaf, naming its path.
 */
export const flatten = (tree: unknown, operation = 'tree'): Flat => {
  const leaves: Leaf[] = []
  // Where the walk is, for messages.
  const path: (string | number)[] = []
  const visitAt = (part: string | number, child: unknown): Structure => {
    path.push(part)
    const structure = visit(child)
    path.pop()
    return structure
  }
  const visit = (value: unknown): Structure => {
    if (path.length > deepest) throw endless(operation, path)
    if (isLeaf(value)) {
      leaves.push(value)
      return leafStructure
    }
    if (value === null) return none
    if (Array.isArray(value)) {
      return listStructure(value.map((child: unknown, i) => visitAt(i, child)))
    }
    if (typeof value === 'object') {
      if (isPlain(value)) {
        const names = Object.keys(value).sort()
        return recordStructure(
          names,
          names.map((name) => visitAt(name, value[name])),
        )
      }
      const entry = registered.get(value.constructor)
      if (entry !== undefined) {
        const { children, data } = entry.handler.flatten(value)
        const parts = children.map((child, i) => visitAt(i, child))
        const key = `#${entry.id}${JSON.stringify(data) ?? ''}(${parts.map((p) => p.key).join(',')})`
        return { tag: 'instance', key, size: sum(parts), id: entry.id, data, children: parts }
      }
    }
    throw notATree(operation, value, path)
  }
  const structure = visit(tree)
  return { leaves, structure }
}

/**
 * Whether a tree has this structure; its leaves are then added to `leaves`, which hold some of them
 * where it has not. What `flatten` would refuse has no structure.
 */
export const flattenAs = (structure: Structure, tree: unknown, leaves: Leaf[]): boolean => {
  switch (structure.tag) {
    case 'leaf':
      if (!isLeaf(tree)) return false
      leaves.push(tree)
      return true
    case 'none':
      return tree === null
    case 'list':
      return Array.isArray(tree) && flattenList(structure.children, tree, leaves)
    case 'record':
      return typeof tree === 'object' && tree !== null && isPlain(tree)
        ? flattenRecord(structure.names, structure.children, tree, leaves)
        : false
    case 'instance': {
      if (typeof tree !== 'object' || tree === null) return false
      const entry = registered.get(tree.constructor)
      if (entry === undefined || entry.id !== structure.id) return false
      const { children, data } = entry.handler.flatten(tree)
      if (data !== structure.data && JSON.stringify(data) !== JSON.stringify(structure.data)) {
        return false
      }
      return flattenList(structure.children, children, leaves)
    }
    default:
      return structure satisfies never
  }
}

const flattenList = (
  structures: readonly Structure[],
  trees: readonly unknown[],
  leaves: Leaf[],
): boolean => {
  if (trees.length !== structures.length) return false
  for (let i = 0; i < structures.length; i++) {
    if (!flattenAs(structures[i]!, trees[i], leaves)) return false
  }
  return true
}

const flattenRecord = (
  names: readonly string[],
  structures: readonly Structure[],
  tree: Readonly<Record<string, unknown>>,
  leaves: Leaf[],
): boolean => {
  if (Object.keys(tree).length !== names.length) return false
  for (let i = 0; i < names.length; i++) {
    const name = names[i]!
    if (!Object.hasOwn(tree, name) || !flattenAs(structures[i]!, tree[name], leaves)) return false
  }
  return true
}

/** Nothing is nested this deeply unless it contains itself. */
const deepest = 400

const endless = (operation: string, path: readonly (string | number)[]): TreeError =>
  new TreeError({
    operation,
    problem: 'the tree is nested without end: does it contain itself?',
    got: `more than ${deepest} levels at ${showPath(path.slice(0, 4))}…`,
    want: 'a tree: no object inside itself',
    fix: 'remove the reference that leads back up',
  })

const notATree = (
  operation: string,
  value: unknown,
  path: readonly (string | number)[],
): TreeError => {
  const promise = value instanceof Promise
  const kind =
    typeof value === 'object'
      ? `an instance of ${value?.constructor.name ?? 'an unknown class'}`
      : typeof value
  return new TreeError({
    operation,
    problem: promise ? 'a transformed function must be synchronous' : 'not a tree of tensors',
    got: `${promise ? 'a promise' : kind} at ${showPath(path)}`,
    want: 'tensors, numbers, booleans, null, and arrays, plain objects or registered classes of them',
    fix: fixFor(value),
  })
}

const fixFor = (value: unknown): string => {
  if (value instanceof Promise) return 'await the data first, and transform the synchronous part'
  if (value === undefined) return 'pass or return a value; null stands for nothing'
  if (typeof value === 'object') return 'remove it, or register its class with tree.register'
  return 'remove it, or make the argument a constant of the compiled code: jit(f, { staticArgs })'
}

const record = (
  names: readonly string[],
  children: readonly Structure[],
  build: (s: Structure) => unknown,
): Record<string, unknown> => {
  // Assigning to this name would change the prototype.
  if (names.includes('__proto__')) {
    return Object.fromEntries(names.map((name, i) => [name, build(children[i]!)]))
  }
  const made: Record<string, unknown> = {}
  for (let i = 0; i < names.length; i++) made[names[i]!] = build(children[i]!)
  return made
}

/** The tree of this structure with these leaves; frozen. The caller knows its type. */
export const unflatten = <T>(structure: Structure, leaves: readonly unknown[]): T => {
  let next = 0
  const build = (s: Structure): unknown => {
    switch (s.tag) {
      case 'leaf':
        return leaves[next++]
      case 'none':
        return null
      case 'list': {
        const list = new Array<unknown>(s.children.length)
        for (let i = 0; i < list.length; i++) list[i] = build(s.children[i]!)
        return Object.freeze(list)
      }
      case 'record':
        return Object.freeze(record(s.names, s.children, build))
      case 'instance':
        return handlers[s.id]!.unflatten(s.children.map(build), s.data)
      default:
        return s satisfies never
    }
  }
  // A structure has forgotten the type of the tree it came from.
  return build(structure) as T
}

/** A path to each leaf, `conv1.kernel` or `layers[0].bias`, in leaf order. */
export const leafPaths = (structure: Structure): readonly string[] => {
  const paths: string[] = []
  const visit = (s: Structure, path: string): void => {
    if (s.tag === 'leaf') paths.push(path)
    else if (s.tag === 'record') {
      s.children.forEach((c, i) => visit(c, path === '' ? s.names[i]! : `${path}.${s.names[i]!}`))
    } else if (s.tag !== 'none') s.children.forEach((c, i) => visit(c, `${path}[${i}]`))
  }
  visit(structure, '')
  return paths
}

/** @throws TreeError unless both have the same structure. */
export const requireSameStructure = (operation: string, got: Structure, want: Structure): void => {
  if (got.key === want.key) return
  throw new TreeError({
    operation,
    problem: 'the trees have different structures',
    got: got.key,
    want: want.key,
    fix: 'return the same nesting and the same property names on every path',
  })
}

/**
 * Spreads a prefix tree over a full structure: `0` over a record gives 0 at each of its leaves.
 * `null` in the prefix stands for itself, at every leaf below.
 */
export const broadcastPrefix = <T>(
  operation: string,
  prefix: unknown,
  structure: Structure,
  isValue: (value: unknown) => value is T,
): readonly T[] => {
  if (isValue(prefix)) return new Array<T>(structure.size).fill(prefix)
  if (
    structure.tag === 'list' &&
    Array.isArray(prefix) &&
    prefix.length === structure.children.length
  ) {
    return structure.children.flatMap((c, i) => broadcastPrefix(operation, prefix[i], c, isValue))
  }
  if (
    structure.tag === 'record' &&
    typeof prefix === 'object' &&
    prefix !== null &&
    isPlain(prefix)
  ) {
    const names = Object.keys(prefix).sort()
    if (names.join() === structure.names.join()) {
      return structure.children.flatMap((c, i) =>
        broadcastPrefix(operation, prefix[names[i]!], c, isValue),
      )
    }
  }
  if (structure.tag === 'none') return []
  throw new TreeError({
    operation,
    problem: 'the axes are not a prefix of the tree they describe',
    got: JSON.stringify(prefix) ?? String(prefix),
    want: structure.key,
    fix: 'give one number or null for the whole argument, or a tree of its shape',
  })
}
