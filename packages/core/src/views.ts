/** Operations that compute nothing: their results are views of memory that exists already. */
import { type Aval, sealed } from './aval.ts'
import { type DType, type TypedArray, dtypeInfo, isComplex, makeStore } from './dtype.ts'
import { type Layout, isContiguous, isUniform, gatherLayout, rowMajor } from './layout.ts'
import type { AnyPrimitive, Primitive, Slots } from './primitive.ts'
import { type Shape, sizeOf } from './shape.ts'
import { Storage } from './storage.ts'
import { Concrete, full } from './tensor.ts'

/**
 * Where an output's elements lie in the memory of the only input, whose layout is given; null where
 * no layout describes them. Never asked about arrays without elements.
 */
export type ViewRule<P> = (layout: Layout, input: Aval, params: P, output: Aval) => Layout | null

type Rule =
  | { readonly tag: 'view'; readonly rule: ViewRule<unknown> }
  | { readonly tag: 'constant'; readonly valueOf: (params: unknown) => number }

const rules = new WeakMap<AnyPrimitive, Rule>()

/** Says that the output of a primitive of one input is a view of it. */
export const givesView = <S extends Slots, P>(
  primitive: Primitive<S, P>,
  rule: ViewRule<P>,
): void => {
  rules.set(primitive, { tag: 'view', rule: erased(rule) })
}

/** Says that all elements of the output of a primitive without inputs are one number. */
export const givesConstant = <S extends Slots, P>(
  primitive: Primitive<S, P>,
  valueOf: (params: P) => number,
): void => {
  rules.set(primitive, { tag: 'constant', valueOf: erased(valueOf) })
}

// Rules are found by their primitive, and so get its parameters.
const erased = <F>(rule: (...args: never[]) => unknown): F => {
  const unknown: unknown = rule
  return unknown as F
}

/**
 * Up to this many bytes of a larger tensor are copied at once: that is cheap, and a number taken out
 * of a large tensor does not keep the tensor alive.
 */
const copiedBytes = 1024
/** Constants of more elements are made at once, to fail at once where they do not fit in memory. */
const mostRepeats = 2 ** 30

/**
 * The result of a primitive where it can be read in memory that exists already; null where it must
 * be computed. @throws what typing throws
 */
export const viewOf = (
  primitive: AnyPrimitive,
  inputs: readonly Concrete[],
  params: unknown,
): Concrete | null => {
  const rule = rules.get(primitive)
  if (rule === undefined) return null
  const input = inputs[0]
  if (rule.tag === 'view') {
    return input === undefined ? null : viewOfInput(primitive, rule.rule, input, params)
  }
  const types: readonly Aval[] = primitive.typing([], params)
  return constantOf(types[0]!, rule.valueOf(params))
}

const viewOfInput = (
  primitive: AnyPrimitive,
  rule: ViewRule<unknown>,
  x: Concrete,
  params: unknown,
): Concrete | null => {
  const types: readonly Aval[] = primitive.typing([x.aval], params)
  const type = sealed(types[0]!)
  const { shape, dtype } = type
  const size = sizeOf(shape)
  if (size === 0 || isComplex(dtype)) return null
  const { layout: own, base } = x
  const layout = rule(own ?? rowMajor(x.aval.shape), x.aval, params, type)
  if (layout === null) return null
  if (own === null && size === x.size && isContiguous(shape, layout)) {
    return new Concrete(type, base.share())
  }
  // What repeats one element keeps one element alive.
  const keepsNoMore = own === null ? size >= x.size : isUniform(x.aval.shape, own)
  if (keepsNoMore || size * dtypeInfo[dtype].bytes > copiedBytes) {
    return new Concrete(type, base.share(), layout)
  }
  return new Concrete(type, new Storage(copyOf(base.peek(), type, layout)))
}

const copyOf = (data: TypedArray, { shape, dtype }: Aval, layout: Layout): TypedArray => {
  const size = sizeOf(shape)
  if (isContiguous(shape, layout)) return data.slice(layout.offset, layout.offset + size)
  const out = makeStore(dtype, size)
  gatherLayout(data, shape, layout, out)
  return out
}

const constantOf = (type: Aval, value: number): Concrete | null => {
  const { shape, dtype } = type
  const size = sizeOf(shape)
  if (!(size > 0 && size <= mostRepeats) || isComplex(dtype)) return null
  if (size === 1) return full(shape, value, dtype, type.weak)
  return new Concrete(type, scalarStorage(value, dtype), repeated(shape))
}

const scalarStorage = (value: number, dtype: DType): Storage => full([], value, dtype).base

const repeated = (shape: Shape): Layout => ({
  offset: 0,
  strides: new Array<number>(shape.length).fill(0),
})
