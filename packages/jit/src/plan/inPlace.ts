/** When an output may overwrite an input: each element is read for the last time before it is written. */
import type { Index, Scalar, Stmt } from '@cotangent/core'
import { indexKey } from '../cluster/analysis.ts'
import type { Kernel } from '../kernel.ts'
import { areApart } from './apartRows.ts'

/** One element of a buffer that a statement loads or stores. */
interface Access {
  readonly buffer: string
  readonly at: Index
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
    visit({ buffer, at, key: indexKey(at), store, scope })
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

const commonScope = (a: readonly Stmt[], b: readonly Stmt[]): readonly Stmt[] => {
  const end = a.findIndex((s, d) => s !== b[d])
  return end < 0 ? a : a.slice(0, end)
}

// Where rows are apart, all reads of a row may come before what is written of it, loop after loop.
const rowsOf = (accesses: readonly Access[]): readonly Stmt[] | null => {
  const first = accesses[0]
  if (first === undefined) return null
  const rows = accesses.reduce((scope, a) => commonScope(scope, a.scope), first.scope)
  const loops = rows.flatMap((s) => (s.tag === 'for' ? [s] : []))
  if (loops.length === 0 || loops.length < rows.length) return null
  const indices = accesses.map((a) => a.at)
  return areApart(loops, indices) ? rows : null
}

/**
 * True when buffer `output` may be the same memory as buffer `input`, in a kernel that writes each
 * element once: every element read is written later in the same step of the loops around, so that
 * no earlier step has written it; or it is one of a row that no other step of the loops around touches,
 * and the loops that write of it come later. Stores to the input count as reads, unless `ownStores`
 * says that they come first.
 */
export const mayOverwrite = (
  kernel: Kernel,
  input: string,
  output: string,
  ownStores = false,
): boolean => {
  const accesses: Access[] = []
  accessesOf(kernel.body, [], (access) => {
    if (access.buffer === input || (access.buffer === output && access.store)) {
      accesses.push(access)
    }
  })
  let unwritten: Access[] = []
  const written = new Set<string>()
  for (const access of accesses) {
    if (access.buffer === output) {
      written.add(access.key)
      unwritten = unwritten.filter(
        ({ key, scope }) => key !== access.key || !surrounds(access.scope, scope),
      )
    } else if (!(ownStores && access.store)) {
      if (written.has(access.key)) return false
      unwritten.push(access)
    }
  }
  if (unwritten.length === 0) return true
  const rows = rowsOf(accesses)
  if (rows === null) return false
  const stores = accesses.filter((a) => a.buffer === output)
  const start = accesses.indexOf(stores[0]!)
  return unwritten.every(
    (read) =>
      accesses.indexOf(read) < start &&
      stores.every((s) => commonScope(read.scope, s.scope).length === rows.length),
  )
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
