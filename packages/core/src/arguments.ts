/** What every public function asks of its arguments, beyond their types. */
import { IndexError, TreeError, UnsupportedError } from './errors.ts'

/** `number`, `null`, `an instance of Map`. */
export const describeValue = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' ? `an instance of ${name}` : 'an object'
}

const isNumbers = (value: unknown): value is number | readonly number[] =>
  typeof value === 'number' ||
  (Array.isArray(value) && value.every((entry) => typeof entry === 'number'))

/** The entries of an options object where there is nothing but numbers in it, else null. */
const numbersByName = (
  value: unknown,
): readonly (readonly [name: string, numbers: number | readonly number[]])[] | null => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return null
  const entries = Object.entries(value).flatMap(([name, entry]) =>
    isNumbers(entry) ? [[name, entry] as const] : [],
  )
  return entries.length > 0 && entries.length === Object.keys(value).length ? entries : null
}

const spelled = (numbers: number | readonly number[]): string =>
  typeof numbers === 'number' ? String(numbers) : `[${numbers.join(', ')}]`

/** What to say to code without types that gives something else than numbers. */
const noNumbers = (operation: string, what: string, given: unknown, want: string): IndexError => {
  const named = numbersByName(given)
  const instead = named?.length === 1 ? `: ${spelled(named[0]![1])}` : ''
  return new IndexError({
    operation,
    problem: `${what} is not ${want}`,
    got:
      named === null
        ? describeValue(given)
        : `{ ${named.map(([name, numbers]) => `${name}: ${spelled(numbers)}`).join(', ')} }`,
    want,
    fix: `give ${what} itself, not in an object${instead}`,
  })
}

/** @throws IndexError unless it is a number: code without types may give an options object. */
export const requireNumber = (operation: string, what: string, given: number): number => {
  if (typeof given === 'number') return given
  throw noNumbers(operation, what, given, 'a number')
}

/** @throws IndexError unless it is a whole number. */
export const requireInteger = (operation: string, what: string, given: number): number => {
  if (Number.isInteger(requireNumber(operation, what, given))) return given
  throw new IndexError({
    operation,
    problem: `${what} is not a whole number`,
    got: String(given),
    want: 'a whole number',
    fix: 'round it, or compute it with whole numbers from the start',
  })
}

const isList = (given: unknown): given is readonly number[] => Array.isArray(given)

/** A number, or several, as a list. @throws IndexError for anything else. */
export const listOfNumbers = (
  operation: string,
  what: string,
  given: number | readonly number[],
): readonly number[] => {
  if (typeof given === 'number') return [given]
  if (isList(given)) return given
  throw noNumbers(operation, what, given, 'a number or a list of numbers')
}

/** @throws UnsupportedError unless `f` is a function: `grad(f(x))` instead of `grad(f)(x)`. */
export const requireFunction = (operation: string, f: unknown): void => {
  if (typeof f === 'function') return
  throw new UnsupportedError({
    operation,
    problem: 'what it transforms must be a function',
    got: describeValue(f),
    want: 'a function of tensors, or trees of them',
    fix: `pass the function itself, and its arguments to the result: ${operation}(f)(x), not ${operation}(f(x))`,
  })
}

/** @throws TreeError for an option that does not exist: a misspelt one is never just ignored. */
export const requireOptions = (
  operation: string,
  options: object,
  names: readonly string[],
): void => {
  const unknown = Object.keys(options).find((name) => !names.includes(name))
  if (unknown === undefined) return
  throw new TreeError({
    operation,
    problem: `there is no option "${unknown}"`,
    got: Object.keys(options).join(', '),
    want: names.join(', '),
    fix: 'correct its name, or leave it out',
  })
}
