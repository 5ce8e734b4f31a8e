/** The field operations, from which every other derivative is made. Integers wrap. */
import { type Tensor, bind1, nonlinear } from '@cotangent/core'
import { numbers } from './accepts.ts'
import { type Binary, type Unary, binary, unary } from './elements.ts'

/** `−x`; the smallest integer is its own negative. */
export const negP: Unary = unary(
  'neg',
  'negate',
  numbers,
  'cheap',
  (dx) => neg(dx),
  (ct) => neg(ct),
)
export const neg = (x: Tensor): Tensor => bind1(negP, [x], null)

/** `x − y`. */
export const subP: Binary = binary(
  'sub',
  'subtract',
  numbers,
  'cheap',
  { x: (dx) => dx, y: (dy) => neg(dy) },
  { x: (ct) => ct, y: (ct) => neg(ct) },
)
export const sub = (x: Tensor, y: Tensor): Tensor => bind1(subP, [x, y], null)

/** `x · y`; integer products are exact modulo the width. */
export const mulP: Binary = binary(
  'mul',
  'multiply',
  numbers,
  'cheap',
  { x: (dx, [, y]) => mul(dx, y), y: (dy, [x]) => mul(x, dy) },
  { x: (ct, [, y]) => mul(ct, y), y: (ct, [x]) => mul(x, ct) },
)
export const mul = (x: Tensor, y: Tensor): Tensor => bind1(mulP, [x, y], null)

/** `x / y`; integers truncate, and division by zero gives all ones. */
export const divP: Binary = binary(
  'div',
  'divide',
  numbers,
  'cheap',
  { x: (dx, [, y]) => div(dx, y), y: (dy, [, y], quotient) => mul(neg(dy), div(quotient, y)) },
  { x: (ct, [, y]) => div(ct, y), y: nonlinear },
)
export const div = (x: Tensor, y: Tensor): Tensor => bind1(divP, [x, y], null)
