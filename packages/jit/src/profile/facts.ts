/** What is known of each step before it runs: its work, its memory, and why it is a step of its own. */
import {
  type Equation,
  type Var,
  dtypeInfo,
  forMachine,
  isVar,
  showShape,
  sizeOf,
} from '@cotangent/core'
import {
  type HostStep,
  type KernelStep,
  type Program,
  Scratch,
  type Slot,
  type Step,
  type TogetherStep,
  typeOf,
} from '../program.ts'
import type { Target } from '../target.ts'
import { type NameOf, type UnitStudy, studyGraph } from './study.ts'
import { operationsOf } from './work.ts'

/** What a step is and does. */
export interface StepFacts {
  readonly name: string
  readonly operations: readonly string[]
  /** Arithmetic operations of one run; a function such as exp counts for what it is written as. */
  readonly flops: number
  /** Bytes that one run reads and writes, each once. */
  readonly bytes: number
  /** Why it is not part of the kernel before it. */
  readonly apart: string
  /** Why each of its results is in memory. */
  readonly stored: readonly string[]
  /** The loops around it: `scan × 20`. */
  readonly inside: string
  /** The line that asked for its result: `file:line:column`. */
  readonly at: string | undefined
}

type Timed = KernelStep | TogetherStep | HostStep

/** Facts of every kernel and host call of a program, in the order in which they are written. */
export const factsOf = (program: Program, target: Target): ReadonlyMap<Timed, StepFacts> =>
  forMachine(target.machine, () => {
    const studies = new Map<Equation, UnitStudy>()
    const names = new Map<Equation, string>()
    const steps: { readonly step: Timed; readonly inside: string }[] = []
    visit(program, '', (inner, inside) => {
      for (const [equation, study] of studyGraph(inner.graph)) studies.set(equation, study)
      for (const step of inner.steps) {
        for (const { kernel, equations } of kernelsOf(step)) {
          const first = equations[0]
          // A kernel after its prologue: the later name is the one that says what it computes.
          if (first !== undefined) names.set(first, kernel.name)
        }
        if (isTimed(step)) steps.push({ step, inside })
      }
    })
    const nameOf: NameOf = (equation) => names.get(equation) ?? equation.primitive.name
    const kernel = (step: KernelStep, inside: string): StepFacts =>
      kernelFacts(step, inside, studies, nameOf)
    const facts = (step: Timed, inside: string): StepFacts => {
      if (step.tag === 'host') return hostFacts(step, inside)
      if (step.tag === 'kernel') return kernel(step, inside)
      return togetherFacts(
        step,
        step.parts.map((part) => kernel(part, inside)),
      )
    }
    return new Map(steps.map(({ step, inside }) => [step, facts(step, inside)] as const))
  })

const isTimed = (step: Step): step is Timed =>
  step.tag === 'kernel' || step.tag === 'together' || step.tag === 'host'

const kernelsOf = (step: Step): readonly KernelStep[] =>
  step.tag === 'together' ? step.parts : step.tag === 'kernel' ? [step] : []

const visit = (
  program: Program,
  inside: string,
  use: (program: Program, inside: string) => void,
): void => {
  use(program, inside)
  const within = (text: string): string => (inside === '' ? text : `${inside}, ${text}`)
  for (const step of program.steps) {
    for (const [inner, text] of innerPrograms(step)) visit(inner, within(text), use)
  }
}

const innerPrograms = (step: Step): readonly (readonly [Program, string])[] => {
  switch (step.tag) {
    case 'scan':
      return [[step.body, `scan × ${step.length}`]]
    case 'while':
      return [
        [step.condition, 'while'],
        [step.body, 'while'],
      ]
    case 'branch':
      return step.branches.map((program, i) => [program, `branch ${i}`] as const)
    case 'kernel':
    case 'together':
    case 'host':
      return []
    default:
      return step satisfies never
  }
}

const bytesIn = (slot: Slot): number => {
  const { shape, dtype } = typeOf(slot)
  return sizeOf(shape) * dtypeInfo[dtype].bytes
}

const hostFacts = (step: HostStep, inside: string): StepFacts => ({
  name: 'host call',
  operations: [],
  flops: 0,
  bytes: [...step.inputs, ...step.outputs].reduce((n, slot) => n + bytesIn(slot), 0),
  apart: 'a call of JavaScript',
  stored: [],
  inside,
  at: undefined,
})

const fewReasons = 3

const severalOf = (reasons: readonly string[]): string => {
  const distinct = [...new Set(reasons)]
  const more = distinct.length > fewReasons ? '; …' : ''
  return `${distinct.slice(0, fewReasons).join('; ')}${more}`
}

// What its kernels are and do, taken together.
const togetherFacts = ({ name }: TogetherStep, parts: readonly StepFacts[]): StepFacts => {
  const sum = (pick: (facts: StepFacts) => number): number => parts.reduce((n, f) => n + pick(f), 0)
  return {
    ...parts[0]!,
    name,
    operations: [...new Set(parts.flatMap((f) => f.operations))],
    flops: sum((f) => f.flops),
    bytes: sum((f) => f.bytes),
    apart: severalOf(parts.map((f) => f.apart)),
    stored: [...new Set(parts.flatMap((f) => f.stored))],
  }
}

const kernelFacts = (
  step: KernelStep,
  inside: string,
  studies: ReadonlyMap<Equation, UnitStudy>,
  nameOf: NameOf,
): StepFacts => {
  const { kernel, equations, arguments: slots } = step
  const first = equations[0]
  const study = first === undefined ? undefined : studies.get(first)
  const written = slots.filter((_, n) => kernel.buffers[n]!.access !== 'read')
  const own = { name: kernel.name, inside, at: first?.origin.location }
  const results = written.filter((slot): slot is Var => !(slot instanceof Scratch) && isVar(slot))
  if (study === undefined || results.length === 0) {
    const prepares = first === undefined ? 'another kernel' : nameOf(first)
    return {
      ...own,
      operations: [],
      flops: 0,
      bytes: slots.reduce((n, slot) => n + bytesIn(slot), 0),
      apart: `lays out what ${prepares} reads`,
      stored: [],
    }
  }
  return {
    ...own,
    operations: study.operations,
    flops: study.flops ?? operationsOf(kernel.body),
    bytes: kernelBytes(step, study),
    apart: study.apart(nameOf),
    stored: results.map((v) => `${showShape(v.aval.shape)} ${study.stored(v, nameOf)}`),
  }
}

// What it reads of an array, at most all of it, and all that it writes.
const kernelBytes = (step: KernelStep, { reads }: UnitStudy): number => {
  const { kernel, arguments: slots, copies } = step
  const perStep = slots.reduce((sum, slot, n) => {
    if (slot instanceof Scratch) return sum
    const { access } = kernel.buffers[n]!
    const size = bytesIn(slot)
    if (access !== 'read') return sum + size
    const elements = reads.get(slot) ?? Number.POSITIVE_INFINITY
    return sum + Math.min(size, elements * dtypeInfo[typeOf(slot).dtype].bytes)
  }, 0)
  return copies.reduce((sum, { to }) => sum + 2 * bytesIn(to), perStep)
}
