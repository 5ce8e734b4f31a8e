/**
 * What the methods of `Tensor` call. The functions live in `@cotangent/ops`, which installs them
 * when it is loaded, so that core needs no other package and a method is its function.
 */
import type { DType, TypedArray } from './dtype.ts'
import { InternalError } from './errors.ts'
import type { Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'

export interface NestedNumbers extends ReadonlyArray<number | boolean | NestedNumbers> {}
/** What an operand may be: a tensor, a number or boolean (weakly typed), or a (nested) array. */
export type TensorLike = Tensor | number | boolean | NestedNumbers | TypedArray

/** One component of an index: integer, slice text (`'2:8:2'`, `':'`), `null`, `'...'`, tensor. */
export type IndexPart = number | string | null | boolean | Tensor | NestedNumbers | Slice
export interface Slice {
  readonly start?: number | null
  readonly stop?: number | null
  readonly step?: number | null
}

export type Axes = number | readonly number[] | null
export interface ReduceOptions {
  /** Axes to reduce; all when absent or null. Negative ones count from the end. */
  readonly axis?: Axes
  /** Keep reduced axes with extent 1. */
  readonly keepdims?: boolean
}
export interface AxisOptions {
  readonly axis?: number | null
  readonly keepdims?: boolean
}

export interface SpreadOptions extends ReduceOptions {
  /** Subtracted from the count: 0 for the population, 1 for a sample. */
  readonly ddof?: number
}
export interface SortOptions {
  /** The last by default; null sorts the flattened tensor. */
  readonly axis?: number | null
  readonly descending?: boolean
}
export interface DiagonalOptions {
  /** Above the main diagonal if positive. */
  readonly offset?: number
  /** The rows and columns; the first two axes by default. */
  readonly axis1?: number
  readonly axis2?: number
}

/** Options, or the axis alone: `x.sum(0)` and `x.sum({ axis: 0, keepdims: true })`. */
export type AxesOr<O> = O | Axes
export type AxisOr<O> = O | number | null

type Unary = (x: TensorLike) => Tensor
type Binary = (x: TensorLike, y: TensorLike) => Tensor
type Reduce = (x: TensorLike, options?: AxesOr<ReduceOptions>) => Tensor
type ArgReduce = (x: TensorLike, options?: AxisOr<AxisOptions>) => Tensor
type Cumulate = (x: TensorLike, options?: AxisOr<{ readonly axis?: number | null }>) => Tensor

export interface Operators {
  readonly add: Binary
  readonly sub: Binary
  readonly mul: Binary
  readonly div: Binary
  readonly floorDivide: Binary
  readonly mod: Binary
  readonly pow: Binary
  readonly maximum: Binary
  readonly minimum: Binary
  readonly matmul: Binary
  readonly dot: Binary
  readonly equal: Binary
  readonly notEqual: Binary
  readonly less: Binary
  readonly lessEqual: Binary
  readonly greater: Binary
  readonly greaterEqual: Binary
  readonly logicalAnd: Binary
  readonly logicalOr: Binary
  readonly logicalNot: Unary
  readonly neg: Unary
  readonly abs: Unary
  readonly sign: Unary
  readonly reciprocal: Unary
  readonly exp: Unary
  readonly expm1: Unary
  readonly log: Unary
  readonly log1p: Unary
  readonly sqrt: Unary
  readonly square: Unary
  readonly sin: Unary
  readonly cos: Unary
  readonly tan: Unary
  readonly tanh: Unary
  readonly floor: Unary
  readonly ceil: Unary
  readonly round: Unary
  readonly sum: Reduce
  readonly mean: Reduce
  readonly prod: Reduce
  readonly max: Reduce
  readonly min: Reduce
  readonly any: Reduce
  readonly all: Reduce
  readonly ptp: Reduce
  readonly var: (x: TensorLike, options?: AxesOr<SpreadOptions>) => Tensor
  readonly std: (x: TensorLike, options?: AxesOr<SpreadOptions>) => Tensor
  readonly argmax: ArgReduce
  readonly argmin: ArgReduce
  readonly cumsum: Cumulate
  readonly cumprod: Cumulate
  readonly sort: (x: TensorLike, options?: AxisOr<SortOptions>) => Tensor
  readonly argsort: (x: TensorLike, options?: AxisOr<SortOptions>) => Tensor
  readonly clip: (x: TensorLike, low?: TensorLike | null, high?: TensorLike | null) => Tensor
  readonly where: (condition: TensorLike, onTrue: TensorLike, onFalse: TensorLike) => Tensor
  readonly reshape: (x: TensorLike, shape: Shape) => Tensor
  readonly transpose: (x: TensorLike, axes?: readonly number[]) => Tensor
  readonly ravel: Unary
  readonly swapaxes: (x: TensorLike, axis1: number, axis2: number) => Tensor
  readonly diagonal: (x: TensorLike, options?: DiagonalOptions | number) => Tensor
  readonly trace: (x: TensorLike, options?: DiagonalOptions) => Tensor
  readonly repeat: (
    x: TensorLike,
    repeats: number | readonly number[],
    axis?: number | null,
  ) => Tensor
  readonly take: (x: TensorLike, indices: TensorLike, axis?: number | null) => Tensor
  readonly squeeze: (x: TensorLike, axis?: Axes) => Tensor
  readonly expandDims: (x: TensorLike, axis: number | readonly number[]) => Tensor
  readonly broadcastTo: (x: TensorLike, shape: Shape) => Tensor
  readonly astype: (x: TensorLike, dtype: DType) => Tensor
  readonly at: (x: Tensor, index: readonly IndexPart[]) => Tensor
  readonly updateAt: (
    x: Tensor,
    index: readonly IndexPart[],
    kind: 'set' | 'add' | 'mul' | 'min' | 'max',
    value: TensorLike,
  ) => Tensor
}

let installed: Operators | null = null

/** Called once, by `@cotangent/ops`. */
export const installOperators = (operators: Operators): void => {
  installed = operators
}

export const operators = (): Operators => {
  if (installed === null) {
    throw new InternalError({
      operation: 'tensor method',
      problem: 'the tensor methods need @cotangent/ops',
      fix: 'import from "cotangent", or import "@cotangent/ops" once',
    })
  }
  return installed
}
