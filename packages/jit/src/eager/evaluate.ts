/** Eager operations as cached kernels, each specialised to its types, layouts and parameters. */
import {
  type AnyPrimitive,
  type Aval,
  Concrete,
  type EagerBackend,
  type Storage,
  evaluateConcrete,
  evaluateTyped,
  subgraphs,
} from '@cotangent/core'
import { type Executable, isAvailable } from '../executable.ts'
import { compileFor, runOn } from '../run.ts'
import { type Strides, memoryOf, stridesOfInput } from './inputs.ts'
import { type Operation, type Strategy, graphOf } from './operation.ts'
import { Regions } from './regions.ts'
import { Table, hashCall } from './table.ts'

/**
 * A small operation is compiled once it has been interpreted for so many rounds of its loops: about
 * as long as compiling takes. Larger ones are compiled at once, so that how a result is computed
 * does not depend on how often it has been.
 */
const usualPatience = 300_000
let impatient = false

/** Runs `f` while eager operations are compiled at their first use, however small they are. */
export const compilingAtOnce = <T>(f: () => T): T => {
  const outer = impatient
  impatient = true
  try {
    return f()
  } finally {
    impatient = outer
  }
}

/** Whether an operation is to be interpreted this time, and counts that. */
const isPatient = (
  operation: { readonly strategy: Strategy; work: number },
  patience: number,
): boolean => {
  const { isCompiled, backend, rounds } = operation.strategy
  if (!isCompiled) return true
  if (impatient || backend !== 'js') return false
  operation.work += rounds
  return operation.work < patience
}

const table = new Table()
const regions = new Regions()

/** How many operations are remembered, and how to forget them. */
export const eagerCache: { readonly size: number; readonly clear: () => void } = {
  get size(): number {
    return table.size + regions.size
  },
  clear: () => {
    table.clear()
    regions.clear()
  },
}

// Whether a primitive's parameters hold graphs is the same for all of its uses.
const graphHolders = new Map<AnyPrimitive, boolean>()

const holdsGraphs = (primitive: AnyPrimitive, params: unknown): boolean => {
  let holds = graphHolders.get(primitive)
  if (holds === undefined) {
    holds = subgraphs(params).length > 0
    graphHolders.set(primitive, holds)
  }
  return holds
}

/** Runs a primitive by a kernel made for it, or, where it is small and new, by its reference. */
export const evaluateCompiled: EagerBackend = (primitive, inputs, params) => {
  if (primitive.effectful || !isAvailable(undefined)) {
    return evaluateConcrete(primitive, inputs, params)
  }
  if (params !== null && holdsGraphs(primitive, params)) {
    return evaluateRegion(primitive, inputs, params)
  }
  const strides = stridesOf(inputs)
  const hash = hashCall(inputs, strides, params)
  const entry =
    table.find(primitive, hash, inputs, strides, params) ??
    table.add(primitive, hash, inputs, strides, params)
  if (entry.executable === null) {
    if (isPatient(entry, usualPatience)) {
      return evaluateTyped(primitive, inputs, params, entry.outputs)
    }
    entry.executable = compile(entry)
  }
  return run(entry.executable, inputs, entry.outputs)
}

const compile = (operation: Operation & { readonly strategy: Strategy }): Executable =>
  compileFor(graphOf(operation), [], operation.strategy.backend, operation.primitive.name)

const stridesOf = (inputs: readonly Concrete[]): readonly Strides[] | null => {
  let strides: Strides[] | null = null
  for (let i = 0; i < inputs.length; i++) {
    const own = inputs[i]!.layout === null ? null : stridesOfInput(inputs[i]!)
    if (own === null) continue
    strides ??= new Array<Strides>(inputs.length).fill(null)
    strides[i] = own
  }
  return strides
}

const run = (
  executable: Executable,
  inputs: readonly Concrete[],
  outputs: readonly Aval[],
): readonly Concrete[] => {
  const memory = new Array<Storage>(inputs.length)
  for (let i = 0; i < inputs.length; i++) memory[i] = memoryOf(inputs[i]!)
  const storages = runOn(executable, memory)
  const results = new Array<Concrete>(outputs.length)
  for (let i = 0; i < outputs.length; i++) results[i] = new Concrete(outputs[i]!, storages[i]!)
  return results
}

const evaluateRegion: EagerBackend = (primitive, inputs, params) => {
  const region = regions.find(primitive, inputs, params)
  if (region.executable === null) {
    if (isPatient(region, region.patience)) return evaluateConcrete(primitive, inputs, params)
    region.executable = compile(region)
  }
  // Views with gaps are copied; one graph then serves all layouts.
  for (const x of inputs) if (x.layout !== null) x.storage.read()
  return run(region.executable, inputs, region.outputs)
}
