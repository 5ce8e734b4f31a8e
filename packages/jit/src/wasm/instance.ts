/** A program as a WebAssembly module, and the module as functions. */
import { InternalError } from '@cotangent/core'
import { hostCall } from '../driver/host.ts'
import type { Plan } from '../plan/plan.ts'
import type { Observer } from '../profile/observer.ts'
import { stage } from '../profile/stopwatch.ts'
import { type HostStep, type KernelStep, type Program, typeOf } from '../program.ts'
import { lengthOf } from '../driver/views.ts'
import { DriverPrinter } from './driver.ts'
import { ModuleBuilder } from './encode/module.ts'
import { Ground, everyStep } from './ground.ts'
import type { Heap } from './heap/index.ts'
import { type KernelFunction, Kernels } from './kernels.ts'
import type { HostFunction } from './print/host.ts'

/** A printed program. */
export interface WasmModule {
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly ground: Ground
  readonly kernels: readonly KernelFunction[]
  /** How many phases it exports: `p0`, `p1`, … */
  readonly phases: number
  /** The loop IR of each step's kernel, as text. */
  readonly sources: ReadonlyMap<KernelStep, string>
  readonly hostFunctions: readonly HostFunction[]
  readonly hosts: readonly HostStep[]
  /** Phases that call functions of JavaScript. */
  readonly hosting: ReadonlySet<number>
}

/** Prints kernels and driver of a planned program, and calls of an observer if there is one. */
export const printModule = (
  program: Program,
  plan: Plan,
  shared: boolean,
  observer: Observer | null = null,
): WasmModule => {
  const module = new ModuleBuilder()
  module.importMemory('env', 'memory', { initial: 1, maximum: 65536, shared })
  const kernels = new Kernels()
  for (const step of everyStep(program)) {
    if (step.tag === 'kernel') kernels.prepare(step)
    else if (step.tag === 'together') for (const part of step.parts) kernels.prepare(part)
  }
  const hostFunctions = kernels.hostFunctions()
  for (const f of hostFunctions) {
    const params = f.arity === 1 ? ([f.kind] as const) : ([f.kind, f.kind] as const)
    kernels.imported(f, module.importFunction('maths', f.name, params, [f.kind]))
  }
  const fork = module.importFunction('env', 'fork', ['i32', 'i32', 'i32', 'i32', 'i32'], [])
  const host = module.importFunction('env', 'host', ['i32'], [])
  const mark = observer === null ? null : module.importFunction('env', 'mark', ['i32'], [])
  const ground = new Ground(program, plan)
  const sites = observer?.sites ?? new Map()
  const printer = new DriverPrinter(plan, ground, kernels, module, { fork, host, mark }, sites)
  const body = printer.print(program)
  const run = module.declare('driver', ['i32'], [])
  module.define(run, body)
  module.export('run', run)
  return {
    bytes: module.toBytes(),
    ground,
    kernels: kernels.functions,
    phases: kernels.phases,
    get sources() {
      return kernels.sources()
    },
    hostFunctions,
    hosts: printer.hosts,
    hosting: kernels.hosting,
  }
}

export type PhaseCall = (args: number, from: number, to: number) => void
/** Runs the rounds of a phase and returns how many threads took part. */
export type Fork = (
  phase: number,
  args: number,
  rounds: number,
  grain: number,
  microseconds: number,
) => number

/** The functions of a module in this thread. */
export interface Instance {
  readonly run: (ground: number) => void
  readonly phases: readonly PhaseCall[]
}

/** A module on its way to an instance: once, by either of the two. */
export interface Linking {
  /** @throws RangeError where this thread may compile no module of this length at once */
  readonly now: () => Instance
  /** The same, compiled by other threads of the engine. */
  readonly later: () => Promise<Instance>
}

/** What a module is linked with. `makeFork` gives what runs a phase on all threads. */
export const linking = (
  module: WasmModule,
  heap: Heap,
  makeFork: (phases: readonly PhaseCall[]) => Fork,
  observer: Observer | null = null,
): Linking => {
  const { bytes, hostFunctions, hosts, ground } = module
  const calls = hosts.map(hostCall)
  const phases: PhaseCall[] = []
  let groundNow = 0
  const host = (n: number): void => {
    const step = hosts[n]!
    const slots = [...step.inputs, ...step.outputs]
    const from = (groundNow + ground.arguments) / 4
    const views = slots.map((slot, i) => {
      const address = heap.i32[from + i]!
      return heap.view(address >>> 0, typeOf(slot).dtype, lengthOf(slot))
    })
    const before = groundNow
    calls[n]!(...views)
    groundNow = before
  }
  const fork = observed(makeFork(phases), observer)
  const imports = {
    env: { memory: heap.memory, fork, host, mark: observer?.mark ?? nobody },
    maths: Object.fromEntries(hostFunctions.map((f) => [f.name, f.run])),
  }
  const linked = ({ exports }: WebAssembly.Instance): Instance => {
    phases.splice(0)
    for (let p = 0; p < module.phases; p++) phases.push(functionOf(exports, `p${p}`))
    const run = functionOf(exports, 'run')
    return {
      run: (at) => {
        groundNow = at
        run(at)
      },
      phases,
    }
  }
  return {
    now: () => {
      const code = stage('compile', () => new WebAssembly.Module(bytes))
      return linked(new WebAssembly.Instance(code, imports))
    },
    later: async () => {
      const code = await WebAssembly.compile(bytes)
      return linked(await WebAssembly.instantiate(code, imports))
    },
  }
}

/** Compiles and links a module now. @see Linking */
export const instantiate = (...how: Parameters<typeof linking>): Instance => linking(...how).now()

const nobody = (): void => {}

const observed = (fork: Fork, observer: Observer | null): Fork =>
  observer === null
    ? fork
    : (...job) => {
        const threads = fork(...job)
        observer.forked(threads)
        return threads
      }

type AnyFunction = (...args: readonly number[]) => void

const isFunction = (value: unknown): value is AnyFunction => typeof value === 'function'

const functionOf = (exports: WebAssembly.Exports, name: string): AnyFunction => {
  const found = exports[name]
  if (isFunction(found)) return found
  throw new InternalError({ operation: 'link', problem: 'the module lacks a function', got: name })
}
