/** A Flax module written as a call, `nn.RNN(nn.GRUCell(features=3), reverse=True)`, taken apart. */
import { Parser } from './python/parse.ts'
import type { Expr } from './python/syntax.ts'

export interface Module {
  /** `GRUCell`. */
  readonly name: string
  readonly args: readonly Value[]
  readonly options: { readonly [name: string]: Value }
}
export type Value = null | boolean | number | string | Module | readonly Value[]

const lastName = (expr: Expr): string =>
  expr.kind === 'name' ? expr.id : expr.kind === 'attribute' ? expr.name : expr.kind

const valueOf = (expr: Expr): Value => {
  switch (expr.kind) {
    case 'int':
    case 'float':
    case 'string':
    case 'constant':
      return expr.value
    case 'list':
      return expr.items.map(valueOf)
    case 'unary': {
      const x = valueOf(expr.x)
      return typeof x === 'number' && expr.operator === '-' ? -x : x
    }
    case 'call':
      return moduleOf(expr)
    default:
      // `nn.relu`: the function of that name.
      return lastName(expr)
  }
}

const moduleOf = (expr: Expr): Module => {
  if (expr.kind !== 'call') return { name: lastName(expr), args: [], options: {} }
  const options: Record<string, Value> = {}
  const args: Value[] = []
  for (const { name, value } of expr.args) {
    if (name === null) args.push(valueOf(value))
    else options[name] = valueOf(value)
  }
  return { name: lastName(expr.f), args, options }
}

export const parseModule = (formula: string): Module => moduleOf(new Parser(formula).expression())

export const isModule = (value: Value | undefined): value is Module =>
  typeof value === 'object' && value !== null && 'options' in value
