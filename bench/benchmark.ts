/** What a benchmark is: a name, contenders that compute the same, and what is asked of them. */
import { type Tensor, vjp } from '@cotangent/core'
import { type Lowered, jit } from '@cotangent/jit'

/** `'full'` is measured; `'small'` has the same code paths and takes milliseconds, for tests. */
export type Size = 'full' | 'small'

/** Contenders by name; the first is the one that is judged. */
export type Contenders = Readonly<Record<string, () => unknown>>

/** What a benchmark is judged by. */
export type Target =
  /** The judged contender is at least so many times as fast as the other. */
  | { readonly tag: 'ratio'; readonly against: string; readonly atLeast: number }
  /** The judged contender takes less than so many seconds. */
  | { readonly tag: 'time'; readonly below: number }

export interface Contest {
  readonly contenders: Contenders
  /** What the compiler made of the judged contender. */
  readonly lower?: () => Lowered
}

export interface Benchmark {
  readonly name: string
  /** Makes the inputs, so that making them is not timed. */
  readonly prepare: (size: Size) => Contest
  /** The greatest difference between results, relative to the greatest number of each array. */
  readonly sameResult: number
  readonly targets: readonly Target[]
  /** Floating point operations at full size, counted as the textbook loop does them. */
  readonly flops?: number
  /** Primitives that compiled kernels must be seen to compute, where the compiler is measured. */
  readonly operations?: readonly string[]
}

/** A figure that is read from elsewhere, in seconds. */
export interface Reading {
  readonly name: string
  readonly read: (isQuick: boolean) => readonly number[]
  readonly targets: readonly Target[]
}

export interface Theme {
  readonly name: string
  readonly title: string
  readonly benchmarks: readonly Benchmark[]
  readonly readings?: readonly Reading[]
}

/** Eight times the interpreter: what compiled code is for. */
export const overInterpreter: Target = { tag: 'ratio', against: 'interpreter', atLeast: 8 }
/** Four fifths of the speed of the best loop written by hand. */
export const nearHandWritten: Target = { tag: 'ratio', against: 'hand-written', atLeast: 0.8 }

/** Further contenders, made from the inputs. */
type Rivals<A> = (args: A) => Contenders

/**
 * The compiled function against the interpreter, which is traced once as well, so that its time is
 * that of its operations.
 */
export const compiledContest = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A,
  rivals: Contenders = {},
): Contest => {
  const compiled = jit(f)
  const interpreted = jit(f, { backend: 'interpret' })
  return {
    contenders: {
      compiled: () => compiled(...args),
      interpreter: () => interpreted(...args),
      ...rivals,
    },
    lower: () => compiled.lower(...args),
  }
}

interface CompiledBenchmark<A extends readonly unknown[]> extends Omit<Benchmark, 'prepare'> {
  readonly f: (...args: A) => unknown
  readonly inputs: (size: Size) => A
  /** Hand-written loops, which know only the full size. */
  readonly rivals?: Rivals<A>
}

/** A benchmark of one function of tensors. */
export const compiledBenchmark = <A extends readonly unknown[]>({
  f,
  inputs,
  rivals = () => ({}),
  ...rest
}: CompiledBenchmark<A>): Benchmark => ({
  ...rest,
  prepare: (size) => {
    const args = inputs(size)
    return compiledContest(f, args, size === 'full' ? rivals(args) : {})
  },
})

/**
 * The value of `f` and the cotangents of its arguments, from the cotangent of its value. Both are
 * results, so that no contender may leave the forward pass out.
 */
export const withGradients =
  <A extends readonly Tensor[]>(f: (...args: A) => Tensor) =>
  (cotangent: Tensor, ...args: A): readonly [Tensor, unknown] => {
    const [value, pullback] = vjp(f, ...args)
    return [value, pullback(cotangent)]
  }
