/** How long statements take, roughly: what decides on threads and on the size of tasks. */
import { type Scalar, type Stmt, isFloat } from '@cotangent/core'

/** One instruction, of which a core runs a few at a time. */
const instruction = 0.14
/** A function of JavaScript called from a kernel. */
const hostCall = 12
/** A division or square root waits. */
const slow = 1.2

const cheapUnary = new Set(['negate', 'absolute', 'floor', 'ceil', 'round', 'not', 'sign'])
const slowBinary = new Set(['divide', 'remainder', 'power', 'atan2', 'nextAfter'])

const costOf = (s: Scalar, seen: Set<Scalar>): number => {
  if (s.tag === 'literal' || s.tag === 'local' || seen.has(s)) return 0
  seen.add(s)
  let own = instruction
  if (s.tag === 'unary' && !cheapUnary.has(s.op)) own = s.op === 'sqrt' ? slow : hostCall
  if (s.tag === 'binary' && slowBinary.has(s.op)) {
    own = s.op === 'divide' && isFloat(s.dtype) ? slow : hostCall
  }
  switch (s.tag) {
    case 'binary':
    case 'compare':
      return own + costOf(s.x, seen) + costOf(s.y, seen)
    case 'load':
      return s.at.tag === 'data' ? own + costOf(s.at.value, seen) : own
    case 'within':
    case 'fromIndex':
      return s.value.tag === 'data' ? own + costOf(s.value.value, seen) : own
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'across':
      return own + costOf(s.x, seen)
    case 'select':
      return own + costOf(s.condition, seen) + costOf(s.onTrue, seen) + costOf(s.onFalse, seen)
    case 'guard':
      return own + costOf(s.condition, seen) + costOf(s.value, seen) + costOf(s.otherwise, seen)
    default:
      return s satisfies never
  }
}

/** Estimated nanoseconds of statements on one core. */
export const nanosecondsOf = (body: readonly Stmt[]): number => {
  const seen = new Set<Scalar>()
  let sum = 0
  for (const s of body) {
    switch (s.tag) {
      case 'comment':
        break
      case 'for':
        sum +=
          Math.ceil(s.extent / (s.lanes ?? s.step ?? 1)) * (nanosecondsOf(s.body) + instruction)
        break
      case 'while':
        // Nobody knows how often.
        sum += 16 * (nanosecondsOf(s.body) + costOf(s.condition, seen))
        break
      case 'if':
        sum += costOf(s.condition, seen) + nanosecondsOf(s.then) + nanosecondsOf(s.otherwise)
        break
      case 'let':
      case 'variable':
      case 'assign':
      case 'store':
        sum += costOf(s.value, seen) + instruction
        break
      default:
        s satisfies never
    }
  }
  return sum
}
