/** `jit`: the same function, compiled for each combination of types it is called with. */
import {
  type Aval,
  type CallParams,
  type Execute,
  ShapeError,
  UnsupportedError,
  bind,
  callP,
  erase,
  evaluateGraph,
  flatten,
  isInterpreting,
  isTracing,
  leafAval,
  leafTensor,
  requireFunction,
  requireOptions,
  showAval,
  traceTree,
  unflatten,
} from '@cotangent/core'
import { Cache, type KeyPart } from './cache.ts'
import { type CodeBackend, backendFor, executeArrays } from './executable.ts'
import { explain } from './explain/explain.ts'
import type { Explanation } from './explain/explanation.ts'
import { MissLog } from './explain/log.ts'
import { showInside } from './inside.ts'
import { Lowered } from './lowered.ts'
import { type ProfileFunction, profileWith } from './profile/profile.ts'
import { donatedLeaves, positions } from './positions.ts'
import { type Recognised, Recent } from './recent.ts'
import {
  type Call,
  type Variant,
  compileVariant,
  interpretVariant,
  prepareVariant,
  runVariant,
} from './variant.ts'

export type Backend = CodeBackend | 'interpret'

export interface JitOptions {
  /** Positions of arguments that are constants of the compiled code: any value, compared by identity or value. */
  readonly staticArgs?: number | readonly number[]
  /** Positions of arguments whose memory the results may take over; they cannot be used afterwards. */
  readonly donate?: number | readonly number[]
  /**
   * `'wasm'` generates WebAssembly, `'js'` JavaScript; `'interpret'` runs the reference interpreter.
   * Absent: the fastest that this engine allows.
   */
  readonly backend?: Backend
}

/** A compiled function: call it as the original. */
export interface Jitted<A extends readonly unknown[], R> {
  (...args: A): R
  /** What the compiler makes of the function at these arguments. */
  readonly lower: (...args: A) => Lowered<A, R>
  /**
   * Compiles for arguments of these types, so that the first call finds its code in place. Nothing is
   * computed, and donated arguments stay usable. The function is traced before this returns; its
   * WebAssembly is compiled while other things go on, which in a page is the way for modules that are
   * too long for its main thread. A call that comes before is not held up: it runs JavaScript, or
   * the interpreter.
   * @throws CompileError where the engine refuses the code
   * @example
   * await step.precompile(state, batch) // while the data load
   */
  readonly precompile: (...args: A) => Promise<void>
  /** How many compiled variants are kept. */
  readonly cacheSize: number
  readonly clearCache: () => void
}

/** Variants beyond this are dropped, least recently used first. */
const cacheCapacity = 128

const execute: Execute = (graph, inputs) =>
  isInterpreting() ? evaluateGraph(graph, inputs) : executeArrays(graph, inputs)

const compiled = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: JitOptions = {},
): Jitted<A, R> => {
  requireFunction('jit', f)
  requireOptions('jit', options, ['staticArgs', 'donate', 'backend'])
  const { backend } = options
  requireBackend(backend)
  const wanted = backend === 'interpret' ? undefined : backend
  const cache = new Cache<Variant>(cacheCapacity)
  const log = new MissLog()
  const recent = new Recent()

  const prepare = (args: readonly unknown[]): Call => {
    const staticArgs = positions('staticArgs', options.staticArgs, args.length)
    const donate = positions('donate', options.donate, args.length)
    const dynamic = args.map((arg, i) => (staticArgs.includes(i) ? null : arg))
    const { leaves, structure } = flatten(dynamic, 'jit')
    const key: KeyPart[] = [structure.key, ...leaves.map((leaf) => typeKey(leafAval(leaf)))]
    for (const i of staticArgs) key.push(args[i])
    const donated = donate.length === 0 ? [] : donatedLeaves(args, staticArgs, donate)
    return { key, leaves, structure, donated, staticArgs }
  }

  const trace = (args: readonly unknown[], call: Call): Variant => {
    const withStatic = (...dynamic: readonly unknown[]): unknown =>
      erase(f)(...dynamic.map((arg, i) => (call.staticArgs.includes(i) ? args[i] : arg)))
    const traced = traceTree('jit', withStatic, call.structure, call.leaves.map(leafAval))
    return { ...traced, name: f.name, backend: wanted, executable: null }
  }

  const variantOf = (args: readonly unknown[], call: Call): Variant => {
    const known = cache.get(call.key)
    if (known !== undefined) return known
    const variant = trace(args, call)
    log.missed(args, call, variant)
    if (variant.captures.length === 0) cache.set(call.key, variant)
    return variant
  }

  const recognise = (args: readonly unknown[]): Recognised => {
    const known = recent.find(args)
    if (known !== null) return known
    const call = prepare(args)
    const variant = variantOf(args, call)
    if (variant.captures.length === 0) recent.add(args, call, variant)
    return { call, variant }
  }

  const isInterpreted = (): boolean =>
    backend === 'interpret' || isInterpreting() || backendFor(wanted) === null

  const run = (...args: readonly unknown[]): unknown => {
    const { call, variant } = recognise(args)
    if (isTracing()) {
      const params: CallParams = { name: f.name, graph: variant.graph, execute, recompute: null }
      const inputs = [...variant.captures, ...call.leaves.map(leafTensor)]
      return unflatten(variant.structure, bind(callP, inputs, params))
    }
    const outputs = isInterpreted()
      ? interpretVariant(variant, call, backend !== 'interpret')
      : runVariant(variant, call)
    return unflatten(variant.structure, outputs)
  }

  const lower = (...args: A): Lowered<A, R> => {
    const call = prepare(args)
    const variant = variantOf(args, call)
    variant.executable ??= compileVariant(variant, call.donated)
    return new Lowered(variant.executable, (...given: A): R => {
      const again = prepare(given)
      requireSameCall(again, call)
      return unflatten(variant.structure, runVariant(variant, again))
    })
  }

  const precompile = async (...args: A): Promise<void> => {
    const { call, variant } = recognise(args)
    if (!isInterpreted()) await prepareVariant(variant, call.donated)
  }

  const clear = (): void => {
    log.cleared()
    cache.clear()
    recent.clear()
  }

  const jitted: unknown = Object.defineProperties(run, {
    name: { value: `jit(${f.name})` },
    lower: { value: lower },
    precompile: { value: precompile },
    cacheSize: { get: () => cache.size },
    clearCache: { value: clear },
  })
  showInside(run, {
    name: f.name,
    isInterpreted: backend === 'interpret',
    capacity: cacheCapacity,
    variants: () => cache.values(),
    log,
    prepare,
    trace,
  })
  return asJitted<A, R>(jitted)
}

/** `jit`, with the tools to see what it does. */
export interface Jit {
  <A extends readonly unknown[], R>(f: (...args: A) => R, options?: JitOptions): Jitted<A, R>
  /**
   * Runs `f`, compiled, on arguments and tells where the time goes: kernel by kernel, and stage by
   * stage of the first call. `f` is a plain function or one that `jit` made. The function is
   * traced and compiled anew; donated arguments stay usable.
   * @throws UnsupportedError where the function is interpreted
   * @example
   * const profile = jit.profile((x: Tensor) => np.exp(x.matmul(x)))(np.ones([256, 256]))
   * console.log(String(profile)) // a table
   * profile.rows.find((row) => row.flops > 1e6)?.operations // [ 'dotGeneral', 'exp' ]
   */
  readonly profile: ProfileFunction
  /** What is compiled of a function that `jit` made, and why calls of it compiled anew. */
  readonly explain: (f: (...args: never[]) => unknown) => Explanation
}

/**
 * Compiles `f` for the shapes, dtypes, tree structure and static values of its arguments.
 * @throws TracerError when `f` needs a value that is not known while compiling.
 * @example
 * const step = jit((x: Tensor) => x.mul(2).add(1).tanh())
 * step(tensor([1, 2, 3]))
 */
export const jit: Jit = Object.assign(compiled, { profile: profileWith(compiled), explain })

// The properties were defined just above; TypeScript does not follow defineProperties.
const asJitted = <A extends readonly unknown[], R>(value: unknown): Jitted<A, R> =>
  value as Jitted<A, R>

const requireBackend = (backend: string | undefined): void => {
  if (backend === undefined || ['wasm', 'js', 'interpret'].includes(backend)) return
  throw new UnsupportedError({
    operation: 'jit',
    problem: 'there is no such backend',
    got: JSON.stringify(backend),
    want: "'wasm', 'js' or 'interpret'",
    fix: 'leave the option out for the best one available',
  })
}

// What was compiled is for one combination of types and static values only.
const requireSameCall = (got: Call, want: Call): void => {
  const isSame =
    got.key.length === want.key.length && got.key.every((part, i) => Object.is(part, want.key[i]))
  if (isSame) return
  const show = ({ leaves }: Call): string => leaves.map((x) => showAval(leafAval(x))).join(', ')
  throw new ShapeError({
    operation: 'compiled function',
    problem: 'it was lowered for other arguments',
    got: `${show(got)} in ${got.structure.key}`,
    want: `${show(want)} in ${want.structure.key}`,
    fix: 'lower it again for these, or call the jitted function, which compiles as needed',
  })
}

const typeKey = (type: Aval): string => showAval(type)
