/** Drops locals that nothing reads, and loops and branches that do nothing. */
import type { Stmt } from '@cotangent/core'
import { withBodies } from './rewrite.ts'
import { branching, walk } from './visit.ts'

/** The statements without unused lets, read from the end backwards. */
export const dropUnused = (body: readonly Stmt[]): readonly Stmt[] => {
  const used = new Set<string>()
  const reads = walk({
    scalar: (s) => {
      if (s.tag === 'local') used.add(s.name)
    },
  })
  const block = (statements: readonly Stmt[]): readonly Stmt[] => {
    const kept: Stmt[] = []
    let changed = false
    for (const s of statements.toReversed()) {
      const made = statement(s)
      if (made !== s) changed = true
      if (made !== null) kept.push(made)
    }
    return changed ? kept.reverse() : statements
  }
  const statement = (s: Stmt): Stmt | null => {
    switch (s.tag) {
      case 'comment':
        return s
      case 'for': {
        const inner = s.extent <= 0 ? [] : block(s.body)
        if (inner.length === 0) return null
        return inner === s.body ? s : { ...s, body: inner }
      }
      case 'while':
        reads.scalar(s.condition)
        return withBodies(s, block)
      case 'if': {
        const [taken, otherwise] = [block(s.then), block(s.otherwise)]
        if (taken.length + otherwise.length === 0) return null
        reads.scalar(s.condition)
        if (taken === s.then && otherwise === s.otherwise) return s
        return branching(s.condition, taken, otherwise)
      }
      case 'let':
        if (!used.has(s.name)) return null
        reads.scalar(s.value)
        return s
      case 'assign':
        if (s.value.tag === 'local' && s.value.name === s.name) return null
        reads.scalar(s.value)
        return s
      case 'variable':
        reads.scalar(s.value)
        return s
      case 'store':
        reads.index(s.at)
        reads.scalar(s.value)
        return s
      default:
        return s satisfies never
    }
  }
  return block(body)
}
