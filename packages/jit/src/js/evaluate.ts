/** The one place where text becomes a function. */
import { CompileError, type TypedArray } from '@cotangent/core'
import { stage } from '../profile/stopwatch.ts'

/** A generated function of its typed arrays. */
export type Run = (...buffers: readonly TypedArray[]) => void

let allowed: boolean | null = null

/**
 * Whether this page may make functions from text. A content security policy without
 * `unsafe-eval` forbids it; the caller then interprets instead. Tried once.
 */
export const codeGenerationAllowed = (): boolean => {
  allowed ??= tryGenerating()
  return allowed
}

const tryGenerating = (): boolean => {
  try {
    return makeFunction([], 'return true')() === true
  } catch (error) {
    if (error instanceof EvalError) return false
    throw error
  }
}

const makeFunction = (
  parameters: readonly string[],
  body: string,
): ((...args: unknown[]) => unknown) => {
  // oxlint-disable-next-line typescript/no-implied-eval -- the back end of the compiler
  const made: unknown = new Function(...parameters, body)
  if (!isFunction(made)) throw refused('the engine gave no function', body)
  return made
}

const isFunction = (value: unknown): value is (...args: unknown[]) => unknown =>
  typeof value === 'function'

const refused = (problem: string, source: string): CompileError =>
  new CompileError({
    operation: 'compile kernel',
    problem,
    got: `${source.length} characters of source`,
    fix: 'allow unsafe-eval in the content security policy, or use the interpreter',
  })

/**
 * The function that an expression denotes, with `links` in scope.
 * @throws CompileError where code generation is forbidden or the source is no function.
 */
export const evaluateFunction = (expression: string, links: ReadonlyMap<string, unknown>): Run =>
  evaluateAny(expression, links)

/** The same for a function that returns something. */
export const evaluateAny = (
  expression: string,
  links: ReadonlyMap<string, unknown>,
): ((...args: unknown[]) => unknown) => {
  if (!codeGenerationAllowed()) throw refused('this page forbids generated code', expression)
  const factory = stage('compile', () =>
    makeFunction([...links.keys()], `'use strict'\nreturn ${expression}`),
  )
  const made = factory(...links.values())
  if (!isFunction(made)) throw refused('the source is not a function', expression)
  return made
}
