/**
 * The plain loops of the reference interpreter for the operations that programs are made of. Each
 * is a function of its own, since a loop that calls any of forty functions runs five times slower.
 */
import { type DType, type TypedArray, isFloat } from '../dtype.ts'
import type { BinaryOp, CompareOp, UnaryOp } from '../loop.ts'
import { binaryFunction, unaryFunction } from '../maths.ts'

type UnaryLoop = (x: TypedArray, out: TypedArray) => void
type BinaryLoop = (x: TypedArray, y: TypedArray, out: TypedArray) => void

/** Fills `out` from the elements of the inputs at the same position. */
export type ArrayLoop = (inputs: readonly TypedArray[], out: TypedArray) => void

/** The loop around a function of one element of each input; the general, slower way. */
export const elementByElement =
  (f: (...values: readonly number[]) => number): ArrayLoop =>
  ([x, y, z], out) => {
    if (y === undefined) for (let i = 0; i < out.length; i++) out[i] = f(x![i]!)
    else if (z === undefined) for (let i = 0; i < out.length; i++) out[i] = f(x![i]!, y[i]!)
    else for (let i = 0; i < out.length; i++) out[i] = f(x![i]!, y[i]!, z[i]!)
  }

// Over floats; the store rounds.
const unaryFloatLoops: Readonly<Partial<Record<UnaryOp, UnaryLoop>>> = {
  negate: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = -x[i]!
  },
  absolute: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.abs(x[i]!)
  },
  sqrt: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.sqrt(x[i]!)
  },
  rsqrt: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = 1 / Math.sqrt(x[i]!)
  },
  exp: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.exp(x[i]!)
  },
  log: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.log(x[i]!)
  },
  sin: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.sin(x[i]!)
  },
  cos: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.cos(x[i]!)
  },
  logistic: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = 1 / (1 + Math.exp(-x[i]!))
  },
  tanh: (x, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.tanh(x[i]!)
  },
}

const binaryFloatLoops: Readonly<Partial<Record<BinaryOp, BinaryLoop>>> = {
  add: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = x[i]! + y[i]!
  },
  subtract: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = x[i]! - y[i]!
  },
  multiply: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = x[i]! * y[i]!
  },
  divide: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = x[i]! / y[i]!
  },
  maximum: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.max(x[i]!, y[i]!)
  },
  minimum: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Math.min(x[i]!, y[i]!)
  },
}

// Over any real dtype; 0 or 1.
const compareLoops: Readonly<Record<CompareOp, BinaryLoop>> = {
  equal: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(x[i]! === y[i]!)
  },
  notEqual: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(x[i]! !== y[i]!)
  },
  less: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(x[i]! < y[i]!)
  },
  lessEqual: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(x[i]! <= y[i]!)
  },
  greater: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(x[i]! > y[i]!)
  },
  greaterEqual: (x, y, out) => {
    for (let i = 0; i < out.length; i++) out[i] = Number(x[i]! >= y[i]!)
  },
}

/** The loop that applies `op` to an array of `dtype`. */
export const unaryLoop = (op: UnaryOp, dtype: DType): ArrayLoop => {
  const own = isFloat(dtype) ? unaryFloatLoops[op] : undefined
  return own === undefined ? elementByElement(unaryFunction(op, dtype)) : ([x], out) => own(x!, out)
}

/** The loop that applies `op` to two arrays of `dtype`. */
export const binaryLoop = (op: BinaryOp, dtype: DType): ArrayLoop => {
  const own = isFloat(dtype) ? binaryFloatLoops[op] : undefined
  return own === undefined
    ? elementByElement(binaryFunction(op, dtype))
    : ([x, y], out) => own(x!, y!, out)
}

/** The loop that compares two arrays. */
export const compareLoop = (op: CompareOp): ArrayLoop => {
  const own = compareLoops[op]
  return ([x, y], out) => own(x!, y!, out)
}
