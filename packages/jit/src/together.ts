/**
 * Neighbouring kernels that compute element by element on arrays of their own, as an optimiser does for
 * each parameter, become one step: one pass over a whole tree, shared out between threads at once.
 */
import type { Stmt } from '@cotangent/core'
import { readsOf, writesOf } from './plan/plan.ts'
import { type KernelStep, Scratch, type Slot, type Step } from './program.ts'

/** Fewer are as soon forked one by one, and a profile tells them apart. */
const fewestParts = 3

/** The same steps, with every run of independent maps that make `results` as one. */
export const joinMaps = (steps: readonly Step[], results: readonly Slot[]): readonly Step[] => {
  const wanted = new Set(results)
  const isResult = (step: KernelStep): boolean => writesOf(step).every((slot) => wanted.has(slot))
  const joined: Step[] = []
  let parts: KernelStep[] = []
  let written = new Set<Slot>()
  const close = (): void => {
    joined.push(
      ...(parts.length >= fewestParts
        ? [{ tag: 'together', name: nameOf(parts), parts } as const]
        : parts),
    )
    parts = []
    written = new Set()
  }
  for (const step of steps) {
    if (step.tag !== 'kernel' || !isResult(step) || !isMap(step)) {
      close()
      joined.push(step)
      continue
    }
    if (readsOf(step).some((slot) => written.has(slot))) close()
    parts.push(step)
    for (const slot of writesOf(step)) written.add(slot)
  }
  close()
  return joined
}

const isMap = ({ kernel, arguments: slots, copies, writesOnce }: KernelStep): boolean => {
  if (!writesOnce || copies.length > 0 || slots.some((slot) => slot instanceof Scratch))
    return false
  const loops = kernel.body.filter((s) => s.tag === 'for')
  const isFree = loops.length === 0 || !kernel.body.some((s) => s.tag === 'store')
  return loops.length <= 1 && isFree && kernel.body.every(isElementwise)
}

const isElementwise = (s: Stmt): boolean => {
  if (s.tag === 'for') return s.parallel === true && s.body.every(isElementwise)
  return s.tag === 'let' || s.tag === 'store' || s.tag === 'comment'
}

// `add_multiply_f32_6x5x5` and others: `add_multiply_f32_10_arrays`, or `add_multiply_f32_and_1_more_10_arrays`.
const nameOf = (parts: readonly KernelStep[]): string => {
  const kinds = new Set(parts.map(({ kernel: { name } }) => name.slice(0, name.lastIndexOf('_'))))
  const [first = ''] = kinds
  const more = kinds.size > 1 ? `_and_${kinds.size - 1}_more` : ''
  return `${first}${more}_${parts.length}_arrays`
}
