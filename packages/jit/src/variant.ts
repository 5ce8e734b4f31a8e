/** Running one compiled variant of a function: arguments to memory, memory to results. */
import {
  Concrete,
  type Graph,
  ShapeError,
  Storage,
  type Structure,
  type Tensor,
  TracerError,
  type TypedArray,
  evaluateGraphConcrete,
  isInterpreting,
  leafTensor,
  showAval,
} from '@cotangent/core'
import type { KeyPart } from './cache.ts'
import {
  type Executable,
  type OutputOrigin,
  compileGraph,
  noticeInterpreted,
} from './executable.ts'

/** A function traced at one combination of types. */
export interface Variant {
  readonly graph: Graph
  /** Outer tracers that it closed over; a variant that has any is not kept. */
  readonly captures: readonly Tensor[]
  readonly structure: Structure
  executable: Executable | null
}

/** One call's arguments: what the variant is found by, and what it runs on. */
export interface Call {
  readonly key: readonly KeyPart[]
  readonly leaves: readonly (Tensor | number | boolean)[]
  readonly structure: Structure
  readonly donated: readonly boolean[]
  readonly staticArgs: readonly number[]
}

/** Runs a variant through the interpreter; where compiled code was `wanted`, that is said once. */
export const interpretVariant = (
  variant: Variant,
  call: Call,
  wanted: boolean,
): readonly Tensor[] => {
  if (wanted && !isInterpreting()) noticeInterpreted()
  return evaluateGraphConcrete(
    variant.graph,
    call.leaves.map((leaf) => leafTensor(leaf).concrete('jit')),
  )
}

/** Runs a variant compiled, on the memory of its arguments. */
export const runVariant = (variant: Variant, call: Call): readonly Tensor[] => {
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
