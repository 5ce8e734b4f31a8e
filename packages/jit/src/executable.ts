/** A compiled graph: program, memory plan and driver, ready to run. */
import {
  type Atom,
  type Graph,
  type NDArray,
  Storage,
  type TypedArray,
  type Var,
  decodeHalf,
  encodeHalf,
  evaluateGraph,
  forMachine,
  isHalf,
} from '@cotangent/core'
import { type Driver, makeDriver } from './driver/driver.ts'
import { codeGenerationAllowed } from './js/evaluate.ts'
import { lowerGraph } from './lower.ts'
import { type Stage, optimize } from './passes/pipeline.ts'
import { type Plan, planMemory } from './plan/plan.ts'
import { stage } from './profile/stopwatch.ts'
import { type OutputOrigin, originsOf } from './origins.ts'
import type { Program } from './program.ts'
import { isTiny } from './size.ts'
import { jsTarget, wasmTarget } from './target.ts'
import { standIn } from './standIn.ts'
import { WasmProgram } from './wasm/executable.ts'
import { wasmAvailable, wasmObstacle } from './wasm/runtime.ts'

/** What runs: JavaScript functions over typed arrays, or a WebAssembly module over a heap. */
export type Code =
  | { readonly tag: 'js'; readonly driver: Driver }
  | { readonly tag: 'wasm'; readonly program: WasmProgram }

export interface Executable {
  readonly graph: Graph
  readonly stages: readonly Stage[]
  readonly program: Program
  readonly plan: Plan
  readonly code: Code
  readonly origins: readonly OutputOrigin[]
  /** Runs on raw storage (half floats as codes); outputs in order. */
  readonly run: (inputs: readonly TypedArray[]) => readonly TypedArray[]
}

/**
 * Compiles a closed graph. `donated[i]` lets outputs overwrite input `i`. Without a `backend`, it is
 * WebAssembly's where there is enough to do: entering it costs more than a JavaScript function does.
 * A module is compiled now if the engine allows, unless it `isAwaited`.
 */
export const compileGraph = (
  graph: Graph,
  donated: readonly boolean[] = [],
  given?: CodeBackend,
  name = 'compiled function',
  isAwaited = false,
): Executable => {
  const best = backendFor(given) ?? 'js'
  if (best === 'js' && given !== 'js') noticeJavaScript()
  const wanted = lowerFor(graph, best)
  const tiny =
    given === undefined && best === 'wasm' && codeGenerationAllowed() && isTiny(wanted.program)
  const backend = tiny && codeGenerationAllowed() ? 'js' : best
  const { stages, program } = backend === best ? wanted : lowerFor(graph, backend)
  const inputs: readonly Var[] = program.inputs
  const givenAway = inputs.filter((_, i) => donated[i] === true)
  const plan = stage('plan', () => planMemory(program, givenAway))
  const origins = originsOf(program)
  const shared = { graph, stages, program, plan, origins }
  if (backend === 'js') {
    const driver = stage('print', () => makeDriver(program, plan))
    return { ...shared, code: { tag: 'js', driver }, run: driver.run }
  }
  const wasm = new WasmProgram(program, plan, origins, name)
  if (!isAwaited) wasm.start()
  const meanwhile = standIn(wasm, () =>
    codeGenerationAllowed() ? compileGraph(graph, [], 'js').run : interpreted(graph),
  )
  const run: Executable['run'] = (arrays) =>
    wasm.start() ? runStored(wasm, arrays, donated) : meanwhile(arrays)
  return { ...shared, code: { tag: 'wasm', program: wasm }, run }
}

const runStored = (
  program: WasmProgram,
  arrays: readonly TypedArray[],
  donated: readonly boolean[],
): readonly TypedArray[] =>
  program
    .call(
      arrays.map((data) => new Storage(data)),
      donated,
    )
    .map((storage) => storage.read())

const lowerFor = (
  graph: Graph,
  backend: CodeBackend,
): { readonly stages: readonly Stage[]; readonly program: Program } => {
  const target = backend === 'js' ? jsTarget : wasmTarget
  return forMachine(target.machine, () => {
    const stages = stage('optimise', () => optimize(graph))
    return { stages, program: stage('lower', () => lowerGraph(stages.at(-1)!.graph, target)) }
  })
}

/** The generated functions, as text. */
export const kernelsOf = ({
  code,
}: Executable): readonly { readonly name: string; readonly source: string }[] =>
  code.tag === 'js'
    ? code.driver.kernels.map(({ name, source }) => ({ name, source }))
    : code.program.kernels

/** Back ends that generate code. */
export type CodeBackend = 'js' | 'wasm'

/** What is used where a back end (undefined: the best) is asked for; null: only the interpreter is left. */
export const backendFor = (wanted: CodeBackend | undefined): CodeBackend | null => {
  if (wanted !== 'js' && wasmAvailable()) return 'wasm'
  return codeGenerationAllowed() ? 'js' : null
}

/** Whether a back end (undefined: any) can make functions here. */
export const isAvailable = (backend: CodeBackend | undefined): boolean =>
  backend === undefined
    ? wasmAvailable() || codeGenerationAllowed()
    : backend === 'wasm'
      ? wasmAvailable()
      : codeGenerationAllowed()

const compiled = new WeakMap<Graph, Executable>()

/** The executable of a graph that equations call again and again, by the graph's identity. */
export const executableOf = (graph: Graph): Executable => {
  const known = compiled.get(graph)
  if (known !== undefined) return known
  const made = compileGraph(graph)
  compiled.set(graph, made)
  return made
}

let saidJavaScript = false

/** Says once that compiled functions are JavaScript here, for want of WebAssembly. */
const noticeJavaScript = (): void => {
  if (saidJavaScript) return
  saidJavaScript = true
  console.warn(
    `cotangent: ${wasmObstacle()}; compiled functions are JavaScript, which takes several times as long`,
  )
}

let noticed = false

/** Says once that compiled functions are interpreted here. */
export const noticeInterpreted = (): void => {
  if (noticed) return
  noticed = true
  console.warn(
    'cotangent: the content security policy of this page forbids generated code (it has neither wasm-unsafe-eval nor unsafe-eval); compiled functions run interpreted',
  )
}

/** Runs a graph on arrays, compiled where code generation is allowed. */
export const executeArrays = (graph: Graph, inputs: readonly NDArray[]): readonly NDArray[] => {
  if (!isAvailable(undefined)) {
    noticeInterpreted()
    return evaluateGraph(graph, inputs)
  }
  return runArrays(executableOf(graph), inputs)
}

const rawOf = ({ dtype, data }: NDArray): TypedArray =>
  isHalf(dtype) ? encodeHalf(dtype, data) : data

const arrayOf = ({ aval: { shape, dtype } }: Atom, data: TypedArray): NDArray => ({
  shape,
  dtype,
  data: isHalf(dtype) ? decodeHalf(dtype, data) : data,
})

/** Runs an executable on arrays as the interpreter has them. */
export const runArrays = (
  { graph, run }: Executable,
  inputs: readonly NDArray[],
): readonly NDArray[] => {
  const outputs = run(inputs.map(rawOf))
  return graph.outputs.map((atom, i) => arrayOf(atom, outputs[i]!))
}

/** The interpreter on raw storage. */
const interpreted =
  (graph: Graph): Executable['run'] =>
  (inputs) =>
    evaluateGraph(
      graph,
      inputs.map((data, i) => arrayOf(graph.inputs[i]!, data)),
    ).map(rawOf)
