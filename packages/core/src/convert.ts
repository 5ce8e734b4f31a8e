/** JavaScript values to tensors. */
import { type Aval, aval, sealed } from './aval.ts'
import { describeValue, requireOptions } from './arguments.ts'
import {
  type DType,
  type TypedArray,
  dtypes,
  isComplex,
  isDType,
  isHalf,
  isInteger,
  makeStore,
} from './dtype.ts'
import { DTypeError, ShapeError } from './errors.ts'
import type { NestedNumbers, TensorLike } from './operators.ts'
import { wrapInteger } from './prims/integers.ts'
import { type Shape, sizeOf } from './shape.ts'
import { Concrete, Tensor, fromNDArray, full } from './tensor.ts'

export interface TensorOptions {
  readonly dtype?: DType
  readonly shape?: Shape
}

const booleanType = sealed(aval([], 'bool'))
const integerType = sealed(aval([], 'int32', true))
const floatType = sealed(aval([], 'float32', true))

/** The type a leaf takes part in promotion with: numbers are weak, integers among them int32. */
export const leafAval = (leaf: Tensor | number | boolean): Aval => {
  if (typeof leaf === 'number') return isWeakInteger(leaf) ? integerType : floatType
  return typeof leaf === 'boolean' ? booleanType : leaf.aval
}

const isWeakInteger = (x: number): boolean =>
  Number.isInteger(x) && x >= -(2 ** 31) && x < 2 ** 31 && !Object.is(x, -0)

/** A leaf as a tensor: a number becomes a weakly typed scalar, int32 where it is an integer. */
export const leafTensor = (leaf: Tensor | number | boolean): Tensor => {
  if (leaf instanceof Tensor) return leaf
  const { dtype, weak } = leafAval(leaf)
  return full([], Number(leaf), dtype, weak)
}

/**
 * A leaf that is to be differentiated: plain numbers are floats. `where` says for messages which
 * leaf it is.
 * @throws DTypeError for integers.
 */
export const inexactLeaf = (
  operation: string,
  leaf: Tensor | number | boolean,
  where: () => string = () => '',
): Tensor => {
  if (typeof leaf === 'number') return full([], leaf, 'float32', true)
  const x = leafTensor(leaf)
  if (isInteger(x.dtype) || x.dtype === 'bool') {
    throw new DTypeError({
      operation,
      problem: 'only floating point values can be differentiated',
      got: `${x.dtype}${where()}`,
      fix: 'convert with astype("float32"), or leave this argument out of argnums',
    })
  }
  return x
}

const isTypedArray = (value: unknown): value is TypedArray =>
  ArrayBuffer.isView(value) && !(value instanceof DataView)

const dtypeOfArray = (operation: string, data: TypedArray): DType => {
  if (data instanceof Int8Array) return 'int8'
  if (data instanceof Uint8Array || data instanceof Uint8ClampedArray) return 'uint8'
  if (data instanceof Int16Array) return 'int16'
  if (data instanceof Uint16Array) return 'uint16'
  if (data instanceof Int32Array) return 'int32'
  if (data instanceof Uint32Array) return 'uint32'
  if (data instanceof Float64Array) return 'float64'
  if (data instanceof Float32Array) return 'float32'
  throw noTensor(operation, data)
}

const nestedShape = (nested: NestedNumbers): Shape => {
  const inner = nested[0]
  if (Array.isArray(inner)) return [nested.length, ...nestedShape(inner)]
  return [nested.length]
}

const fillNested = (nested: NestedNumbers, shape: Shape, axis: number, out: number[]): void => {
  if (nested.length !== shape[axis]) throw ragged(axis, nested.length, shape[axis]!)
  for (const item of nested) {
    const isLeaf = typeof item === 'number' || typeof item === 'boolean'
    if (!isLeaf && !Array.isArray(item)) throw noTensor('tensor', item, ' in an array')
    if (isLeaf !== (axis === shape.length - 1)) throw ragged(axis, -1, shape[axis]!)
    if (isLeaf) out.push(Number(item))
    else fillNested(item, shape, axis + 1, out)
  }
}

const ragged = (axis: number, got: number, want: number): ShapeError =>
  new ShapeError({
    operation: 'tensor',
    problem: 'the nested arrays are ragged',
    got: got < 0 ? `numbers and arrays mixed at depth ${axis}` : `a row of ${got} at depth ${axis}`,
    want: `${want} items of one kind`,
    fix: 'make all rows equally long, pad them for instance; stack tensors with np.stack',
  })

const noTensor = (operation: string, value: unknown, where = ''): DTypeError =>
  new DTypeError({
    operation,
    problem: 'this cannot be made a tensor',
    got: `${value instanceof Tensor ? 'a tensor' : describeValue(value)}${where}`,
    want: 'a number, a boolean, a typed array, nested arrays of numbers, or a tensor',
    fix:
      value instanceof Tensor
        ? 'join tensors with np.array or np.stack'
        : 'convert it to numbers first',
  })

/** @throws DTypeError for a name that is no dtype. */
export const requireDTypeName = (operation: string, dtype: unknown): void => {
  if (typeof dtype === 'string' && isDType(dtype)) return
  throw new DTypeError({
    operation,
    problem: 'there is no such dtype',
    got: typeof dtype === 'string' ? JSON.stringify(dtype) : describeValue(dtype),
    want: dtypes.join(', '),
    fix: 'write one of these names; int64 and uint64 do not exist here',
  })
}

const firstLeaf = (nested: NestedNumbers): number | boolean => {
  const inner = nested[0]
  if (inner === undefined) return 0
  return typeof inner === 'number' || typeof inner === 'boolean' ? inner : firstLeaf(inner)
}

/**
 * Makes a tensor; the input is copied.
 * Nested arrays and numbers are float32 (booleans: bool) unless `dtype` says otherwise; a typed
 * array keeps its own type, and takes its `shape` from the options.
 * @throws ShapeError for ragged arrays and shapes that do not hold the elements.
 * @example
 * tensor([[1, 2], [3, 4]]).shape // [2, 2]
 * tensor(new Int32Array([1, 2, 3, 4]), { shape: [2, 2] }).dtype // 'int32'
 */
export const tensor = (value: TensorLike, options: TensorOptions = {}): Tensor => {
  requireOptions('tensor', options, ['dtype', 'shape'])
  if (options.dtype !== undefined) requireDTypeName('tensor', options.dtype)
  if (value instanceof Tensor) return recast(value, options)
  const { flat, shape, natural } = flatNumbers('tensor', value)
  const dtype = options.dtype ?? natural
  const wanted = options.shape ?? shape
  if (sizeOf(wanted) !== flat.length) {
    throw new ShapeError({
      operation: 'tensor',
      problem: 'the shape does not hold the elements',
      got: `${flat.length} elements`,
      want: `shape [${wanted.join(',')}], which holds ${sizeOf(wanted)}`,
      fix: 'give a shape whose extents multiply to the number of elements',
    })
  }
  return fromNDArray({ shape: [...wanted], dtype, data: castValues(flat, dtype) })
}

const recast = (x: Tensor, options: TensorOptions): Tensor => {
  const typed =
    options.dtype === undefined || options.dtype === x.dtype ? x : x.astype(options.dtype)
  return options.shape === undefined ? typed : typed.reshape(options.shape)
}

interface FlatNumbers {
  readonly flat: ArrayLike<number>
  readonly shape: Shape
  readonly natural: DType
}

const flatNumbers = (operation: string, value: Exclude<TensorLike, Tensor>): FlatNumbers => {
  if (typeof value === 'number') return { flat: [value], shape: [], natural: 'float32' }
  if (typeof value === 'boolean') return { flat: [Number(value)], shape: [], natural: 'bool' }
  if (isTypedArray(value))
    return { flat: value, shape: [value.length], natural: dtypeOfArray(operation, value) }
  if (!Array.isArray(value)) throw noTensor(operation, value)
  const shape = nestedShape(value)
  const flat: number[] = []
  fillNested(value, shape, 0, flat)
  return { flat, shape, natural: typeof firstLeaf(value) === 'boolean' ? 'bool' : 'float32' }
}

/** Converts numbers as `astype` does: truncating, saturating, NaN to 0 for integers. */
export const castValues = (values: ArrayLike<number>, dtype: DType): TypedArray => {
  if (isComplex(dtype)) {
    throw new DTypeError({
      operation: 'tensor',
      problem: 'complex64 cannot be made from real numbers here',
      fix: 'keep real and imaginary parts apart',
    })
  }
  const out = isHalf(dtype) ? new Float32Array(values.length) : makeStore(dtype, values.length)
  if (dtype === 'bool') for (let i = 0; i < out.length; i++) out[i] = values[i] === 0 ? 0 : 1
  else if (isInteger(dtype))
    for (let i = 0; i < out.length; i++) out[i] = wrapInteger(dtype, Math.trunc(values[i]!))
  else out.set(values)
  return out
}

/** Any operand as a tensor: numbers weakly typed, nested arrays as `tensor` makes them. */
export const asTensor = (value: TensorLike): Tensor => operandTensor('tensor', value)

/** `asTensor`, in the name of an operation. @throws DTypeError for what is no operand. */
export const operandTensor = (operation: string, value: TensorLike): Tensor => {
  if (value instanceof Tensor || typeof value === 'number' || typeof value === 'boolean') {
    return leafTensor(value)
  }
  if (!Array.isArray(value) && !isTypedArray(value)) throw noTensor(operation, value)
  return tensor(value)
}

export const isConcrete = (x: Tensor): x is Concrete => x instanceof Concrete
