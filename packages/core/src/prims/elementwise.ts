/** What elementwise primitives share: typing, plain evaluation loops, batching, lowering. */
import { type Aval, aval, sameType, showAval } from '../aval.ts'
import type { DType } from '../dtype.ts'
import { DTypeError, ShapeError } from '../errors.ts'
import type { Scalar } from '../loop.ts'
import type { ArrayLoop } from '../maths/loops.ts'
import {
  type BatchAxis,
  type BatchDim,
  type Cost,
  type Each,
  type JvpTerm,
  type LowerRule,
  type NonLinear,
  type Primitive,
  type Slots,
  type TransposeTerm,
  type Zero,
  definePrimitive,
  wholeEquation,
} from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { bindAny } from '../trace.ts'
import { makeArray } from './arrays.ts'
import { alignBatch } from './batching.ts'

/** Throws unless every input has the same shape and dtype. */
export const requireSame = (name: string, slots: Slots, types: readonly Aval[]): Aval => {
  const first = types[0]!
  if (types.every((t) => sameType(t, first))) return first
  const got = types.map((t, i) => `${slots[i] ?? `x${i}`}: ${showAval(t)}`).join(', ')
  const problem = 'the inputs must have one dtype and one shape'
  const fix = 'broadcast or cast one of them first: primitives never do it for you'
  if (types.every((t) => t.dtype === first.dtype))
    throw new ShapeError({ operation: name, problem, got, fix })
  throw new DTypeError({ operation: name, problem, got, fix })
}

/** Throws unless the dtype is among those the primitive computes with. */
export const requireDType = (
  name: string,
  type: Aval,
  accepts: (dtype: DType) => boolean,
  wanted: string,
): void => {
  if (accepts(type.dtype)) return
  throw new DTypeError({
    operation: name,
    problem: `it does not work on ${type.dtype}`,
    got: showAval(type),
    want: wanted,
    fix: 'convert with astype first',
  })
}

export interface ElementwiseRules<S extends Slots, P> {
  readonly name: string
  readonly slots: S
  /** Checks dtypes and gives the output's; all inputs have been checked to agree. */
  readonly resultDType: (input: Aval, params: P) => DType
  /** The plain loop over arrays of the input dtype; see `maths/loops.ts`. */
  readonly loop: (dtype: DType, params: P) => ArrayLoop
  readonly lowerScalar: (inputs: Each<S, Scalar>, params: P, result: DType) => Scalar
  readonly cost: Cost
  readonly jvp: { readonly [K in S[number]]: JvpTerm<S, P> | Zero }
  readonly transpose: { readonly [K in S[number]]: TransposeTerm<S, P> | NonLinear }
}

/** An elementwise primitive of one or more inputs that agree in shape and dtype. */
export const elementwise = <const S extends Slots, P>(
  rules: ElementwiseRules<S, P>,
): Primitive<S, P> => {
  const primitive: Primitive<S, P> = definePrimitive<S, P>({
    name: rules.name,
    slots: rules.slots,
    typing: (types, params) => {
      const first = requireSame(rules.name, rules.slots, [...types])
      const dtype = rules.resultDType(first, params)
      // There is one boolean type: nothing is weaker.
      const weak = dtype !== 'bool' && [...types].every((t) => t.weak)
      return [aval(first.shape, dtype, weak)]
    },
    evaluate: (inputs, params, types) => {
      const out = makeArray(types[0]!)
      const arrays = [...inputs].map((a) => a.data)
      rules.loop(inputs[0]!.dtype, params)(arrays, out.data)
      return [out]
    },
    jvp: rules.jvp,
    transpose: rules.transpose,
    partition: wholeEquation,
    batch: (inputs, dims, params, axis) => elementwiseBatch(primitive, inputs, dims, params, axis),
    lower: elementwiseLower(rules),
    effectful: false,
  })
  return primitive
}

const elementwiseBatch = <S extends Slots, P>(
  primitive: Primitive<S, P>,
  inputs: Each<S, Tensor>,
  dims: Each<S, BatchDim>,
  params: P,
  axis: BatchAxis,
): { readonly outputs: readonly Tensor[]; readonly dims: readonly BatchDim[] } => {
  const aligned = alignBatch([...inputs], [...dims], axis.size)
  return { outputs: bindAny(primitive, aligned, params), dims: [0] }
}

const elementwiseLower =
  <S extends Slots, P>(rules: ElementwiseRules<S, P>): LowerRule<S, P> =>
  (inputs, params, types) => ({
    tag: 'pull',
    cost: rules.cost,
    outputs: [
      (index) =>
        rules.lowerScalar(
          eachScalar(inputs, (source) => source.at(index)),
          params,
          types.outputs[0]!.dtype,
        ),
    ],
  })

/** Maps a slot tuple; the length, and so the type, is kept. */
const eachScalar = <S extends Slots, A>(
  items: Each<S, A>,
  f: (item: A) => Scalar,
): Each<S, Scalar> => {
  // TypeScript cannot express that `map` keeps a tuple's length.
  const mapped: unknown = [...items].map(f)
  return mapped as Each<S, Scalar>
}
