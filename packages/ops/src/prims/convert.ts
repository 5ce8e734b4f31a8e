/** Changes of dtype: by value, and by bits. */
import {
  type Aval,
  type DType,
  DTypeError,
  type NDArray,
  type Primitive,
  type Tensor,
  type TypedArray,
  aval,
  bind1,
  decodeHalf,
  definePrimitive,
  dtypeInfo,
  encodeHalf,
  integerRange,
  isFloat,
  isHalf,
  isInteger,
  makeArray,
  makeStore,
  moveBatchToFront,
  nonlinear,
  scalars,
  showAval,
  wholeEquation,
  wrapInteger,
  zero,
} from '@cotangent/core'

const requireReal = (operation: string, from: Aval, to: DType): void => {
  if (from.dtype !== 'complex64' && to !== 'complex64') return
  throw new DTypeError({
    operation,
    problem: 'complex64 is not converted implicitly',
    got: `${showAval(from)} to ${to}`,
    fix: 'keep real and imaginary parts apart',
  })
}

/** How one number changes from a dtype to another; the store rounds floats. */
const conversion = (from: DType, to: DType): ((x: number) => number) => {
  if (to === 'bool') return (x) => (x === 0 ? 0 : 1)
  if (!isInteger(to)) return (x) => x
  if (!isFloat(from)) return (x) => wrapInteger(to, x)
  const [low, high] = integerRange(to)
  return (x) => (Number.isNaN(x) ? 0 : Math.min(Math.max(Math.trunc(x), low), high))
}

export interface ConvertParams {
  readonly dtype: DType
  /** Whether the result gives way in promotion, as a plain number does. */
  readonly weak: boolean
}

/** By value: float to integer truncates and saturates, NaN gives 0; integers wrap. */
export const convertP: Primitive<readonly ['x'], ConvertParams> = definePrimitive({
  name: 'convert',
  slots: ['x'],
  typing: ([x], { dtype, weak }) => {
    requireReal('convert', x, dtype)
    return [aval(x.shape, dtype, weak)]
  },
  evaluate: ([x], { dtype }, types) => {
    const out = makeArray(types[0]!)
    const f = conversion(x.dtype, dtype)
    for (let i = 0; i < out.data.length; i++) out.data[i] = f(x.data[i]!)
    return [out]
  },
  jvp: { x: (dx, _, __, { dtype }) => convert(dx, dtype) },
  transpose: { x: (ct, _, __, type) => convert(ct, type.dtype) },
  partition: wholeEquation,
  batch: ([x], [dim], params) => ({
    outputs: [bind1(convertP, [moveBatchToFront(x, dim)], params)],
    dims: [0],
  }),
  lower: ([x], { dtype }) => ({
    tag: 'pull',
    cost: 'cheap',
    outputs: [(index) => scalars.convertTo(dtype, x.at(index))],
  }),
  effectful: false,
})

/** `x` in another dtype; itself where nothing changes. */
export const convert = (x: Tensor, dtype: DType, weak = false): Tensor =>
  x.dtype === dtype && x.aval.weak === weak ? x : bind1(convertP, [x], { dtype, weak })

// Half floats are decoded in evaluation, so their bits are made again.
const bitsOf = (x: NDArray): TypedArray => (isHalf(x.dtype) ? encodeHalf(x.dtype, x.data) : x.data)

const reinterpret = (x: NDArray, dtype: DType): NDArray => {
  const bits = bitsOf(x)
  const store = makeStore(dtype, bits.length)
  const bytes = new Uint8Array(bits.buffer, bits.byteOffset, bits.byteLength)
  new Uint8Array(store.buffer).set(bytes)
  return { dtype, shape: x.shape, data: isHalf(dtype) ? decodeHalf(dtype, store) : store }
}

/** The same bits read as another dtype of the same width. */
export const bitcastP: Primitive<readonly ['x'], { readonly dtype: DType }> = definePrimitive({
  name: 'bitcast',
  slots: ['x'],
  typing: ([x], { dtype }) => {
    requireReal('bitcast', x, dtype)
    const boolean = (x.dtype === 'bool') !== (dtype === 'bool')
    if (boolean || dtypeInfo[x.dtype].bytes !== dtypeInfo[dtype].bytes) {
      throw new DTypeError({
        operation: 'bitcast',
        problem: 'the dtypes differ in width, or one is bool',
        got: `${showAval(x)} to ${dtype}`,
        fix: 'choose a dtype of as many bits, or convert by value with astype',
      })
    }
    return [aval(x.shape, dtype)]
  },
  evaluate: ([x], { dtype }) => [reinterpret(x, dtype)],
  jvp: { x: zero },
  transpose: { x: nonlinear },
  partition: wholeEquation,
  batch: ([x], [dim], { dtype }) => ({
    outputs: [bitcast(moveBatchToFront(x, dim), dtype)],
    dims: [0],
  }),
  lower: ([x], { dtype }) => ({
    tag: 'pull',
    cost: 'cheap',
    outputs: [(index) => scalars.bitcastTo(dtype, x.at(index))],
  }),
  effectful: false,
})

export const bitcast = (x: Tensor, dtype: DType): Tensor =>
  x.dtype === dtype ? x : bind1(bitcastP, [x], { dtype })
