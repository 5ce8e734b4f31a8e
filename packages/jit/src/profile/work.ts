/** How much arithmetic expressions and loops do: a nominal count, the same however they are written. */
import type { Scalar, Stmt, UnaryOp } from '@cotangent/core'
import { scalarsOf } from '../loops/visit.ts'
import { binaryWork, unaryWork } from './functionWork.ts'

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
      return single.has(s.op) ? 1 : unaryWork(s.op, s.x.dtype)
    case 'binary':
      return s.op === 'power' || s.op === 'atan2' ? binaryWork(s.op, s.x.dtype) : 1
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

/**
 * Arithmetic of statements, over all rounds of their loops. Loops with lanes directly inside one another are
 * vectors side by side: what a statement computes has the lanes of one of them.
 */
export const operationsOf = (body: readonly Stmt[], inLanes = false): number => {
  let sum = 0
  for (const s of body) {
    switch (s.tag) {
      case 'comment':
        break
      case 'for':
        sum += roundsOf(s, inLanes) * operationsOf(s.body, inLanes || s.lanes !== undefined)
        break
      case 'while':
        sum += guessedTurns * (operationsIn([s.condition]) + operationsOf(s.body, inLanes))
        break
      case 'if':
        sum += operationsIn([s.condition])
        sum += Math.max(operationsOf(s.then, inLanes), operationsOf(s.otherwise, inLanes))
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

const roundsOf = (loop: Extract<Stmt, { readonly tag: 'for' }>, inLanes: boolean): number =>
  Math.ceil(loop.extent / (inLanes ? (loop.lanes ?? 1) : (loop.step ?? 1)))
