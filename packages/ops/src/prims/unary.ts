/** Elementary functions of one argument. */
import {
  type DType,
  type Primitive,
  type Scalar,
  type Tensor,
  add,
  bind1,
  elementwise,
  loops,
  isFloat,
  maths,
  nonlinear,
  scalars,
  zero,
  zerosLike,
} from '@cotangent/core'
import { accepted, bitPatterns, floats, integers, numbers } from './accepts.ts'
import { div, mul, neg, sub } from './arithmetic.ts'
import { ge, select } from './compare.ts'
import { type Unary, constantLike, unary } from './elements.ts'

export { neg, negP } from './arithmetic.ts'

const one = (x: Tensor): Tensor => constantLike(x, 1)
const square = (x: Tensor): Tensor => mul(x, x)
const scale = (x: Tensor, factor: number): Tensor => mul(x, constantLike(x, factor))

/** `|x|`; its derivative is 1 at 0 and at −0. The smallest integer is its own absolute value. */
export const absP: Unary = unary('abs', 'absolute', numbers, 'cheap', (dx, [x]) =>
  select(ge(x, zerosLike(x)), dx, neg(dx)),
)
export const abs = (x: Tensor): Tensor => bind1(absP, [x], null)

/** −1, 0 or 1, keeping −0 and NaN. */
export const signP: Unary = unary('sign', 'sign', numbers, 'cheap', zero)
export const sign = (x: Tensor): Tensor => bind1(signP, [x], null)

export const floorP: Unary = unary('floor', 'floor', floats, 'cheap', zero)
export const floor = (x: Tensor): Tensor => bind1(floorP, [x], null)

export const ceilP: Unary = unary('ceil', 'ceil', floats, 'cheap', zero)
export const ceil = (x: Tensor): Tensor => bind1(ceilP, [x], null)

/** To the nearest integer, halves to even. */
export const roundP: Unary = unary('round', 'round', floats, 'cheap', zero)
export const round = (x: Tensor): Tensor => bind1(roundP, [x], null)

export const sqrtP: Unary = unary('sqrt', 'sqrt', floats, 'cheap', (dx, _, y) =>
  mul(dx, div(constantLike(y, 0.5), y)),
)
export const sqrt = (x: Tensor): Tensor => bind1(sqrtP, [x], null)

/** `1 / √x`. */
export const rsqrtP: Unary = unary('rsqrt', 'rsqrt', floats, 'cheap', (dx, [x], y) =>
  mul(dx, scale(div(y, x), -0.5)),
)
export const rsqrt = (x: Tensor): Tensor => bind1(rsqrtP, [x], null)

export const cbrtP: Unary = unary('cbrt', 'cbrt', floats, 'expensive', (dx, _, y) =>
  mul(dx, scale(integerPow(y, -2), 1 / 3)),
)
export const cbrt = (x: Tensor): Tensor => bind1(cbrtP, [x], null)

export const expP: Unary = unary('exp', 'exp', floats, 'expensive', (dx, _, y) => mul(dx, y))
export const exp = (x: Tensor): Tensor => bind1(expP, [x], null)

export const exp2P: Unary = unary('exp2', 'exp2', floats, 'expensive', (dx, _, y) =>
  mul(dx, scale(y, Math.LN2)),
)
export const exp2 = (x: Tensor): Tensor => bind1(exp2P, [x], null)

/** `exp(x) − 1`, precise near 0. */
export const expm1P: Unary = unary('expm1', 'expm1', floats, 'expensive', (dx, _, y) =>
  mul(dx, add(y, one(y))),
)
export const expm1 = (x: Tensor): Tensor => bind1(expm1P, [x], null)

export const logP: Unary = unary('log', 'log', floats, 'expensive', (dx, [x]) => div(dx, x))
export const log = (x: Tensor): Tensor => bind1(logP, [x], null)

/** `log(1 + x)`, precise near 0. */
export const log1pP: Unary = unary('log1p', 'log1p', floats, 'expensive', (dx, [x]) =>
  div(dx, add(x, one(x))),
)
export const log1p = (x: Tensor): Tensor => bind1(log1pP, [x], null)

/** `1 / (1 + exp(−x))`. */
export const logisticP: Unary = unary('logistic', 'logistic', floats, 'expensive', (dx, _, y) =>
  mul(dx, mul(y, sub(one(y), y))),
)
export const logistic = (x: Tensor): Tensor => bind1(logisticP, [x], null)

export const sinP: Unary = unary('sin', 'sin', floats, 'expensive', (dx, [x]) => mul(dx, cos(x)))
export const sin = (x: Tensor): Tensor => bind1(sinP, [x], null)

export const cosP: Unary = unary('cos', 'cos', floats, 'expensive', (dx, [x]) =>
  neg(mul(dx, sin(x))),
)
export const cos = (x: Tensor): Tensor => bind1(cosP, [x], null)

export const tanP: Unary = unary('tan', 'tan', floats, 'expensive', (dx, _, y) =>
  mul(dx, add(one(y), square(y))),
)
export const tan = (x: Tensor): Tensor => bind1(tanP, [x], null)

export const asinP: Unary = unary('asin', 'asin', floats, 'expensive', (dx, [x]) =>
  mul(dx, rsqrt(sub(one(x), square(x)))),
)
export const asin = (x: Tensor): Tensor => bind1(asinP, [x], null)

export const acosP: Unary = unary('acos', 'acos', floats, 'expensive', (dx, [x]) =>
  neg(mul(dx, rsqrt(sub(one(x), square(x))))),
)
export const acos = (x: Tensor): Tensor => bind1(acosP, [x], null)

export const atanP: Unary = unary('atan', 'atan', floats, 'expensive', (dx, [x]) =>
  div(dx, add(one(x), square(x))),
)
export const atan = (x: Tensor): Tensor => bind1(atanP, [x], null)

export const sinhP: Unary = unary('sinh', 'sinh', floats, 'expensive', (dx, [x]) =>
  mul(dx, cosh(x)),
)
export const sinh = (x: Tensor): Tensor => bind1(sinhP, [x], null)

export const coshP: Unary = unary('cosh', 'cosh', floats, 'expensive', (dx, [x]) =>
  mul(dx, sinh(x)),
)
export const cosh = (x: Tensor): Tensor => bind1(coshP, [x], null)

// (1 + y)(1 − y) keeps its precision where y is near ±1, 1 − y² does not.
export const tanhP: Unary = unary('tanh', 'tanh', floats, 'expensive', (dx, _, y) =>
  mul(dx, mul(add(one(y), y), sub(one(y), y))),
)
export const tanh = (x: Tensor): Tensor => bind1(tanhP, [x], null)

export const asinhP: Unary = unary('asinh', 'asinh', floats, 'expensive', (dx, [x]) =>
  mul(dx, rsqrt(add(square(x), one(x)))),
)
export const asinh = (x: Tensor): Tensor => bind1(asinhP, [x], null)

export const acoshP: Unary = unary('acosh', 'acosh', floats, 'expensive', (dx, [x]) =>
  mul(dx, rsqrt(mul(sub(x, one(x)), add(x, one(x))))),
)
export const acosh = (x: Tensor): Tensor => bind1(acoshP, [x], null)

export const atanhP: Unary = unary('atanh', 'atanh', floats, 'expensive', (dx, [x]) =>
  mul(div(one(x), add(one(x), x)), div(dx, sub(one(x), x))),
)
export const atanh = (x: Tensor): Tensor => bind1(atanhP, [x], null)

/** Bitwise complement; negation for bool. */
export const notP: Unary = unary('not', 'not', bitPatterns, 'cheap', zero)
export const not = (x: Tensor): Tensor => bind1(notP, [x], null)

/** How many bits are set. */
export const populationCountP: Unary = unary(
  'populationCount',
  'populationCount',
  integers,
  'cheap',
  zero,
)
export const populationCount = (x: Tensor): Tensor => bind1(populationCountP, [x], null)

/** How many zero bits stand above the highest set one; the width for 0. */
export const countLeadingZerosP: Unary = unary(
  'countLeadingZeros',
  'countLeadingZeros',
  integers,
  'cheap',
  zero,
)
export const countLeadingZeros = (x: Tensor): Tensor => bind1(countLeadingZerosP, [x], null)

/** Neither NaN nor infinite, as a bool. */
export const isFiniteP: Unary = elementwise({
  name: 'isFinite',
  slots: ['x'],
  resultDType: (type) => {
    accepted('isFinite', type, floats)
    return 'bool'
  },
  loop: () => loops.elementByElement((x) => Number(Number.isFinite(x!))),
  lowerScalar: ([x]) =>
    scalars.compareOp('less', scalars.unaryOp('absolute', x), scalars.literal(x.dtype, Infinity)),
  cost: 'cheap',
  jvp: { x: zero },
  transpose: { x: nonlinear },
})
export const isFinite = (x: Tensor): Tensor => bind1(isFiniteP, [x], null)

// x^n by repeated squaring, the same sequence of products in the interpreter and in kernels.
const bySquaring = <T>(x: T, n: number, multiply: (a: T, b: T) => T): T => {
  let result: T | null = null
  let square = x
  for (let rest = n; ; square = multiply(square, square)) {
    if (rest % 2 === 1) result = result === null ? square : multiply(result, square)
    rest = Math.floor(rest / 2)
    if (rest === 0 && result !== null) return result
  }
}

const rounding = (dtype: DType): ((x: number) => number) =>
  isFloat(dtype) && dtype !== 'float64' ? Math.fround : (x) => x

const powerFunction = (dtype: DType, n: number): ((x: number) => number) => {
  if (n === 0) return () => 1
  const round = rounding(dtype)
  const multiply = maths.binaryFunction('multiply', dtype)
  const positive = (x: number): number =>
    bySquaring(x, Math.abs(n), (a, b) => round(multiply(a, b)))
  return n > 0 ? positive : (x) => 1 / positive(x)
}

const lowerPower = (x: Scalar, n: number): Scalar => {
  const one = scalars.literal(x.dtype, 1)
  if (n === 0) return one
  const positive = bySquaring(x, Math.abs(n), (a, b) => scalars.binaryOp('multiply', a, b))
  return n > 0 ? positive : scalars.binaryOp('divide', one, positive)
}

/** `xⁿ` for a fixed integer n (n ≥ 0 for integer dtypes); differentiates as a polynomial. */
export const integerPowP: Primitive<readonly ['x'], { readonly n: number }> = elementwise({
  name: 'integerPow',
  slots: ['x'],
  resultDType: (type, { n }) => accepted('integerPow', type, n < 0 ? floats : numbers),
  loop: (dtype, { n }) => loops.elementByElement(powerFunction(dtype, n)),
  lowerScalar: ([x], { n }) => lowerPower(x, n),
  cost: 'cheap',
  jvp: {
    x: (dx, [x], _, { n }) => (n === 0 ? zerosLike(dx) : mul(dx, scale(integerPow(x, n - 1), n))),
  },
  transpose: { x: nonlinear },
})
export const integerPow = (x: Tensor, n: number): Tensor => bind1(integerPowP, [x], { n })
