/** The transforms of minimal filtering F(2×2, 3×3), as expressions. */
import { type Scalar, type Stmt, range, scalars } from '@cotangent/core'

const { binaryOp, local } = scalars

export const add = (x: Scalar, y: Scalar): Scalar => binaryOp('add', x, y)
export const sub = (x: Scalar, y: Scalar): Scalar => binaryOp('subtract', x, y)

/** Values of expressions as locals, so that each is computed once. */
export class Locals {
  readonly statements: Stmt[] = []
  readonly #prefix: string

  constructor(prefix: string) {
    this.#prefix = prefix
  }

  keep(value: Scalar): Scalar {
    const name = `${this.#prefix}${this.statements.length}`
    this.statements.push({ tag: 'let', name, value })
    return local(value.dtype, name)
  }
}

export type Line = (values: readonly Scalar[]) => readonly Scalar[]

// Bᵀ, G and Aᵀ of F(2, 3) along one axis.
export const inputLine: Line = ([d0, d1, d2, d3]) => [
  sub(d0!, d2!),
  add(d1!, d2!),
  sub(d2!, d1!),
  sub(d1!, d3!),
]
export const outputLine: Line = ([m0, m1, m2, m3]) => [
  add(add(m0!, m1!), m2!),
  sub(sub(m1!, m2!), m3!),
]

/** A transform along columns, then along rows; values are numbered row by row. */
export const bothWays = (
  locals: Locals,
  values: readonly Scalar[],
  width: number,
  line: Line,
): readonly Scalar[] => {
  const height = values.length / width
  const columns = range(width).map((j) =>
    line(range(height).map((i) => values[i * width + j]!)).map((v) => locals.keep(v)),
  )
  return range(columns[0]!.length).flatMap((i) =>
    line(columns.map((column) => column[i]!)).map((v) => locals.keep(v)),
  )
}
