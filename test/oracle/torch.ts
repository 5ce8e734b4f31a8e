/** Running a case with outputs, cotangents and gradients, as the `torch/` files have them. */
import { type Tensor, vjp } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { np } from '@cotangent/ops'
import {
  type CompareOptions,
  type GoldenCase,
  type Json,
  type Outcome,
  type TensorJson,
  decodeTensor,
  difference,
  failed,
  leftOut,
  passed,
} from './cases.ts'

export type Tensors = Readonly<Record<string, Tensor>>

/** Attributes, read with the type that is wanted. */
export interface Attributes {
  readonly number: (name: string, fallback?: number) => number
  readonly numbers: (name: string) => readonly number[]
  readonly maybeNumbers: (name: string) => readonly number[] | null
  readonly has: (name: string) => boolean
  readonly flag: (name: string) => boolean
  readonly pairs: (name: string) => readonly (readonly [number, number])[]
  readonly text: (name: string, fallback?: string) => string
}

const wrong = (name: string): Error => new Error(`attribute ${name} is not what was expected`)

export const attributesOf = (attrs: { readonly [name: string]: Json }): Attributes => {
  const list = (name: string): readonly Json[] => {
    const value = attrs[name]
    if (value instanceof Array) return value
    throw wrong(name)
  }
  return {
    number: (name, fallback) => {
      const value = attrs[name] ?? fallback
      if (typeof value === 'number') return value
      throw wrong(name)
    },
    numbers: (name) => list(name).map(Number),
    maybeNumbers: (name) => (attrs[name] === undefined ? null : list(name).map(Number)),
    has: (name) => attrs[name] !== undefined,
    flag: (name) => attrs[name] === true,
    pairs: (name) =>
      list(name).map((pair): readonly [number, number] => {
        if (pair instanceof Array) return [Number(pair[0]), Number(pair[1])]
        throw wrong(name)
      }),
    text: (name, fallback) => {
      const value = attrs[name] ?? fallback
      if (typeof value === 'string') return value
      throw wrong(name)
    },
  }
}

/** From inputs by name to outputs by name. */
export type Operation = (inputs: Tensors, attrs: Attributes) => Tensors

const isTensor = (json: Json | TensorJson): json is TensorJson =>
  typeof json === 'object' && json !== null && 'shape' in json && 'data' in json

/** The tensors among the inputs. */
export const decodeInputs = (inputs: { readonly [name: string]: Json | TensorJson }): Tensors =>
  Object.fromEntries(
    Object.entries(inputs).flatMap(([name, json]) =>
      isTensor(json) ? [[name, decodeTensor(json)]] : [],
    ),
  )

const pick = (tensors: Tensors, names: readonly string[]): Tensors =>
  Object.fromEntries(names.map((name) => [name, tensors[name]!]))

interface Results {
  readonly outputs: Tensors
  readonly grads: Tensors
}

// Outputs and the gradients of Σ output · cotangent, as one function of the inputs.
const withGradients =
  (operation: Operation, c: GoldenCase, attrs: Attributes, wrt: readonly string[]) =>
  (inputs: Tensors): Results => {
    const f = (chosen: Tensors): Tensors => operation({ ...inputs, ...chosen }, attrs)
    if (wrt.length === 0) return { outputs: f({}), grads: {} }
    const [outputs, pullback] = vjp(f, pick(inputs, wrt))
    const cotangents = Object.fromEntries(
      Object.entries(outputs).map(([name, y]) => {
        const ct = c.cotangents?.[name]
        return [name, ct === undefined ? np.zerosLike(y) : decodeTensor(ct)]
      }),
    )
    return { outputs, grads: pullback(cotangents)[0] }
  }

const compare = (
  label: string,
  got: Tensors,
  expected: { readonly [name: string]: Json | TensorJson },
  c: GoldenCase,
  options: CompareOptions,
): string | null => {
  for (const [name, json] of Object.entries(expected)) {
    if (!isTensor(json)) return `${label} ${name}: the case holds no tensor`
    const leaf = got[name]
    if (leaf === undefined) return `${label}: no ${name}`
    const message = difference(leaf, json, c.tol ?? 'exact', options)
    if (message !== null) return `${label} ${name}: ${message}`
  }
  return null
}

/** Runs a case eagerly and compiled, outputs and gradients. */
export const runCase = (
  operations: Readonly<Record<string, Operation>>,
  c: GoldenCase,
  options: CompareOptions = { scaled: true },
): Outcome => {
  const operation = operations[c.op]
  if (operation === undefined) return leftOut(`${c.op} is not built yet`)
  const inputs = decodeInputs(c.inputs)
  const run = withGradients(operation, c, attributesOf(c.attrs), Object.keys(c.grads ?? {}))
  const ways: readonly (readonly [string, typeof run])[] = [
    ['eager', run],
    ['compiled', jit(run)],
  ]
  for (const [way, f] of ways) {
    const { outputs, grads } = f(inputs)
    const message =
      compare(`${way}, output`, outputs, c.outputs, c, options) ??
      compare(`${way}, gradient of`, grads, c.grads ?? {}, c, options)
    if (message !== null) return failed(message)
  }
  return passed
}

/** The first difference among several named results, or null. */
export const firstDifference = (
  got: Tensors,
  expected: Readonly<Record<string, TensorJson>>,
  c: Pick<GoldenCase, 'tol'>,
  names: readonly string[],
): string | null => {
  for (const name of names) {
    const message = difference(got[name]!, expected[name]!, c.tol ?? 'exact', { scaled: true })
    if (message !== null) return `${name}: ${message}`
  }
  return null
}
