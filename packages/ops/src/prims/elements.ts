/** Constructors of elementwise primitives whose scalar function is one operation of the loop IR. */
import {
  type BinaryOp,
  type CompareOp,
  type Cost,
  type JvpTerm,
  type NonLinear,
  type Primitive,
  type Tensor,
  type TransposeTerm,
  type UnaryOp,
  type Zero,
  elementwise,
  fill,
  loops,
  nonlinear,
  scalars,
  zero,
} from '@cotangent/core'
import { type Accepts, accepted } from './accepts.ts'

export type Unary = Primitive<readonly ['x'], null>
export type Binary = Primitive<readonly ['x', 'y'], null>
type UnaryJvp = JvpTerm<readonly ['x'], null> | Zero
type BinaryJvp = JvpTerm<readonly ['x', 'y'], null> | Zero
type UnaryTranspose = TransposeTerm<readonly ['x'], null> | NonLinear
type BinaryTranspose = TransposeTerm<readonly ['x', 'y'], null> | NonLinear

/** `y = op(x)`, of the dtype of x. */
export const unary = (
  name: string,
  op: UnaryOp,
  accepts: Accepts,
  cost: Cost,
  jvp: UnaryJvp,
  transpose: UnaryTranspose = nonlinear,
): Unary =>
  elementwise({
    name,
    slots: ['x'],
    resultDType: (type) => accepted(name, type, accepts),
    loop: (dtype) => loops.unaryLoop(op, dtype),
    lowerScalar: ([x]) => scalars.unaryOp(op, x),
    cost,
    jvp: { x: jvp },
    transpose: { x: transpose },
  })

/** `z = op(x, y)`, all of one dtype. */
export const binary = (
  name: string,
  op: BinaryOp,
  accepts: Accepts,
  cost: Cost,
  jvp: { readonly x: BinaryJvp; readonly y: BinaryJvp },
  transpose: { readonly x: BinaryTranspose; readonly y: BinaryTranspose } = {
    x: nonlinear,
    y: nonlinear,
  },
): Binary =>
  elementwise({
    name,
    slots: ['x', 'y'],
    resultDType: (type) => accepted(name, type, accepts),
    loop: (dtype) => loops.binaryLoop(op, dtype),
    lowerScalar: ([x, y]) => scalars.binaryOp(op, x, y),
    cost,
    jvp,
    transpose,
  })

/** A comparison: bool, whatever dtype is compared. */
export const comparison = (name: string, op: CompareOp, accepts: Accepts): Binary =>
  elementwise({
    name,
    slots: ['x', 'y'],
    resultDType: (type) => {
      accepted(name, type, accepts)
      return 'bool'
    },
    loop: () => loops.compareLoop(op),
    lowerScalar: ([x, y]) => scalars.compareOp(op, x, y),
    cost: 'cheap',
    jvp: { x: zero, y: zero },
    transpose: { x: nonlinear, y: nonlinear },
  })

/** A constant of the shape and dtype of `x`. */
export const constantLike = (x: Tensor, value: number): Tensor => fill(x.shape, value, x.dtype)
