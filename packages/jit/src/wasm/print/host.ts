/** Operators that WebAssembly has not and that have no expansion are called in JavaScript. */
import { type DType, type Scalar, isFloat, maths } from '@cotangent/core'
import { hostName, kindOf } from './layout.ts'
import { isNativeBinary, isNativeUnary } from './operators.ts'

/** A function of JavaScript that kernels import. */
export interface HostFunction {
  readonly name: string
  readonly kind: 'f32' | 'f64' | 'i32'
  readonly arity: 1 | 2
  readonly run: (x: number, y: number) => number
}

/** What a scalar calls, if it does. */
export const hostFunctionOf = (s: Scalar): HostFunction | null => {
  if (s.tag === 'unary' && !isNativeUnary(s.op, s.dtype)) {
    const f = maths.unaryFunction(s.op, s.dtype)
    const run = unsignedArguments(s.dtype, (x) => f(x))
    return { name: hostName(s.op, s.dtype), kind: kindOf(s.dtype), arity: 1, run }
  }
  if (s.tag === 'binary' && !isNativeBinary(s)) {
    const run = unsignedArguments(s.dtype, maths.binaryFunction(s.op, s.dtype))
    return { name: hostName(s.op, s.dtype), kind: kindOf(s.dtype), arity: 2, run }
  }
  return null
}

// An i32 reaches JavaScript signed.
const unsignedArguments = (
  dtype: DType,
  f: (x: number, y: number) => number,
): HostFunction['run'] => {
  if (isFloat(dtype) || dtype !== 'uint32') return f
  return (x, y) => f(x >>> 0, y >>> 0)
}
