/** The immutable `Tensor`, its methods, and `Concrete`, the one that holds values. */
import { requireNumber } from './arguments.ts'
import { type Aval, sealed } from './aval.ts'
import { type DType, type TypedArray, isComplex, isHalf, makeStore } from './dtype.ts'
import { formatTensor } from './format.ts'
import { decodeHalf, encodeHalf } from './half.ts'
import { IndexError, ShapeError, TracerError, UnsupportedError } from './errors.ts'
import {
  type Axes,
  type AxesOr,
  type AxisOptions,
  type AxisOr,
  type DiagonalOptions,
  type IndexPart,
  type ReduceOptions,
  type SortOptions,
  type SpreadOptions,
  type TensorLike,
  operators,
} from './operators.ts'
import { type Layout, gatherLayout } from './layout.ts'
import type { NDArray } from './primitive.ts'
import { type Shape, sizeOf } from './shape.ts'
import { Storage } from './storage.ts'

/** What `toArray` gives: a number or boolean for a scalar, else nested arrays of them. */
export type Nested = number | boolean | readonly Nested[]

/**
 * An immutable array of numbers, or the promise of one while a function is traced.
 *
 * @example
 * const x = tensor([[1, 2], [3, 4]])
 * x.matmul(x.T).sum().item() // 54
 */
export abstract class Tensor {
  abstract readonly aval: Aval
  /** The tensor with values; forces a traced one where that is possible. @throws TracerError */
  abstract concrete(operation: string): Concrete
  abstract toString(): string

  get shape(): Shape {
    return this.aval.shape
  }
  get dtype(): DType {
    return this.aval.dtype
  }
  get ndim(): number {
    return this.aval.shape.length
  }
  get size(): number {
    return sizeOf(this.aval.shape)
  }

  /** The value of a one-element tensor. @throws ShapeError for any other size. */
  item(): number {
    if (this.size !== 1) {
      throw new ShapeError({
        operation: 'item',
        problem: 'only a tensor of one element is a number',
        got: `shape [${this.shape.join(',')}]`,
        fix: 'reduce it (sum, mean), index it (x.at(0)), or read all of it with toArray()',
      })
    }
    return Number(this.concrete('item').ndarray().data[0])
  }

  /** Nested arrays of numbers (booleans for bool). */
  toArray(): Nested {
    return nest(this.concrete('toArray').ndarray())
  }

  /** A fresh row-major typed array; half floats are decoded to float32. */
  data(): TypedArray {
    const { data } = this.concrete('data').ndarray()
    return data.slice()
  }

  /** Slices along the first axis. @throws ShapeError for a scalar. */
  *[Symbol.iterator](): Generator<Tensor> {
    if (this.ndim === 0) {
      throw new ShapeError({
        operation: 'iterate',
        problem: 'a scalar has no axis to iterate over',
        got: 'shape []',
        fix: 'read it with item(), or give it an axis with reshape([1])',
      })
    }
    for (let i = 0; i < this.shape[0]!; i++) yield this.at(i)
  }

  add(y: TensorLike): Tensor {
    return operators().add(this, y)
  }
  sub(y: TensorLike): Tensor {
    return operators().sub(this, y)
  }
  mul(y: TensorLike): Tensor {
    return operators().mul(this, y)
  }
  /** True division: integers give floats. */
  div(y: TensorLike): Tensor {
    return operators().div(this, y)
  }
  floorDivide(y: TensorLike): Tensor {
    return operators().floorDivide(this, y)
  }
  /** Remainder with the sign of the divisor. */
  mod(y: TensorLike): Tensor {
    return operators().mod(this, y)
  }
  pow(y: TensorLike): Tensor {
    return operators().pow(this, y)
  }
  maximum(y: TensorLike): Tensor {
    return operators().maximum(this, y)
  }
  minimum(y: TensorLike): Tensor {
    return operators().minimum(this, y)
  }
  matmul(y: TensorLike): Tensor {
    return operators().matmul(this, y)
  }
  dot(y: TensorLike): Tensor {
    return operators().dot(this, y)
  }
  equal(y: TensorLike): Tensor {
    return operators().equal(this, y)
  }
  notEqual(y: TensorLike): Tensor {
    return operators().notEqual(this, y)
  }
  less(y: TensorLike): Tensor {
    return operators().less(this, y)
  }
  lessEqual(y: TensorLike): Tensor {
    return operators().lessEqual(this, y)
  }
  greater(y: TensorLike): Tensor {
    return operators().greater(this, y)
  }
  greaterEqual(y: TensorLike): Tensor {
    return operators().greaterEqual(this, y)
  }
  logicalAnd(y: TensorLike): Tensor {
    return operators().logicalAnd(this, y)
  }
  logicalOr(y: TensorLike): Tensor {
    return operators().logicalOr(this, y)
  }
  logicalNot(): Tensor {
    return operators().logicalNot(this)
  }
  neg(): Tensor {
    return operators().neg(this)
  }
  abs(): Tensor {
    return operators().abs(this)
  }
  sign(): Tensor {
    return operators().sign(this)
  }
  exp(): Tensor {
    return operators().exp(this)
  }
  expm1(): Tensor {
    return operators().expm1(this)
  }
  log(): Tensor {
    return operators().log(this)
  }
  log1p(): Tensor {
    return operators().log1p(this)
  }
  sqrt(): Tensor {
    return operators().sqrt(this)
  }
  square(): Tensor {
    return operators().square(this)
  }
  reciprocal(): Tensor {
    return operators().reciprocal(this)
  }
  sin(): Tensor {
    return operators().sin(this)
  }
  cos(): Tensor {
    return operators().cos(this)
  }
  tan(): Tensor {
    return operators().tan(this)
  }
  tanh(): Tensor {
    return operators().tanh(this)
  }
  floor(): Tensor {
    return operators().floor(this)
  }
  ceil(): Tensor {
    return operators().ceil(this)
  }
  /** To the nearest integer, halves to even. */
  round(): Tensor {
    return operators().round(this)
  }
  sum(options?: AxesOr<ReduceOptions>): Tensor {
    return operators().sum(this, options)
  }
  mean(options?: AxesOr<ReduceOptions>): Tensor {
    return operators().mean(this, options)
  }
  prod(options?: AxesOr<ReduceOptions>): Tensor {
    return operators().prod(this, options)
  }
  max(options?: AxesOr<ReduceOptions>): Tensor {
    return operators().max(this, options)
  }
  min(options?: AxesOr<ReduceOptions>): Tensor {
    return operators().min(this, options)
  }
  any(options?: AxesOr<ReduceOptions>): Tensor {
    return operators().any(this, options)
  }
  all(options?: AxesOr<ReduceOptions>): Tensor {
    return operators().all(this, options)
  }
  /** The largest less the smallest. */
  ptp(options?: AxesOr<ReduceOptions>): Tensor {
    return operators().ptp(this, options)
  }
  var(options?: AxesOr<SpreadOptions>): Tensor {
    return operators().var(this, options)
  }
  std(options?: AxesOr<SpreadOptions>): Tensor {
    return operators().std(this, options)
  }
  argmax(options?: AxisOr<AxisOptions>): Tensor {
    return operators().argmax(this, options)
  }
  argmin(options?: AxisOr<AxisOptions>): Tensor {
    return operators().argmin(this, options)
  }
  cumsum(options?: AxisOr<{ readonly axis?: number | null }>): Tensor {
    return operators().cumsum(this, options)
  }
  cumprod(options?: AxisOr<{ readonly axis?: number | null }>): Tensor {
    return operators().cumprod(this, options)
  }
  sort(options?: AxisOr<SortOptions>): Tensor {
    return operators().sort(this, options)
  }
  argsort(options?: AxisOr<SortOptions>): Tensor {
    return operators().argsort(this, options)
  }
  clip(low?: TensorLike | null, high?: TensorLike | null): Tensor {
    return operators().clip(this, low, high)
  }
  /** This tensor where `condition` holds, `otherwise` elsewhere. */
  where(condition: TensorLike, otherwise: TensorLike): Tensor {
    return operators().where(condition, this, otherwise)
  }
  /** `reshape(2, -1)` or `reshape([2, -1])`. */
  reshape(...shape: readonly number[] | readonly [readonly number[]]): Tensor {
    return operators().reshape(this, flatShape(shape))
  }
  transpose(...axes: readonly number[] | readonly [readonly number[]]): Tensor {
    const order = flatShape(axes)
    return order.length === 0 ? operators().transpose(this) : operators().transpose(this, order)
  }
  get T(): Tensor {
    return operators().transpose(this)
  }
  ravel(): Tensor {
    return operators().ravel(this)
  }
  flatten(): Tensor {
    return operators().ravel(this)
  }
  swapaxes(axis1: number, axis2: number): Tensor {
    return operators().swapaxes(this, axis1, axis2)
  }
  diagonal(options?: DiagonalOptions | number): Tensor {
    return operators().diagonal(this, options)
  }
  /** The sum of a diagonal. */
  trace(options?: DiagonalOptions): Tensor {
    return operators().trace(this, options)
  }
  /** Each element several times in a row, along an axis or flattened. */
  repeat(repeats: number | readonly number[], axis?: number | null): Tensor {
    return operators().repeat(this, repeats, axis)
  }
  /** The slices at these positions; those outside are filled, where `at` clamps. */
  take(indices: TensorLike, axis?: number | null): Tensor {
    return operators().take(this, indices, axis)
  }
  squeeze(axis?: Axes): Tensor {
    return operators().squeeze(this, axis)
  }
  expandDims(axis: number | readonly number[]): Tensor {
    return operators().expandDims(this, axis)
  }
  broadcastTo(shape: Shape): Tensor {
    return operators().broadcastTo(this, shape)
  }
  astype(dtype: DType): Tensor {
    return operators().astype(this, dtype)
  }

  /** Reads by NumPy's rules: `x.at(0, ':', '::2', null, '...', indexTensor)`. */
  at(...index: readonly IndexPart[]): Tensor {
    return operators().at(this, index)
  }
  /** A copy with the indexed elements replaced. */
  set(index: readonly IndexPart[], value: TensorLike): Tensor {
    return operators().updateAt(this, index, 'set', value)
  }
  addAt(index: readonly IndexPart[], value: TensorLike): Tensor {
    return operators().updateAt(this, index, 'add', value)
  }
  mulAt(index: readonly IndexPart[], value: TensorLike): Tensor {
    return operators().updateAt(this, index, 'mul', value)
  }
  minAt(index: readonly IndexPart[], value: TensorLike): Tensor {
    return operators().updateAt(this, index, 'min', value)
  }
  maxAt(index: readonly IndexPart[], value: TensorLike): Tensor {
    return operators().updateAt(this, index, 'max', value)
  }
}

const flatShape = (parts: readonly number[] | readonly [readonly number[]]): readonly number[] => {
  const numbers: number[] = []
  for (const part of parts) {
    if (typeof part === 'number') numbers.push(part)
    else numbers.push(...part)
  }
  return numbers
}

/**
 * A tensor that holds its values, in memory of its own or (a view) in memory that is laid out for
 * another tensor. A view keeps all of that memory alive.
 */
export class Concrete extends Tensor {
  readonly aval: Aval
  #storage: Storage
  #layout: Layout | null

  /** `layout` says where in the storage the elements are; null: they are all of it, in order. */
  constructor(aval: Aval, storage: Storage, layout: Layout | null = null) {
    super()
    this.aval = sealed(aval)
    this.#storage = storage
    this.#layout = layout
  }

  /** The elements in row-major order, and nothing else. A view copies them, the first time. */
  get storage(): Storage {
    if (this.#layout !== null) this.#gather(this.#layout)
    return this.#storage
  }

  /** The memory that `layout` speaks of. */
  get base(): Storage {
    return this.#storage
  }

  /** Where in `base` the elements are; null: they are all of it, in order. */
  get layout(): Layout | null {
    return this.#layout
  }

  #gather(layout: Layout): void {
    const { shape, dtype } = this.aval
    const data = makeStore(dtype, sizeOf(shape))
    gatherLayout(this.#storage.peek(), shape, layout, data)
    this.#storage = new Storage(data)
    this.#layout = null
  }

  concrete(): Concrete {
    return this
  }

  /** The elements as evaluation rules see them (half floats decoded). Not to be written to. */
  ndarray(): NDArray {
    const { shape, dtype } = this.aval
    if (isComplex(dtype)) throw complexUnsupported()
    const raw = this.storage.read()
    return { shape, dtype, data: isHalf(dtype) ? decodeHalf(dtype, raw) : raw }
  }

  /** A scalar as a number; any other tensor refuses, rather than compare as a string. */
  [Symbol.toPrimitive](hint: string): number | string {
    if (hint === 'string') return this.toString()
    if (this.size === 1) return this.item()
    throw new TracerError({
      operation: 'convert to a number',
      problem: 'a tensor of several elements is not a number',
      got: `shape [${this.shape.join(',')}]`,
      fix: 'use methods: x.add(y), x.less(y).all()',
    })
  }

  toJSON(): Nested {
    return this.toArray()
  }

  override toString(): string {
    return formatTensor(this.ndarray())
  }
}

// What console.log prints in Node; a computed class member cannot be declared under isolatedDeclarations.
Object.defineProperty(Concrete.prototype, Symbol.for('nodejs.util.inspect.custom'), {
  value(this: Concrete): string {
    return `Tensor ${this.dtype}[${this.shape.join(',')}] ${this.toString()}`
  },
})

const complexUnsupported = (): UnsupportedError =>
  new UnsupportedError({
    operation: 'complex64',
    problem: 'complex values take part in dtype promotion only, not in arithmetic',
    fix: 'keep the real and imaginary parts as two tensors',
  })

/** Wraps an evaluation result; half floats are encoded. The array is owned from here on. */
export const fromNDArray = (array: NDArray, weak = false): Concrete => {
  const { shape, dtype, data } = array
  const raw = isHalf(dtype) ? encodeHalf(dtype, data) : data
  return new Concrete({ shape, dtype, weak }, new Storage(raw))
}

/** A scalar constant, filled to `shape`. */
export const full = (shape: Shape, value: number, dtype: DType, weak = false): Concrete => {
  const data = isHalf(dtype) ? new Float32Array(sizeOf(shape)) : makeStore(dtype, sizeOf(shape))
  if (!Object.is(value, 0)) data.fill(value)
  return fromNDArray({ shape, dtype, data }, weak)
}

const nest = ({ shape, dtype, data }: NDArray): Nested => {
  const read = (i: number): number | boolean => (dtype === 'bool' ? data[i] !== 0 : data[i]!)
  const build = (axis: number, offset: number, stride: number): Nested => {
    if (axis === shape.length) return read(offset)
    const extent = shape[axis]!
    const inner = stride / Math.max(1, extent)
    return Array.from({ length: extent }, (_, i) => build(axis + 1, offset + i * inner, inner))
  }
  return build(0, 0, sizeOf(shape))
}

/** Resolves a possibly negative axis. @throws IndexError where it is out of range. */
export const normalizeAxis = (operation: string, axis: number, rank: number): number => {
  requireNumber(operation, 'the axis', axis)
  if (!Number.isInteger(axis) || axis < -rank || axis >= rank) {
    throw new IndexError({
      operation,
      problem: 'the axis is out of range',
      got: `axis ${axis} of a tensor of rank ${rank}`,
      want: rank === 0 ? 'no axis: it is a scalar' : `an integer from ${-rank} to ${rank - 1}`,
      fix: 'name an axis that the tensor has; negative ones count from the last',
    })
  }
  return axis < 0 ? axis + rank : axis
}
