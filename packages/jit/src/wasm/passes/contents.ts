/**
 * What kinds of nodes the statements of a kernel hold, found in one walk: passes that rewrite others
 * have nothing to do there, and need not look for themselves.
 */
import { type Index, type Scalar, type Stmt, isFloat, isHalf } from '@cotangent/core'

/** Kinds of nodes, as bits. */
export const kinds = {
  /** Conditions on indices, which borders are peeled for. */
  test: 1,
  guard: 2,
  /** Quotients and remainders of indices. */
  division: 4,
  /** Whatever may be written as other nodes: functions, half floats, conversions. */
  expandable: 8,
} as const

const plainUnary = new Set(['negate', 'absolute', 'floor', 'ceil', 'round', 'sqrt', 'not'])
const plainBinary = new Set([
  'add',
  'subtract',
  'multiply',
  'maximum',
  'minimum',
  'and',
  'or',
  'xor',
])

const isPlainBinary = ({ op, x }: Extract<Scalar, { readonly tag: 'binary' }>): boolean =>
  plainBinary.has(op) || (op === 'divide' && isFloat(x.dtype))

const known = new WeakMap<readonly Stmt[], number>()

/** The bits of all kinds that occur in the statements. */
export const contentsOf = (body: readonly Stmt[]): number => {
  const done = known.get(body)
  if (done !== undefined) return done
  let found = 0
  const seen = new Set<Scalar>()
  const index = (i: Index): void => {
    switch (i.tag) {
      case 'constant':
      case 'counter':
        return
      case 'affine':
        for (let n = 0; n < i.terms.length; n++) {
          const { term } = i.terms[n]!
          if (term.tag !== 'counter') index(term)
        }
        return
      case 'floorDivide':
      case 'modulo':
        found |= kinds.division
        return index(i.value)
      case 'data':
        return scalar(i.value)
      default:
        return i satisfies never
    }
  }
  const scalar = (s: Scalar): void => {
    if (s.tag === 'local' || s.tag === 'literal') {
      if (isHalf(s.dtype)) found |= kinds.expandable
      return
    }
    if (seen.has(s)) return
    seen.add(s)
    switch (s.tag) {
      case 'load':
        if (isHalf(s.dtype)) found |= kinds.expandable
        return index(s.at)
      case 'unary':
        if (!plainUnary.has(s.op)) found |= kinds.expandable
        return scalar(s.x)
      case 'binary':
        if (!isPlainBinary(s)) found |= kinds.expandable
        scalar(s.x)
        return scalar(s.y)
      case 'compare':
        scalar(s.x)
        return scalar(s.y)
      case 'convert':
        if (isHalf(s.dtype) || s.dtype === s.x.dtype) found |= kinds.expandable
        return scalar(s.x)
      case 'bitcast':
        if (isHalf(s.dtype) || isHalf(s.x.dtype)) found |= kinds.expandable
        return scalar(s.x)
      case 'across':
        return scalar(s.x)
      case 'select':
        scalar(s.condition)
        scalar(s.onTrue)
        return scalar(s.onFalse)
      case 'guard':
        found |= kinds.guard
        scalar(s.condition)
        scalar(s.value)
        return scalar(s.otherwise)
      case 'within':
        found |= kinds.test
        return index(s.value)
      case 'fromIndex':
        if (isHalf(s.dtype)) found |= kinds.expandable
        return index(s.value)
      default:
        return s satisfies never
    }
  }
  for (let n = 0; n < body.length; n++) {
    const s = body[n]!
    switch (s.tag) {
      case 'comment':
        break
      case 'for':
        found |= contentsOf(s.body)
        break
      case 'while':
        scalar(s.condition)
        found |= contentsOf(s.body)
        break
      case 'if':
        scalar(s.condition)
        found |= contentsOf(s.then) | contentsOf(s.otherwise)
        break
      case 'let':
      case 'variable':
      case 'assign':
        scalar(s.value)
        break
      case 'store':
        if (isHalf(s.value.dtype)) found |= kinds.expandable
        index(s.at)
        scalar(s.value)
        break
      default:
        s satisfies never
    }
  }
  known.set(body, found)
  return found
}
