/** Folds what indices alone decide, everywhere: guards that always hold, branches never taken. */
import type { Index, Scalar, Stmt } from '@cotangent/core'
import { narrowDivision } from './divisions.ts'
import { foldScalar, knownTruth } from './fold.ts'
import { mapIndex, mapScalar, mapStmt, replaceEach } from './rewrite.ts'

/** The same statements with every decidable condition decided. */
export const simplify = (body: readonly Stmt[]): readonly Stmt[] => {
  const done = new Map<Scalar, Scalar>()
  const indices = new Map<Index, Index>()
  const scalar = (s: Scalar): Scalar => {
    if (s.tag === 'literal' || s.tag === 'local') return s
    const known = done.get(s)
    if (known !== undefined) return known
    const made = foldScalar(mapScalar(s, scalar, index))
    done.set(s, made)
    return made
  }
  const index = (i: Index): Index => {
    if (i.tag === 'counter' || i.tag === 'constant') return i
    const known = indices.get(i)
    if (known !== undefined) return known
    const mapped = mapIndex(i, index, scalar)
    const divides = mapped.tag === 'floorDivide' || mapped.tag === 'modulo'
    const made = divides ? narrowDivision(mapped) : mapped
    indices.set(i, made)
    return made
  }
  const block = (statements: readonly Stmt[]): readonly Stmt[] =>
    replaceEach(statements, (s) => {
      const made = mapStmt(s, scalar, index, block)
      if (made.tag !== 'if') return made
      const known = knownTruth(made.condition)
      if (known === null) return made
      return known ? made.then : made.otherwise
    })
  return block(body)
}
