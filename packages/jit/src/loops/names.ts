/** Unique names: passes that move statements outwards need not think about shadowing. */
import type { Stmt } from '@cotangent/core'
import { mapStmt, substitution } from './rewrite.ts'
import { effectsOf, freshNames } from './visit.ts'

/** Renames locals that are declared more than once, all but the first. */
export const uniqueNames = (body: readonly Stmt[]): readonly Stmt[] => {
  const fresh = freshNames(body)
  const seen = new Set<string>()
  const renameBlock = (
    statements: readonly Stmt[],
    outer: ReadonlyMap<string, string>,
  ): readonly Stmt[] => {
    let names = outer
    let rewriter = substitution({ declared: names })
    const inner = (block: readonly Stmt[]): readonly Stmt[] => renameBlock(block, names)
    return statements.map((s) => {
      if (s.tag !== 'let' && s.tag !== 'variable') {
        const made = mapStmt(s, rewriter.scalar, rewriter.index, inner)
        return made.tag === 'assign' ? { ...made, name: names.get(made.name) ?? made.name } : made
      }
      const value = rewriter.scalar(s.value)
      const name = seen.has(s.name) ? fresh(`${s.name}_`) : s.name
      seen.add(name)
      if (name !== (names.get(s.name) ?? s.name)) {
        names = new Map([...names, [s.name, name]])
        rewriter = substitution({ declared: names })
      }
      return { ...s, name, value }
    })
  }
  return hasRepeats(body) ? renameBlock(body, new Map()) : body
}

const hasRepeats = (body: readonly Stmt[]): boolean => {
  let count = 0
  const statement = (s: Stmt): void => {
    if (s.tag === 'let' || s.tag === 'variable') count++
    else if (s.tag === 'for' || s.tag === 'while') s.body.forEach(statement)
    else if (s.tag === 'if') [...s.then, ...s.otherwise].forEach(statement)
  }
  body.forEach(statement)
  const loops = new Set<string>()
  const counters = (s: Stmt): void => {
    if (s.tag === 'for') loops.add(s.counter)
    if (s.tag === 'for' || s.tag === 'while') s.body.forEach(counters)
    else if (s.tag === 'if') [...s.then, ...s.otherwise].forEach(counters)
  }
  body.forEach(counters)
  const declared = [...effectsOf(body).declared].filter((name) => !loops.has(name))
  return count !== declared.length
}
