/**
 * A primitive is one record with every rule: typing, evaluation, JVP, transpose, batching,
 * lowering. No field is optional; what does not apply is a named constant (`zero`, `nonlinear`,
 * `wholeEquation`). Variadic, multi-output and graph-holding primitives use the same record.
 */
import type { Aval } from './aval.ts'
import type { DType, TypedArray } from './dtype.ts'
import type { Graph } from './graph.ts'
import type { Buffer, Pull, Scalar, Source, Stmt, Index } from './loop.ts'
import type { Shape } from './shape.ts'
import type { Tensor } from './tensor.ts'

/**
 * A concrete array as evaluation rules see it: row-major, contiguous. float16 and bfloat16 arrive
 * decoded to a Float32Array and are returned as one (the caller rounds); bool is 0/1 bytes.
 */
export interface NDArray {
  readonly dtype: DType
  readonly shape: Shape
  readonly data: TypedArray
}

/** Slot names of a fixed-arity primitive (`['x', 'y']`), or `variadic`. */
export type Slots = readonly string[]
/** For primitives that take any number of inputs; their rules get plain arrays. */
export const variadic: readonly string[] = Object.freeze([])

/** One `T` for each slot, as a tuple: rules destructure `([x, y])` with checked arity. */
export type Each<S extends Slots, T> = { readonly [K in keyof S]: T }

/** This input's tangent never reaches the output (a mask, an index, a shape). */
export const zero = 'zero'
/** This input is never linear: it cannot appear as one in the linear part of a program. */
export const nonlinear = 'nonlinear'
export type Zero = typeof zero
export type NonLinear = typeof nonlinear

/** A tangent or cotangent; null is a symbolic zero that is never materialised. */
export type MaybeZero = Tensor | null

/** One term of a single-output JVP: what `tangent` of this slot adds to the output's tangent. */
export type JvpTerm<S extends Slots, P> = (
  tangent: Tensor,
  inputs: Each<S, Tensor>,
  output: Tensor,
  params: P,
) => Tensor

/** A whole JVP, for variadic, multi-output and graph-holding primitives. */
export type WholeJvp<S extends Slots, P> = (
  inputs: Each<S, Tensor>,
  tangents: Each<S, MaybeZero>,
  params: P,
) => { readonly outputs: readonly Tensor[]; readonly tangents: readonly MaybeZero[] }

/**
 * The cotangent of this slot, given the single output's. Linear inputs are placeholders that have a
 * type but no value; `type` is this slot's.
 */
export type TransposeTerm<S extends Slots, P> = (
  cotangent: Tensor,
  inputs: Each<S, Tensor>,
  params: P,
  type: Aval,
) => Tensor

/** Cotangents of every input (null for nonlinear ones and zeros), given those of every output. */
export type WholeTranspose<S extends Slots, P> = (
  cotangents: readonly MaybeZero[],
  inputs: Each<S, Tensor>,
  params: P,
  types: { readonly inputs: Each<S, Aval>; readonly outputs: readonly Aval[] },
) => readonly MaybeZero[]

/** The vmapped axis: how long it is and what collectives call it. */
export interface BatchAxis {
  readonly size: number
  readonly name: string | null
}

/** Where an operand or result carries the batch axis; null: not at all. */
export type BatchDim = number | null

/** Runs the primitive over a batch. At least one input is batched. */
export type BatchRule<S extends Slots, P> = (
  inputs: Each<S, Tensor>,
  dims: Each<S, BatchDim>,
  params: P,
  axis: BatchAxis,
) => { readonly outputs: readonly Tensor[]; readonly dims: readonly BatchDim[] }

/**
 * How linearisation splits an equation whose inputs are partly tangent-dependent. Primitives that
 * hold no graph are `wholeEquation`: they are linear as a whole. Graph-holding ones split their
 * graph: the known half runs forward, and the linear half receives its residuals.
 */
export type Partition<P> = typeof wholeEquation | SplitRule<P>
export const wholeEquation = 'wholeEquation'

export interface Split {
  /** Primal half: from the known inputs, bound now. */
  readonly known: {
    readonly outputs: readonly Tensor[]
    /** Outer tensors the linear half reads beside the linear inputs. */
    readonly residuals: readonly Tensor[]
  }
  /** Which original outputs are tangent-dependent; the rest are `known.outputs`, in order. */
  readonly linearOutputs: readonly boolean[]
  /** Binds the linear half, giving the tangent-dependent outputs in order. */
  readonly linear: (
    residuals: readonly Tensor[],
    linearInputs: readonly Tensor[],
  ) => readonly Tensor[]
}

/**
 * `inputs[i]` is a tensor where known and null where tangent-dependent (its type is in `types`).
 * The known half is bound by the rule itself; `linear` is called later, with the linear inputs.
 */
export type SplitRule<P> = (
  inputs: readonly (Tensor | null)[],
  types: readonly Aval[],
  params: P,
) => Split

/** How much computing one element again would cost; decides whether fusion may duplicate it. */
export type Cost = 'movement' | 'cheap' | 'expensive'

/** A reduction over `extents`, for each output index. */
export interface Reduction {
  readonly extents: Shape
  /** The accumulators, their dtypes and starting values. */
  readonly accumulators: readonly { readonly dtype: DType; readonly initial: number }[]
  /**
   * The next values of the accumulators, from their current ones. A sum is
   * `[add(acc, convert(x))]`: the compiler recognises `acc + f` as associative and may split it.
   */
  readonly step: (
    accumulators: readonly Scalar[],
    output: readonly Index[],
    reduced: readonly Index[],
  ) => readonly Scalar[]
  /** The outputs, from the final accumulators. */
  readonly finish: (accumulators: readonly Scalar[]) => readonly Scalar[]
}

/**
 * What a control-flow primitive is to the compiler. The parameters of a loop or branch are the
 * fields of its region, so that passes can rebuild its equation around other graphs.
 */
export type Region =
  /** Runs the graph once: `jit`, `checkpoint`, custom rules. Always inlined. */
  | {
      readonly kind: 'call'
      readonly graph: Graph
      /** Its equations must not be merged with equal ones outside: recomputation is the point. */
      readonly barrier: boolean
    }
  /** Inputs `[...constants, ...carry, ...xs]`, outputs `[...carry, ...ys]`; so is the body, with one slice of xs and ys. */
  | {
      readonly kind: 'scan'
      readonly body: Graph
      readonly length: number
      readonly reverse: boolean
      readonly constants: number
      readonly carries: number
    }
  /** Inputs `[...conditionConstants, ...bodyConstants, ...carry]`; outputs the carry. */
  | {
      readonly kind: 'while'
      readonly condition: Graph
      readonly body: Graph
      readonly conditionConstants: number
      readonly bodyConstants: number
    }
  /** Inputs `[int32 index, ...operands]`; the index is clamped to the branches. */
  | { readonly kind: 'branch'; readonly branches: readonly Graph[] }
  /** Calls back into JavaScript with the input arrays: `debug.print`, `debug.check`. */
  | { readonly kind: 'host'; readonly call: (inputs: readonly NDArray[]) => readonly NDArray[] }

/** What becomes of a finished element: statements in place. */
export type Write = (index: readonly Index[], value: Scalar) => readonly Stmt[]

/** Memory that a lowering needs while it runs. */
export interface ScratchType {
  readonly shape: Shape
  readonly dtype: DType
}

/**
 * Tiles that finish a slab before they begin another: some rows of an image in all of its channels,
 * `[image, :, first … first + rows - 1, …]`.
 */
export interface Slabs {
  /** Divides the rows of the output. */
  readonly rows: number
  readonly scratch: readonly ScratchType[]
  /**
   * As of the tiles, with `finished` where a slab is complete: slabs count row by row, image by image.
   * One may be finished twice.
   */
  readonly emit: (
    inputs: readonly Buffer[],
    scratch: readonly Buffer[],
    write: Write,
    finished: (slab: Index) => readonly Stmt[],
  ) => readonly Stmt[]
}

/** How the compiler makes the outputs. */
export type Lowering =
  /** One scalar for each output element. All outputs have one shape. */
  | { readonly tag: 'pull'; readonly cost: Cost; readonly outputs: readonly Pull[] }
  /** A reduction for each output element. All outputs have one shape. */
  | { readonly tag: 'reduce'; readonly reduction: Reduction }
  /** Statements of its own over buffers: sort, scatter, cumulative. */
  | {
      readonly tag: 'routine'
      readonly emit: (
        inputs: readonly Buffer[],
        outputs: readonly Buffer[],
        scratch: readonly Buffer[],
      ) => readonly Stmt[]
      /** Further buffers the routine needs. */
      readonly scratch: readonly ScratchType[]
      /** `inPlace[o]` is the input that output `o` starts as a copy of (the compiler copies or, where the input dies, reuses it), or null. */
      readonly inPlace: readonly (number | null)[]
    }
  /**
   * Statements of its own that make every element of the one output and hand it to `write`, as tiles do:
   * point-wise work on the output follows where an element is made. An element may be made twice.
   */
  | {
      readonly tag: 'tiles'
      readonly emit: (
        inputs: readonly Buffer[],
        scratch: readonly Buffer[],
        write: Write,
      ) => readonly Stmt[]
      /** Memory that the tiles need. */
      readonly scratch: readonly ScratchType[]
      /** The same in slabs of about so many rows; null where tiles do not come in slabs. */
      readonly slabs: ((rows: number) => Slabs | null) | null
    }
  /** Rewrites itself into other primitives; called while tracing a replacement. */
  | { readonly tag: 'expand'; readonly expand: (inputs: readonly Tensor[]) => readonly Tensor[] }
  | { readonly tag: 'region'; readonly region: Region }

export type LowerRule<S extends Slots, P> = (
  inputs: Each<S, Source>,
  params: P,
  types: { readonly inputs: Each<S, Aval>; readonly outputs: readonly Aval[] },
) => Lowering

export interface Primitive<S extends Slots, P> {
  readonly name: string
  /** Slot names, or `variadic`. */
  readonly slots: S
  /** Output types from input types; throws ShapeError or DTypeError. */
  readonly typing: (inputs: Each<S, Aval>, params: P) => readonly Aval[]
  /** The reference: plain loops. `types` are the outputs'. */
  readonly evaluate: (
    inputs: Each<S, NDArray>,
    params: P,
    types: readonly Aval[],
  ) => readonly NDArray[]
  readonly jvp: { readonly [K in S[number]]: JvpTerm<S, P> | Zero } | WholeJvp<S, P>
  readonly transpose:
    | { readonly [K in S[number]]: TransposeTerm<S, P> | NonLinear }
    | WholeTranspose<S, P>
  readonly partition: Partition<P>
  readonly batch: BatchRule<S, P>
  readonly lower: LowerRule<S, P>
  /** True where running it matters even if its result is not used. */
  readonly effectful: boolean
}

// An equation has forgotten the slots and parameters of its primitive.
// oxlint-disable-next-line typescript/no-explicit-any -- the one place named in the style guide
export type AnyPrimitive = Primitive<any, any>

/** Identity at run time; checks at compile time that the record is complete. */
export const definePrimitive = <const S extends Slots, P>(
  record: Primitive<S, P>,
): Primitive<S, P> => Object.freeze(record)
