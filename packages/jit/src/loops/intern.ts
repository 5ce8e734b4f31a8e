/**
 * Hash-consing: structurally equal expressions get one number. A load's key holds the version of
 * its buffer and a local's that of its variable, so equal numbers mean equal values.
 */
import type { Index, Scalar } from '@cotangent/core'
import { insert } from './insert.ts'

export interface Interner {
  /** The number of a scalar under the current versions. */
  readonly idOf: (s: Scalar) => number
  /** Called where a buffer is stored to or a variable assigned: what reads it gets new numbers. */
  readonly touch: (names: ReadonlySet<string>) => void
  /** The same for one name. */
  readonly touchOne: (name: string) => void
  /** Leaves out the versions of so many calls that change nothing in between. */
  readonly skip: (calls: number) => void
  /** Makes a local stand for a value, so that both have one number. */
  readonly alias: (name: string, id: number) => void
  /** Runs `use`, and forgets the versions and aliases that it made. */
  readonly within: <T>(use: () => T) => T
}

// Operators, dtypes and kinds of nodes: few, so that they need few bits of a key.
const symbols = new Map<string, number>()
const symbol = (text: string): number => {
  const known = symbols.get(text)
  if (known !== undefined) return known
  symbols.set(text, symbols.size)
  return symbols.size - 1
}

// Those that are no operator or dtype of a node.
const none = symbol('')
const affineTerm = symbol('term')
const sum = symbol('sum')
const constantIndex = symbol('constant')
const counterIndex = symbol('counter')
const dataIndex = symbol('data')
const literalScalar = symbol('literal')
const bufferVersion = symbol('buffer')
const loadScalar = symbol('load')
const localScalar = symbol('local')
const selectScalar = symbol('select')
const guardScalar = symbol('guard')
const eitherValue = symbol('either')
const withinScalar = symbol('within')
const rangeOfIndices = symbol('range')
const acrossScalar = symbol('across')
const byOperator = symbol('by')
const fromIndexScalar = symbol('fromIndex')

/** A key holds two symbols of 8 bits and two numbers of 18; larger ones make it a text. */
const numbersInKey = 2 ** 18
const keyOf = (what: number, kind: number, x: number, y: number): number | string =>
  x < numbersInKey && y < numbersInKey
    ? ((what * 256 + kind) * numbersInKey + x) * numbersInKey + y
    : `${what} ${kind} ${x} ${y}`

/** What a name means now. */
interface Meaning {
  readonly version: number
  /** The number of the value that it stands for, if it does. */
  readonly alias: number | undefined
}

/** What a name meant before a change. */
interface Change {
  readonly name: string
  readonly before: Meaning | undefined
}

/**
 * Numbers for expressions. `mayChange` tells which buffers may be stored to; what reads no others, and
 * no local, keeps its number for good.
 */
export const makeInterner = (mayChange: (buffer: string) => boolean = () => true): Interner => {
  const ids = new Map<number | string, number>()
  const names = new Map<string, number>()
  const values = new Map<number, number>()
  const meanings = new Map<string, Meaning>()
  const changes: Change[] = []
  let nextVersion = 1
  let scalarMemo = new Map<Scalar, number>()
  let indexMemo = new Map<Index, number>()
  const lastingScalars = new Map<Scalar, number>()
  const lastingIndices = new Map<Index, number>()
  /** Whether what is being numbered reads something that may change. */
  let passing = false
  /** Names whose versions and aliases the remembered numbers rest on. */
  let asked = new Set<string>()

  const number = (what: number, kind: number, x: number, y: number): number => {
    const key = keyOf(what, kind, x, y)
    const known = ids.get(key)
    if (known !== undefined) return known
    ids.set(key, ids.size)
    return ids.size - 1
  }
  const nameNumber = (name: string): number => {
    const known = names.get(name)
    if (known !== undefined) return known
    names.set(name, names.size)
    return names.size - 1
  }
  // Maps do not tell -0 from 0.
  const valueNumber = (value: number): number => {
    const known = Object.is(value, -0) ? -1 : values.get(value)
    if (known !== undefined) return known + 1
    values.set(value, values.size)
    return values.size
  }
  // Most names are declared before anything mentions them: nothing rests on them yet.
  const change = (name: string, meaning: Meaning): void => {
    changes.push({ name, before: meanings.get(name) })
    meanings.set(name, meaning)
    if (asked.size > 0 && asked.has(name)) forget()
  }
  const forget = (): void => {
    scalarMemo = new Map()
    indexMemo = new Map()
    asked = new Set()
  }
  /** What the names of one call to `touch` mean from then on. */
  let touched: Meaning = { version: 0, alias: undefined }
  const touchOne = (name: string): void => change(name, touched)
  const meaningOf = (name: string): Meaning | undefined => {
    asked.add(name)
    return meanings.get(name)
  }
  const version = (name: string): number => meaningOf(name)?.version ?? 0

  const idOfIndex = (i: Index): number => {
    const lasting = lastingIndices.get(i)
    if (lasting !== undefined) return lasting
    const known = indexMemo.get(i)
    if (known !== undefined) {
      passing = true
      return known
    }
    const around = passing
    passing = false
    const id = numberIndex(i)
    if (passing) indexMemo.set(i, id)
    else {
      lastingIndices.set(i, id)
      passing = around
    }
    return id
  }
  const numberIndex = (i: Index): number => {
    switch (i.tag) {
      case 'constant':
        return number(constantIndex, none, valueNumber(i.value), 0)
      case 'counter':
        return number(counterIndex, none, nameNumber(i.name), 0)
      case 'affine': {
        const terms: number[] = []
        for (let n = 0; n < i.terms.length; n++) {
          const { coefficient, term } = i.terms[n]!
          const factor = valueNumber(coefficient)
          // In any order: a sum is a chain of its terms.
          insert(terms, number(affineTerm, none, factor, idOfIndex(term)))
        }
        let total = number(constantIndex, none, valueNumber(i.constant), 0)
        for (let n = 0; n < terms.length; n++) total = number(sum, none, total, terms[n]!)
        return total
      }
      case 'floorDivide':
      case 'modulo': {
        const value = idOfIndex(i.value)
        return number(symbol(i.tag), none, value, valueNumber(i.by))
      }
      case 'data':
        return number(dataIndex, none, idOf(i.value), 0)
      default:
        return i satisfies never
    }
  }
  const idOf = (s: Scalar): number => {
    const lasting = lastingScalars.get(s)
    if (lasting !== undefined) return lasting
    const known = scalarMemo.get(s)
    if (known !== undefined) {
      passing = true
      return known
    }
    const around = passing
    passing = s.tag === 'local' || (s.tag === 'load' && mayChange(s.buffer))
    const id = (s.tag === 'local' ? meaningOf(s.name)?.alias : undefined) ?? numberScalar(s)
    if (passing) scalarMemo.set(s, id)
    else {
      lastingScalars.set(s, id)
      passing = around
    }
    return id
  }
  const numberScalar = (s: Scalar): number => {
    switch (s.tag) {
      case 'literal':
        return number(literalScalar, symbol(s.dtype), valueNumber(s.value), 0)
      case 'load': {
        const buffer = number(bufferVersion, none, nameNumber(s.buffer), version(s.buffer))
        return number(loadScalar, symbol(s.dtype), buffer, idOfIndex(s.at))
      }
      case 'local':
        return number(localScalar, none, nameNumber(s.name), version(s.name))
      case 'unary':
        return number(symbol(s.op), symbol(s.dtype), idOf(s.x), 0)
      case 'binary':
      case 'compare':
        return number(symbol(s.op), symbol(s.dtype), idOf(s.x), idOf(s.y))
      case 'select': {
        const either = number(eitherValue, none, idOf(s.onTrue), idOf(s.onFalse))
        return number(selectScalar, none, idOf(s.condition), either)
      }
      case 'guard': {
        const either = number(eitherValue, none, idOf(s.value), idOf(s.otherwise))
        return number(guardScalar, none, idOf(s.condition), either)
      }
      case 'within': {
        const range = number(rangeOfIndices, none, valueNumber(s.low), valueNumber(s.high))
        return number(withinScalar, none, idOfIndex(s.value), range)
      }
      case 'convert':
      case 'bitcast':
        return number(symbol(s.tag), symbol(s.dtype), idOf(s.x), 0)
      case 'across': {
        const by = number(byOperator, symbol(s.op), idOf(s.x), 0)
        return number(acrossScalar, symbol(s.dtype), by, 0)
      }
      case 'fromIndex':
        return number(fromIndexScalar, symbol(s.dtype), idOfIndex(s.value), 0)
      default:
        return s satisfies never
    }
  }
  return {
    idOf,
    touch: (names) => {
      touched = { version: nextVersion++, alias: undefined }
      if (names.size > 0) names.forEach(touchOne)
    },
    touchOne: (name) => change(name, { version: nextVersion++, alias: undefined }),
    skip: (calls) => {
      nextVersion += calls
    },
    alias: (name, id) => change(name, { version: meanings.get(name)?.version ?? 0, alias: id }),
    within: (use) => {
      const since = changes.length
      const firstVersion = nextVersion
      const result = use()
      while (changes.length > since) {
        const { name, before } = changes.pop()!
        if (before === undefined) meanings.delete(name)
        else meanings.set(name, before)
        if (asked.size > 0 && asked.has(name)) forget()
      }
      nextVersion = firstVersion
      return result
    },
  }
}
