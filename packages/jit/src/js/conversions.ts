/** Value and bit conversions, and the wrapping of integers. */
import {
  type DType,
  InternalError,
  decodeBfloat16,
  decodeFloat16,
  dtypeInfo,
  encodeBfloat16,
  encodeFloat16,
  integerRange,
  isFloat,
  isHalf,
} from '@cotangent/core'
import { type Code, atom, call, infix, level, prefix } from './code.ts'
import type { JsScope } from './scope.ts'

const zero = atom('0')

/** A boolean as 0 or 1. Unlike `x ? 1 : 0` this compiles without a jump. */
export const truthAsNumber = (x: Code): Code => prefix('+', x)

/** An integer expression, exact in float64 or taken modulo 2^32, wrapped to the dtype. */
export const wrap = (dtype: DType, x: Code): Code => {
  switch (dtype) {
    case 'int32':
      return infix(x, '|', zero, level.bitOr)
    case 'uint32':
      return infix(x, '>>>', zero, level.shift)
    case 'int16':
      return infix(infix(x, '<<', atom('16'), level.shift), '>>', atom('16'), level.shift)
    case 'int8':
      return infix(infix(x, '<<', atom('24'), level.shift), '>>', atom('24'), level.shift)
    case 'uint16':
      return infix(x, '&', atom('65535'), level.bitAnd)
    case 'uint8':
      return infix(x, '&', atom('255'), level.bitAnd)
    case 'bool':
      return infix(infix(x, '&', atom('1'), level.bitAnd), '!==', zero, level.equality)
    case 'float16':
    case 'bfloat16':
    case 'float32':
    case 'float64':
    case 'complex64':
      return x
    default:
      return dtype satisfies never
  }
}

/** Complex numbers are pairs of float32 by the time there are loops. */
export const refuseComplex = (dtype: DType): void => {
  if (dtype !== 'complex64') return
  throw new InternalError({
    operation: 'print kernel',
    problem: 'a complex64 scalar reached a kernel',
    fix: 'lower complex arithmetic to its real and imaginary parts',
  })
}

const saturate =
  (low: number, high: number) =>
  (x: number): number => {
    if (x >= high) return high
    if (x <= low) return low
    // Also sends NaN to 0 and −0.5 to 0 rather than −0.
    return Number.isNaN(x) ? 0 : Math.trunc(x) + 0
  }

const contains = (outer: DType, inner: DType): boolean => {
  const [a, b] = integerRange(outer)
  const [c, d] = integerRange(inner)
  return a <= c && d <= b
}

/** float16 and bfloat16 codes as numbers. */
export const decodeCode = (dtype: 'float16' | 'bfloat16', scope: JsScope, x: Code): Code =>
  call(scope.link(`decode_${dtype}`, dtype === 'float16' ? decodeFloat16 : decodeBfloat16), x)

/** Numbers as float16 and bfloat16 codes. */
export const encodeCode = (dtype: 'float16' | 'bfloat16', scope: JsScope, x: Code): Code =>
  call(scope.link(`encode_${dtype}`, dtype === 'float16' ? encodeFloat16 : encodeBfloat16), x)

const roundFloat16 = (x: number): number => decodeFloat16(encodeFloat16(x))
const roundBfloat16 = (x: number): number => decodeBfloat16(encodeBfloat16(x))

/** `x` under `from` as a value of `to`. `rounding`: the reader of the result rounds to float32. */
export const convert = (
  from: DType,
  to: DType,
  x: Code,
  scope: JsScope,
  rounding: boolean,
): Code => {
  refuseComplex(to)
  refuseComplex(from)
  if (from === to) return x
  if (to === 'bool') return infix(x, '!==', zero, level.equality)
  if (from === 'bool') return truthAsNumber(x)
  if (to === 'float64') return x
  if (to === 'float32') {
    const exact = isHalf(from) || (!isFloat(from) && dtypeInfo[from].bytes < 4)
    return exact || rounding ? x : call('Math.fround', x)
  }
  if (isHalf(to)) {
    const round = to === 'float16' ? roundFloat16 : roundBfloat16
    return call(scope.link(`round_${to}`, round), x)
  }
  if (isFloat(from)) {
    const [low, high] = integerRange(to)
    return call(scope.link(`saturate_${to}`, saturate(low, high)), x)
  }
  return contains(to, from) ? x : wrap(to, x)
}

const view = new DataView(new ArrayBuffer(8))
// Which NaN arithmetic gives is the processor's choice; bits are those of one of them.
const float32Bits = (x: number): number => {
  if (Number.isNaN(x)) return 0x7fc00000
  view.setFloat32(0, x)
  return view.getInt32(0)
}
const float16Bits = (x: number): number => (Number.isNaN(x) ? 0x7e00 : encodeFloat16(x))
const bfloat16Bits = (x: number): number => (Number.isNaN(x) ? 0x7fc0 : encodeBfloat16(x))
const float32FromBits = (x: number): number => {
  view.setInt32(0, x)
  return view.getFloat32(0)
}

/** The bits of `x` read as another dtype of the same width. */
export const bitcast = (from: DType, to: DType, x: Code, scope: JsScope): Code => {
  if (from === to) return x
  if (from === 'bool') return wrap(to, truthAsNumber(x))
  if (to === 'bool') return infix(x, '!==', zero, level.equality)
  if (dtypeInfo[from].bytes !== dtypeInfo[to].bytes || dtypeInfo[to].bytes === 8) {
    throw new InternalError({
      operation: 'print kernel',
      problem: 'a bitcast between dtypes of different widths',
      got: `${from} to ${to}`,
    })
  }
  if (isHalf(from)) {
    const bits = call(
      scope.link(`${from}_bits`, from === 'float16' ? float16Bits : bfloat16Bits),
      x,
    )
    return isHalf(to) ? decodeCode(to, scope, bits) : to === 'int16' ? wrap(to, bits) : bits
  }
  if (isHalf(to)) return decodeCode(to, scope, infix(x, '&', atom('65535'), level.bitAnd))
  if (from === 'float32') {
    const bits = call(scope.link('float32_bits', float32Bits), x)
    return to === 'uint32' ? wrap(to, bits) : bits
  }
  if (to === 'float32') return call(scope.link('float32_from_bits', float32FromBits), x)
  return wrap(to, x)
}
