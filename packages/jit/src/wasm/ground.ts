/**
 * The ground of an executable, one block of the heap: pointers to what it is handed, the arguments
 * of the kernel that runs, small arrays on their way in and out, temporaries.
 *
 *     pointers | arguments | small arrays | arena
 */
import { type Atom, Literal, isVar } from '@cotangent/core'
import { type Plan, bytesOf } from '../plan/plan.ts'
import type { Program, Slot, Step } from '../program.ts'

/** Arrays up to this many bytes stay on the host and are copied in and out. */
export const smallBytes = 1024

const alignment = 64
const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

/** An array that the executable is handed by its address. */
export interface Handed {
  readonly slot: Atom
  /** Where its pointer is. */
  readonly at: number
  /** Where its elements are while the executable runs; null: in a block of their own. */
  readonly staged: number | null
}

export class Ground {
  /** The inputs, the constants, then the outputs that are no inputs. */
  readonly pointers: readonly Handed[]
  readonly inputs: readonly Handed[]
  readonly literals: readonly Handed[]
  readonly outputs: readonly Handed[]
  readonly arguments: number
  readonly arena: number
  readonly bytes: number
  readonly #literals = new Map<unknown, Literal>()

  constructor(program: Program, plan: Plan) {
    for (const literal of literalsOf(program)) {
      if (!this.#literals.has(literal.value)) this.#literals.set(literal.value, literal)
    }
    const inputs = new Set<Atom>(program.inputs)
    const made = new Set<Atom>(program.outputs.filter((a) => isVar(a) && !inputs.has(a)))
    const slots = [...program.inputs, ...this.#literals.values(), ...made]
    this.arguments = aligned(4 * slots.length)
    let next = aligned(this.arguments + 4 * mostArguments(program))
    const donor = (slot: Atom): Atom | undefined =>
      isVar(slot) ? plan.donations.get(slot) : undefined
    const staged = new Map<Atom, number>()
    const place = (slot: Atom): number | null => {
      if (bytesOf(slot) > smallBytes) return null
      // An output that overwrites an input is where that is.
      const taken = donor(slot)
      const at = taken === undefined ? next : staged.get(taken)!
      if (taken === undefined) next = aligned(next + bytesOf(slot))
      staged.set(slot, at)
      return at
    }
    this.pointers = slots.map((slot, n) => ({ slot, at: 4 * n, staged: place(slot) }))
    const [n, c] = [program.inputs.length, this.#literals.size]
    this.inputs = this.pointers.slice(0, n)
    this.literals = this.pointers.slice(n, n + c)
    this.outputs = this.pointers.slice(n + c)
    this.arena = next
    this.bytes = next + plan.arenaBytes
  }

  /** The constant that stands for all of the same value. */
  literal({ value }: Literal): Literal | null {
    return this.#literals.get(value) ?? null
  }
}

const programsOf = (step: Step): readonly Program[] => {
  switch (step.tag) {
    case 'scan':
      return [step.body]
    case 'while':
      return [step.condition, step.body]
    case 'branch':
      return step.branches
    case 'kernel':
    case 'together':
    case 'host':
      return []
    default:
      return step satisfies never
  }
}

const slotsOf = (step: Step): readonly Slot[] => {
  switch (step.tag) {
    case 'kernel':
      return [...step.arguments, ...step.copies.map((c) => c.from)]
    case 'together':
      return step.parts.flatMap(slotsOf)
    case 'scan':
      return [...step.constants, ...step.initial, ...step.xs]
    case 'while':
      return [...step.conditionConstants, ...step.bodyConstants, ...step.initial]
    case 'branch':
      return [step.index, ...step.operands]
    case 'host':
      return step.inputs
    default:
      return step satisfies never
  }
}

/** Every step of a program, those of inner programs too. */
export const everyStep = (program: Program): readonly Step[] =>
  program.steps.flatMap((step) => [step, ...programsOf(step).flatMap(everyStep)])

const literalsOf = (program: Program): readonly Literal[] =>
  everyStep(program).flatMap((step) => slotsOf(step).filter((s) => s instanceof Literal))

const mostArguments = (program: Program): number =>
  Math.max(
    0,
    ...everyStep(program).map((step) => {
      if (step.tag === 'kernel') return step.arguments.length
      if (step.tag === 'together')
        return step.parts.reduce((n, part) => n + part.arguments.length, 0)
      return step.tag === 'host' ? step.inputs.length + step.outputs.length : 0
    }),
  )
