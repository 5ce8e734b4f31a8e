/** Graphs as keys: two that compute the same, on the same constants, give equal lists. */
import {
  type Aval,
  type Atom,
  type Graph,
  Literal,
  type Var,
  isGraph,
  typeId,
} from '@cotangent/core'
import { hashParams, idOf, mix } from './params.ts'

/** Numbers, text, and objects that count by identity. */
export type Tokens = readonly unknown[]

const isList = (value: unknown): value is readonly unknown[] => Array.isArray(value)

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

const pushGraph = ({ inputs, equations, outputs }: Graph, out: unknown[]): void => {
  const numbers = new Map<Var, number>()
  const declare = (variables: readonly Var[]): void => {
    out.push(variables.length)
    for (const v of variables) {
      numbers.set(v, numbers.size)
      out.push(typeId(v.aval))
    }
  }
  const push = (atom: Atom): void => {
    if (!(atom instanceof Literal)) {
      out.push(numbers.get(atom))
      return
    }
    const { value } = atom
    // Loop bodies make their small constants anew each time that they are traced.
    if (value.size === 1) out.push('scalar', typeId(value.aval), value.item())
    else out.push(value)
  }
  declare(inputs)
  out.push(equations.length)
  for (const { primitive, inputs: operands, params, outputs: results } of equations) {
    out.push(idOf(primitive), operands.length)
    operands.forEach(push)
    pushParams(params, out)
    declare(results)
  }
  out.push(outputs.length)
  outputs.forEach(push)
}

const pushParams = (value: unknown, out: unknown[]): void => {
  if (isList(value)) {
    out.push('list', value.length)
    for (const item of value) pushParams(item, out)
  } else if (isGraph(value)) {
    out.push('graph')
    pushGraph(value, out)
  } else if (isRecord(value)) {
    const names = Object.keys(value)
    out.push('record', names.length)
    for (const name of names) {
      out.push(name)
      pushParams(value[name], out)
    }
  } else out.push(value)
}

/** A call of a primitive whose parameters hold graphs. */
export const tokensOf = (types: readonly Aval[], params: unknown): Tokens => {
  const out: unknown[] = [types.length]
  for (const type of types) out.push(typeId(type))
  pushParams(params, out)
  return out
}

export const hashTokens = (tokens: Tokens): number => {
  let hash = tokens.length
  for (const token of tokens) {
    const isObject = typeof token === 'object' && token !== null
    hash = isObject ? mix(hash, idOf(token)) : hashParams(hash, token)
  }
  return hash
}

export const sameTokens = (a: Tokens, b: Tokens): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!Object.is(a[i], b[i])) return false
  return true
}
