/** Sums, products, quotients, remainders and powers, with JAX's promotion and broadcasting. */
import {
  Concrete,
  DTypeError,
  type Tensor,
  type TensorLike,
  add as addSame,
  isFloat,
  isInteger,
  kindOf,
  showAval,
  stopGradient,
} from '@cotangent/core'
import * as binary from '../prims/binary.ts'
import * as compare from '../prims/compare.ts'
import * as unary from '../prims/unary.ts'
import { cast, constantLike, promoteOne, promotePair } from '../promote.ts'

/**
 * `x + y`, broadcast. Integers wrap; booleans: or.
 * @throws ShapeError where the shapes do not broadcast.
 * @example
 * np.add([[1], [2]], [10, 20]).toArray() // [[11, 21], [12, 22]]
 */
export const add = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.add', x, y)
  return a.dtype === 'bool' ? binary.or(a, b) : addSame(a, b)
}

/**
 * `x - y`, broadcast. Integers wrap.
 * @throws DTypeError for two booleans: use `np.logicalXor`.
 * @example
 * np.subtract([3, 4], 1).toArray() // [2, 3]
 */
export const subtract = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.subtract', x, y)
  if (a.dtype === 'bool') throw booleans('np.subtract', 'use np.logicalXor, or convert with astype')
  return binary.sub(a, b)
}
export const sub: (x: TensorLike, y: TensorLike) => Tensor = subtract

const booleans = (operation: string, fix: string): DTypeError =>
  new DTypeError({ operation, problem: 'booleans have no such operation', got: 'bool', fix })

/**
 * `x * y`, broadcast. Integers wrap; booleans: and.
 * @example
 * np.multiply([1, 2], [3, 4]).toArray() // [3, 8]
 */
export const multiply = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.multiply', x, y)
  return a.dtype === 'bool' ? binary.and(a, b) : binary.mul(a, b)
}
export const mul: (x: TensorLike, y: TensorLike) => Tensor = multiply

/**
 * `x / y`, broadcast; integers are divided as float32.
 * @example
 * np.divide([1, 2], 4).toArray() // [0.25, 0.5]
 */
export const divide = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.divide', x, y, { inexact: true })
  return binary.div(a, b)
}
export const div: (x: TensorLike, y: TensorLike) => Tensor = divide
export const trueDivide: (x: TensorLike, y: TensorLike) => Tensor = divide

/**
 * The largest integer not above `x / y`; integers stay integers, and dividing them by zero gives
 * what follows from a truncated quotient of −1.
 * @example
 * np.floorDivide([7, -7], 2).toArray() // [3, -4]
 */
export const floorDivide = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.floorDivide', x, y, { numeric: true })
  if (isFloat(a.dtype)) return floatDivmod(a, b)[0]
  const quotient = binary.div(a, b)
  if (kindOf(a.dtype) === 'unsigned') return quotient
  const zero = constantLike(a, 0)
  const inexact = compare.ne(binary.rem(a, b), zero)
  const below = binary.and(compare.ne(unary.sign(a), unary.sign(b)), inexact)
  return compare.select(below, binary.sub(quotient, constantLike(a, 1)), quotient)
}

// x = quotient * y + remainder, the remainder with y's sign; the quotient is rounded because
// (x - remainder) / y may miss its integer by an ulp.
const floatDivmod = (x: Tensor, y: Tensor): readonly [Tensor, Tensor] => {
  const zero = constantLike(x, 0)
  const truncated = binary.rem(x, y)
  const quotient = binary.div(binary.sub(x, truncated), y)
  const wrong = binary.and(
    compare.ne(truncated, zero),
    compare.ne(unary.sign(y), unary.sign(truncated)),
  )
  const whole = unary.round(
    compare.select(wrong, binary.sub(quotient, constantLike(x, 1)), quotient),
  )
  return [
    // Division by zero is infinite by the signs, not NaN.
    stopGradient(compare.select(compare.eq(y, zero), binary.div(x, y), whole)),
    compare.select(wrong, addSame(truncated, y), truncated),
  ]
}

/**
 * The remainder of `floorDivide`: it has the sign of `y`.
 * @example
 * np.remainder([7, -7], 3).toArray() // [1, 2]
 */
export const remainder = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.remainder', x, y, { numeric: true })
  const zero = constantLike(a, 0)
  const truncated = truncatedRemainder(a, b, y)
  const signsDiffer = compare.ne(compare.lt(truncated, zero), compare.lt(b, zero))
  const wrong = binary.and(signsDiffer, compare.ne(truncated, zero))
  return compare.select(wrong, addSame(truncated, b), truncated)
}
export const mod: (x: TensorLike, y: TensorLike) => Tensor = remainder

/**
 * The remainder of truncating division: it has the sign of `x`.
 * @example
 * np.fmod([7, -7], 3).toArray() // [1, -1]
 */
export const fmod = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.fmod', x, y, { numeric: true })
  return truncatedRemainder(a, b, y)
}

// NumPy's remainder of an integer by zero is zero; a plain divisor other than 0 needs no test.
const truncatedRemainder = (x: Tensor, y: Tensor, divisor: TensorLike): Tensor => {
  const remainder = binary.rem(x, y)
  const isSafe = isFloat(x.dtype) || (typeof divisor === 'number' && divisor !== 0)
  if (isSafe) return remainder
  const zero = constantLike(x, 0)
  return compare.select(compare.eq(y, zero), zero, remainder)
}

/** `[floorDivide(x, y), remainder(x, y)]`. */
export const divmod = (x: TensorLike, y: TensorLike): readonly [Tensor, Tensor] => {
  const [a, b] = promotePair('np.divmod', x, y, { numeric: true })
  return isFloat(a.dtype) ? floatDivmod(a, b) : [floorDivide(a, b), remainder(a, b)]
}

/**
 * `x ** y`. A plain integer exponent, or a concrete integer scalar, is a repeated product, whose
 * derivative is right at 0; integer tensors are raised in integers; everything else is `exp(y log x)`.
 * @throws DTypeError for an integer base and a negative plain exponent.
 * @example
 * np.power([2, 3], 2).toArray() // [4, 9]
 */
export const power = (x: TensorLike, y: TensorLike): Tensor => {
  const exponent = integerExponent(y)
  if (exponent !== null) return powerOfInteger(x, exponent)
  const base = promoteOne('np.power', x)
  const [a, b] = promotePair('np.power', x, y, { numeric: true })
  const exponents = promoteOne('np.power', y)
  const isIntegral = isInteger(exponents.dtype) || exponents.dtype === 'bool'
  if (!isInteger(a.dtype) && !(isFloat(base.dtype) && isIntegral)) return binary.pow(a, b)
  const result = isInteger(a.dtype) ? integerPower(a, b) : floatToInteger(a, b)
  const isWeak = exponents.aval.weak || (exponents.dtype === 'bool' && isWeakBase(result, y))
  return cast(result, result.dtype, base.aval.weak && isWeak)
}
export const pow: (x: TensorLike, y: TensorLike) => Tensor = power

const integerExponent = (y: TensorLike): number | null => {
  if (typeof y === 'number') return Number.isInteger(y) ? y : null
  return y instanceof Concrete && y.ndim === 0 && isInteger(y.dtype) ? y.item() : null
}

// A boolean exponent leaves a plain base weak; a tensor of them makes integers of full type.
const isWeakBase = (result: Tensor, exponent: TensorLike): boolean =>
  isFloat(result.dtype) || typeof exponent === 'boolean'

const powerOfInteger = (x: TensorLike, exponent: number): Tensor => {
  const base = promoteOne('np.power', x, { numeric: true })
  if (exponent < 0 && isInteger(base.dtype)) {
    throw new DTypeError({
      operation: 'np.power',
      problem: 'integers cannot be raised to negative powers',
      got: `${showAval(base.aval)} to the power ${exponent}`,
      fix: 'convert the base with astype("float32"), or use np.floatPower',
    })
  }
  return unary.integerPow(base, exponent)
}

// A zero exponent is taken out first: 0 ** 0 is 1, and constant in the base.
const floatToInteger = (base: Tensor, exponent: Tensor): Tensor => {
  const one = constantLike(base, 1)
  const isZero = compare.eq(exponent, constantLike(exponent, 0))
  const power = binary.pow(compare.select(isZero, one, base), exponent)
  return compare.select(isZero, one, power)
}

// Six squarings: a larger exponent overflows every base beyond ±1, whose powers repeat by then.
const integerPower = (base: Tensor, exponent: Tensor): Tensor => {
  const zero = constantLike(exponent, 0)
  const one = constantLike(exponent, 1)
  const vanishes = binary.and(compare.eq(base, zero), compare.ne(exponent, zero))
  let result = compare.select(vanishes, zero, one)
  let square = base
  let bits = exponent
  for (let bit = 0; bit < 6; bit++) {
    const odd = compare.ne(binary.and(bits, one), zero)
    result = compare.select(odd, binary.mul(result, square), result)
    square = binary.mul(square, square)
    bits = binary.shiftRightLogical(bits, one)
  }
  return result
}

/** `x ** y` in floating point, whatever the operands. */
export const floatPower = (x: TensorLike, y: TensorLike): Tensor => {
  const [a, b] = promotePair('np.floatPower', x, y, { inexact: true })
  return binary.pow(a, b)
}

/**
 * `-x`. @throws DTypeError for booleans: use `np.logicalNot`.
 */
export const negative = (x: TensorLike): Tensor => {
  const a = promoteOne('np.negative', x)
  if (a.dtype === 'bool') throw booleans('np.negative', 'use np.logicalNot, or convert with astype')
  return unary.neg(a)
}
export const neg: (x: TensorLike) => Tensor = negative

/** `x` itself, as a tensor. @throws DTypeError for booleans. */
export const positive = (x: TensorLike): Tensor => {
  const a = promoteOne('np.positive', x)
  if (a.dtype === 'bool') throw booleans('np.positive', 'convert with astype')
  return a
}

/** `|x|`; the derivative at 0 is 1. */
export const abs = (x: TensorLike): Tensor => {
  const a = promoteOne('np.abs', x)
  return a.dtype === 'bool' || kindOf(a.dtype) === 'unsigned' ? a : unary.abs(a)
}
export const absolute: (x: TensorLike) => Tensor = abs

/** `|x|` as a float. */
export const fabs = (x: TensorLike): Tensor =>
  unary.abs(promoteOne('np.fabs', x, { inexact: true }))

/** −1, 0 or 1 by the sign of `x`; NaN and ±0 stay. @throws DTypeError for booleans. */
export const sign = (x: TensorLike): Tensor => {
  const a = promoteOne('np.sign', x)
  if (a.dtype === 'bool') throw booleans('np.sign', 'convert with astype')
  return unary.sign(a)
}

/** `1 / x`, as a float. */
export const reciprocal = (x: TensorLike): Tensor => {
  const a = promoteOne('np.reciprocal', x, { inexact: true })
  return binary.div(constantLike(a, 1), a)
}

/** `x * x`. */
export const square = (x: TensorLike): Tensor => {
  const a = promoteOne('np.square', x)
  return a.dtype === 'bool' ? a : unary.integerPow(a, 2)
}
