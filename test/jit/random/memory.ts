/**
 * The memory plan, checked by running the program on addresses alone: whatever a step reads must
 * still be there. Independent of how the plan found its lifetimes.
 */
import type { Executable, Program, Scratch, Slot, Step } from '@cotangent/jit'

interface Place {
  readonly offset: number
  readonly bytes: number
}

const overlaps = (a: Place, b: Place): boolean =>
  a.bytes > 0 && b.bytes > 0 && a.offset < b.offset + b.bytes && b.offset < a.offset + a.bytes

class Memory {
  readonly #places: ReadonlyMap<Slot, Place>
  readonly #valid = new Set<Slot>()

  constructor(places: ReadonlyMap<Slot, Place>) {
    this.#places = places
  }

  write(slot: Slot): void {
    const mine = this.#places.get(slot)
    if (mine === undefined) return
    for (const other of this.#valid)
      if (overlaps(this.#places.get(other)!, mine)) this.#valid.delete(other)
    this.#valid.add(slot)
  }

  read(slot: Slot, where: string): void {
    if (this.#places.has(slot) && !this.#valid.has(slot))
      throw new Error(`${where} reads memory that is overwritten or was never written`)
  }
}

type Alias = ReadonlyMap<Slot, Slot>
const resolve = (slot: Slot, alias: Alias): Slot => {
  let current = slot
  for (
    let next = alias.get(current);
    next !== undefined && next !== current;
    next = alias.get(current)
  )
    current = next
  return current
}

/** Throws where a step of the executable reads what an earlier one has overwritten. */
export const checkPlan = ({ program, plan }: Executable): void => {
  for (const { offset, bytes } of plan.addresses.values())
    if (offset < 0 || offset + bytes > plan.arenaBytes) throw new Error('an address is outside')
  const memory = new Memory(plan.addresses)

  const run = (p: Program, alias: Alias): void => {
    const at = (slot: Slot): Slot => resolve(slot, alias)
    for (const step of p.steps) runStep(step, at, alias)
  }
  const loop = (
    step: Step,
    pairs: readonly (readonly [Scratch, Scratch])[],
    initial: readonly Slot[],
    rounds: number,
    round: (current: readonly Slot[], next: readonly Slot[]) => void,
    at: (slot: Slot) => Slot,
  ): readonly Slot[] => {
    let [current, next]: readonly (readonly Slot[])[] = [
      pairs.map((p) => p[0]),
      pairs.map((p) => p[1]),
    ]
    initial.forEach((slot, i) => {
      memory.read(at(slot), `${step.tag} start`)
      memory.write(current![i]!)
    })
    for (let i = 0; i < rounds; i++) {
      round(current!, next!)
      ;[current, next] = [next, current]
    }
    current!.forEach((slot) => memory.read(slot, `${step.tag} end`))
    return current!
  }
  const runStep = (step: Step, at: (slot: Slot) => Slot, alias: Alias): void => {
    switch (step.tag) {
      case 'kernel': {
        const { kernel } = step
        for (const { from, to } of step.copies) {
          memory.read(at(from), `copy before ${kernel.name}`)
          memory.write(at(to))
        }
        const access = (i: number): string => kernel.buffers[i]!.access
        step.arguments.forEach((s, i) => {
          if (access(i) === 'read') memory.read(at(s), kernel.name)
        })
        const copied = step.copies.map((c) => c.to)
        step.arguments.forEach((s, i) => {
          if (access(i) === 'write' || (access(i) === 'readwrite' && !copied.includes(s)))
            memory.write(at(s))
        })
        // What one result wrote must still be there when the kernel is done.
        step.arguments.forEach((s, i) => {
          if (access(i) !== 'read') memory.read(at(s), `result of ${kernel.name}`)
        })
        return
      }
      case 'together':
        // In any order: the last one first finds out what the order of the text hides.
        for (const part of step.parts.toReversed()) runStep(part, at, alias)
        return
      case 'scan': {
        const pairs = plan.carries.get(step) ?? []
        loop(
          step,
          pairs,
          step.initial,
          Math.min(step.length, 3),
          (current, next) => {
            const inner = new Map<Slot, Slot>(alias)
            const { inputs, outputs } = step.body
            const outer = [...step.constants.map(at), ...current, ...step.xs.map(at)]
            inputs.forEach((v, i) => inner.set(v, outer[i]!))
            outputs.forEach((v, i) => inner.set(v, [...next, ...step.ys.map(at)][i]!))
            for (const s of [...step.constants, ...step.xs]) memory.read(at(s), 'scan')
            run(step.body, inner)
          },
          at,
        )
        for (const s of [...step.finals, ...step.ys]) memory.write(at(s))
        return
      }
      case 'while': {
        const pairs = plan.carries.get(step) ?? []
        const test = (current: readonly Slot[]): void => {
          const inner = new Map<Slot, Slot>(alias)
          const outer = [...step.conditionConstants.map(at), ...current]
          step.condition.inputs.forEach((v, i) => inner.set(v, outer[i]!))
          run(step.condition, inner)
          memory.read(resolve(step.condition.outputs[0]!, inner), 'the condition')
        }
        loop(
          step,
          pairs,
          step.initial,
          3,
          (current, next) => {
            test(current)
            const inner = new Map<Slot, Slot>(alias)
            const outer = [...step.bodyConstants.map(at), ...current]
            step.body.inputs.forEach((v, i) => inner.set(v, outer[i]!))
            step.body.outputs.forEach((v, i) => inner.set(v, next[i]!))
            run(step.body, inner)
          },
          at,
        )
        for (const s of step.finals) memory.write(at(s))
        return
      }
      case 'branch':
        memory.read(at(step.index), 'the branch')
        for (const branch of step.branches) {
          const inner = new Map<Slot, Slot>(alias)
          branch.inputs.forEach((v, i) => inner.set(v, at(step.operands[i]!)))
          branch.outputs.forEach((v, i) => inner.set(v, at(step.outputs[i]!)))
          for (const s of step.operands) memory.read(at(s), 'a branch')
          run(branch, inner)
        }
        for (const s of step.outputs) memory.write(at(s))
        return
      case 'host':
        for (const s of step.inputs) memory.read(at(s), 'a host call')
        for (const s of step.outputs) memory.write(at(s))
        return
      default:
        step satisfies never
    }
  }
  run(program, new Map())
  for (const atom of program.outputs) memory.read(atom, 'the result')
}
