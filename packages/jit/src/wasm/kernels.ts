/** The kernels of a module: each different one is printed once. */
import { type DType, CompileError, CotangentError } from '@cotangent/core'
import type { Kernel } from '../kernel.ts'
import { showKernel } from '../loops/show.ts'
import { stage } from '../profile/stopwatch.ts'
import type { KernelStep, TogetherStep } from '../program.ts'
import type { ModuleBuilder } from './encode/module.ts'
import type { HostFunction } from './print/host.ts'
import { type Phase, type PrintedPhase, phasesOf, printPhase } from './print/phases.ts'
import { runWasmPasses } from './passes/passes.ts'
import { type Section, printTogether } from './print/together.ts'

/** A kernel after the loop passes, split into phases. */
export interface PreparedKernel {
  readonly kernel: Kernel
  readonly phases: readonly Phase[]
}

/** One phase as a function of the module. */
export interface PhaseFunction {
  /** The number that the driver and the workers call it by: `p0`, `p1`, … */
  readonly number: number
  readonly index: number
  readonly rounds: number
  /** Estimated nanoseconds of a round. */
  readonly cost: number
}

/** A kernel of the module. */
export interface KernelFunction {
  readonly name: string
  /** The loop IR that was printed, as text. */
  readonly source: string
  readonly buffers: readonly { readonly dtype: DType; readonly size: number }[]
  readonly phases: readonly PhaseFunction[]
}

/** @throws CompileError where a kernel cannot be printed, with the user's line. */
const guarded = <T>({ kernel, equations }: KernelStep, use: () => T): T => {
  try {
    return use()
  } catch (cause) {
    if (cause instanceof CotangentError) throw cause
    throw new CompileError(
      {
        operation: kernel.name,
        problem: `this kernel cannot be compiled: ${String(cause)}`,
        got: equations.map((e) => e.primitive.name).join(', '),
        fix: "report it as a bug; until then, jit(f, { backend: 'js' }) compiles to JavaScript",
      },
      equations[0]?.origin.location,
    )
  }
}

const samePhases = (a: readonly PrintedPhase[], b: readonly PrintedPhase[]): boolean =>
  a.length === b.length &&
  a.every(({ body, rounds }, n) => rounds === b[n]!.rounds && body.equals(b[n]!.body))

// Each different one of the kernels that a phase runs at once, and how often it runs.
const sourceOf = (name: string, made: readonly KernelFunction[]): string => {
  const counts = new Map<KernelFunction, number>()
  for (const kernel of made) counts.set(kernel, (counts.get(kernel) ?? 0) + 1)
  const texts = [...counts].map(([{ source }, count]) =>
    count === 1 ? source : `${count} × ${source}`,
  )
  return `${name}: at once\n\n${texts.join('\n\n')}`
}

export class Kernels {
  readonly #prepared = new Map<Kernel, PreparedKernel>()
  readonly #functions = new Map<Kernel, KernelFunction>()
  readonly #steps: KernelStep[] = []
  readonly #printed: { readonly phases: readonly PrintedPhase[]; readonly made: KernelFunction }[] =
    []
  readonly #host = new Map<string, number>()
  readonly #shown = new Set<KernelFunction>()
  /** Phases that call functions of JavaScript. */
  readonly hosting: Set<number> = new Set()
  #phases = 0

  /** What the driver calls, in the order in which it first does. */
  get functions(): readonly KernelFunction[] {
    return [...this.#shown]
  }

  /** How many phases there are: `p0`, `p1`, … */
  get phases(): number {
    return this.#phases
  }

  /** Runs the loop passes; all kernels are prepared before the first is printed. */
  prepare(step: KernelStep): void {
    if (this.#prepared.has(step.kernel)) return
    guarded(step, () => {
      const kernel = stage('loop passes', () => runWasmPasses(step.kernel))
      this.#prepared.set(step.kernel, { kernel, phases: phasesOf(kernel.body) })
    })
  }

  /** The functions of JavaScript that the kernels call; imports come first in a module. */
  hostFunctions(): readonly HostFunction[] {
    const found = new Map<string, HostFunction>()
    for (const { phases } of this.#prepared.values()) {
      for (const phase of phases) for (const f of phase.hostFunctions) found.set(f.name, f)
    }
    return [...found.values()]
  }

  /** Tells where an imported function is. */
  imported({ name }: HostFunction, index: number): void {
    this.#host.set(name, index)
  }

  /** The text of each step's kernel. */
  sources(): ReadonlyMap<KernelStep, string> {
    return new Map(this.#steps.map((step) => [step, this.#functions.get(step.kernel)!.source]))
  }

  /** Writes a kernel's phases into the module, unless an equal kernel is there. */
  print(step: KernelStep, module: ModuleBuilder): KernelFunction {
    const made = this.#function(step, module)
    this.#shown.add(made)
    return made
  }

  /** Writes a function whose rounds are those of several kernels. */
  together({ name, parts }: TogetherStep, module: ModuleBuilder): PhaseFunction {
    const made = parts.map((part) => this.#function(part, module))
    const number = this.#phases++
    const sections: Section[] = []
    let [at, rounds, total] = [0, 0, 0]
    made.forEach(({ phases }, n) => {
      for (const phase of phases) {
        sections.push({ index: phase.index, rounds: phase.rounds, at })
        rounds += phase.rounds
        total += phase.rounds * phase.cost
        if (this.hosting.has(phase.number)) this.hosting.add(number)
      }
      at += 4 * parts[n]!.arguments.length
    })
    const index = module.declare(name, ['i32', 'i32', 'i32'], [])
    module.define(index, printTogether(sections))
    module.export(`p${number}`, index)
    const phase = { number, index, rounds, cost: total / rounds }
    this.#shown.add({
      name,
      get source() {
        return sourceOf(name, made)
      },
      buffers: made.flatMap((kernel) => kernel.buffers),
      phases: [phase],
    })
    return phase
  }

  #function(step: KernelStep, module: ModuleBuilder): KernelFunction {
    this.#steps.push(step)
    const done = this.#functions.get(step.kernel)
    if (done !== undefined) return done
    const made = guarded(step, () => this.#print(step, module))
    this.#functions.set(step.kernel, made)
    return made
  }

  #print(step: KernelStep, module: ModuleBuilder): KernelFunction {
    const { kernel, phases } = this.#prepared.get(step.kernel)!
    const printed = phases.map((phase) => printPhase(kernel, phase, this.#host))
    const known = this.#printed.find((other) => samePhases(other.phases, printed))
    if (known !== undefined) return known.made
    const functions = printed.map(({ body, rounds, cost }, n): PhaseFunction => {
      const number = this.#phases++
      const index = module.declare(kernel.name, ['i32', 'i32', 'i32'], [])
      module.define(index, body)
      module.export(`p${number}`, index)
      if (phases[n]!.hostFunctions.length > 0) this.hosting.add(number)
      return { number, index, rounds, cost }
    })
    const made: KernelFunction = {
      name: kernel.name,
      get source() {
        return showKernel(kernel)
      },
      buffers: kernel.buffers.map(({ dtype, size }) => ({ dtype, size })),
      phases: functions,
    }
    this.#printed.push({ phases: printed, made })
    return made
  }
}
