/**
 * Arithmetic on scalars of the loop IR that reads like arithmetic. Numbers stand for literals of the
 * other operand's dtype. Everything made here is one native instruction of a lane, or two.
 */
import { type BinaryOp, type CompareOp, InternalError, type Scalar, scalars } from '@cotangent/core'

const { binaryOp, bitcastTo, compareOp, convertTo, literal, selectOp, unaryOp } = scalars

/** A scalar, or a number that becomes a literal of the other operand's dtype. */
export type Operand = Scalar | number

/** A literal of the dtype of `like`. */
export const constant = (like: Scalar, value: number): Scalar => literal(like.dtype, value)

const paired = (x: Operand, y: Operand): readonly [Scalar, Scalar] => {
  if (typeof x !== 'number') return [x, typeof y === 'number' ? literal(x.dtype, y) : y]
  if (typeof y !== 'number') return [literal(y.dtype, x), y]
  throw new InternalError({ operation: 'expand maths', problem: 'arithmetic on two plain numbers' })
}
const binary =
  (op: BinaryOp) =>
  (x: Operand, y: Operand): Scalar =>
    binaryOp(op, ...paired(x, y))
const compare =
  (op: CompareOp) =>
  (x: Operand, y: Operand): Scalar =>
    compareOp(op, ...paired(x, y))

type Combine = (x: Operand, y: Operand) => Scalar

export const add: Combine = binary('add')
export const sub: Combine = binary('subtract')
export const mul: Combine = binary('multiply')
export const div: Combine = binary('divide')
/** The lesser of two int32; of floats use `pmin`. */
export const least: Combine = binary('minimum')
/** Bit operations, on integers and on truth values. */
export const and: Combine = binary('and')
export const or: Combine = binary('or')
export const xor: Combine = binary('xor')

export const eq: Combine = compare('equal')
export const ne: Combine = compare('notEqual')
export const lt: Combine = compare('less')
export const le: Combine = compare('lessEqual')
export const gt: Combine = compare('greater')
export const ge: Combine = compare('greaterEqual')

/** Shifts of an int32 by a count that is known. */
export const shl = (x: Scalar, count: number): Scalar =>
  binaryOp('shiftLeft', x, literal(x.dtype, count))
export const shrLogical = (x: Scalar, count: number): Scalar =>
  binaryOp('shiftRightLogical', x, literal(x.dtype, count))
export const shrArithmetic = (x: Scalar, count: number): Scalar =>
  binaryOp('shiftRightArithmetic', x, literal(x.dtype, count))

/** The top bit of an int32. */
export const topBit: number = -(2 ** 31)
/** The float32 1. */
const oneBits = 0x3f800000

// With the mask in a register one bit operation, where the instruction makes the mask anew each time.
const isSingle = (x: Scalar): boolean => x.dtype === 'float32'
export const neg = (x: Scalar): Scalar =>
  isSingle(x) ? fromBits(xor(bitsOf(x), topBit)) : unaryOp('negate', x)
export const abs = (x: Scalar): Scalar =>
  isSingle(x) ? fromBits(and(bitsOf(x), 0x7fffffff)) : unaryOp('absolute', x)
/** −|x|. */
export const negAbs = (x: Scalar): Scalar =>
  isSingle(x) ? fromBits(or(bitsOf(x), topBit)) : neg(abs(x))
/** Of a truth value. */
export const not = (x: Scalar): Scalar => unaryOp('not', x)
export const sqrt = (x: Scalar): Scalar => unaryOp('sqrt', x)
export const floor = (x: Scalar): Scalar => unaryOp('floor', x)
export const ceil = (x: Scalar): Scalar => unaryOp('ceil', x)
export const round = (x: Scalar): Scalar => unaryOp('round', x)

/** Both values are computed. */
export const select = (condition: Scalar, onTrue: Operand, onFalse: Operand): Scalar =>
  selectOp(condition, ...paired(onTrue, onFalse))

/**
 * `y < x ? y : x`: the node pattern that prints as `pmin`, one instruction where an IEEE minimum is
 * many. NaN if `x` is NaN, `x` if `y` is: a clamp keeps NaN with the bound as `y`.
 */
export const pmin = (x: Operand, y: Operand): Scalar => {
  const [a, b] = paired(x, y)
  return selectOp(compareOp('less', b, a), b, a)
}
/** `x < y ? y : x`: the node pattern that prints as `pmax`. NaN if `x` is NaN, `x` if `y` is. */
export const pmax = (x: Operand, y: Operand): Scalar => {
  const [a, b] = paired(x, y)
  return selectOp(compareOp('less', a, b), b, a)
}

/** The bits of a float32 as an int32. */
export const bitsOf = (x: Scalar): Scalar => bitcastTo('int32', x)
/** The float32 that has the bits of an int32. */
export const fromBits = (x: Scalar): Scalar => bitcastTo('float32', x)
export const toFloat32 = (x: Scalar): Scalar => convertTo('float32', x)
export const toFloat64 = (x: Scalar): Scalar => convertTo('float64', x)
export const toInt32 = (x: Scalar): Scalar => convertTo('int32', x)

/** The magnitude of a non-negative `x` with the sign of `from`, zeros included. */
export const withSign = (x: Scalar, from: Scalar): Scalar =>
  isSingle(x) ? fromBits(or(bitsOf(x), signBit(from))) : flipped(x, signBit(from))

/** Whether the sign is set, also of zeros. */
export const isSignSet = (x: Scalar): Scalar => lt(bitsOf(toFloat32(x)), 0)

/** The top bit of an int32 that has the sign of `x`. */
export const signBit = (x: Scalar): Scalar => and(bitsOf(toFloat32(x)), topBit)

/** The sign changed where the int32 `by` is the top bit, not where it is 0. */
export const flipped = (x: Scalar, by: Scalar): Scalar =>
  isSingle(x) ? fromBits(xor(bitsOf(x), by)) : mul(x, toFloat64(fromBits(or(by, oneBits))))

export const square = (x: Scalar): Scalar => mul(x, x)

/** `Σ coefficients[k] · xᵏ` by Horner's rule: the fewest operations. */
export const horner = (x: Scalar, coefficients: readonly number[]): Scalar => {
  let sum: Operand = coefficients.at(-1) ?? 0
  for (let k = coefficients.length - 2; k >= 0; k--) sum = add(mul(sum, x), coefficients[k]!)
  return typeof sum === 'number' ? literal(x.dtype, sum) : sum
}

/**
 * `Σ coefficients[k] · xᵏ` as two Horner chains, over the even and over the odd powers: one more
 * multiplication, and half the latency.
 */
export const polynomial = (x: Scalar, coefficients: readonly number[]): Scalar => {
  if (coefficients.length < 4) return horner(x, coefficients)
  const u = square(x)
  const even = horner(
    u,
    coefficients.filter((_, k) => k % 2 === 0),
  )
  const odd = horner(
    u,
    coefficients.filter((_, k) => k % 2 === 1),
  )
  return add(mul(odd, x), even)
}
