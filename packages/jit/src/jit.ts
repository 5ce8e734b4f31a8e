/** `jit`: the same function, compiled for each combination of types it is called with. */
import {
  type Aval,
  type CallParams,
  Concrete,
  type Execute,
  type Graph,
  IndexError,
  ShapeError,
  Storage,
  type Structure,
  type Tensor,
  TracerError,
  TreeError,
  type TypedArray,
  UnsupportedError,
  bind,
  callP,
  erase,
  evaluateGraph,
  evaluateGraphConcrete,
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
import {
  type Executable,
  type OutputOrigin,
  compileGraph,
  executeArrays,
  noticeInterpreted,
} from './executable.ts'
import { codeGenerationAllowed } from './js/evaluate.ts'
import { Lowered } from './lowered.ts'

export interface JitOptions {
  /** Positions of arguments that are constants of the compiled code: any value, compared by identity or value. */
  readonly staticArgs?: number | readonly number[]
  /** Positions of arguments whose memory the results may take over; they cannot be used afterwards. */
  readonly donate?: number | readonly number[]
  /** `'js'` generates JavaScript; `'interpret'` runs the reference interpreter. */
  readonly backend?: 'js' | 'interpret'
}

/** A compiled function: call it as the original. */
export interface Jitted<A extends readonly unknown[], R> {
  (...args: A): R
  /** What the compiler makes of the function at these arguments. */
  readonly lower: (...args: A) => Lowered<A, R>
  /** How many compiled variants are kept. */
  readonly cacheSize: number
  readonly clearCache: () => void
}

/** Variants beyond this are dropped, least recently used first. */
const cacheCapacity = 128

/** A function traced at one combination of types. */
interface Variant {
  readonly graph: Graph
  /** Outer tracers that it closed over; a variant that has any is not kept. */
  readonly captures: readonly Tensor[]
  readonly structure: Structure
  executable: Executable | null
}

interface Call {
  readonly key: readonly KeyPart[]
  readonly leaves: readonly (Tensor | number | boolean)[]
  readonly structure: Structure
  readonly donated: readonly boolean[]
  readonly staticArgs: readonly number[]
}

const execute: Execute = (graph, inputs) =>
  isInterpreting() ? evaluateGraph(graph, inputs) : executeArrays(graph, inputs)

/**
 * Compiles `f` for the shapes, dtypes, tree structure and static values of its arguments.
 * @throws TracerError when `f` needs a value that is not known while compiling.
 * @example
 * const step = jit((x: Tensor) => x.mul(2).add(1).tanh())
 * step(tensor([1, 2, 3]))
 */
export const jit = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: JitOptions = {},
): Jitted<A, R> => {
  requireFunction('jit', f)
  requireOptions('jit', options, ['staticArgs', 'donate', 'backend'])
  const { backend = 'js' } = options
  requireBackend(backend)
  const cache = new Cache<Variant>(cacheCapacity)

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

  const variantOf = (args: readonly unknown[], call: Call): Variant => {
    const known = cache.get(call.key)
    if (known !== undefined) return known
    const withStatic = (...dynamic: readonly unknown[]): unknown =>
      erase(f)(...dynamic.map((arg, i) => (call.staticArgs.includes(i) ? args[i] : arg)))
    const traced = traceTree('jit', withStatic, call.structure, call.leaves.map(leafAval))
    const variant: Variant = { ...traced, executable: null }
    if (traced.captures.length === 0) cache.set(call.key, variant)
    return variant
  }

  const run = (...args: readonly unknown[]): unknown => {
    const call = prepare(args)
    const variant = variantOf(args, call)
    if (isTracing()) {
      const params: CallParams = { name: f.name, graph: variant.graph, execute, recompute: null }
      const inputs = [...variant.captures, ...call.leaves.map(leafTensor)]
      return unflatten(variant.structure, bind(callP, inputs, params))
    }
    const outputs =
      backend === 'interpret' || isInterpreting() || !codeGenerationAllowed()
        ? interpretVariant(variant, call, backend === 'js')
        : runVariant(variant, call)
    return unflatten(variant.structure, outputs)
  }

  const lower = (...args: A): Lowered<A, R> => {
    const call = prepare(args)
    const variant = variantOf(args, call)
    variant.executable ??= compileGraph(variant.graph, call.donated)
    return new Lowered(variant.executable, (...given: A): R => {
      const again = prepare(given)
      requireSameCall(again, call)
      return unflatten(variant.structure, runVariant(variant, again))
    })
  }

  const jitted: unknown = Object.defineProperties(run, {
    name: { value: `jit(${f.name})` },
    lower: { value: lower },
    cacheSize: { get: () => cache.size },
    clearCache: { value: () => cache.clear() },
  })
  return asJitted<A, R>(jitted)
}

// The properties were defined just above; TypeScript does not follow defineProperties.
const asJitted = <A extends readonly unknown[], R>(value: unknown): Jitted<A, R> =>
  value as Jitted<A, R>

const none: readonly number[] = []

/** Argument positions from 0; negative ones count from the last argument. */
const positions = (
  option: string,
  given: number | readonly number[] | undefined,
  count: number,
): readonly number[] => {
  if (given === undefined) return none
  const list = typeof given === 'number' ? [given] : given
  return list.map((position) => {
    if (Number.isInteger(position) && position >= -count) {
      return position < 0 ? position + count : position
    }
    throw new IndexError({
      operation: 'jit',
      problem: `${option} names no argument`,
      got: `${String(position)} with ${count} argument${count === 1 ? '' : 's'}`,
      want: 'positions of arguments, from 0, or from the last with negative numbers',
      fix: 'count the arguments of the function from 0',
    })
  })
}

const requireBackend = (backend: string): void => {
  if (backend === 'js' || backend === 'interpret') return
  throw new UnsupportedError({
    operation: 'jit',
    problem: 'there is no such backend',
    got: JSON.stringify(backend),
    want: "'js' or 'interpret'",
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

const donatedLeaves = (
  args: readonly unknown[],
  staticArgs: readonly number[],
  donate: readonly number[],
): readonly boolean[] =>
  args.flatMap((arg, i) => {
    if (staticArgs.includes(i)) {
      if (!donate.includes(i)) return []
      throw new TreeError({
        operation: 'jit',
        problem: `argument ${i} is both static and donated`,
        fix: 'leave it out of one of the two: a constant has no memory to give away',
      })
    }
    return flatten(arg).leaves.map(() => donate.includes(i))
  })

const interpretVariant = (variant: Variant, call: Call, wanted: boolean): readonly Tensor[] => {
  if (wanted && !isInterpreting()) noticeInterpreted()
  return evaluateGraphConcrete(
    variant.graph,
    call.leaves.map((leaf) => leafTensor(leaf).concrete('jit')),
  )
}

const runVariant = (variant: Variant, call: Call): readonly Tensor[] => {
  variant.executable ??= compileGraph(variant.graph, call.donated)
  const tensors = call.leaves.map((leaf) => leafTensor(leaf).concrete('jit'))
  const inputs: readonly TypedArray[] =
    call.donated.length === 0
      ? tensors.map((x) => x.storage.read())
      : takeInputs(tensors, call.donated)
  const arrays = runInMemory(variant.executable, inputs)
  const storages: Storage[] = []
  variant.executable.origins.forEach((origin, i) => {
    storages.push(ownerOf(origin, arrays[i]!, tensors, call.donated, storages))
  })
  return variant.graph.outputs.map((atom, i) => new Concrete(atom.aval, storages[i]!))
}

// An output that is an input, a constant or another output shares its elements with it.
const ownerOf = (
  origin: OutputOrigin,
  data: TypedArray,
  inputs: readonly Concrete[],
  donated: readonly boolean[],
  earlier: readonly Storage[],
): Storage => {
  switch (origin.tag) {
    case 'made':
      return new Storage(data)
    case 'input':
      return donated[origin.position] === true
        ? new Storage(data)
        : inputs[origin.position]!.storage.share()
    case 'output':
      return earlier[origin.position]!.share()
    case 'constant':
      return origin.storage.share()
    default:
      return origin satisfies never
  }
}

// Only an allocation that fails throws a RangeError of these words.
const runInMemory = (
  executable: Executable,
  inputs: readonly TypedArray[],
): readonly TypedArray[] => {
  try {
    return executable.run(inputs)
  } catch (error) {
    if (!(error instanceof RangeError) || !/array length|allocation/i.test(error.message))
      throw error
    const types = executable.graph.outputs.map((atom) => showAval(atom.aval)).join(', ')
    throw new ShapeError({
      operation: 'jit',
      problem: 'the results of the compiled function do not fit in memory',
      got: `${types}, beside ${executable.plan.arenaBytes} bytes of temporaries`,
      want: 'arrays that JavaScript can allocate',
      fix: 'work on smaller batches, or reduce the result before it is returned',
    })
  }
}

// Reads first, so that nothing is given away when an argument turns out to be unusable.
const takeInputs = (
  tensors: readonly Concrete[],
  donated: readonly boolean[],
): readonly TypedArray[] => {
  const arrays = tensors.map((x) => x.storage.read())
  const uses = new Map<Storage, number>()
  for (const { storage } of tensors) uses.set(storage, (uses.get(storage) ?? 0) + 1)
  if (tensors.some(({ storage }, i) => donated[i] === true && uses.get(storage)! > 1)) {
    throw new TracerError({
      operation: 'jit',
      problem: 'a donated tensor was passed twice',
      fix: 'pass a copy, or leave this argument out of `donate`',
    })
  }
  return arrays.map((data, i) => (donated[i] === true ? tensors[i]!.storage.donate() : data))
}
