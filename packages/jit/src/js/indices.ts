/** Indices as JavaScript: exact integers below 2^31, with division and remainder that floor. */
import { type Index, type Scalar, scalars } from '@cotangent/core'
import { type Code, atom, call, infix, level, numeral } from './code.ts'
import type { JsScope } from './scope.ts'

const { boundsOf } = scalars

const isPowerOfTwo = (x: number): boolean => x > 0 && (x & (x - 1)) === 0

export const printIndex = (i: Index, scope: JsScope, scalar: (s: Scalar) => Code): Code => {
  const print = (inner: Index): Code => printIndex(inner, scope, scalar)
  switch (i.tag) {
    case 'constant':
      return numeral(i.value)
    case 'counter':
      return atom(scope.name(i.name))
    case 'affine':
      return printAffine(i, print)
    case 'floorDivide':
      return printDivide(i, print(i.value))
    case 'modulo':
      return printModulo(i, print(i.value))
    case 'data':
      return scalar(i.value)
    default:
      return i satisfies never
  }
}

type Affine = Extract<Index, { readonly tag: 'affine' }>

// Positive terms first, so that no product with a negative factor makes a −0 or a leading minus.
const printAffine = (i: Affine, print: (i: Index) => Code): Code => {
  const scaled = (coefficient: number, term: Index): Code => {
    const code = print(term)
    const factor = Math.abs(coefficient)
    return factor === 1 ? code : infix(code, '*', atom(String(factor)), level.multiplicative)
  }
  const positive = i.terms.filter((t) => t.coefficient > 0)
  const negative = i.terms.filter((t) => t.coefficient < 0)
  const first = positive[0]
  const leading = first === undefined
  let sum = leading ? numeral(i.constant) : scaled(first.coefficient, first.term)
  for (const t of positive.slice(1)) {
    sum = infix(sum, '+', scaled(t.coefficient, t.term), level.additive)
  }
  for (const t of negative) sum = infix(sum, '-', scaled(t.coefficient, t.term), level.additive)
  if (leading || i.constant === 0) return sum
  const sign = i.constant > 0 ? '+' : '-'
  return infix(sum, sign, atom(String(Math.abs(i.constant))), level.additive)
}

const printDivide = (i: Extract<Index, { readonly tag: 'floorDivide' }>, value: Code): Code => {
  if (isPowerOfTwo(i.by)) return infix(value, '>>', atom(String(Math.log2(i.by))), level.shift)
  const quotient = infix(value, '/', atom(String(i.by)), level.multiplicative)
  const [low] = boundsOf(i.value)
  // Truncation is flooring from 0 up, and V8 makes an integer multiplication of it.
  return low >= 0 ? infix(quotient, '|', atom('0'), level.bitOr) : call('Math.floor', quotient)
}

const printModulo = (i: Extract<Index, { readonly tag: 'modulo' }>, value: Code): Code => {
  const by = atom(String(i.by))
  if (isPowerOfTwo(i.by)) return infix(value, '&', atom(String(i.by - 1)), level.bitAnd)
  const rest = infix(value, '%', by, level.multiplicative)
  const [low] = boundsOf(i.value)
  if (low >= 0) return rest
  return infix(infix(rest, '+', by, level.additive), '%', by, level.multiplicative)
}
