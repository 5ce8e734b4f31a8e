/** What the structural functions ask of dimension numbers and paddings from code without types. */
import { IndexError, describeValue } from '@cotangent/core'

const isIntegers = (given: unknown): given is readonly number[] =>
  Array.isArray(given) && given.every((entry) => Number.isInteger(entry))

const shown = (given: unknown): string =>
  typeof given === 'object' && given !== null && Object.getPrototypeOf(given) === Object.prototype
    ? `an object with ${Object.keys(given).join(', ') || 'no fields'}`
    : Array.isArray(given)
      ? JSON.stringify(given)
      : describeValue(given)

/**
 * @throws IndexError unless `given` is an object with a list of axes under each of the names, and
 * lists or nothing under the optional ones.
 */
export const requireAxesByName = (
  operation: string,
  given: object,
  names: readonly string[],
  optional: readonly string[] = [],
): void => {
  const fields: Readonly<Record<string, unknown>> =
    typeof given === 'object' && given !== null ? { ...given } : {}
  const missing = names.filter((name) => !isIntegers(fields[name]))
  const odd = optional.filter((name) => fields[name] !== undefined && !isIntegers(fields[name]))
  if (missing.length === 0 && odd.length === 0) return
  throw new IndexError({
    operation,
    problem: `the dimension numbers lack ${[...missing, ...odd].join(', ')}`,
    got: shown(given),
    want: `{ ${names.join(', ')} }, each a list of axes`,
    fix: `give all of them, as { ${names.map((name) => `${name}: [0]`).join(', ')} }; [] where there are none`,
  })
}

/** @throws IndexError unless these are `[[lhs contracting, rhs contracting], [lhs batch, rhs batch]]`. */
export const requireAxisPairs = (operation: string, given: unknown): void => {
  const isPair = (pair: unknown): boolean =>
    Array.isArray(pair) && pair.length === 2 && pair.every(isIntegers)
  if (Array.isArray(given) && given.length === 2 && given.every(isPair)) return
  throw new IndexError({
    operation,
    problem: 'these are no dimension numbers',
    got: shown(given),
    want: '[[lhs contracting, rhs contracting], [lhs batch, rhs batch]], each a list of axes',
    fix: 'write [[[1], [0]], [[], []]] for the product of two matrices',
  })
}

/** @throws IndexError unless there is `[low, high, interior]` for each of so many axes. */
export const requirePadding = (operation: string, given: unknown, rank: number): void => {
  const isTriple = (entry: unknown): boolean => isIntegers(entry) && entry.length === 3
  if (Array.isArray(given) && given.length === rank && given.every(isTriple)) return
  throw new IndexError({
    operation,
    problem: 'this is no padding of these axes',
    got: shown(given),
    want: `${rank} triples [low, high, interior] of whole numbers`,
    fix: `write [${Array.from({ length: rank }, () => '[0, 0, 0]').join(', ')}] to add nothing`,
  })
}
