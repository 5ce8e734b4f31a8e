/** A program as text: which kernels run on which arrays, in what order. */
import { type Atom, Literal, showAval } from '@cotangent/core'
import {
  type BranchStep,
  type KernelStep,
  type Program,
  type ScanStep,
  type Slot,
  type Step,
  type WhileStep,
  Scratch,
} from './program.ts'

type Names = ReadonlyMap<Slot, string>

/** Names for arrays as they are met: inputs `x`, results `y`, constants `c`, temporaries `t`, scratch `s`. */
class Show {
  readonly lines: string[] = []
  readonly #names = new Map<Slot, string>()
  readonly #constants = new Map<unknown, string>()
  #temporaries = 0
  #scratch = 0
  #carries = 0

  constructor({ inputs, outputs }: Program) {
    inputs.forEach((v, i) => this.#names.set(v, `x${i}`))
    outputs.forEach((atom, i) => {
      if (!(atom instanceof Literal) && !this.#names.has(atom)) this.#names.set(atom, `y${i}`)
    })
  }

  line(depth: number, text: string): void {
    this.lines.push(`${'  '.repeat(depth)}${text}`)
  }

  name(slot: Slot, names: Names): string {
    const known = names.get(slot) ?? this.#names.get(slot)
    if (known !== undefined) return known
    if (slot instanceof Literal) return this.#constant(slot)
    const made = slot instanceof Scratch ? `s${this.#scratch++}` : `t${this.#temporaries++}`
    this.#names.set(slot, made)
    return made
  }

  #constant({ value }: Literal): string {
    const known = this.#constants.get(value)
    if (known !== undefined) return known
    const made = `c${this.#constants.size}`
    this.#constants.set(value, made)
    return made
  }

  list(slots: readonly Slot[], names: Names): string {
    return slots.map((slot) => this.name(slot, names)).join(', ')
  }

  steps({ steps }: Program, names: Names, depth: number): void {
    for (const step of steps) this.step(step, names, depth)
  }

  step(step: Step, names: Names, depth: number): void {
    switch (step.tag) {
      case 'kernel':
        return this.kernel(step, names, depth)
      case 'together':
        this.line(depth, `at once { // ${step.name}`)
        for (const part of step.parts) this.kernel(part, names, depth + 1)
        return this.line(depth, '}')
      case 'scan':
        return this.scan(step, names, depth)
      case 'while':
        return this.while(step, names, depth)
      case 'branch':
        return this.branch(step, names, depth)
      case 'host': {
        const inputs = this.list(step.inputs, names)
        return this.line(depth, `${this.list(step.outputs, names)} = call JavaScript(${inputs})`)
      }
      default:
        step satisfies never
    }
  }

  kernel({ kernel, arguments: slots, copies }: KernelStep, names: Names, depth: number): void {
    for (const { from, to } of copies) {
      this.line(depth, `${this.name(to, names)} = copy of ${this.name(from, names)}`)
    }
    const having = (...access: readonly string[]): readonly Slot[] =>
      slots.filter((_, n) => access.includes(kernel.buffers[n]!.access))
    const inputs = this.list(having('read', 'readwrite'), names)
    this.line(
      depth,
      `${this.list(having('write', 'readwrite'), names)} = ${kernel.name}(${inputs})`,
    )
  }

  carries(step: ScanStep | WhileStep, names: Names, depth: number): readonly string[] {
    return step.initial.map((slot) => {
      const name = `carry${this.#carries++}`
      this.line(depth, `${name} = copy of ${this.name(slot, names)}`)
      return name
    })
  }

  finals(
    step: ScanStep | WhileStep,
    carries: readonly string[],
    names: Names,
    depth: number,
  ): void {
    step.finals.forEach((slot, i) =>
      this.line(depth, `${this.name(slot, names)} = copy of ${carries[i]!}`),
    )
  }

  scan(step: ScanStep, names: Names, depth: number): void {
    const { body, constants, xs, ys } = step
    const carries = this.carries(step, names, depth)
    const sliced = (slot: Slot): string => `${this.name(slot, names)}[time]`
    const given = [
      ...constants.map((slot) => this.name(slot, names)),
      ...carries,
      ...xs.map(sliced),
    ]
    const inner = new Map<Slot, string>(body.inputs.map((v, i) => [v, given[i]!]))
    const results = [...carries.map((c) => `${c}'`), ...ys.map(sliced)]
    bindOutputs(inner, body.outputs, results)
    this.line(depth, `for time ${step.reverse ? `from ${step.length} down` : `< ${step.length}`} {`)
    this.steps(body, inner, depth + 1)
    this.swap(carries, depth + 1)
    this.line(depth, '}')
    this.finals(step, carries, names, depth)
  }

  while(step: WhileStep, names: Names, depth: number): void {
    const { condition, body } = step
    const carries = this.carries(step, names, depth)
    const bind = (program: Program, constants: readonly Slot[]): Map<Slot, string> => {
      const given = [...constants.map((slot) => this.name(slot, names)), ...carries]
      return new Map<Slot, string>(program.inputs.map((v, i) => [v, given[i]!]))
    }
    const test = bind(condition, step.conditionConstants)
    this.line(depth, 'loop {')
    this.steps(condition, test, depth + 1)
    this.line(depth + 1, `stop unless ${this.name(condition.outputs[0]!, test)}`)
    const inner = bind(body, step.bodyConstants)
    bindOutputs(
      inner,
      body.outputs,
      carries.map((c) => `${c}'`),
    )
    this.steps(body, inner, depth + 1)
    this.swap(carries, depth + 1)
    this.line(depth, '}')
    this.finals(step, carries, names, depth)
  }

  swap(carries: readonly string[], depth: number): void {
    if (carries.length > 0) {
      this.line(depth, `swap ${carries.map((c) => `${c} with ${c}'`).join(', ')}`)
    }
  }

  branch(step: BranchStep, names: Names, depth: number): void {
    const { index, branches, operands, outputs } = step
    branches.forEach((program, i) => {
      this.line(depth, `case ${this.name(index, names)} = ${i} {`)
      const inner = new Map<Slot, string>(
        program.inputs.map((v, k) => [v, this.name(operands[k]!, names)]),
      )
      bindOutputs(
        inner,
        program.outputs,
        outputs.map((slot) => this.name(slot, names)),
      )
      this.steps(program, inner, depth + 1)
      this.line(depth, '}')
    })
  }
}

const bindOutputs = (
  names: Map<Slot, string>,
  atoms: readonly Atom[],
  results: readonly string[],
): void => atoms.forEach((atom, i) => names.set(atom, results[i]!))

/** The calls of a program, one a line. `carry0'` is what a round of a loop makes of `carry0`. */
export const showProgram = (program: Program): string => {
  const show = new Show(program)
  const none: Names = new Map()
  const parameters = program.inputs.map((v, i) => `x${i}: ${showAval(v.aval)}`).join(', ')
  show.line(0, `driver(${parameters}) {`)
  show.steps(program, none, 1)
  show.line(1, `return ${show.list(program.outputs, none)}`)
  show.line(0, '}')
  return show.lines.join('\n')
}
