/** Constant folding of scalars that depend on indices only: unrolling makes guards decidable. */
import { type Scalar, isInteger, scalars } from '@cotangent/core'

const { boundsOf, literal } = scalars

const truth = (value: boolean): Scalar => literal('bool', value ? 1 : 0)

const isLiteral = (s: Scalar): s is Extract<Scalar, { readonly tag: 'literal' }> =>
  s.tag === 'literal'

/** Whether a bool scalar is known, and what it is. */
export const knownTruth = (s: Scalar): boolean | null => (isLiteral(s) ? s.value !== 0 : null)

/**
 * The same value, simpler, where that needs no arithmetic on data. Children have been folded.
 * Floating-point operations only go where no value of the other operand shows it: `1 * x` is `x`,
 * but `0 * x` is NaN for some `x`, and `x + 0` is not −0 where `x` is.
 */
export const foldScalar = (s: Scalar): Scalar => {
  switch (s.tag) {
    case 'within': {
      const [low, high] = boundsOf(s.value)
      if (low >= s.low && high < s.high) return truth(true)
      return high < s.low || low >= s.high ? truth(false) : s
    }
    case 'guard':
    case 'select': {
      const known = knownTruth(s.condition)
      if (known === null) return s
      if (s.tag === 'guard') return known ? s.value : s.otherwise
      return known ? s.onTrue : s.onFalse
    }
    case 'fromIndex':
      return s.value.tag === 'constant' ? literal(s.dtype, s.value.value) : s
    case 'convert':
      return s.x.dtype === 'float32' && s.dtype === 'float64' && isLiteral(s.x)
        ? literal('float64', Math.fround(s.x.value))
        : s
    case 'compare':
      return foldCompare(s)
    case 'binary':
      return foldBinary(s)
    case 'unary': {
      const known = s.op === 'not' && s.dtype === 'bool' ? knownTruth(s.x) : null
      return known === null ? s : truth(!known)
    }
    case 'literal':
    case 'load':
    case 'local':
    case 'bitcast':
    case 'across':
      return s
    default:
      return s satisfies never
  }
}

const foldCompare = (s: Extract<Scalar, { readonly tag: 'compare' }>): Scalar => {
  const { x, y } = s
  if (!isLiteral(x) || !isLiteral(y) || !isInteger(x.dtype)) return s
  switch (s.op) {
    case 'equal':
      return truth(x.value === y.value)
    case 'notEqual':
      return truth(x.value !== y.value)
    case 'less':
      return truth(x.value < y.value)
    case 'lessEqual':
      return truth(x.value <= y.value)
    case 'greater':
      return truth(x.value > y.value)
    case 'greaterEqual':
      return truth(x.value >= y.value)
    default:
      return s.op satisfies never
  }
}

// A sum is −0 only where both its terms are.
const isNeverMinusZero = (s: Scalar): boolean => {
  if (isLiteral(s)) return !Object.is(s.value, -0)
  if (s.tag !== 'binary' || s.op !== 'add') return false
  return isNeverMinusZero(s.x) || (isLiteral(s.y) && !Object.is(s.y.value, -0))
}

const foldBinary = (s: Extract<Scalar, { readonly tag: 'binary' }>): Scalar => {
  if (s.op === 'maximum' || s.op === 'minimum') {
    // Exact for NaN and −0 too: padding of a maximum disappears.
    const neutral = s.op === 'maximum' ? -Infinity : Infinity
    if (isLiteral(s.y) && s.y.value === neutral) return s.x
    return isLiteral(s.x) && s.x.value === neutral ? s.y : s
  }
  if (s.op === 'multiply' && isLiteral(s.x) && s.x.value === 1) return s.y
  if ((s.op === 'multiply' || s.op === 'divide') && isLiteral(s.y) && s.y.value === 1) return s.x
  if (s.op === 'subtract' && isLiteral(s.y) && Object.is(s.y.value, 0)) return s.x
  if (s.op === 'add' && isLiteral(s.y) && Object.is(s.y.value, 0) && isNeverMinusZero(s.x))
    return s.x
  if (s.dtype !== 'bool' || (s.op !== 'and' && s.op !== 'or')) return s
  const [x, y] = [knownTruth(s.x), knownTruth(s.y)]
  const neutral = s.op === 'and'
  if (x !== null) return x === neutral ? s.y : truth(!neutral)
  if (y !== null) return y === neutral ? s.x : truth(!neutral)
  return s
}
