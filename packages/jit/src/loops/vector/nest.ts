/** A reduction as data: its loops, its step and its finish as patterns over counters and locals. */
import {
  type DType,
  type Index,
  type Scalar,
  type Shape,
  type Stmt,
  scalars,
} from '@cotangent/core'
import { type Associative, associativeStep } from '../associative.ts'
import { substitution } from '../rewrite.ts'
import type { Dim } from '../tiling.ts'
import { type Space, collapseDims, splitDims } from './dims.ts'

const { counter, literal, local } = scalars

/** What `emitVectorReduction` takes: `ReductionSpec`, with memory of any dtype. */
export interface VectorReductionSpec {
  /** Prefix of the names it declares; unique among the reductions of one block. */
  readonly name?: string
  /** Parallel loops, outermost first. Empty: the statements land in the caller's own block. */
  readonly outputs: readonly Dim[]
  /** The reduction, outermost first. */
  readonly extents: Shape
  readonly accumulators: readonly { readonly dtype: DType; readonly initial: number }[]
  /** Next values of the accumulators. Called with symbols. */
  readonly step: (
    accumulators: readonly Scalar[],
    output: readonly Index[],
    reduced: readonly Index[],
  ) => readonly Scalar[]
  /** Stores and epilogue of one output. Called with symbols. */
  readonly finish: (accumulators: readonly Scalar[], output: readonly Index[]) => readonly Stmt[]
  /** Stores to make for each term of the only output, which steps may compute with. */
  readonly visits?: (reduced: readonly Index[]) => readonly Stmt[]
  /** Makes memory of so many elements and gives its name. Absent: nothing is packed or split. */
  readonly scratch?: (size: number, dtype: DType) => string
  /**
   * Takes loops that run before the caller's block, where no loop surrounds the block: a long
   * reduction to few values is then split into parts. Absent: the block may stand in loops.
   */
  readonly before?: (phase: readonly Stmt[]) => void
}

export interface Accumulator {
  readonly name: string
  readonly dtype: DType
  readonly initial: number
}

export interface Nest {
  readonly prefix: string
  readonly outputs: readonly Dim[]
  readonly reduced: readonly Dim[]
  readonly accumulators: readonly Accumulator[]
  readonly steps: readonly Scalar[]
  readonly finish: readonly Stmt[]
  readonly visits: readonly Stmt[]
  /** For each accumulator, how partial results combine; null where the order of steps matters. */
  readonly associative: readonly Associative[] | null
}

/** The nest of a specification, with dims split and merged until every load moves evenly. */
export const nestOf = (spec: VectorReductionSpec): Nest =>
  nestIn(spec, (space) => collapseDims(splitDims(space)))

/** The nest of a specification, with dims merged where that keeps indices simple. */
export const mergedNestOf = (spec: VectorReductionSpec): Nest => nestIn(spec, collapseDims)

const nestIn = (spec: VectorReductionSpec, regroup: (space: Space) => Space): Nest => {
  const prefix = spec.name ?? ''
  const reduced = spec.extents.map((extent, d) => ({ name: `${prefix}k${d}`, extent }))
  const accumulators = spec.accumulators.map(({ dtype, initial }, a) => {
    const name = spec.accumulators.length === 1 ? `${prefix}acc` : `${prefix}acc${a}_`
    return { name, dtype, initial }
  })
  const accs = accumulators.map((a) => local(a.dtype, a.name))
  const output = spec.outputs.map((o) => counter(o.name, o.extent))
  const terms = reduced.map((k) => counter(k.name, k.extent))
  const steps = spec.step(accs, output, terms)
  const finish = spec.finish(accs, output)
  const visits = spec.visits?.(terms) ?? []
  const space = regroup({ outputs: spec.outputs, reduced, steps, finish, visits })
  const names = new Set(accumulators.map((a) => a.name))
  const found = space.steps.map((s, n) => associativeStep(s, accumulators[n]!.name, names))
  const associative = found.every((a) => a !== null) ? found : null
  return { prefix, ...space, accumulators, associative }
}

/** The finish with values in place of the accumulators. */
export const finishWith = (
  finish: readonly Stmt[],
  accumulators: readonly Accumulator[],
  values: readonly Scalar[],
): readonly Stmt[] =>
  substitution({ locals: new Map(accumulators.map((a, n) => [a.name, values[n]!])) }).body(finish)

/** What a partial result of an accumulator starts from. */
export const neutralOf = (nest: Nest, a: number): Scalar =>
  literal(nest.accumulators[a]!.dtype, nest.associative![a]!.neutral)

export const loopOver = (
  name: string,
  extent: number,
  body: readonly Stmt[],
  parallel = false,
): Stmt => ({ tag: 'for', counter: name, extent, ...(parallel ? { parallel } : {}), body })
