/** The arguments of a Flax module by name, read with the type that is wanted. */
import { type Module, type Value, isModule } from './flaxFormula.ts'

export interface Arguments {
  readonly has: (name: string) => boolean
  readonly number: (name: string, fallback: number) => number
  readonly flag: (name: string, fallback: boolean) => boolean
  readonly text: (name: string, fallback: string) => string
  /** A lone number is a list of one. */
  readonly numbers: (name: string, fallback: readonly number[]) => readonly number[]
  readonly value: (name: string) => Value | undefined
  readonly module: (name: string) => Module
  /** Names that are not in this list. */
  readonly beside: (names: readonly string[]) => readonly string[]
}

const isList = (value: Value | undefined): value is readonly Value[] => Array.isArray(value)

/** Positional arguments have these names, in this order. */
export const argumentsOf = ({ args, options }: Module, order: readonly string[]): Arguments => {
  const all = new Map<string, Value>([
    ...args.map((v, i): [string, Value] => [order[i] ?? `argument ${i}`, v]),
    ...Object.entries(options),
  ])
  const wrong = (name: string): Error => new Error(`argument ${name} is not what was expected`)
  const found = (name: string): Value | undefined => all.get(name) ?? undefined
  return {
    has: (name) => found(name) !== undefined,
    number: (name, fallback) => {
      const value = found(name) ?? fallback
      if (typeof value === 'number') return value
      throw wrong(name)
    },
    flag: (name, fallback) => {
      const value = found(name) ?? fallback
      if (typeof value === 'boolean') return value
      throw wrong(name)
    },
    text: (name, fallback) => {
      const value = found(name) ?? fallback
      if (typeof value === 'string') return value
      throw wrong(name)
    },
    numbers: (name, fallback) => {
      const value = found(name) ?? fallback
      if (typeof value === 'number') return [value]
      if (isList(value)) return value.map(Number)
      throw wrong(name)
    },
    value: found,
    module: (name) => {
      const value = found(name)
      if (isModule(value)) return value
      throw wrong(name)
    },
    beside: (names) => [...all.keys()].filter((name) => !names.includes(name)),
  }
}

export type Pairs = readonly (readonly [number, number])[]

/** One number an axis. */
export const perWindow = (a: Arguments, name: string, rank: number): readonly number[] => {
  const numbers = a.numbers(name, [1])
  return numbers.length === 1 ? Array.from({ length: rank }, () => numbers[0]!) : numbers
}

/** Padding given by numbers: one for all, one an axis, or two. */
export const explicitPadding = (value: Value | undefined, rank: number): Pairs => {
  if (typeof value === 'number') return Array.from({ length: rank }, () => [value, value])
  if (!isList(value)) throw new Error('padding is not what was expected')
  return value.map((p): readonly [number, number] =>
    isList(p) ? [Number(p[0]), Number(p[1])] : [Number(p), Number(p)],
  )
}
