/** Running an executable: memory of arguments to memory of results. */
import {
  type Graph,
  ShapeError,
  Storage,
  TracerError,
  type TypedArray,
  showAval,
} from '@cotangent/core'
import { type CodeBackend, type Executable, compileGraph } from './executable.ts'
import type { OutputOrigin } from './origins.ts'

const noneDonated: readonly boolean[] = []

/** Compiles a closed graph. `donated[i]` lets outputs overwrite input `i`. @see compileGraph */
export const compileFor = (
  graph: Graph,
  donated: readonly boolean[] = noneDonated,
  backend?: CodeBackend,
  name?: string,
  isAwaited?: boolean,
): Executable => compileGraph(graph, donated, backend, name, isAwaited)

/**
 * The results, in the order of the graph's outputs. Those that are an input, a constant or an
 * earlier result share its elements.
 */
export const runOn = (
  executable: Executable,
  inputs: readonly Storage[],
  donated: readonly boolean[] = noneDonated,
): readonly Storage[] => {
  // A module that is still being compiled is stood in for by `executable.run`.
  if (executable.code.tag === 'wasm' && executable.code.program.start()) {
    if (donated.length > 0) requireOnce(inputs, donated)
    return executable.code.program.call(inputs, donated)
  }
  const arrays = runInMemory(
    executable,
    donated.length === 0 ? readAll(inputs) : takeInputs(inputs, donated),
  )
  const { origins } = executable
  const storages = new Array<Storage>(origins.length)
  for (let i = 0; i < origins.length; i++) {
    const origin = origins[i]!
    storages[i] =
      origin.tag === 'made'
        ? new Storage(arrays[i]!)
        : ownerOf(origin, arrays[i]!, inputs, donated, storages)
  }
  return storages
}

const readAll = (inputs: readonly Storage[]): readonly TypedArray[] => {
  const arrays = new Array<TypedArray>(inputs.length)
  for (let i = 0; i < inputs.length; i++) arrays[i] = inputs[i]!.read()
  return arrays
}

// An output that is an input, a constant or another output shares its elements with it.
const ownerOf = (
  origin: OutputOrigin,
  data: TypedArray,
  inputs: readonly Storage[],
  donated: readonly boolean[],
  earlier: readonly Storage[],
): Storage => {
  switch (origin.tag) {
    case 'made':
      return new Storage(data)
    case 'input':
      return donated[origin.position] === true
        ? new Storage(data)
        : inputs[origin.position]!.share()
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
  inputs: readonly Storage[],
  donated: readonly boolean[],
): readonly TypedArray[] => {
  const arrays = readAll(inputs)
  requireOnce(inputs, donated)
  return arrays.map((data, i) => (donated[i] === true ? inputs[i]!.donate() : data))
}

const requireOnce = (inputs: readonly Storage[], donated: readonly boolean[]): void => {
  const uses = new Map<Storage, number>()
  for (const storage of inputs) uses.set(storage, (uses.get(storage) ?? 0) + 1)
  if (inputs.some((storage, i) => donated[i] === true && uses.get(storage)! > 1)) {
    throw new TracerError({
      operation: 'jit',
      problem: 'a donated tensor was passed twice',
      fix: 'pass a copy, or leave this argument out of `donate`',
    })
  }
}
