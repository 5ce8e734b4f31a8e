/** Writing the driver's text: steps become calls, loops and branches. */
import {
  type Atom,
  CompileError,
  CotangentError,
  InternalError,
  Literal,
  type TypedArray,
} from '@cotangent/core'
import { type CompiledKernel, compileKernel } from '../js/compile.ts'
import type { Kernel } from '../kernel.ts'
import type { Plan } from '../plan/plan.ts'
import type { Observer } from '../profile/observer.ts'
import type {
  BranchStep,
  HostStep,
  KernelStep,
  Program,
  ScanStep,
  Slot,
  Step,
  WhileStep,
} from '../program.ts'
import { hostCall } from './host.ts'
import { constructorOf, lengthOf } from './views.ts'

/** A kernel as the driver calls it. */
export interface LinkedKernel {
  readonly name: string
  readonly source: string
  readonly run: (...buffers: readonly TypedArray[]) => void
}

type Environment = ReadonlyMap<Slot, string>

/** Lines of text, and what they name. */
export class Writer {
  readonly lines: string[] = []
  readonly kernels: LinkedKernel[] = []
  readonly sources: Map<KernelStep, string> = new Map()
  readonly constants: TypedArray[] = []
  readonly temporaries: { readonly slot: Slot; readonly offset: number }[] = []
  readonly hosts: ((...buffers: readonly TypedArray[]) => void)[] = []
  readonly #plan: Plan
  readonly #sites: Observer['sites']
  readonly #names = new Map<Slot, string>()
  readonly #places = new Map<string, string>()
  readonly #constantNames = new Map<unknown, string>()
  readonly #compiled = new Map<Kernel, CompiledKernel>()
  readonly #kernelNames = new Map<string, string>()
  #fresh = 0

  constructor(plan: Plan, sites: Observer['sites'] = new Map()) {
    this.#plan = plan
    this.#sites = sites
  }

  fresh(prefix: string): string {
    return `${prefix}${this.#fresh++}`
  }

  line(depth: number, text: string): void {
    this.lines.push(`${'  '.repeat(depth)}${text}`)
  }

  /** The JavaScript expression for an array. */
  name(slot: Slot, env: Environment): string {
    const bound = env.get(slot)
    if (bound !== undefined) return bound
    if (slot instanceof Literal) return this.constant(slot)
    const known = this.#names.get(slot)
    if (known !== undefined) return known
    const address = this.#plan.addresses.get(slot)
    if (address === undefined)
      throw new InternalError({ operation: 'driver', problem: 'an array has no address' })
    // Arrays that share memory share a name, so that copies between them are seen to do nothing.
    const place = `${address.offset} ${constructorOf(slot)} ${lengthOf(slot)}`
    const name = this.#places.get(place) ?? `t${this.temporaries.length}`
    if (!this.#places.has(place)) this.temporaries.push({ slot, offset: address.offset })
    this.#places.set(place, name)
    this.#names.set(slot, name)
    return name
  }

  constant(literal: Literal): string {
    const known = this.#constantNames.get(literal.value)
    if (known !== undefined) return known
    const name = `c${this.constants.length}`
    // Whoever gives this constant away later gives a copy: the code keeps reading it.
    this.constants.push(literal.value.storage.share().read())
    this.#constantNames.set(literal.value, name)
    return name
  }

  /** @throws CompileError where the engine refuses the text, with the user's line. */
  compiled({ kernel, equations }: KernelStep): CompiledKernel {
    try {
      return compileKernel(kernel)
    } catch (cause) {
      if (cause instanceof CotangentError) throw cause
      throw new CompileError(
        {
          operation: kernel.name,
          problem: `this kernel cannot be compiled: ${String(cause)}`,
          got: equations.map((e) => e.primitive.name).join(', '),
          fix: "report it as a bug; until then, jit(f, { backend: 'interpret' }) runs without kernels",
        },
        equations[0]?.origin.location,
      )
    }
  }

  kernel(step: KernelStep): string {
    const made = this.#compiled.get(step.kernel) ?? this.compiled(step)
    this.#compiled.set(step.kernel, made)
    const { run, source } = made
    this.sources.set(step, source)
    const known = this.#kernelNames.get(source)
    if (known !== undefined) return known
    const name = `k${this.kernels.length}`
    this.kernels.push({ name: step.kernel.name, source, run })
    this.#kernelNames.set(source, name)
    return name
  }

  steps(program: Program, env: Environment, depth: number): void {
    for (const step of program.steps) {
      const site = this.#sites.get(step)
      if (site !== undefined) this.line(depth, `mark(${2 * site})`)
      this.step(step, env, depth)
      if (site !== undefined) this.line(depth, `mark(${2 * site + 1})`)
    }
  }

  step(step: Step, env: Environment, depth: number): void {
    switch (step.tag) {
      case 'kernel':
        this.callKernel(step, env, depth)
        return
      case 'together':
        for (const part of step.parts) this.callKernel(part, env, depth)
        return
      case 'scan':
        this.scan(step, env, depth)
        return
      case 'while':
        this.whileLoop(step, env, depth)
        return
      case 'branch':
        this.branch(step, env, depth)
        return
      case 'host':
        this.host(step, env, depth)
        return
      default:
        step satisfies never
    }
  }

  callKernel(step: KernelStep, env: Environment, depth: number): void {
    for (const { from, to } of step.copies)
      this.copy(this.name(from, env), this.name(to, env), depth)
    const args = step.arguments.map((slot) => this.name(slot, env)).join(', ')
    this.line(depth, `${this.kernel(step)}(${args}) // ${step.kernel.name}`)
  }

  copy(from: string, to: string, depth: number): void {
    if (from !== to) this.line(depth, `if (${to} !== ${from}) ${to}.set(${from})`)
  }

  /** Two buffers for each carry, the first filled with the initial value. */
  carries(
    step: ScanStep | WhileStep,
    env: Environment,
    depth: number,
  ): readonly (readonly [string, string])[] {
    const pairs = this.#plan.carries.get(step) ?? []
    return pairs.map(([a, b], i) => {
      const current = this.fresh('carry')
      const next = this.fresh('next')
      this.line(depth, `let ${current} = ${this.name(a, env)}, ${next} = ${this.name(b, env)}`)
      this.line(depth, `${current}.set(${this.name(step.initial[i]!, env)})`)
      return [current, next]
    })
  }

  swap(pairs: readonly (readonly [string, string])[], depth: number): void {
    for (const [current, next] of pairs) {
      const spare = this.fresh('swap')
      this.line(depth, `const ${spare} = ${current}; ${current} = ${next}; ${next} = ${spare}`)
    }
  }

  scan(step: ScanStep, env: Environment, depth: number): void {
    const { body, length, reverse, constants, xs, ys, finals } = step
    const pairs = this.carries(step, env, depth)
    const s = this.fresh('s')
    const t = this.fresh('time')
    this.line(depth, `for (let ${s} = 0; ${s} < ${length}; ${s}++) {`)
    this.line(depth + 1, `const ${t} = ${reverse ? `${length - 1} - ${s}` : s}`)
    const inner = new Map<Slot, string>()
    const inputs = body.inputs
    constants.forEach((slot, i) => inner.set(inputs[i]!, this.name(slot, env)))
    pairs.forEach(([current], i) => inner.set(inputs[constants.length + i]!, current))
    xs.forEach((slot, i) => {
      const v = inputs[constants.length + pairs.length + i]!
      inner.set(v, this.slice(v, slot, t, env, depth + 1))
    })
    body.outputs.forEach((atom, i) => {
      const carry = pairs[i]
      if (carry !== undefined) inner.set(atom, carry[1])
      else inner.set(atom, this.slice(atom, ys[i - pairs.length]!, t, env, depth + 1))
    })
    this.steps(body, inner, depth + 1)
    this.swap(pairs, depth + 1)
    this.line(depth, '}')
    finals.forEach((v, i) => this.copy(pairs[i]![0], this.name(v, env), depth))
  }

  slice(inner: Atom, outer: Slot, t: string, env: Environment, depth: number): string {
    const size = lengthOf(inner)
    const name = this.fresh('slice')
    this.line(
      depth,
      `const ${name} = ${this.name(outer, env)}.subarray(${t} * ${size}, ${t} * ${size} + ${size})`,
    )
    return name
  }

  whileLoop(step: WhileStep, env: Environment, depth: number): void {
    const { condition, body, conditionConstants, bodyConstants, finals } = step
    const pairs = this.carries(step, env, depth)
    this.line(depth, 'for (;;) {')
    const bind = (program: Program, constants: readonly Slot[]): Map<Slot, string> => {
      const inner = new Map<Slot, string>()
      constants.forEach((slot, i) => inner.set(program.inputs[i]!, this.name(slot, env)))
      pairs.forEach(([current], i) => inner.set(program.inputs[constants.length + i]!, current))
      return inner
    }
    const test = bind(condition, conditionConstants)
    this.steps(condition, test, depth + 1)
    this.line(depth + 1, `if (${this.name(condition.outputs[0]!, test)}[0] === 0) break`)
    const inner = bind(body, bodyConstants)
    body.outputs.forEach((atom, i) => inner.set(atom, pairs[i]![1]))
    this.steps(body, inner, depth + 1)
    this.swap(pairs, depth + 1)
    this.line(depth, '}')
    finals.forEach((v, i) => this.copy(pairs[i]![0], this.name(v, env), depth))
  }

  branch(step: BranchStep, env: Environment, depth: number): void {
    const { index, branches, operands, outputs } = step
    this.line(
      depth,
      `switch (Math.min(Math.max(${this.name(index, env)}[0], 0), ${branches.length - 1})) {`,
    )
    branches.forEach((program, i) => {
      this.line(depth + 1, `case ${i}: {`)
      const inner = new Map<Slot, string>()
      program.inputs.forEach((v, k) => inner.set(v, this.name(operands[k]!, env)))
      program.outputs.forEach((atom, k) => inner.set(atom, this.name(outputs[k]!, env)))
      this.steps(program, inner, depth + 2)
      this.line(depth + 2, 'break')
      this.line(depth + 1, '}')
    })
    this.line(depth, '}')
  }

  host(step: HostStep, env: Environment, depth: number): void {
    const name = `h${this.hosts.length}`
    this.hosts.push(hostCall(step))
    const args = [...step.inputs, ...step.outputs].map((slot) => this.name(slot, env)).join(', ')
    this.line(depth, `${name}(${args})`)
  }
}
