/** Elementwise functions of two arguments. */
import { type Tensor, add, bind1, zero, zerosLike } from '@cotangent/core'
import { anyReal, bitPatterns, floats, integers, numbers } from './accepts.ts'
import { div, mul, neg, sub } from './arithmetic.ts'
import { eq, select } from './compare.ts'
import { type Binary, binary, constantLike } from './elements.ts'
import { abs, floor, log, sign } from './unary.ts'

export { div, divP, mul, mulP, sub, subP } from './arithmetic.ts'

const one = (x: Tensor): Tensor => constantLike(x, 1)

/** Remainder of truncating division: the sign of the dividend. By integer zero: the dividend. */
export const remP: Binary = binary('rem', 'remainder', numbers, 'cheap', {
  x: (dx) => dx,
  y: (dy, [x, y]) => {
    const quotient = div(x, y)
    return mul(neg(dy), mul(sign(quotient), floor(abs(quotient))))
  },
})
export const rem = (x: Tensor, y: Tensor): Tensor => bind1(remP, [x, y], null)

/**
 * `x` to the power `y`. The derivative by the exponent is 0 where the base is 0. Negative integer
 * exponents give 0, except for bases ±1.
 */
export const powP: Binary = binary('pow', 'power', numbers, 'expensive', {
  x: (dx, [x, y]) => mul(dx, mul(y, pow(x, sub(y, one(y))))),
  y: (dy, [x], power) => mul(dy, mul(log(select(eq(x, zerosLike(x)), one(x), x)), power)),
})
export const pow = (x: Tensor, y: Tensor): Tensor => bind1(powP, [x, y], null)

/** How much of the cotangent of an extremum goes to `x`: all, none, or half of it at a tie. */
export const tieShare = (x: Tensor, extremum: Tensor, other: Tensor): Tensor =>
  div(
    select(eq(x, extremum), one(x), zerosLike(x)),
    select(eq(other, extremum), constantLike(x, 2), one(x)),
  )

/** The greater; NaN if either is. Ties share the derivative evenly. */
export const maxP: Binary = binary('max', 'maximum', anyReal, 'cheap', {
  x: (dx, [x, y], z) => mul(dx, tieShare(x, z, y)),
  y: (dy, [x, y], z) => mul(dy, tieShare(y, z, x)),
})
export const max = (x: Tensor, y: Tensor): Tensor => bind1(maxP, [x, y], null)

/** The lesser; NaN if either is. Ties share the derivative evenly. */
export const minP: Binary = binary('min', 'minimum', anyReal, 'cheap', {
  x: (dx, [x, y], z) => mul(dx, tieShare(x, z, y)),
  y: (dy, [x, y], z) => mul(dy, tieShare(y, z, x)),
})
export const min = (x: Tensor, y: Tensor): Tensor => bind1(minP, [x, y], null)

const squaredRadius = (x: Tensor, y: Tensor): Tensor => add(mul(x, x), mul(y, y))

/** The angle of the point (y, x): `atan(x / y)` in the right quadrant. */
export const atan2P: Binary = binary('atan2', 'atan2', floats, 'expensive', {
  x: (dx, [x, y]) => mul(dx, div(y, squaredRadius(x, y))),
  y: (dy, [x, y]) => mul(dy, div(neg(x), squaredRadius(x, y))),
})
export const atan2 = (x: Tensor, y: Tensor): Tensor => bind1(atan2P, [x, y], null)

/** The next representable number after `x` in the direction of `y`. */
export const nextAfterP: Binary = binary('nextAfter', 'nextAfter', floats, 'cheap', {
  x: zero,
  y: zero,
})
export const nextAfter = (x: Tensor, y: Tensor): Tensor => bind1(nextAfterP, [x, y], null)

const noDerivatives = { x: zero, y: zero } as const

/** Bitwise, and logical for bool. */
export const andP: Binary = binary('and', 'and', bitPatterns, 'cheap', noDerivatives)
export const and = (x: Tensor, y: Tensor): Tensor => bind1(andP, [x, y], null)

export const orP: Binary = binary('or', 'or', bitPatterns, 'cheap', noDerivatives)
export const or = (x: Tensor, y: Tensor): Tensor => bind1(orP, [x, y], null)

export const xorP: Binary = binary('xor', 'xor', bitPatterns, 'cheap', noDerivatives)
export const xor = (x: Tensor, y: Tensor): Tensor => bind1(xorP, [x, y], null)

/** 0 where the count is negative or reaches the width. */
export const shiftLeftP: Binary = binary('shiftLeft', 'shiftLeft', integers, 'cheap', noDerivatives)
export const shiftLeft = (x: Tensor, count: Tensor): Tensor => bind1(shiftLeftP, [x, count], null)

/** Zeros come in; 0 where the count is negative or reaches the width. */
export const shiftRightLogicalP: Binary = binary(
  'shiftRightLogical',
  'shiftRightLogical',
  integers,
  'cheap',
  noDerivatives,
)
export const shiftRightLogical = (x: Tensor, count: Tensor): Tensor =>
  bind1(shiftRightLogicalP, [x, count], null)

/** The top bit comes in, and fills the result where the count is negative or reaches the width. */
export const shiftRightArithmeticP: Binary = binary(
  'shiftRightArithmetic',
  'shiftRightArithmetic',
  integers,
  'cheap',
  noDerivatives,
)
export const shiftRightArithmetic = (x: Tensor, count: Tensor): Tensor =>
  bind1(shiftRightArithmeticP, [x, count], null)
