/**
 * Scalars as JavaScript expressions. bool is a boolean, integers are numbers within their range,
 * float32 and the half types are numbers rounded to float32.
 */
import {
  type DType,
  InternalError,
  type Scalar,
  isFloat,
  isHalf,
  isInteger,
  maths,
  scalars,
} from '@cotangent/core'
import { type Code, atom, call, conditional, infix, level, numeral } from './code.ts'
import { bitcast, convert, decodeCode, refuseComplex } from './conversions.ts'
import { printIndex } from './indices.ts'
import { isExact, printBinary, printCompare, printUnary, roundsThrough } from './operators.ts'
import type { JsScope } from './scope.ts'

const { boundsOf } = scalars

// Every integer up to here is a float32.
const largestExact = 2 ** 24

const isRounded = (dtype: DType): boolean => dtype === 'float32' || isHalf(dtype)

/**
 * The value of a scalar. With `rounding` the reader rounds to float32 itself (a store does), so the
 * last rounding may be left out.
 */
export const printScalar = (s: Scalar, scope: JsScope, rounding = false): Code => {
  const print = (inner: Scalar): Code => printScalar(inner, scope)
  const through = (inner: Scalar): Code => printScalar(inner, scope, rounding)
  const round = (code: Code): Code =>
    rounding || !isRounded(s.dtype) ? code : call('Math.fround', code)
  switch (s.tag) {
    case 'literal':
      return printLiteral(s.dtype, s.value)
    case 'load':
      return printLoad(s, scope)
    case 'local':
      return atom(scope.name(s.name))
    case 'unary': {
      const x = roundsThrough(s.op) ? through(s.x) : print(s.x)
      const code = printUnary(s.op, s.dtype, x, scope)
      return isExact(s.op) ? code : round(code)
    }
    case 'binary': {
      const operand = roundsThrough(s.op) ? through : print
      const code = printBinary(s, operand(s.x), operand(s.y), scope)
      return isExact(s.op) ? code : round(code)
    }
    case 'compare':
      return printCompare(s.op, print(s.x), print(s.y))
    case 'select':
      return conditional(print(s.condition), through(s.onTrue), through(s.onFalse))
    case 'guard':
      return conditional(print(s.condition), through(s.value), through(s.otherwise))
    case 'within':
      return printWithin(s, scope)
    case 'convert':
      return convert(s.x.dtype, s.dtype, print(s.x), scope, rounding)
    case 'bitcast':
      return bitcast(s.x.dtype, s.dtype, print(s.x), scope)
    case 'fromIndex': {
      const index = printIndex(s.value, scope, print)
      const [low, high] = boundsOf(s.value)
      const exact = rounding || (low >= -largestExact && high <= largestExact)
      return s.dtype === 'int32' ? index : convert('int32', s.dtype, index, scope, exact)
    }
    case 'across':
      throw new InternalError({ operation: 'print kernel', problem: 'JavaScript has no vectors' })
    default:
      return s satisfies never
  }
}

const printLiteral = (dtype: DType, value: number): Code => {
  refuseComplex(dtype)
  if (dtype === 'bool') return atom(value === 0 ? 'false' : 'true')
  if (isInteger(dtype)) return numeral(maths.binaryFunction('add', dtype)(value, 0))
  return numeral(isFloat(dtype) && dtype !== 'float64' ? Math.fround(value) : value)
}

const printLoad = (s: Extract<Scalar, { readonly tag: 'load' }>, scope: JsScope): Code => {
  refuseComplex(s.dtype)
  const at = printIndex(s.at, scope, (inner) => printScalar(inner, scope))
  const element = atom(`${scope.name(s.buffer)}[${at.text}]`)
  if (s.dtype === 'bool') return infix(element, '!==', atom('0'), level.equality)
  return isHalf(s.dtype) ? decodeCode(s.dtype, scope, element) : element
}

const printWithin = (s: Extract<Scalar, { readonly tag: 'within' }>, scope: JsScope): Code => {
  const value = printIndex(s.value, scope, (inner) => printScalar(inner, scope))
  const [low, high] = boundsOf(s.value)
  const parts: Code[] = []
  if (low < s.low) parts.push(infix(value, '>=', numeral(s.low), level.relational))
  if (high >= s.high) parts.push(infix(value, '<', numeral(s.high), level.relational))
  const [first, second] = parts
  if (first === undefined) return atom('true')
  return second === undefined ? first : infix(first, '&&', second, level.and)
}
