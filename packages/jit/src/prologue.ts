/**
 * What a kernel does before its own work: loops that only fill scratch, as when a matrix is packed.
 * Such a prologue is a step of its own, and in a loop one that reads only constants of the loop
 * runs once, before it.
 */
import { Literal, type Stmt } from '@cotangent/core'
import type { KernelBuffer } from './kernel.ts'
import { effectsOf, walk } from './loops/visit.ts'
import { type KernelStep, type Program, Scratch, type Slot, type Step } from './program.ts'

const accessesOf = (
  body: readonly Stmt[],
): { readonly read: ReadonlySet<string>; readonly written: ReadonlySet<string> } => {
  const read = new Set<string>()
  walk({
    scalar: (s) => {
      if (s.tag === 'load') read.add(s.buffer)
    },
  }).body(body)
  return { read, written: effectsOf(body).stored }
}

// Sums are a kernel's own work, also where they wait in scratch for the rest of their terms.
const accumulates = (body: readonly Stmt[]): boolean => {
  let found = false
  walk({
    statement: (s) => {
      if (s.tag === 'variable') found = true
    },
  }).body(body)
  return found
}

// The same step with some of its statements, and the buffers that they touch.
const partOf = (step: KernelStep, name: string, body: readonly Stmt[]): KernelStep => {
  const { read, written } = accessesOf(body)
  const kept = step.kernel.buffers.flatMap((b, n) =>
    read.has(b.name) || written.has(b.name) ? [{ buffer: b, slot: step.arguments[n]! }] : [],
  )
  const buffers = kept.map(({ buffer }): KernelBuffer => {
    const isWritten = written.has(buffer.name)
    const access = !isWritten ? 'read' : read.has(buffer.name) ? 'readwrite' : 'write'
    return { ...buffer, access }
  })
  return {
    ...step,
    kernel: { name, buffers, body },
    arguments: kept.map(({ slot }) => slot),
  }
}

/** A step as its prologue, if it has one, and the rest. */
export const splitPrologue = (step: KernelStep): readonly KernelStep[] => {
  const { kernel, arguments: slots } = step
  const scratch = new Set(
    kernel.buffers.filter((_, n) => slots[n] instanceof Scratch).map((b) => b.name),
  )
  if (scratch.size === 0) return [step]
  const isOwn = (s: Stmt): boolean => {
    if (s.tag !== 'for') return s.tag === 'comment'
    if (accumulates(s.body)) return false
    if (![...effectsOf(s.body).stored].every((b) => scratch.has(b))) return false
    // Tiles that come as statements may compute in scratch: that is their own work.
    return step.writesOnce || ![...accessesOf([s]).read].some((b) => scratch.has(b))
  }
  const first = kernel.body.findIndex((s) => !isOwn(s))
  if (first <= 0 || kernel.body.slice(0, first).every((s) => s.tag === 'comment')) return [step]
  return [
    partOf(step, `pack_${kernel.name}`, kernel.body.slice(0, first)),
    partOf(step, kernel.name, kernel.body.slice(first)),
  ]
}

/** A loop's body without what it need not do again, and that as steps of the program around. */
export interface Hoisted {
  readonly body: Program
  readonly before: readonly Step[]
  /** Memory that the steps before fill and the body reads. */
  readonly scratch: readonly Scratch[]
}

/** `outer` gives what a constant of the body is outside. */
export const hoistPrologues = (body: Program, outer: ReadonlyMap<Slot, Slot>): Hoisted => {
  const before: Step[] = []
  const scratch = new Set<Slot>()
  const outside = (slot: Slot): Slot | null => {
    if (slot instanceof Literal || scratch.has(slot)) return slot
    return outer.get(slot) ?? null
  }
  const kept = body.steps.filter((step) => {
    if (step.tag !== 'kernel' || step.copies.length > 0) return true
    const moved = step.arguments.map((slot, n) => {
      const isRead = step.kernel.buffers[n]!.access === 'read'
      return isRead ? outside(slot) : slot instanceof Scratch ? slot : null
    })
    const slots = moved.filter((slot) => slot !== null)
    if (slots.length < moved.length) return true
    step.kernel.buffers.forEach((b, n) => {
      if (b.access !== 'read') scratch.add(slots[n]!)
    })
    before.push({ ...step, arguments: slots })
    return false
  })
  const made = [...scratch].filter((slot) => slot instanceof Scratch)
  return { body: { ...body, steps: kept }, before, scratch: made }
}
