/** Eager operations as cached kernels, each specialised to its types, layouts and parameters. */
import {
  type AnyPrimitive,
  type Aval,
  Concrete,
  type EagerBackend,
  type Equation,
  type Graph,
  Origin,
  type Storage,
  Var,
  aval,
  evaluateConcrete,
  evaluateTyped,
  isComplex,
  sealed,
  sizeOf,
  subgraphs,
} from '@cotangent/core'
import { codeGenerationAllowed } from '../js/evaluate.ts'
import { compileFor, runOn } from '../run.ts'
import { type Strides, memoryOf, stridesOfInput, windowLayout } from './inputs.ts'
import { stridedP } from './strided.ts'
import { type Entry, Table, hashCall } from './table.ts'

/**
 * An operation is compiled once it has been interpreted for so many elements: about as long as
 * compiling takes. Large arrays are compiled for at once, so that how a result is computed does not
 * depend on how often it has been.
 */
const compileAfter = 30_000
/** What a call costs beside its elements, in elements. */
const callWork = 32

const table = new Table()

/** How many operations are remembered, and how to forget them. */
export const eagerCache: { readonly size: number; readonly clear: () => void } = {
  get size(): number {
    return table.size
  },
  clear: () => table.clear(),
}

/** Runs a primitive by a kernel made for it, or, where it is small and new, by its reference. */
export const evaluateCompiled: EagerBackend = (primitive, inputs, params) => {
  let strides: Strides[] | null = null
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i]!.layout === null) continue
    const own = stridesOfInput(inputs[i]!)
    if (own !== null) (strides ??= new Array<Strides>(inputs.length).fill(null))[i] = own
  }
  const hash = hashCall(inputs, strides, params)
  let entry = table.find(primitive, hash, inputs, strides, params)
  if (entry === null) {
    if (!isCompilable(primitive, inputs, params)) return evaluateConcrete(primitive, inputs, params)
    const types: readonly Aval[] = primitive.typing(
      inputs.map((x) => x.aval),
      params,
    )
    entry = table.add(primitive, hash, inputs, strides, params, types.map(sealed))
  }
  if (entry.executable === null) {
    entry.work += workOf(entry)
    if (entry.work < compileAfter) return evaluateTyped(primitive, inputs, params, entry.outputs)
    entry.executable = compileFor(graphOf(entry))
  }
  const memory = new Array<Storage>(inputs.length)
  for (let i = 0; i < inputs.length; i++) memory[i] = memoryOf(inputs[i]!)
  const storages = runOn(entry.executable, memory)
  const { outputs } = entry
  const results = new Array<Concrete>(outputs.length)
  for (let i = 0; i < outputs.length; i++) results[i] = new Concrete(outputs[i]!, storages[i]!)
  return results
}

// Effects happen in the reference; graphs in parameters are new at every call.
const isCompilable = (
  primitive: AnyPrimitive,
  inputs: readonly Concrete[],
  params: unknown,
): boolean =>
  !primitive.effectful &&
  subgraphs(params).length === 0 &&
  inputs.every((x) => !isComplex(x.aval.dtype)) &&
  codeGenerationAllowed()

const workOf = ({ types, outputs }: Entry): number => {
  let work = callWork
  for (const { shape } of types) work += sizeOf(shape)
  for (const { shape } of outputs) work += sizeOf(shape)
  return work
}

/** The operation as a graph. Inputs with gaps are the memory that they span. */
const graphOf = ({ primitive, types, strides, params, outputs }: Entry): Graph => {
  const origin = new Origin()
  const inputs: Var[] = []
  const equations: Equation[] = []
  const operands = types.map((type, i) => {
    const own = strides?.[i] ?? null
    if (own === null) {
      const input = new Var(type)
      inputs.push(input)
      return input
    }
    const { layout, length } = windowLayout(type.shape, own)
    const [input, read] = [new Var(aval([length], type.dtype)), new Var(type)]
    inputs.push(input)
    const reading = { primitive: stridedP, inputs: [input], params: { type, layout } }
    equations.push({ ...reading, outputs: [read], origin })
    return read
  })
  const results = outputs.map((type) => new Var(type))
  equations.push({ primitive, inputs: operands, params, outputs: results, origin })
  return { inputs, equations, outputs: results }
}
