/**
 * Exponentials of what a row's largest element was taken from, as a softmax has them: never of more than 0,
 * which takes fewer instructions, as their results cannot overflow.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { mapBody, mapIndex, mapScalar, mapStmt } from '../loops/rewrite.ts'

/** Elements of a row whose largest is known: where in memory, by the counters of the row and others. */
export interface Largest {
  readonly buffer: string
  readonly at: Index
}

/** An index as what the row's counters say, and where in the row it may be. */
interface Place {
  readonly row: string
  readonly low: number
  readonly high: number
  /** Whether everything between is meant. */
  readonly isDense: boolean
}

const placeOf = (at: Index, rows: ReadonlySet<string>): Place | null => {
  const { constant, terms } =
    at.tag === 'affine' ? at : { constant: 0, terms: [{ coefficient: 1, term: at }] }
  const row: string[] = []
  const inside: { readonly coefficient: number; readonly most: number }[] = []
  for (const { coefficient, term } of terms) {
    if (term.tag !== 'counter' || coefficient < 0) return null
    if (rows.has(term.name)) row.push(`${coefficient} ${term.name}`)
    else inside.push({ coefficient, most: term.extent - 1 })
  }
  inside.sort((a, b) => a.coefficient - b.coefficient)
  let [high, isDense] = [constant, true]
  for (const { coefficient, most } of inside) {
    isDense &&= coefficient <= high - constant + 1
    high += coefficient * most
  }
  return { row: row.sort().join(), low: constant, high, isDense }
}

/** The statements, in which locals that are the largest of their row are taken from its elements. */
export const withFallingExponentials = (
  body: readonly Stmt[],
  largest: ReadonlyMap<string, Largest>,
  rows: ReadonlySet<string>,
): readonly Stmt[] => {
  if (largest.size === 0) return body
  const isBelow = (x: Scalar): boolean => {
    if (x.tag !== 'binary' || x.op !== 'subtract') return false
    if (x.x.tag !== 'load' || x.y.tag !== 'local') return false
    const known = largest.get(x.y.name)
    if (known === undefined || known.buffer !== x.x.buffer) return false
    const [at, all] = [placeOf(x.x.at, rows), placeOf(known.at, rows)]
    if (at === null || all === null || !all.isDense) return false
    return at.row === all.row && at.low >= all.low && at.high <= all.high
  }
  const memo = new Map<Scalar, Scalar>()
  const scalar = (s: Scalar): Scalar => {
    const known = memo.get(s)
    if (known !== undefined) return known
    const made = mapScalar(s, scalar, index)
    const falls = made.tag === 'unary' && made.op === 'exp' && isBelow(made.x)
    const found = falls ? { ...made, x: negated(made.x) } : made
    memo.set(s, found)
    return found
  }
  const index = (i: Index): Index => mapIndex(i, index, scalar)
  const block = (statements: readonly Stmt[]): readonly Stmt[] =>
    mapBody(statements, (s) => mapStmt(s, scalar, index, block))
  return block(body)
}

// −|x| is x, and says that it is not above 0.
const negated = (x: Scalar): Scalar => scalars.unaryOp('negate', scalars.unaryOp('absolute', x))
