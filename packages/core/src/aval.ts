/** Abstract values: what is known of a tensor while tracing. */
import { type DType, dtypeInfo } from './dtype.ts'
import { type Shape, sameShape, showShape } from './shape.ts'

/** Shape, dtype, and whether the dtype is weak (gives way in promotion, as a plain number does). */
export interface Aval {
  readonly shape: Shape
  readonly dtype: DType
  readonly weak: boolean
}

export const aval = (shape: Shape, dtype: DType, weak = false): Aval => ({ shape, dtype, weak })

let nextId = 1

/** The one object that stands for a type. Its shape cannot be written to. */
class Sealed implements Aval {
  readonly shape: Shape
  readonly dtype: DType
  readonly weak: boolean
  // Private, so that copies and comparisons see a type and nothing else.
  readonly #id: number = nextId++

  constructor(shape: Shape, dtype: DType, weak: boolean) {
    this.shape = shape
    this.dtype = dtype
    this.weak = weak
  }

  static idOf(type: Sealed): number {
    return type.#id
  }
}

interface Node {
  type: Sealed | null
  children: Map<number, Node> | null
}

// A trie: dtype, weakness, then one extent a level.
const roots = new Map<DType, readonly [strong: Node, weak: Node]>()
let known = 0
/** Beyond this many types all are forgotten: equal ones are then made anew. */
const mostKnown = 1 << 14

const root = (dtype: DType, weak: boolean): Node => {
  let pair = roots.get(dtype)
  if (pair === undefined) {
    pair = [
      { type: null, children: null },
      { type: null, children: null },
    ]
    roots.set(dtype, pair)
  }
  return weak ? pair[1] : pair[0]
}

const seal = ({ shape, dtype, weak }: Aval): Sealed => {
  let node = root(dtype, weak)
  for (let d = 0; d < shape.length; d++) {
    const extent = shape[d]!
    node.children ??= new Map()
    let child = node.children.get(extent)
    if (child === undefined) {
      child = { type: null, children: null }
      node.children.set(extent, child)
    }
    node = child
  }
  if (node.type !== null) return node.type
  if (known++ === mostKnown) {
    roots.clear()
    known = 1
  }
  node.type = new Sealed(Object.freeze([...shape]), dtype, weak)
  return node.type
}

/**
 * The same type with a shape of its own that cannot be written to: callers may reuse theirs. Equal
 * types give one object, so that comparing two mostly is comparing identities; `sameType` compares
 * them in any case.
 */
export const sealed = (type: Aval): Aval => (type instanceof Sealed ? type : seal(type))

/** A number for a type: equal for one object only. */
export const typeId = (type: Aval): number =>
  Sealed.idOf(type instanceof Sealed ? type : seal(type))

/** `f32[2,3]`; a weak type has a trailing `*`. */
export const showAval = ({ shape, dtype, weak }: Aval): string =>
  `${dtypeInfo[dtype].short}${showShape(shape)}${weak ? '*' : ''}`

/** Equal shape and dtype; weakness aside. */
export const sameType = (a: Aval, b: Aval): boolean =>
  a === b || (a.dtype === b.dtype && sameShape(a.shape, b.shape))

export const strong = (type: Aval): Aval => (type.weak ? { ...type, weak: false } : type)
