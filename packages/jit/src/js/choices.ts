/**
 * Choices of several variables without branches. Which element of a pooling window wins is a coin
 * toss, and a processor that guesses wrong loses some fifteen cycles; going through memory costs
 * five. Variables from outside the block are left to branches: running choices rarely change.
 */
import { type Scalar, type Stmt, isFloat } from '@cotangent/core'
import { printScalar } from './scalar.ts'
import type { JsScope } from './scope.ts'

type If = Extract<Stmt, { readonly tag: 'if' }>

/** The two candidates of a choice. Choices follow each other, so one pair of cells serves all. */
const cells = new Float64Array(2)

const isAtHand = (x: Scalar): boolean =>
  (x.tag === 'local' || x.tag === 'literal' || x.tag === 'fromIndex') &&
  (isFloat(x.dtype) || x.dtype === 'int32')

/** Lines for an `if` that only replaces variables of its block, or null where it does more. */
export const printChoice = (
  s: If,
  own: ReadonlySet<string>,
  scope: JsScope,
): readonly string[] | null => {
  const assigns = s.then.flatMap((t) => (t.tag === 'assign' ? [t] : []))
  const fits = assigns.every((a) => own.has(a.name) && isAtHand(a.value))
  if (!fits || assigns.length === 0 || assigns.length < s.then.length) return null
  if (s.otherwise.length > 0) return null
  const lines = assigns.map((a) => {
    const name = scope.name(a.name)
    const value = printScalar(a.value, scope).text
    if (a.value.dtype === 'int32')
      return `  ${name} = ${name} + ((${value} - ${name}) & -$take) | 0`
    const memory = scope.link('cells', cells)
    return `  ${memory}[0] = ${name}; ${memory}[1] = ${value}; ${name} = ${memory}[$take]`
  })
  return ['{', `  const $take = Number(${printScalar(s.condition, scope).text})`, ...lines, '}']
}

/** The variables that a block declares itself. */
export const ownVariables = (body: readonly Stmt[]): ReadonlySet<string> =>
  new Set(body.flatMap((s) => (s.tag === 'variable' ? [s.name] : [])))
