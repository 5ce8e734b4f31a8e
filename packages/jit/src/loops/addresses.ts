/**
 * Addresses: accesses of one block that differ by a constant share one base, so that a tile reads
 * `x[p0]`, `x[p0 + 1]`, `x[p0 + 58]`.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { makeInterner } from './intern.ts'
import { mapIndex, mapScalar, mapStmt } from './rewrite.ts'
import { freshNames, walk } from './visit.ts'

const { affine, boundsOf, dataIndex, fromIndex, local } = scalars

type Affine = Extract<Index, { readonly tag: 'affine' }>

/** Binds the common part of indices that a block uses more than once. */
export const shareAddresses = (body: readonly Stmt[]): readonly Stmt[] => {
  const fresh = freshNames(body)
  const block = (statements: readonly Stmt[]): readonly Stmt[] =>
    shareBlock(statements, fresh, block)
  return block(body)
}

const withoutConstant = (i: Affine): Index =>
  affine(i.terms.map((t) => [t.coefficient, t.term] as const))

// Sums of counters and of locals that never change; a variable may change between two uses.
const isFixed = (i: Index, variables: ReadonlySet<string>): boolean => {
  switch (i.tag) {
    case 'constant':
    case 'counter':
      return true
    case 'affine':
      return i.terms.every((t) => isFixed(t.term, variables))
    case 'floorDivide':
    case 'modulo':
      return isFixed(i.value, variables)
    case 'data':
      return i.value.tag === 'local' && !variables.has(i.value.name)
    default:
      return i satisfies never
  }
}

const shareBlock = (
  body: readonly Stmt[],
  fresh: (prefix: string) => string,
  inner: (body: readonly Stmt[]) => readonly Stmt[],
): readonly Stmt[] => {
  const variables = assignedBelow(body)
  const interner = makeInterner()
  const keyOf = (i: Affine): number => interner.idOf(fromIndex('int32', withoutConstant(i)))
  const uses = new Map<number, number>()
  const counting = walk({
    index: (i) => {
      if (i.tag !== 'affine' || !isFixed(i, variables)) return
      const key = keyOf(i)
      uses.set(key, (uses.get(key) ?? 0) + 1)
    },
  })
  for (const s of body) {
    if (s.tag === 'store') counting.index(s.at)
    if (s.tag === 'store' || s.tag === 'let' || s.tag === 'variable' || s.tag === 'assign') {
      counting.scalar(s.value)
    }
    if (s.tag === 'if') counting.scalar(s.condition)
  }
  const bases = new Map<number, Index>()
  const out: Stmt[] = []
  const scalar = (s: Scalar): Scalar => mapScalar(s, scalar, index)
  const index = (i: Index): Index => {
    if (i.tag !== 'affine' || !isFixed(i, variables)) return mapIndex(i, index, scalar)
    const key = keyOf(i)
    if ((uses.get(key) ?? 0) < 2 || withoutConstant(i).tag !== 'affine') return i
    let base = bases.get(key)
    if (base === undefined) {
      const part = withoutConstant(i)
      const name = fresh('p')
      out.push({ tag: 'let', name, value: fromIndex('int32', part) })
      base = dataIndex(local('int32', name), ...boundsOf(part))
      bases.set(key, base)
    }
    return affine([[1, base]], i.constant)
  }
  for (const s of body) out.push(mapStmt(s, scalar, index, inner))
  return out
}

const assignedBelow = (body: readonly Stmt[]): ReadonlySet<string> => {
  const variables = new Set<string>()
  walk({
    statement: (s) => {
      if (s.tag === 'variable' || s.tag === 'assign') variables.add(s.name)
    },
  }).body(body)
  return variables
}
