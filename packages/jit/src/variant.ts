/** Running one compiled variant of a function: arguments to memory, memory to results. */
import {
  Concrete,
  type Graph,
  type Storage,
  type Structure,
  type Tensor,
  evaluateGraphConcrete,
  isInterpreting,
  leafTensor,
} from '@cotangent/core'
import type { KeyPart } from './cache.ts'
import { type CodeBackend, type Executable, noticeInterpreted } from './executable.ts'
import { compileFor, runOn } from './run.ts'

/** A function traced at one combination of types. */
export interface Variant {
  readonly graph: Graph
  /** Outer tracers that it closed over; a variant that has any is not kept. */
  readonly captures: readonly Tensor[]
  readonly structure: Structure
  readonly name: string
  /** The back end asked for; undefined: the best one. */
  readonly backend: CodeBackend | undefined
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

/** The code of a variant, compiled now. */
export const compileVariant = (
  { graph, backend, name }: Variant,
  donated: readonly boolean[],
): Executable => compileFor(graph, donated, backend, name)

/** Compiles a variant, in the background as far as that goes; resolves when its code is in place. */
export const prepareVariant = async (
  variant: Variant,
  donated: readonly boolean[],
): Promise<void> => {
  const { graph, backend, name } = variant
  variant.executable ??= compileFor(graph, donated, backend, name, true)
  const { code } = variant.executable
  if (code.tag === 'wasm') await code.program.ready()
}

/** Runs a variant compiled, on the memory of its arguments. */
export const runVariant = (variant: Variant, call: Call): readonly Tensor[] => {
  const { leaves, donated } = call
  variant.executable ??= compileVariant(variant, donated)
  const inputs = new Array<Storage>(leaves.length)
  for (let i = 0; i < leaves.length; i++) {
    inputs[i] = leafTensor(leaves[i]!).concrete('jit').storage
  }
  const storages = runOn(variant.executable, inputs, donated)
  const { outputs } = variant.graph
  const results = new Array<Tensor>(outputs.length)
  for (let i = 0; i < outputs.length; i++) {
    results[i] = new Concrete(outputs[i]!.aval, storages[i]!)
  }
  return results
}
