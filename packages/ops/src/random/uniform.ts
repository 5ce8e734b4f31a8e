/** Random bits, and uniform floats made from them exactly. */
import { type DType, DTypeError, type Shape, Tensor, fill } from '@cotangent/core'
import { add } from '@cotangent/core'
import { max, mul, or, shiftRightLogical, sub, xor } from '../prims/binary.ts'
import { bitcast, convert } from '../prims/convert.ts'
import { broadcastTensor, cast } from '../promote.ts'
import { randomWords, requireKey } from './key.ts'
import {
  type SampleOptions,
  type ShapeOr,
  floatOption,
  resolveOptions,
  sampleShape,
} from './options.ts'

export type BitsDType = 'uint8' | 'uint16' | 'uint32'

export interface BitsOptions {
  readonly shape?: Shape
  /** Default uint32. */
  readonly dtype?: DType
  /** 8, 16 or 32: another way to say the dtype. */
  readonly width?: number
}

const bitsDType = ({ dtype, width }: BitsOptions): BitsDType => {
  const wanted = dtype ?? (width === undefined ? 'uint32' : `uint${width}`)
  if (wanted === 'uint8' || wanted === 'uint16' || wanted === 'uint32') return wanted
  throw new DTypeError({
    operation: 'random.bits',
    problem: 'bits come as unsigned integers',
    got: wanted,
    want: 'uint8, uint16 or uint32',
    fix: 'choose one of these, or use random.randint',
  })
}

/** Bits of one of the unsigned dtypes; narrow ones are the low bits of 32. */
export const rawBits = (key: Tensor, shape: Shape, dtype: BitsDType): Tensor => {
  const [a, b] = randomWords(key, shape)
  const words = xor(a, b)
  return dtype === 'uint32' ? words : convert(words, dtype)
}

/**
 * Uniformly distributed unsigned integers: every bit is random.
 * @example
 * random.bits(key, { shape: [3], dtype: 'uint8' })
 */
export const bits = (key: Tensor, options?: ShapeOr<BitsOptions>, more?: BitsOptions): Tensor => {
  requireKey('random.bits', key)
  const [shape = [], o = {}] = resolveOptions('random.bits', options, more)
  return rawBits(key, shape, bitsDType(o))
}

const constant = (shape: Shape, value: number, dtype: DType): Tensor => fill(shape, value, dtype)

// The top bits of a word become the mantissa of a number in [1, 2).
const mantissa: Readonly<
  Record<
    'float16' | 'bfloat16' | 'float32',
    {
      readonly from: BitsDType
      readonly word: BitsDType
      readonly shift: number
      readonly one: number
    }
  >
> = {
  float16: { from: 'uint16', word: 'uint16', shift: 6, one: 0x3c00 },
  bfloat16: { from: 'uint8', word: 'uint16', shift: 1, one: 0x3f80 },
  float32: { from: 'uint32', word: 'uint32', shift: 9, one: 0x3f800000 },
}

/** Floats in [0, 1): multiples of the spacing just below 2, all equally likely. */
const unit = (key: Tensor, shape: Shape, dtype: DType): Tensor => {
  if (dtype === 'float64') return unitDouble(key, shape)
  const kind = dtype === 'float16' || dtype === 'bfloat16' ? dtype : 'float32'
  const { from, word, shift, one } = mantissa[kind]
  const raw = convert(rawBits(key, shape, from), word)
  const kept = shiftRightLogical(raw, constant(shape, shift, word))
  const inOneToTwo = bitcast(or(kept, constant(shape, one, word)), kind)
  return sub(inOneToTwo, constant(shape, 1, kind))
}

// 52 bits from two words, put together by exact arithmetic.
const unitDouble = (key: Tensor, shape: Shape): Tensor => {
  const [a, b] = randomWords(key, shape)
  const high = mul(convert(a, 'float64'), constant(shape, 2 ** 20, 'float64'))
  const low = convert(shiftRightLogical(b, constant(shape, 12, 'uint32')), 'float64')
  return mul(add(high, low), constant(shape, 2 ** -52, 'float64'))
}

export interface UniformOptions extends SampleOptions {
  /** The lower bound, which can occur. Default 0. */
  readonly minval?: number | Tensor
  /** The upper bound, which does not occur, rounding aside. Default 1. */
  readonly maxval?: number | Tensor
}

/** A parameter as a tensor of the sample's dtype and shape. */
export const parameter = (
  operation: string,
  value: number | Tensor,
  shape: Shape,
  dtype: DType,
): Tensor =>
  value instanceof Tensor
    ? broadcastTensor(operation, cast(value, dtype), shape)
    : constant(shape, value, dtype)

/** `uniform` with everything resolved. */
export const uniformOf = (
  key: Tensor,
  shape: Shape,
  dtype: DType,
  low: number | Tensor = 0,
  high: number | Tensor = 1,
): Tensor => {
  const u = unit(key, shape, dtype)
  if (low === 0 && high === 1) return u
  const from = parameter('random.uniform', low, shape, dtype)
  const to = parameter('random.uniform', high, shape, dtype)
  return max(from, add(mul(u, sub(to, from)), from))
}

/**
 * Floats uniform on `[minval, maxval)`; bounds may be tensors that broadcast to the shape.
 * @throws DTypeError for a dtype that is no float.
 * @example
 * random.uniform(key, { shape: [2, 3] })
 * random.uniform(key, [2, 3], { minval: -1, maxval: 1 })
 */
export const uniform = (
  key: Tensor,
  options?: ShapeOr<UniformOptions>,
  more?: UniformOptions,
): Tensor => {
  requireKey('random.uniform', key)
  const [shape, o = {}] = resolveOptions('random.uniform', options, more)
  const { dtype, minval = 0, maxval = 1 } = o
  return uniformOf(
    key,
    sampleShape('random.uniform', shape, [minval, maxval]),
    floatOption('random.uniform', dtype),
    minval,
    maxval,
  )
}
