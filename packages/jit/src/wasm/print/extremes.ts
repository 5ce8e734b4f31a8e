/**
 * Maxima and minima of vectors. WebAssembly's instructions are right for NaN and for zeros of both signs,
 * and eight or nine of x86's, which picks its second operand in either case. That is what `pmin` and `pmax`
 * do, in one: taken in both orders they differ in nothing but these cases, and their bits tell the result.
 */
import type { Scalar } from '@cotangent/core'
import { simd } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { kindOf } from './layout.ts'

type Binary = Extract<Scalar, { readonly tag: 'binary' }>

const codes = {
  f32: { pmin: simd.f32x4Pmin, pmax: simd.f32x4Pmax, add: simd.f32x4Add, sub: simd.f32x4Sub },
  f64: { pmin: simd.f64x2Pmin, pmax: simd.f64x2Pmax, add: simd.f64x2Add, sub: simd.f64x2Sub },
} as const

/** Whether this is a maximum or minimum of floating-point numbers. */
export const isExtreme = ({ op, dtype }: Binary): boolean =>
  (op === 'maximum' || op === 'minimum') && kindOf(dtype) !== 'i32'

/** Pushes the maximum or minimum in each lane: NaN where either is, and 0 above −0. */
export const emitExtreme = (frame: Frame, s: Binary): void => {
  const { body, print } = frame
  const { pmin, pmax, add, sub } = codes[kindOf(s.dtype) === 'f64' ? 'f64' : 'f32']
  const pick = s.op === 'maximum' ? pmax : pmin
  const known = withLiteral(s)
  if (known !== null) {
    print.vector(frame, known.x)
    print.vector(frame, known.literal)
    body.simd(pick)
    if (s.op === 'minimum' || !Object.is(known.literal.value, 0)) return
    // −0 has stayed, which plus 0 is 0.
    print.vector(frame, known.literal)
    return body.simd(add)
  }
  frame.scratch('v128', (a) =>
    frame.scratch('v128', (b) => {
      const both = (): void => {
        body.get(a)
        body.get(b)
      }
      print.vector(frame, s.x)
      body.set(a)
      print.vector(frame, s.y)
      body.set(b)
      both()
      body.simd(pick)
      body.get(b)
      body.get(a)
      body.simd(pick)
      // Bits of both: a NaN stays one, and of the zeros it is −0.
      if (s.op === 'minimum') return body.simd(simd.v128Or)
      // −0 − −0 is 0 where the signs of zeros differ; elsewhere 0 is subtracted.
      body.set(b)
      body.set(a)
      both()
      body.simd(simd.v128Or)
      both()
      body.simd(simd.v128Xor)
      body.simd(sub)
    }),
  )
}

type Literal = Extract<Scalar, { readonly tag: 'literal' }>

// What a bound that is no NaN keeps as `pmin(x, bound)`: NaN. Only a minimum with −0 would be wrong.
const withLiteral = (s: Binary): { readonly x: Scalar; readonly literal: Literal } | null => {
  const [x, literal] = s.x.tag === 'literal' ? [s.y, s.x] : [s.x, s.y]
  if (literal.tag !== 'literal' || Number.isNaN(literal.value)) return null
  return s.op === 'minimum' && Object.is(literal.value, -0) ? null : { x, literal }
}
