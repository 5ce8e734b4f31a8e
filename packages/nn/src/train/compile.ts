/** How training compiles its functions. */
import { interpret } from '@cotangent/core'
import { jit } from '@cotangent/jit'

/** `jit`, or anything with its type. */
export type Compile = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options?: { readonly donate?: readonly number[] },
) => (...args: A) => R

export interface CompileOptions {
  /** Runs operation by operation through the reference interpreter: for comparison. */
  readonly interpret?: boolean
  /** `jit` by default. */
  readonly compile?: Compile
}

export const compilerOf = ({
  interpret: interpreted = false,
  compile = jit,
}: CompileOptions): Compile => (interpreted ? (f) => interpret(f) : compile)
