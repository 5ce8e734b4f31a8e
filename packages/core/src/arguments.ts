/** What every public function asks of its arguments, beyond their types. */
import { TreeError, UnsupportedError } from './errors.ts'

/** `number`, `null`, `an instance of Map`. */
export const describeValue = (value: unknown): string => {
  if (typeof value !== 'object' || value === null) return value === null ? 'null' : typeof value
  const name: unknown = Object.getPrototypeOf(value)?.constructor?.name
  return typeof name === 'string' ? `an instance of ${name}` : 'an object'
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
