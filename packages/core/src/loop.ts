/**
 * The loop IR, as data: what a kernel does to buffers, with nothing left of tensors.
 *
 * Two languages of arithmetic are kept apart. An `Index` is an exact integer and may be simplified
 * freely; a `Scalar` is a typed machine value and may not (`0 * NaN`). Printers (JavaScript and
 * WebAssembly) are one exhaustive switch over each union.
 */
import type { DType } from './dtype.ts'
import type { Shape } from './shape.ts'

/** An exact integer expression over loop counters, plus integers read from data. */
export type Index =
  | { readonly tag: 'constant'; readonly value: number }
  /** The counter of an enclosing loop: `0 ≤ counter < extent`. */
  | { readonly tag: 'counter'; readonly name: string; readonly extent: number }
  /** `constant + Σ coefficient · term`; terms are counters, divisions, remainders or data. */
  | {
      readonly tag: 'affine'
      readonly constant: number
      readonly terms: readonly { readonly coefficient: number; readonly term: Index }[]
    }
  | { readonly tag: 'floorDivide'; readonly value: Index; readonly by: number }
  | { readonly tag: 'modulo'; readonly value: Index; readonly by: number }
  /** An int32 scalar used as an index; `low ≤ value ≤ high` is the producer's promise. */
  | { readonly tag: 'data'; readonly value: Scalar; readonly low: number; readonly high: number }

export type UnaryOp =
  | 'negate'
  | 'absolute'
  | 'sign'
  | 'floor'
  | 'ceil'
  | 'round'
  | 'sqrt'
  | 'rsqrt'
  | 'cbrt'
  | 'exp'
  | 'exp2'
  | 'expm1'
  | 'log'
  | 'log1p'
  | 'sin'
  | 'cos'
  | 'tan'
  | 'asin'
  | 'acos'
  | 'atan'
  | 'sinh'
  | 'cosh'
  | 'tanh'
  | 'asinh'
  | 'acosh'
  | 'atanh'
  | 'logistic'
  | 'erf'
  | 'erfc'
  | 'erfInverse'
  | 'logGamma'
  | 'digamma'
  | 'not'
  | 'populationCount'
  | 'countLeadingZeros'

export type BinaryOp =
  | 'add'
  | 'subtract'
  | 'multiply'
  | 'divide'
  | 'remainder'
  | 'power'
  | 'maximum'
  | 'minimum'
  | 'atan2'
  | 'nextAfter'
  | 'and'
  | 'or'
  | 'xor'
  | 'shiftLeft'
  | 'shiftRightLogical'
  | 'shiftRightArithmetic'

export type CompareOp = 'equal' | 'notEqual' | 'less' | 'lessEqual' | 'greater' | 'greaterEqual'

/**
 * A typed machine value. Every node says its dtype; arithmetic is rounded to it (float32 results
 * are float32, integers wrap, integer division never traps). float16 and bfloat16 nodes compute in
 * float32 and are rounded by the store. bool nodes are 0 or 1.
 */
export type Scalar =
  | { readonly tag: 'literal'; readonly dtype: DType; readonly value: number }
  | { readonly tag: 'load'; readonly dtype: DType; readonly buffer: string; readonly at: Index }
  | { readonly tag: 'local'; readonly dtype: DType; readonly name: string }
  | { readonly tag: 'unary'; readonly dtype: DType; readonly op: UnaryOp; readonly x: Scalar }
  | {
      readonly tag: 'binary'
      readonly dtype: DType
      readonly op: BinaryOp
      readonly x: Scalar
      readonly y: Scalar
    }
  /** dtype is bool; operands share theirs. Comparisons with NaN are false, notEqual true. */
  | {
      readonly tag: 'compare'
      readonly dtype: 'bool'
      readonly op: CompareOp
      readonly x: Scalar
      readonly y: Scalar
    }
  /** Both branches may be evaluated. */
  | {
      readonly tag: 'select'
      readonly dtype: DType
      readonly condition: Scalar
      readonly onTrue: Scalar
      readonly onFalse: Scalar
    }
  /** `value` is evaluated only where the condition holds: it may load out of bounds elsewhere. */
  | {
      readonly tag: 'guard'
      readonly dtype: DType
      readonly condition: Scalar
      readonly value: Scalar
      readonly otherwise: Scalar
    }
  /** `low ≤ value < high` for an index, as a bool. */
  | {
      readonly tag: 'within'
      readonly dtype: 'bool'
      readonly value: Index
      readonly low: number
      readonly high: number
    }
  /** Value conversion: float to integer truncates, saturates and sends NaN to 0; integers wrap. */
  | { readonly tag: 'convert'; readonly dtype: DType; readonly x: Scalar }
  /** The same bits under another dtype of the same width. */
  | { readonly tag: 'bitcast'; readonly dtype: DType; readonly x: Scalar }
  | { readonly tag: 'fromIndex'; readonly dtype: DType; readonly value: Index }
  /** The lanes of a vector combined pairwise into one value. */
  | { readonly tag: 'across'; readonly dtype: DType; readonly op: BinaryOp; readonly x: Scalar }

/** How many values a vector holds side by side: 4 of 32 bits, or 2 where any has 64. */
export type Lanes = 2 | 4

export type Stmt =
  | { readonly tag: 'comment'; readonly text: string }
  /**
   * `counter` runs from 0 to `extent - 1` (downwards where `reverse`). Rounds of a `parallel` loop
   * are independent: they may run in any order, and at once on several threads. A loop with `lanes`
   * takes so many rounds at a time, side by side in a vector; when `extent` is no multiple, the last
   * vector's surplus lanes load anything and store nothing. Inside, whatever depends on the counter
   * has a value for each lane, and control flow must not.
   */
  | {
      readonly tag: 'for'
      readonly counter: string
      readonly extent: number
      readonly step?: number
      readonly reverse?: boolean
      readonly parallel?: boolean
      readonly lanes?: Lanes
      readonly body: readonly Stmt[]
    }
  | { readonly tag: 'while'; readonly condition: Scalar; readonly body: readonly Stmt[] }
  | {
      readonly tag: 'if'
      readonly condition: Scalar
      readonly then: readonly Stmt[]
      readonly otherwise: readonly Stmt[]
    }
  /** A local that never changes. */
  | { readonly tag: 'let'; readonly name: string; readonly value: Scalar }
  /**
   * A local that `assign` may change. With `lanes` it is a vector also outside of loops with lanes:
   * partial results, which `across` combines.
   */
  | {
      readonly tag: 'variable'
      readonly name: string
      readonly value: Scalar
      readonly lanes?: Lanes
    }
  | { readonly tag: 'assign'; readonly name: string; readonly value: Scalar }
  | { readonly tag: 'store'; readonly buffer: string; readonly at: Index; readonly value: Scalar }

/** An array as a function from index to scalar: fusion is composition of these. */
export type Pull = (index: readonly Index[]) => Scalar

/** An input of a lowering: its type, and how to read an element. */
export interface Source {
  readonly shape: Shape
  readonly dtype: DType
  readonly at: Pull
}

/** An array in memory, row-major and contiguous. */
export interface Buffer {
  readonly name: string
  readonly shape: Shape
  readonly dtype: DType
}
