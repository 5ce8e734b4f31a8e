/** The driver as a function of the module: it calls kernels, runs loops and branches, copies. */
import { type Atom, InternalError, Literal } from '@cotangent/core'
import { type Plan, bytesOf } from '../plan/plan.ts'
import {
  type BranchStep,
  type HostStep,
  type KernelStep,
  type Program,
  type ScanStep,
  type Slot,
  type Step,
  type TogetherStep,
  type WhileStep,
} from '../program.ts'
import { FunctionBody } from './encode/body.ts'
import type { ModuleBuilder } from './encode/module.ts'
import { op } from './encode/opcodes.ts'
import type { Observer } from '../profile/observer.ts'
import type { Ground } from './ground.ts'
import type { Kernels, PhaseFunction } from './kernels.ts'
import { type Operand, pushOperand } from './operands.ts'
import { forksAlways } from './threads/settings.ts'

type Environment = ReadonlyMap<Slot, Operand>

/** Functions that the driver imports. */
export interface DriverImports {
  /** `fork(phase, arguments, rounds, grain, microseconds)`: runs a phase, on all threads if that pays. */
  readonly fork: number
  /** `host(n)`: calls JavaScript; the pointers are among the arguments. */
  readonly host: number
  /** `mark(n)`: tells that a step begins or ends; null where nobody listens. */
  readonly mark: number | null
}

/** Nanoseconds of work that are shared out between threads. */
export const worthForking = 6_000
/** Nanoseconds that one call of a phase takes at most: calls are where the engine swaps in better code. */
const longCall = 40_000

/** Writes `run(ground)`, which runs the program once. */
export class DriverPrinter {
  readonly #body = new FunctionBody(['i32'])
  readonly #plan: Plan
  readonly #ground: Ground
  readonly #kernels: Kernels
  readonly #module: ModuleBuilder
  readonly #imports: DriverImports
  readonly #sites: Observer['sites']
  readonly hosts: HostStep[] = []
  /** What the program as a whole is handed; constants are found here from inner programs, too. */
  readonly #handed = new Map<Slot, Operand>()

  constructor(
    plan: Plan,
    ground: Ground,
    kernels: Kernels,
    module: ModuleBuilder,
    imports: DriverImports,
    sites: Observer['sites'],
  ) {
    this.#plan = plan
    this.#ground = ground
    this.#kernels = kernels
    this.#module = module
    this.#imports = imports
    this.#sites = sites
  }

  print(program: Program): FunctionBody {
    const env = this.#handed
    const pointer = (slot: Slot, at: number): void => {
      const local = this.#body.local('i32')
      this.#body.get(0)
      this.#body.load(op.i32Load, at)
      this.#body.set(local)
      env.set(slot, { local, offset: 0 })
    }
    for (const { slot, at } of this.#ground.pointers) pointer(slot, at)
    this.#steps(program, env)
    return this.#body
  }

  #operand(slot: Slot, env: Environment): Operand {
    const bound = env.get(slot)
    if (bound !== undefined) return bound
    if (slot instanceof Literal) {
      const shared = this.#ground.literal(slot)
      const found = shared === null ? undefined : this.#handed.get(shared)
      if (found !== undefined) return found
    }
    const address = this.#plan.addresses.get(slot)
    if (address === undefined) {
      throw new InternalError({ operation: 'driver', problem: 'an array has no address' })
    }
    return { local: 0, offset: this.#ground.arena + address.offset }
  }

  #steps({ steps }: Pick<Program, 'steps'>, env: Environment): void {
    for (const step of steps) {
      const site = this.#sites.get(step)
      if (site !== undefined) this.#mark(2 * site)
      this.#step(step, env)
      if (site !== undefined) this.#mark(2 * site + 1)
    }
  }

  #mark(n: number): void {
    const { mark } = this.#imports
    if (mark === null) return
    this.#body.i32(n)
    this.#body.call(mark)
  }

  #step(step: Step, env: Environment): void {
    switch (step.tag) {
      case 'kernel':
        return this.#kernel(step, env)
      case 'together':
        return this.#together(step, env)
      case 'scan':
        return this.#scan(step, env)
      case 'while':
        return this.#while(step, env)
      case 'branch':
        return this.#branch(step, env)
      case 'host':
        return this.#host(step, env)
      default:
        step satisfies never
    }
  }

  // Puts pointers among the arguments of what is called next.
  #arguments(slots: readonly Slot[], env: Environment): void {
    slots.forEach((slot, n) => {
      this.#body.get(0)
      pushOperand(this.#body, this.#operand(slot, env))
      this.#body.load(op.i32Store, this.#ground.arguments + 4 * n)
    })
  }

  #together(step: TogetherStep, env: Environment): void {
    const { parts } = step
    // Who wants to be told of each kernel has them run one by one.
    if (parts.some((part) => this.#sites.has(part))) return this.#steps({ steps: parts }, env)
    const phase = this.#kernels.together(step, this.#module)
    this.#arguments(
      parts.flatMap((part) => part.arguments),
      env,
    )
    this.#phase(phase)
  }

  #pushArguments(): void {
    pushOperand(this.#body, { local: 0, offset: this.#ground.arguments })
  }

  #kernel(step: KernelStep, env: Environment): void {
    for (const { from, to } of step.copies) {
      this.#copy(this.#operand(from, env), this.#operand(to, env), bytesOf(to))
    }
    const { phases } = this.#kernels.print(step, this.#module)
    this.#arguments(step.arguments, env)
    for (const phase of phases) this.#phase(phase)
  }

  #phase({ number, index, rounds, cost }: PhaseFunction): void {
    const body = this.#body
    const total = rounds * cost
    if (rounds > 1 && (total >= worthForking || forksAlways())) {
      body.i32(number)
      this.#pushArguments()
      body.i32(rounds)
      body.i32(grainOf(rounds, cost))
      body.i32(Math.min(1e9, Math.round(total / 1000)))
      body.call(this.#imports.fork)
      return
    }
    this.#pushArguments()
    body.i32(0)
    body.i32(rounds)
    body.call(index)
  }

  #copy(from: Operand, to: Operand, bytes: number): void {
    if (from.local === to.local && from.offset === to.offset) return
    const body = this.#body
    pushOperand(body, to)
    pushOperand(body, from)
    body.i32(bytes)
    body.memoryCopy()
  }

  #local(value: Operand): Operand {
    const local = this.#body.local('i32')
    pushOperand(this.#body, value)
    this.#body.set(local)
    return { local, offset: 0 }
  }

  /** Two buffers for each carry of a loop, the first filled with the initial value. */
  #carries(
    step: ScanStep | WhileStep,
    env: Environment,
  ): readonly (readonly [current: Operand, next: Operand])[] {
    return (this.#plan.carries.get(step) ?? []).map(([a, b], i) => {
      const initial = step.initial[i]!
      const pair = [this.#local(this.#operand(a, env)), this.#local(this.#operand(b, env))] as const
      this.#copy(this.#operand(initial, env), pair[0], bytesOf(initial))
      return pair
    })
  }

  #swap(pairs: readonly (readonly [Operand, Operand])[]): void {
    const body = this.#body
    for (const [current, next] of pairs) {
      body.get(current.local)
      body.get(next.local)
      body.set(current.local)
      body.set(next.local)
    }
  }

  #scan(step: ScanStep, env: Environment): void {
    const body = this.#body
    const { length, reverse, constants, xs, ys, finals } = step
    const pairs = this.#carries(step, env)
    const inputs = step.body.inputs
    const inner = new Map<Slot, Operand>()
    constants.forEach((slot, i) => inner.set(inputs[i]!, this.#operand(slot, env)))
    pairs.forEach(([current], i) => inner.set(inputs[constants.length + i]!, current))
    const slices: { readonly local: number; readonly stride: number }[] = []
    const slice = (atom: Atom, outer: Slot): void => {
      const stride = bytesOf(atom)
      const { local, offset } = this.#operand(outer, env)
      const moved = { local, offset: offset + (reverse ? (length - 1) * stride : 0) }
      const at = this.#local(moved)
      slices.push({ local: at.local, stride: reverse ? -stride : stride })
      inner.set(atom, at)
    }
    xs.forEach((slot, i) => slice(inputs[constants.length + pairs.length + i]!, slot))
    step.body.outputs.forEach((atom, i) => {
      const carry = pairs[i]
      if (carry !== undefined) inner.set(atom, carry[1])
      else slice(atom, ys[i - pairs.length]!)
    })
    if (length > 0) {
      const time = body.local('i32')
      body.i32(length)
      body.set(time)
      body.loop()
      this.#steps(step.body, inner)
      this.#swap(pairs)
      for (const { local, stride } of slices) {
        body.get(local)
        body.i32(stride)
        body.op(op.i32Add)
        body.set(local)
      }
      body.get(time)
      body.i32(1)
      body.op(op.i32Sub)
      body.tee(time)
      body.brIf(0)
      body.end()
    }
    finals.forEach((v, i) => this.#copy(pairs[i]![0], this.#operand(v, env), bytesOf(v)))
  }

  #while(step: WhileStep, env: Environment): void {
    const body = this.#body
    const pairs = this.#carries(step, env)
    const bind = (program: Program, constants: readonly Slot[]): Map<Slot, Operand> => {
      const inner = new Map<Slot, Operand>()
      constants.forEach((slot, i) => inner.set(program.inputs[i]!, this.#operand(slot, env)))
      pairs.forEach(([current], i) => inner.set(program.inputs[constants.length + i]!, current))
      return inner
    }
    body.block()
    body.loop()
    const test = bind(step.condition, step.conditionConstants)
    this.#steps(step.condition, test)
    const flag = this.#operand(step.condition.outputs[0]!, test)
    body.get(flag.local)
    body.load(op.i32Load8U, flag.offset)
    body.op(op.i32Eqz)
    body.brIf(1)
    const inner = bind(step.body, step.bodyConstants)
    step.body.outputs.forEach((atom, i) => inner.set(atom, pairs[i]![1]))
    this.#steps(step.body, inner)
    this.#swap(pairs)
    body.br(0)
    body.end()
    body.end()
    step.finals.forEach((v, i) => this.#copy(pairs[i]![0], this.#operand(v, env), bytesOf(v)))
  }

  #branch(step: BranchStep, env: Environment): void {
    const body = this.#body
    const { branches, operands, outputs } = step
    const index = this.#operand(step.index, env)
    const last = branches.length - 1
    branches.forEach((program, i) => {
      const inner = new Map<Slot, Operand>()
      program.inputs.forEach((v, k) => inner.set(v, this.#operand(operands[k]!, env)))
      program.outputs.forEach((atom, k) => inner.set(atom, this.#operand(outputs[k]!, env)))
      if (i < last) {
        // An index beyond either end is clamped: the first branch takes all below 1, the last the rest.
        body.get(index.local)
        body.load(op.i32Load, index.offset)
        body.i32(i)
        body.op(op.i32LeS)
        body.if()
      }
      this.#steps(program, inner)
      if (i < last) body.else()
    })
    for (let i = 0; i < last; i++) body.end()
  }

  #host(step: HostStep, env: Environment): void {
    this.#arguments([...step.inputs, ...step.outputs], env)
    this.#body.i32(this.hosts.length)
    this.#body.call(this.#imports.host)
    this.hosts.push(step)
  }
}

/** How many rounds one task has: enough for a call to pay, few enough to share out evenly. */
const grainOf = (rounds: number, cost: number): number => {
  const long = Math.max(1, Math.floor(longCall / Math.max(cost, 0.001)))
  return Math.max(1, Math.min(long, Math.ceil(rounds / 8)))
}
