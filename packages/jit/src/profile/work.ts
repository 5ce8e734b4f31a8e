/** How much arithmetic expressions and loops do: a nominal count, the same however they are written. */
import type { Scalar, Stmt, UnaryOp } from '@cotangent/core'
import { scalarsOf } from '../loops/visit.ts'

/** What a function such as `exp` counts for: about as many operations as computing it takes. */
export const functionWork = 10
/** How often a loop whose end depends on data is taken to run. */
const guessedTurns = 16

const single: ReadonlySet<UnaryOp> = new Set<UnaryOp>([
  'negate',
  'absolute',
  'sign',
  'floor',
  'ceil',
  'round',
  'sqrt',
  'not',
  'populationCount',
  'countLeadingZeros',
])

const own = (s: Scalar): number => {
  switch (s.tag) {
    case 'unary':
      return single.has(s.op) ? 1 : functionWork
    case 'binary':
      return s.op === 'power' || s.op === 'atan2' ? functionWork : 1
    case 'compare':
    case 'select':
      return 1
    case 'literal':
    case 'load':
    case 'local':
    case 'guard':
    case 'within':
    case 'convert':
    case 'bitcast':
    case 'fromIndex':
    case 'across':
      return 0
    default:
      return s satisfies never
  }
}

/**
 * Arithmetic of expressions: a multiplication and an addition are two; loads, indices, conversions
 * and border tests are none. What they share counts once.
 */
export const operationsIn = (roots: readonly Scalar[]): number => {
  const seen = new Set<Scalar>()
  const visit = (s: Scalar): number => {
    if (seen.has(s)) return 0
    seen.add(s)
    return scalarsOf(s).reduce((n, x) => n + visit(x), own(s))
  }
  return roots.reduce((n, s) => n + visit(s), 0)
}

/** Arithmetic of statements, over all rounds of their loops. */
export const operationsOf = (body: readonly Stmt[]): number => {
  let sum = 0
  for (const s of body) {
    switch (s.tag) {
      case 'comment':
        break
      case 'for':
        sum += Math.ceil(s.extent / (s.step ?? 1)) * operationsOf(s.body)
        break
      case 'while':
        sum += guessedTurns * (operationsIn([s.condition]) + operationsOf(s.body))
        break
      case 'if':
        sum += operationsIn([s.condition])
        sum += Math.max(operationsOf(s.then), operationsOf(s.otherwise))
        break
      case 'let':
      case 'variable':
      case 'assign':
      case 'store':
        sum += operationsIn([s.value])
        break
      default:
        s satisfies never
    }
  }
  return sum
}
