/** One step of a register tile: operands read once each, then the arithmetic of every output. */
import { type DType, type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { substitution } from '../rewrite.ts'
import type { Accumulator } from './nest.ts'
import type { Operand } from './operands.ts'

const { local } = scalars

/** One vector of outputs (or of terms) of a tile. */
export interface Point {
  /** What its accumulators' names end in. */
  readonly suffix: string
  /** Where it lies: the counters of the nest, as indices of the tile's own loops. */
  readonly counters: ReadonlyMap<string, Index>
  /** Which copy it is along each tiled dim. */
  readonly copies: ReadonlyMap<string, number>
}

export interface StepPattern {
  readonly accumulators: readonly Accumulator[]
  /** The dtypes that the steps compute in. */
  readonly dtypes: readonly DType[]
  readonly steps: readonly Scalar[]
  readonly operands: readonly Operand[]
  readonly associative: boolean
  /** An operand's value at a point. */
  readonly read: (operand: Operand, point: Point) => Scalar
  /** Where it matters that a term exists: the condition, and what to use otherwise. */
  readonly masked?: (value: Scalar, a: number) => Scalar
}

export const accumulatorName = (a: Accumulator, point: Point): string => `${a.name}${point.suffix}`

// Which copies of an operand are the same: those that differ only along dims it does not depend on.
const keyOf = (operand: Operand, point: Point): string =>
  [...point.copies].flatMap(([dim, n]) => (operand.counters.has(dim) ? [`${n}`] : [])).join('_')

/** Assignments of one step for every point: vectors first, then row by row. */
export const stepStatements = (
  pattern: StepPattern,
  points: readonly Point[],
  rowDims: readonly string[],
): readonly Stmt[] => {
  const statements: Stmt[] = []
  const done = new Map<string, Scalar>()
  const operandAt = (operand: Operand, point: Point): Scalar => {
    const name = `${operand.name}_${keyOf(operand, point)}`
    const known = done.get(name)
    if (known !== undefined) return known
    const value = pattern.read(operand, point)
    statements.push({ tag: 'let', name, value })
    const read = local(value.dtype, name)
    done.set(name, read)
    return read
  }
  for (const operand of pattern.operands) {
    if (rowDims.some((d) => operand.counters.has(d))) continue
    for (const point of points) operandAt(operand, point)
  }
  for (const point of points) {
    const locals = new Map<string, Scalar>()
    for (const operand of pattern.operands) locals.set(operand.name, operandAt(operand, point))
    pattern.accumulators.forEach((a, n) => {
      locals.set(a.name, local(pattern.dtypes[n]!, accumulatorName(a, point)))
    })
    const rewriter = substitution({ counters: point.counters, locals })
    const values = pattern.steps.map((s, a) => {
      const value = rewriter.scalar(s)
      return pattern.masked === undefined ? value : pattern.masked(value, a)
    })
    statements.push(...assigned(pattern, point, values))
  }
  return statements
}

// Unless they are independent, all next values are computed before any changes.
const assigned = (
  { accumulators, associative }: StepPattern,
  point: Point,
  values: readonly Scalar[],
): readonly Stmt[] => {
  const names = accumulators.map((a) => accumulatorName(a, point))
  if (associative || values.length === 1) {
    return values.map((value, n): Stmt => ({ tag: 'assign', name: names[n]!, value }))
  }
  return [
    ...values.map((value, n): Stmt => ({ tag: 'let', name: `${names[n]!}_next`, value })),
    ...values.map((value, n): Stmt => {
      const next = local(value.dtype, `${names[n]!}_next`)
      return { tag: 'assign', name: names[n]!, value: next }
    }),
  ]
}
