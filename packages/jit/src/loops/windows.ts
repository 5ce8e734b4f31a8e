/**
 * Reductions over a few neighbours of every output: pooling, and the gradients of pooling. Each
 * output's terms are written out, so that what is left are parallel loops over outputs, in which
 * neighbours are computed side by side.
 */
import { type DType, type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { accessesOf } from './access.ts'
import { foldScalar } from './fold.ts'
import { quickRow } from './quickWindows.ts'
import { substitution } from './rewrite.ts'
import { narrowFinish, narrowSteps } from './vector/narrow.ts'
import {
  type Nest,
  type VectorReductionSpec,
  finishWith,
  loopOver,
  mergedNestOf,
} from './vector/nest.ts'
import { splitOperands } from './vector/operands.ts'
import { extentOf } from './vector/tiles.ts'

const { binaryOp, constant, literal, local } = scalars

/** Terms that are written out. */
const mostTerms = 64
/** Neighbours for which shared factors are worth loading. */
const shortest = 8
/** Elements between the windows of neighbouring outputs. */
const mostApart = 4

/** Statements for a reduction over windows; null where it is none. */
export const emitWindows = (spec: VectorReductionSpec): readonly Stmt[] | null => {
  if (spec.outputs.length === 0) return null
  const nest = mergedNestOf(spec)
  const terms = extentOf(nest.reduced)
  if (terms === 0 || terms > mostTerms || !hasWindows(nest, terms)) return null
  const narrow = narrowSteps(nest)
  const finish = narrow === null ? null : narrowFinish(nest)
  const narrowing = narrow !== null && finish !== null
  const steps = narrowing ? narrow : nest.steps
  const dtypes = nest.accumulators.map((a, n): DType => (narrowing ? steps[n]!.dtype : a.dtype))
  const finished = narrowing ? finish : nest.finish
  const counters = termsOf(nest)
  const body = writtenOut(nest, steps, dtypes, finished, counters)
  const [row, ...around] = nest.outputs.toReversed()
  const exact = loopOver(row!.name, row!.extent, body, true)
  return around.reduce<readonly Stmt[]>(
    (inner, d) => [loopOver(d.name, d.extent, inner, true)],
    quickRow(nest, steps, finished, counters, exact) ?? [exact],
  )
}

// The counters of every term.
const termsOf = ({ reduced }: Nest): Terms =>
  positionsIn(reduced.map((d) => d.extent)).map(
    (at) => new Map<string, Index>(reduced.map((d, n) => [d.name, constant(at[n]!)])),
  )

/** Factors that wait in registers while neighbours are computed. */
const mostFactors = 9

/**
 * Whether every operand belongs to one output, and those of neighbours are neighbours. Factors that
 * outputs side by side share are fine, too, if there are few: the kernel of a depthwise convolution.
 */
const hasWindows = (nest: Nest, terms: number): boolean => {
  const { outputs, steps } = nest
  const inner = outputs.findLast((d) => d.extent > 1)
  if (inner === undefined) return false
  const { operands } = splitOperands(nest, steps)
  const moves = operands.filter((o) => o.counters.has(inner.name))
  if (moves.length === 0) return false
  if (moves.length < operands.length && (terms > mostFactors || inner.extent < shortest))
    return false
  return moves.every((operand) => {
    if (outputs.some((d) => d.extent > 1 && !operand.counters.has(d.name))) return false
    return accessesOf([operand.value]).every(({ strides, uneven }) => {
      const stride = strides.get(inner.name) ?? 0
      return uneven.has(inner.name) || (stride >= 1 && stride <= mostApart)
    })
  })
}

const writtenOut = (
  nest: Nest,
  steps: readonly Scalar[],
  dtypes: readonly DType[],
  finish: readonly Stmt[],
  terms: Terms,
): readonly Stmt[] => {
  const { accumulators } = nest
  const statements: Stmt[] = []
  const bind = (name: string, value: Scalar): Scalar => {
    if (value.tag === 'literal' || value.tag === 'local') return value
    statements.push({ tag: 'let', name, value })
    return local(value.dtype, name)
  }
  const initial = accumulators.map((a, n) => literal(dtypes[n]!, a.initial))
  const values = nest.associative?.every(({ op }) => op === 'maximum' || op === 'minimum')
    ? accumulators.map((a, n) => inPairs(steps[n]!, terms, initial[n]!, a.name, bind))
    : oneByOne(nest, steps, terms, initial, bind)
  return [...statements, ...finishWith(finish, accumulators, values)]
}

type Bind = (name: string, value: Scalar) => Scalar
type Terms = readonly ReadonlyMap<string, Index>[]

const oneByOne = (
  { accumulators }: Nest,
  steps: readonly Scalar[],
  terms: Terms,
  initial: readonly Scalar[],
  bind: Bind,
): readonly Scalar[] => {
  const isSum = steps.every((s) => s.tag === 'binary' && s.op === 'add')
  return terms.reduce((before, counters, term) => {
    const locals = new Map(accumulators.map((a, n) => [a.name, before[n]!]))
    const rewriter = substitution({ counters, locals })
    const values = steps.map(rewriter.scalar)
    // Of a sum in one piece, terms that turn out to be nothing go.
    if (isSum) return values
    return values.map((value, n) => bind(`${accumulators[n]!.name}t${term}`, value))
  }, initial)
}

// Extrema are the same in any order, and take long: a tree of them waits less than a chain.
const inPairs = (step: Scalar, terms: Terms, initial: Scalar, name: string, bind: Bind): Scalar => {
  if (step.tag !== 'binary') return initial
  const { op } = step
  let names = 0
  const bound = (value: Scalar): Scalar => bind(`${name}t${names++}`, value)
  let values: readonly Scalar[] = terms.map((counters) =>
    bound(substitution({ counters }).scalar(step.y)),
  )
  while (values.length > 1) {
    values = values.flatMap((x, n) => {
      const y = values[n + 1]
      return n % 2 === 1 ? [] : [y === undefined ? x : bound(foldScalar(binaryOp(op, x, y)))]
    })
  }
  return foldScalar(binaryOp(op, initial, values[0]!))
}

// All positions inside a window, the last dim first.
const positionsIn = (extents: readonly number[]): readonly (readonly number[])[] =>
  extents.reduce<readonly (readonly number[])[]>(
    (found, extent) => found.flatMap((at) => Array.from({ length: extent }, (__, k) => [...at, k])),
    [[]],
  )
