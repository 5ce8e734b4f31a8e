/** The generated driver: one function that calls the kernels of a program in order. */
import {
  type Atom,
  Literal,
  type NDArray,
  type TypedArray,
  type Var,
  dtypeInfo,
  isHalf,
  isVar,
  makeStore,
  sizeOf,
  decodeHalf,
  encodeHalf,
} from '@cotangent/core'
import { compileKernel } from './js/compile.ts'
import { evaluateAny } from './js/evaluate.ts'
import { typeOf } from './lower.ts'
import type { Plan } from './plan/plan.ts'
import {
  type HostStep,
  type KernelStep,
  type Program,
  type ScanStep,
  type Slot,
  type Step,
  type WhileStep,
  type BranchStep,
} from './program.ts'

export type Run = (inputs: readonly TypedArray[]) => readonly TypedArray[]

/** A kernel as the driver calls it. */
export interface LinkedKernel {
  readonly name: string
  readonly source: string
  readonly run: (...buffers: readonly TypedArray[]) => void
}

export interface Driver {
  readonly source: string
  readonly kernels: readonly LinkedKernel[]
  readonly run: Run
  /** The same driver over other functions: kernels wrapped in timers. */
  readonly link: (kernels: readonly LinkedKernel['run'][]) => Run
}

type Environment = ReadonlyMap<Slot, string>

/** A typed array over a part of the arena. */
const view = (arena: ArrayBuffer, slot: Slot, offset: number): TypedArray => {
  const { shape, dtype } = typeOf(slot)
  const size = dtype === 'complex64' ? 2 * sizeOf(shape) : sizeOf(shape)
  const sample = makeStore(dtype, 0)
  if (sample instanceof Float32Array) return new Float32Array(arena, offset, size)
  if (sample instanceof Float64Array) return new Float64Array(arena, offset, size)
  if (sample instanceof Int32Array) return new Int32Array(arena, offset, size)
  if (sample instanceof Uint32Array) return new Uint32Array(arena, offset, size)
  if (sample instanceof Int16Array) return new Int16Array(arena, offset, size)
  if (sample instanceof Uint16Array) return new Uint16Array(arena, offset, size)
  return sample instanceof Int8Array
    ? new Int8Array(arena, offset, size)
    : new Uint8Array(arena, offset, size)
}

class Writer {
  readonly lines: string[] = []
  readonly kernels: LinkedKernel[] = []
  readonly constants: TypedArray[] = []
  readonly temporaries: TypedArray[] = []
  readonly hosts: ((...buffers: readonly TypedArray[]) => void)[] = []
  readonly #plan: Plan
  readonly #arena: ArrayBuffer
  readonly #names = new Map<Slot, string>()
  readonly #places = new Map<string, string>()
  readonly #constantNames = new Map<unknown, string>()
  readonly #kernelNames = new Map<string, string>()
  #fresh = 0

  constructor(plan: Plan) {
    this.#plan = plan
    this.#arena = new ArrayBuffer(plan.arenaBytes)
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
    if (address === undefined) throw new Error('an array has no address')
    const made = view(this.#arena, slot, address.offset)
    // Arrays that share memory share a name, so that copies between them are seen to do nothing.
    const place = `${address.offset} ${made.constructor.name} ${made.length}`
    const name = this.#places.get(place) ?? `t${this.temporaries.length}`
    if (!this.#places.has(place)) this.temporaries.push(made)
    this.#places.set(place, name)
    this.#names.set(slot, name)
    return name
  }

  constant(literal: Literal): string {
    const known = this.#constantNames.get(literal.value)
    if (known !== undefined) return known
    const name = `c${this.constants.length}`
    this.constants.push(literal.value.storage.read())
    this.#constantNames.set(literal.value, name)
    return name
  }

  kernel(step: KernelStep): string {
    const { run, source } = compileKernel(step.kernel)
    const known = this.#kernelNames.get(source)
    if (known !== undefined) return known
    const name = `k${this.kernels.length}`
    this.kernels.push({ name: step.kernel.name, source, run })
    this.#kernelNames.set(source, name)
    return name
  }

  steps(program: Program, env: Environment, depth: number): void {
    for (const step of program.steps) this.step(step, env, depth)
  }

  step(step: Step, env: Environment, depth: number): void {
    switch (step.tag) {
      case 'kernel':
        this.callKernel(step, env, depth)
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
    const size = sizeOf(inner.aval.shape)
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

const hostCall =
  ({ call, inputs, outputs }: HostStep) =>
  (...buffers: readonly TypedArray[]): void => {
    const arrays = inputs.map((slot, i): NDArray => {
      const { shape, dtype } = typeOf(slot)
      const raw = buffers[i]!
      return { shape, dtype, data: isHalf(dtype) ? decodeHalf(dtype, raw) : raw.slice() }
    })
    call(arrays).forEach(({ dtype, data }, o) => {
      buffers[inputs.length + o]!.set(isHalf(dtype) ? encodeHalf(dtype, data) : data)
    })
    if (outputs.length > 0 && buffers.length < inputs.length + outputs.length)
      throw new Error('a host call lost its outputs')
  }

const arrayConstructor = (atom: Atom): string => makeStore(atom.aval.dtype, 0).constructor.name

const storeSize = (atom: Atom): number =>
  sizeOf(atom.aval.shape) * (dtypeInfo[atom.aval.dtype].short === 'c64' ? 2 : 1)

/** Writes, evaluates and links the driver of a planned program. */
export const makeDriver = (program: Program, plan: Plan): Driver => {
  const writer = new Writer(plan)
  const env = new Map<Slot, string>()
  program.inputs.forEach((v, i) => env.set(v, `x${i}`))
  const written = new Set<Atom>(program.inputs)
  for (const atom of program.outputs) {
    if (!isVar(atom) || written.has(atom)) continue
    written.add(atom)
    const name = writer.fresh('y')
    env.set(atom, name)
    const donor: Var | undefined = plan.donations.get(atom)
    const source =
      donor === undefined ? `new ${arrayConstructor(atom)}(${storeSize(atom)})` : env.get(donor)!
    writer.line(1, `const ${name} = ${source}`)
  }
  writer.steps(program, env, 1)
  const results = program.outputs.map((atom) => writer.name(atom, env))
  const parameters = program.inputs.map((_, i) => `x${i}`).join(', ')
  const source = [
    `function driver([${parameters}]) {`,
    ...writer.lines,
    `  return [${results.join(', ')}]`,
    '}',
  ].join('\n')
  const link = (kernels: readonly LinkedKernel['run'][]): Run => {
    const links = new Map<string, unknown>()
    kernels.forEach((run, i) => links.set(`k${i}`, run))
    writer.temporaries.forEach((t, i) => links.set(`t${i}`, t))
    writer.constants.forEach((c, i) => links.set(`c${i}`, c))
    writer.hosts.forEach((h, i) => links.set(`h${i}`, h))
    const driver = evaluateAny(source, links)
    return (inputs) => {
      const results = driver(inputs)
      if (!isArrayList(results)) throw new Error('the driver returned no arrays')
      return results
    }
  }
  return { source, kernels: writer.kernels, run: link(writer.kernels.map((k) => k.run)), link }
}

// The generated driver ends in an array literal of typed arrays.
const isArrayList = (value: unknown): value is readonly TypedArray[] => Array.isArray(value)
