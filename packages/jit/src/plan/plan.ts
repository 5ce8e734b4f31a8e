/** The memory plan: where every array of a program lives, and until when. */
import { type Atom, type Var, dtypeInfo, isVar, sizeOf } from '@cotangent/core'
import {
  type KernelStep,
  type Program,
  Scratch,
  type Slot,
  type Step,
  type TogetherStep,
  typeOf,
} from '../program.ts'
import { type Interval, packArena } from './arena.ts'
import { mayOverwrite } from './inPlace.ts'

/** An address in the arena. */
export interface Address {
  readonly offset: number
  readonly bytes: number
  readonly start: number
  readonly end: number
}

export interface Plan {
  readonly arenaBytes: number
  readonly addresses: ReadonlyMap<Slot, Address>
  /** Two buffers for each carry of a loop, by the step. */
  readonly carries: ReadonlyMap<Step, readonly (readonly [Scratch, Scratch])[]>
  /** Outputs that overwrite a donated input. */
  readonly donations: ReadonlyMap<Var, Var>
}

interface Lifetime {
  readonly slot: Slot
  start: number
  end: number
}

export const bytesOf = (slot: Slot): number => {
  const { shape, dtype } = typeOf(slot)
  return sizeOf(shape) * dtypeInfo[dtype].bytes
}

/** Slots that a step reads and writes in its own program. */
export const readsOf = (step: Step): readonly Slot[] => {
  switch (step.tag) {
    case 'kernel':
      return [
        ...step.arguments.filter((_, i) => step.kernel.buffers[i]!.access !== 'write'),
        ...step.copies.map((c) => c.from),
      ]
    case 'together':
      return step.parts.flatMap(readsOf)
    case 'scan':
      return [...step.constants, ...step.scratch, ...step.initial, ...step.xs]
    case 'while':
      return [...step.conditionConstants, ...step.bodyConstants, ...step.scratch, ...step.initial]
    case 'branch':
      return [step.index, ...step.operands]
    case 'host':
      return step.inputs
    default:
      return step satisfies never
  }
}

export const writesOf = (step: Step): readonly Slot[] => {
  switch (step.tag) {
    case 'kernel':
      return [
        ...step.arguments.filter((_, i) => step.kernel.buffers[i]!.access !== 'read'),
        ...step.copies.map((c) => c.to),
      ]
    case 'together':
      return step.parts.flatMap(writesOf)
    case 'scan':
      return [...step.finals, ...step.ys]
    case 'while':
      return step.finals
    case 'branch':
    case 'host':
      return step.outputs
    default:
      return step satisfies never
  }
}

class Planner {
  readonly lifetimes = new Map<Slot, Lifetime>()
  readonly carries = new Map<Step, readonly (readonly [Scratch, Scratch])[]>()
  /** Memory that is somebody else's: inputs, outputs, slices, carries. */
  readonly external = new Set<Slot>()
  clock = 0

  touch(slot: Slot, time: number): void {
    if (this.external.has(slot) || (!(slot instanceof Scratch) && !isVar(slot))) return
    const known = this.lifetimes.get(slot)
    if (known === undefined) this.lifetimes.set(slot, { slot, start: time, end: time })
    else known.end = Math.max(known.end, time)
  }

  program(program: Program, external: readonly Atom[]): void {
    for (const atom of [...program.inputs, ...external]) this.external.add(atom)
    for (const step of program.steps) {
      const start = this.clock++
      this.nested(step)
      const end = this.clock++
      for (const slot of [...readsOf(step), ...writesOf(step)]) {
        this.touch(slot, start)
        this.touch(slot, end)
      }
    }
  }

  nested(step: Step): void {
    switch (step.tag) {
      case 'kernel':
      case 'together':
      case 'host':
        return
      case 'scan':
        this.loop(step, step.initial, [step.body])
        return
      case 'while':
        this.loop(step, step.initial, [step.condition, step.body])
        return
      case 'branch':
        for (const branch of step.branches) this.program(branch, branch.outputs)
        return
      default:
        step satisfies never
    }
  }

  loop(step: Step, initial: readonly Slot[], programs: readonly Program[]): void {
    const start = this.clock
    const pairs = initial.map(
      (slot) => [new Scratch(typeOf(slot)), new Scratch(typeOf(slot))] as const,
    )
    this.carries.set(step, pairs)
    for (const pair of pairs) for (const scratch of pair) this.touch(scratch, start)
    for (const program of programs) {
      // The condition's result is read right after it is made; loop bodies write carries and slices.
      const isCondition = step.tag === 'while' && program === step.condition
      this.program(program, isCondition ? [] : program.outputs)
      if (isCondition) for (const atom of program.outputs) this.touch(atom, this.clock++)
    }
    const end = this.clock++
    for (const pair of pairs) for (const scratch of pair) this.touch(scratch, end)
  }
}

/**
 * Plans a whole program. `donated` inputs may be overwritten by outputs of the same type: by the
 * step that reads them last, where that step touches both at one index only, or by a later one.
 */
export const planMemory = (program: Program, donated: readonly Var[]): Plan => {
  const planner = new Planner()
  planner.program(program, program.outputs)
  const lifetimes = [...planner.lifetimes.values()]
  const shared = shareInPlace(program, planner)
  const intervals: Interval[] = lifetimes
    .filter(({ slot }) => !shared.has(slot))
    .map(({ slot, start, end }) => ({ bytes: bytesOf(slot), start, end }))
  const owners = lifetimes.filter(({ slot }) => !shared.has(slot))
  const { bytes, offsets } = packArena(intervals)
  const addresses = new Map<Slot, Address>()
  owners.forEach(({ slot, start, end }, i) => {
    addresses.set(slot, { offset: offsets[i]!, bytes: bytesOf(slot), start, end })
  })
  for (const [slot, owner] of shared) addresses.set(slot, addresses.get(rootOwner(owner, shared))!)
  return {
    arenaBytes: bytes,
    addresses,
    carries: planner.carries,
    donations: placeDonations(program, donated),
  }
}

const rootOwner = (slot: Slot, shared: ReadonlyMap<Slot, Slot>): Slot => {
  let current = slot
  for (let next = shared.get(current); next !== undefined; next = shared.get(current))
    current = next
  return current
}

// A temporary that dies in the kernel that makes another of the same size may be overwritten by it.
const shareInPlace = (program: Program, planner: Planner): ReadonlyMap<Slot, Slot> => {
  const shared = new Map<Slot, Slot>()
  const extend = (owner: Slot, end: number): void => {
    const lifetime = planner.lifetimes.get(rootOwner(owner, shared))!
    lifetime.end = Math.max(lifetime.end, end)
  }
  const visit = (steps: readonly Step[]): void => {
    for (const step of steps) {
      if (step.tag === 'kernel' || step.tag === 'together') {
        const used = new Set<Slot>()
        for (const [dying, output] of overwritableIn(step, planner)) {
          if (used.has(dying) || shared.has(output)) continue
          used.add(dying)
          const end = planner.lifetimes.get(output)!.end
          shared.set(output, dying)
          extend(dying, end)
        }
      } else if (step.tag === 'scan') visit(step.body.steps)
      else if (step.tag === 'while') visit([...step.condition.steps, ...step.body.steps])
      else if (step.tag === 'branch') for (const branch of step.branches) visit(branch.steps)
    }
  }
  visit(program.steps)
  return shared
}

// Kernels that run at once overwrite only what none of the others reads.
const overwritableIn = (
  step: KernelStep | TogetherStep,
  planner: Planner,
): readonly (readonly [Slot, Slot])[] =>
  step.tag === 'kernel'
    ? overwritable(step, planner)
    : step.parts.flatMap((part) =>
        overwritable(part, planner).filter(
          ([dying, output]) => makerOf(step, dying, output) === part,
        ),
      )

/** The kernel that makes `output`; null where it does not alone have to do with `input`. */
const makerOf = (step: Step, input: Slot, output: Slot): KernelStep | null => {
  if (step.tag === 'kernel') return step
  if (step.tag !== 'together') return null
  const touching = step.parts.filter(
    ({ arguments: slots }) => slots.includes(input) || slots.includes(output),
  )
  return touching.length === 1 ? touching[0]! : null
}

// Pairs of an input that dies in the kernel and an output that may take its memory.
const overwritable = (step: KernelStep, planner: Planner): readonly (readonly [Slot, Slot])[] => {
  const { kernel, arguments: slots, copies } = step
  return slots.flatMap((output, o): readonly (readonly [Slot, Slot])[] => {
    const made = planner.lifetimes.get(output)
    const { access, name } = kernel.buffers[o]!
    if (made === undefined || output instanceof Scratch || access === 'read') return []
    // What the output starts as a copy of is read before the kernel runs; everything else while it does.
    const copied = copies.filter((c) => c.to === output).map((c) => c.from)
    const dies = (input: Slot): boolean =>
      input !== output && diesHere(input, output, made, planner)
    const candidates =
      copied.length > 0
        ? copied.filter((input) => !slots.includes(input) && dies(input))
        : slots.filter((input, i) => {
            const { access: use, name: other } = kernel.buffers[i]!
            if (use !== 'read' || !step.writesOnce || !dies(input)) return false
            return mayOverwrite(kernel, other, name)
          })
    return candidates.map((input) => [input, output] as const)
  })
}

const diesHere = (input: Slot, output: Slot, made: Lifetime, planner: Planner): boolean => {
  const read = planner.lifetimes.get(input)
  if (read === undefined || bytesOf(input) !== bytesOf(output)) return false
  // Equal positions are equal places only where elements are equally wide.
  if (sizeOf(typeOf(input).shape) !== sizeOf(typeOf(output).shape)) return false
  // `made.start` is the step's own time, so what dies here ends one tick later.
  return read.end === made.start + 1 && read.start < made.start
}

const placeDonations = (program: Program, donated: readonly Var[]): ReadonlyMap<Var, Var> => {
  const donations = new Map<Var, Var>()
  const times = timesOf(program)
  const free = new Set<Var>(donated.filter((v) => !program.outputs.includes(v)))
  const place = (atom: Atom, candidates: Iterable<Var>): void => {
    if (!isVar(atom) || donations.has(atom)) return
    const made = times.written.get(atom)
    if (made === undefined) return
    for (const input of candidates) {
      if (!free.has(input)) continue
      if (input.aval.dtype !== atom.aval.dtype || bytesOf(input) !== bytesOf(atom)) continue
      if (!diesBefore(program, times, input, atom, made)) continue
      donations.set(atom, input)
      free.delete(input)
      return
    }
  }
  // A state that is given away and handed back has its parts in the same places.
  program.outputs.forEach((atom, i) => place(atom, donated.slice(i, i + 1)))
  for (const atom of program.outputs) place(atom, free)
  return donations
}

/** At which step each array is written first and read last. */
interface Times {
  readonly written: ReadonlyMap<Slot, number>
  readonly read: ReadonlyMap<Slot, number>
}

const timesOf = (program: Program): Times => {
  const written = new Map<Slot, number>()
  const read = new Map<Slot, number>()
  program.steps.forEach((step, time) => {
    for (const slot of writesOf(step)) if (!written.has(slot)) written.set(slot, time)
    for (const slot of readsOf(step)) read.set(slot, time)
  })
  return { written, read }
}

const diesBefore = (
  program: Program,
  { read }: Times,
  input: Var,
  output: Var,
  made: number,
): boolean => {
  const last = read.get(input) ?? -1
  if (last !== made) return last < made
  const step = makerOf(program.steps[made]!, input, output)
  if (step === null) return false
  const name = (slot: Slot): string => step.kernel.buffers[step.arguments.indexOf(slot)]!.name
  if (step.copies.some((c) => c.from === input)) {
    return (
      step.copies.some((c) => c.from === input && c.to === output) &&
      !step.arguments.includes(input)
    )
  }
  return step.writesOnce && mayOverwrite(step.kernel, name(input), name(output))
}
