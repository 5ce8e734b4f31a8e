/** What a workload is: a name that all libraries share, and a way to prepare it here. */
import { type Shape, type Tensor, tensor, tree, vjp } from 'cotangent'
import {
  type Backend,
  type JitOptions,
  type Jitted,
  type Lowered,
  type Profile,
  jit,
} from '@cotangent/jit'
import { checksum, integersBelow, normalFloats } from './generator.ts'

export type Group =
  | 'matmul'
  | 'conv'
  | 'pool'
  | 'norm'
  | 'rnn'
  | 'train'
  | 'train2'
  | 'blocks'
  | 'elementwise'
  | 'micro'
  | 'first'
  | 'startup'
  | 'rss'

/** Where a workload runs, and where its inputs come from. */
export interface Context {
  readonly compile: <A extends readonly unknown[], R>(
    f: (...args: A) => R,
    options?: Pick<JitOptions, 'donate'>,
  ) => Jitted<A, R>
  readonly normal: (shape: Shape, seed: number, scale?: number, shift?: number) => Tensor
  readonly integers: (shape: Shape, seed: number, below: number) => Tensor
}

/** A workload that is ready to be timed. */
export interface Case {
  /** One timed iteration; every result is computed when it returns. */
  readonly run: () => unknown
  /** Numbers by which results are compared between libraries. */
  readonly check: () => readonly number[]
  /** Operations that one iteration makes; 1 by default. */
  readonly operations?: number
  /** What the compiler made of it, where something is compiled. */
  readonly lower?: () => Lowered
  /** Where its time goes. */
  readonly profile?: () => Profile
}

/** Figures of a workload that times itself. */
export interface Figures {
  readonly ms?: number
  readonly mb?: number
  readonly n: number
  readonly second?: number
}

interface Described {
  readonly id: string
  readonly group: Group
  readonly title: string
  readonly unit: 'ms' | 'us' | 'MB'
  /** Nominal work of one iteration. */
  readonly flops?: number
  /** What has to be moved at least, each array read or written once. */
  readonly bytes?: number
}

export interface TimedWorkload extends Described {
  readonly prepare: (context: Context) => Case
}

export interface MeasuredWorkload extends Described {
  readonly measure: (context: Context) => Figures
}

export type Workload = TimedWorkload | MeasuredWorkload

const sizeOf = (shape: Shape): number => shape.reduce((n, extent) => n * extent, 1)

/** The shared inputs, and functions compiled for one backend, or for the one that `jit` takes. */
export const contextFor = (backend?: Backend): Context => ({
  compile: (f, options = {}) => jit(f, backend === undefined ? options : { ...options, backend }),
  normal: (shape, seed, scale = 1, shift = 0) =>
    tensor(normalFloats(sizeOf(shape), seed, scale, shift), { shape }),
  integers: (shape, seed, below) => tensor(integersBelow(sizeOf(shape), seed, below), { shape }),
})

/** The arrays of a result, in the order of its tree. */
export const arraysIn = (result: unknown): readonly ArrayLike<number>[] =>
  tree.leaves(result).map((leaf) => tensor(leaf).data())

/** One compiled function of the same arguments again and again. */
export const functionCase = <A extends readonly unknown[], R>(
  { compile }: Context,
  f: (...args: A) => R,
  args: A,
): Case => {
  const compiled = compile(f)
  return {
    run: () => compiled(...args),
    check: () => checksum(arraysIn(compiled(...args))),
    lower: () => compiled.lower(...args),
    profile: () => jit.profile(compiled)(...args),
  }
}

/** The value of `f` and the cotangents of all its arguments. */
export const withCotangents =
  <A extends readonly Tensor[]>(f: (...args: A) => Tensor) =>
  (cotangent: Tensor, ...args: A): readonly [Tensor, unknown] => {
    const [value, pullback] = vjp(f, ...args)
    return [value, pullback(cotangent)]
  }
