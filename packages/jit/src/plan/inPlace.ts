/** When an output may overwrite an input: each element is read for the last time before it is written. */
import type { Index, Scalar, Stmt } from '@cotangent/core'
import { indexKey } from '../cluster/analysis.ts'
import type { Kernel } from '../kernel.ts'

/** One element of a buffer that a statement loads or stores. */
interface Access {
  readonly buffer: string
  readonly key: string
  readonly store: boolean
  /** The loops and branches around it, outermost first. */
  readonly scope: readonly Stmt[]
}

/** Every access of the statements, in the order of the text. */
const accessesOf = (
  body: readonly Stmt[],
  scope: readonly Stmt[],
  visit: (access: Access) => void,
): void => {
  // An expression that occurs again is not evaluated again, unless it first occurred in a branch.
  let seen = new Set<Scalar>()
  const note = (buffer: string, at: Index, store: boolean): void =>
    visit({ buffer, key: indexKey(at), store, scope })
  const inBranch = (x: Scalar): void => {
    const outside = seen
    seen = new Set(outside)
    scalar(x)
    seen = outside
  }
  const index = (i: Index): void => {
    if (i.tag === 'affine') for (const t of i.terms) index(t.term)
    else if (i.tag === 'floorDivide' || i.tag === 'modulo') index(i.value)
    else if (i.tag === 'data') scalar(i.value)
  }
  const scalar = (x: Scalar): void => {
    if (seen.has(x)) return
    seen.add(x)
    switch (x.tag) {
      case 'literal':
      case 'local':
        return
      case 'load':
        index(x.at)
        note(x.buffer, x.at, false)
        return
      case 'unary':
      case 'convert':
      case 'bitcast':
      case 'across':
        scalar(x.x)
        return
      case 'binary':
      case 'compare':
        scalar(x.x)
        scalar(x.y)
        return
      case 'select':
        for (const part of [x.condition, x.onTrue, x.onFalse]) scalar(part)
        return
      case 'guard':
        scalar(x.condition)
        inBranch(x.value)
        inBranch(x.otherwise)
        return
      case 'within':
      case 'fromIndex':
        index(x.value)
        return
      default:
        x satisfies never
    }
  }
  for (const s of body) {
    switch (s.tag) {
      case 'comment':
        break
      case 'for':
        accessesOf(s.body, [...scope, s], visit)
        break
      case 'while':
        scalar(s.condition)
        accessesOf(s.body, [...scope, s], visit)
        break
      case 'if':
        scalar(s.condition)
        accessesOf(s.then, [...scope, s], visit)
        accessesOf(s.otherwise, [...scope, s], visit)
        break
      case 'let':
      case 'variable':
      case 'assign':
        scalar(s.value)
        break
      case 'store':
        index(s.at)
        scalar(s.value)
        note(s.buffer, s.at, true)
        break
      default:
        s satisfies never
    }
  }
}

const surrounds = (outer: readonly Stmt[], inner: readonly Stmt[]): boolean =>
  outer.length <= inner.length && outer.every((s, d) => s === inner[d])

/**
 * True when buffer `output` may be the same memory as buffer `input`, in a kernel that writes each
 * element once: every element read is written later in the same step of the loops around, so that
 * no earlier step has written it. Stores to the input count as reads, unless `ownStores` says that they
 * come first.
 */
export const mayOverwrite = (
  kernel: Kernel,
  input: string,
  output: string,
  ownStores = false,
): boolean => {
  let unwritten: Access[] = []
  const written = new Set<string>()
  let fits = true
  accessesOf(kernel.body, [], (access) => {
    if (access.buffer === output) {
      if (!access.store) return
      written.add(access.key)
      unwritten = unwritten.filter(
        ({ key, scope }) => key !== access.key || !surrounds(access.scope, scope),
      )
    } else if (access.buffer === input && !(ownStores && access.store)) {
      if (written.has(access.key)) fits = false
      unwritten.push(access)
    }
  })
  return fits && unwritten.length === 0
}

/** The buffers that statements load from and store to. */
export const touchedBuffers = (
  body: readonly Stmt[],
): { readonly loads: ReadonlySet<string>; readonly stores: ReadonlySet<string> } => {
  const loads = new Set<string>()
  const stores = new Set<string>()
  accessesOf(body, [], ({ buffer, store }) => (store ? stores : loads).add(buffer))
  return { loads, stores }
}
