/** What a benchmark is: a name, contenders that compute the same, and what is asked of them. */
import { type Tensor, vjp } from '@cotangent/core'
import { type Backend, type Lowered, jit } from '@cotangent/jit'
import { useThreads, ways } from './backends.ts'

/** `'full'` is measured; `'small'` has the same code paths and takes milliseconds, for tests. */
export type Size = 'full' | 'small'

/** Contenders by name; the first is the one that is judged. */
export type Contenders = Readonly<Record<string, () => unknown>>

/** What a benchmark is judged by. */
export type Target =
  /**
   * One contender, the first by default, is at least so many times as fast as another. Nothing is
   * asked of a way to run that this machine does not have.
   */
  | {
      readonly tag: 'ratio'
      readonly of?: 'wasm' | 'js'
      readonly against: string
      readonly atLeast: number
    }
  /** The judged contender takes less than so many seconds. */
  | { readonly tag: 'time'; readonly below: number }

/** A contender that was compiled: what the compiler made of it. */
export interface CompiledContender {
  readonly name: string
  readonly backend: Backend
  readonly lower: () => Lowered
}

export interface Contest {
  readonly contenders: Contenders
  readonly compiled?: readonly CompiledContender[]
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
  /**
   * Primitives that compiled kernels must be seen to compute, where the compiler is measured; `a or b`
   * where back ends differ.
   */
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

/** What compiled code is for: generated JavaScript eight times, WebAssembly so many times. */
export const overInterpreter = (wasm: number): readonly Target[] => [
  { tag: 'ratio', of: 'js', against: 'interpreter', atLeast: 8 },
  { tag: 'ratio', of: 'wasm', against: 'interpreter', atLeast: wasm },
]
/** Four fifths of the speed of the best JavaScript loop written by hand. */
export const nearHandWritten: Target = {
  tag: 'ratio',
  of: 'js',
  against: 'hand-written',
  atLeast: 0.8,
}

/** Further contenders, made from the inputs. */
type Rivals<A> = (args: A) => Contenders

/** What one way to run makes of a function: how to call it, and what the compiler did. */
export interface Runner {
  readonly run: () => unknown
  readonly lower: () => Lowered
}

/**
 * A function in each of the ways in which this machine can run it. The interpreter traces once as
 * well, so that its time is that of its operations.
 */
export const contestOfWays = (
  runnerFor: (backend: Backend) => Runner,
  rivals: Contenders = {},
): Contest => {
  const runners = ways.map(({ name, backend, threads }) => {
    const { run, lower } = runnerFor(backend)
    const call = backend === 'js' || backend === 'interpret' ? run : withThreads(run, threads)
    return { name, backend, call, lower }
  })
  const contenders = Object.fromEntries(runners.map(({ name, call }) => [name, call]))
  const compiled = runners.filter(({ backend }) => backend !== 'interpret')
  return { contenders: { ...contenders, ...rivals }, compiled }
}

const withThreads =
  (run: () => unknown, threads: number): (() => unknown) =>
  () => {
    useThreads(threads)
    return run()
  }

/** One function of the same arguments again and again. */
export const compiledContest = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A,
  rivals: Contenders = {},
): Contest =>
  contestOfWays((backend) => {
    const compiled = jit(f, { backend })
    return { run: () => compiled(...args), lower: () => compiled.lower(...args) }
  }, rivals)

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
