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

type Unary = (x: TensorLike) => Tensor
type Binary = (x: TensorLike, y: TensorLike) => Tensor
type Reduce = (x: TensorLike, options?: ReduceOptions) => Tensor
type ArgReduce = (x: TensorLike, options?: AxisOptions) => Tensor

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
  readonly exp: Unary
  readonly log: Unary
  readonly sqrt: Unary
  readonly square: Unary
  readonly sin: Unary
  readonly cos: Unary
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
  readonly var: (x: TensorLike, options?: ReduceOptions & { readonly ddof?: number }) => Tensor
  readonly std: (x: TensorLike, options?: ReduceOptions & { readonly ddof?: number }) => Tensor
  readonly argmax: ArgReduce
  readonly argmin: ArgReduce
  readonly cumsum: (x: TensorLike, options?: { readonly axis?: number | null }) => Tensor
  readonly sort: (
    x: TensorLike,
    options?: { readonly axis?: number | null; readonly descending?: boolean },
  ) => Tensor
  readonly argsort: (
    x: TensorLike,
    options?: { readonly axis?: number | null; readonly descending?: boolean },
  ) => Tensor
  readonly clip: (x: TensorLike, low?: TensorLike | null, high?: TensorLike | null) => Tensor
  readonly where: (condition: TensorLike, onTrue: TensorLike, onFalse: TensorLike) => Tensor
  readonly reshape: (x: TensorLike, shape: Shape) => Tensor
  readonly transpose: (x: TensorLike, axes?: readonly number[]) => Tensor
  readonly ravel: Unary
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
