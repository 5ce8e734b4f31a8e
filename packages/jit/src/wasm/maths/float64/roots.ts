/** Roots and signs of float64. */
import { type Scalar, scalars } from '@cotangent/core'
import {
  abs,
  add,
  and,
  constant,
  div,
  ge,
  gt,
  lt,
  mul,
  not,
  select,
  sqrt,
  square,
  sub,
  toFloat32,
  toFloat64,
  withSign,
} from '../arith.ts'
import { cbrt as cbrtSingle } from '../float32/roots.ts'

export const rsqrt = (x: Scalar): Scalar => div(1, sqrt(x))

/** −1, 0 or 1; keeps zeros and NaN. */
export const sign = (x: Scalar): Scalar => select(gt(x, 0), 1, select(lt(x, 0), constant(x, -1), x))

// Moves towards 1 by powers of eight, and what their roots are.
const centred = (x: Scalar): { readonly m: Scalar; readonly root: Scalar } => {
  let [m, root] = [x, constant(x, 1)]
  for (const by of [540, 270, 135, 69]) {
    const up = lt(m, 2 ** -by)
    const down = ge(m, 2 ** by)
    const factor = (power: number): Scalar =>
      select(up, 2 ** power, select(down, constant(x, 2 ** -power), 1))
    m = mul(m, factor(by))
    root = mul(root, factor(-by / 3))
  }
  return { m, root }
}

/** The root of the nearest float32, improved once by Halley's method. */
export const cbrt = (x: Scalar): Scalar => {
  const a = abs(x)
  const moved = centred(a)
  const isMiddle = and(gt(a, 2 ** -100), lt(a, 2 ** 100))
  const m = scalars.guard(not(isMiddle), moved.m, a)
  const y = toFloat64(cbrtSingle(toFloat32(m)))
  const cube = mul(square(y), y)
  const near = sub(y, mul(y, div(sub(cube, m), add(add(cube, cube), m))))
  const root = mul(near, scalars.guard(not(isMiddle), moved.root, constant(x, 1)))
  return select(and(gt(a, 0), lt(a, Infinity)), withSign(root, x), x)
}
