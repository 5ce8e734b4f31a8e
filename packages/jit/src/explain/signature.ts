/** What a variant was compiled for, remembered without keeping anything alive. */
import {
  type Aval,
  type Structure,
  leafAval,
  leafPaths,
  sameShape,
  showShape,
} from '@cotangent/core'
import type { Call } from '../variant.ts'

/** A static argument: a value, or the identity of an object. */
export interface StaticValue {
  readonly position: number
  readonly shown: string
  readonly is: (value: unknown) => boolean
  /** The object, as long as somebody else keeps it. */
  readonly object: () => object | null
}

export interface Signature {
  readonly structure: Structure
  readonly types: readonly Aval[]
  readonly statics: readonly StaticValue[]
}

export const signatureOf = (args: readonly unknown[], call: Call): Signature => ({
  structure: call.structure,
  types: call.leaves.map(leafAval),
  statics: call.staticArgs.map((position) => staticValue(position, args[position])),
})

const isObject = (value: unknown): value is object =>
  typeof value === 'function' || (typeof value === 'object' && value !== null)

const staticValue = (position: number, value: unknown): StaticValue => {
  if (!isObject(value)) {
    const shown = typeof value === 'string' ? JSON.stringify(value) : String(value)
    return { position, shown, is: (other) => Object.is(value, other), object: () => null }
  }
  const reference = new WeakRef(value)
  return {
    position,
    shown: showObject(value),
    is: (other) => reference.deref() === other && other !== undefined,
    object: () => reference.deref() ?? null,
  }
}

const showObject = (value: object): string => {
  if (typeof value === 'function') {
    return value.name === '' ? 'a nameless function' : `function ${value.name}`
  }
  if (Array.isArray(value)) return `a list of ${value.length}`
  const name = typeof value.constructor === 'function' ? value.constructor.name : ''
  const fields = Object.keys(value).slice(0, 4).join(', ')
  return name === '' || name === 'Object' ? `{ ${fields} }` : `${name} { ${fields} }`
}

/** Whether two variants are for the same calls. */
export const sameSignature = (a: Signature, b: Signature): boolean =>
  a.structure.key === b.structure.key &&
  a.types.every((type, i) => sameAval(type, b.types[i]!)) &&
  sameStatics(a, b)

const sameStatics = (a: Signature, b: Signature): boolean =>
  a.statics.length === b.statics.length &&
  a.statics.every((x, i) => x.position === b.statics[i]!.position && sameStatic(x, b.statics[i]!))

export const sameStatic = (a: StaticValue, b: StaticValue): boolean => {
  const [x, y] = [a.object(), b.object()]
  return x === null && y === null ? a.shown === b.shown : x === y
}

export const sameAval = (a: Aval, b: Aval): boolean =>
  a === b || (a.dtype === b.dtype && a.weak === b.weak && sameShape(a.shape, b.shape))

/** `float32[32,784]`; the type of a plain number is marked. */
export const showType = ({ dtype, shape, weak }: Aval): string =>
  `${dtype}${showShape(shape)}${weak ? ' (weak)' : ''}`

/** The leaves by where they are: `args[0].x`. */
export const leavesByPath = ({ structure, types }: Signature): ReadonlyMap<string, Aval> =>
  new Map(leafPaths(structure).map((path, i) => [`args${path}`, types[i]!]))

/** `args[0].x: float32[3], args[1] = 2`; the first few leaves of many. */
export const showSignature = (signature: Signature): string => {
  const leaves = [...leavesByPath(signature)]
  const shown = leaves.slice(0, 6).map(([path, type]) => `${path}: ${showType(type)}`)
  const more = leaves.length > 6 ? [`… ${leaves.length - 6} more`] : []
  const statics = signature.statics.map((s) => `args[${s.position}] = ${s.shown}`)
  const all = [...shown, ...more, ...statics]
  return all.length === 0 ? 'no arguments' : all.join(', ')
}
