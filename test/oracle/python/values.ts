/** Values of formulas, and how they become ours. */
import { type DType, Tensor, full } from '@cotangent/core'

/** A Python float: 2.0 promotes differently from 2. */
export class PyFloat {
  readonly value: number
  constructor(value: number) {
    this.value = value
  }
}

export class PySlice {
  readonly start: number | null
  readonly stop: number | null
  readonly step: number | null
  constructor(start: number | null, stop: number | null, step: number | null) {
    this.start = start
    this.stop = stop
    this.step = step
  }
}

/** A function of the formula language: positional and keyword arguments. */
export class PyFunction {
  readonly call: (args: readonly unknown[], kwargs: Keywords) => unknown
  readonly attributes: Record<string, unknown>
  constructor(call: (args: readonly unknown[], kwargs: Keywords) => unknown, attributes: Record<string, unknown> = {}) {
    this.call = call
    this.attributes = attributes
  }
}

export type Keywords = Readonly<Record<string, unknown>>
export const ellipsis: unique symbol = Symbol('...')

export class LeftOut extends Error {}
/** Something that neither the formula language nor the library has. */
export const missing = (what: string): LeftOut => new LeftOut(what)

export const isDict = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype

/** A plain number, whatever its Python type. */
export const numberOf = (value: unknown): number => {
  if (value instanceof PyFloat) return value.value
  if (value instanceof Tensor) return value.item()
  if (typeof value === 'number' || typeof value === 'boolean') return Number(value)
  if (value === 'Infinity' || value === '-Infinity' || value === 'NaN') return Number(value)
  throw new TypeError(`not a number: ${String(value)}`)
}

/** What the library takes for a value: a float of integral value is a weak float scalar. */
export const toApi = (value: unknown): unknown => {
  if (value instanceof PyFloat) {
    return Number.isInteger(value.value) || !Number.isFinite(value.value)
      ? full([], value.value, 'float32', true)
      : value.value
  }
  if (value instanceof PyFunction) return asFunction(value)
  if (Array.isArray(value)) return listToApi(value)
  if (isDict(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toApi(v)]))
  return value
}

const holdsTensor = (list: readonly unknown[]): boolean =>
  list.some((v) => v instanceof Tensor || v instanceof PyFunction || isDict(v) || (Array.isArray(v) && holdsTensor(v)))

const listToApi = (list: readonly unknown[]): unknown =>
  holdsTensor(list) ? list.map(toApi) : plain(list)

/** Numbers and lists of them without Python types. */
export const plain = (value: unknown): unknown => {
  if (value instanceof PyFloat) return value.value
  return Array.isArray(value) ? value.map(plain) : value
}

/** A function of the formula language as one of ours. */
export const asFunction = (f: PyFunction): ((...args: readonly unknown[]) => unknown) =>
  (...args) => toApi(f.call(args, {}))

export const isFunction = (value: unknown): value is (...args: readonly unknown[]) => unknown =>
  typeof value === 'function'

/** The dtype that nested literals have. */
export const literalDType = (value: unknown): DType => {
  const leaves = (v: unknown): readonly unknown[] => (Array.isArray(v) ? v.flatMap(leaves) : [v])
  const all = leaves(value)
  if (all.length === 0 || all.some((v) => v instanceof PyFloat)) return 'float32'
  return all.every((v) => typeof v === 'boolean') ? 'bool' : 'int32'
}
