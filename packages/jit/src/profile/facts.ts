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
  typeOf,
} from '../program.ts'
import type { Target } from '../target.ts'
import { type NameOf, type UnitStudy, studyGraph } from './study.ts'
import { operationsOf } from './work.ts'

/** What a step is and does. */
export interface StepFacts {
  readonly name: string
  readonly operations: readonly string[]
  /** Arithmetic operations of one run; a function such as exp counts for ten. */
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

type Timed = KernelStep | HostStep

/** Facts of every kernel and host call of a program, in the order in which they are written. */
export const factsOf = (program: Program, target: Target): ReadonlyMap<Timed, StepFacts> =>
  forMachine(target.machine, () => {
    const studies = new Map<Equation, UnitStudy>()
    const names = new Map<Equation, string>()
    const steps: { readonly step: Timed; readonly inside: string }[] = []
    visit(program, '', (inner, inside) => {
      for (const [equation, study] of studyGraph(inner.graph)) studies.set(equation, study)
      for (const step of inner.steps) {
        if (step.tag === 'kernel') {
          const first = step.equations[0]
          // A kernel after its prologue: the later name is the one that says what it computes.
          if (first !== undefined) names.set(first, step.kernel.name)
          steps.push({ step, inside })
        } else if (step.tag === 'host') steps.push({ step, inside })
      }
    })
    const nameOf: NameOf = (equation) => names.get(equation) ?? equation.primitive.name
    return new Map(
      steps.map(({ step, inside }): readonly [Timed, StepFacts] => [
        step,
        step.tag === 'host' ? hostFacts(step, inside) : kernelFacts(step, inside, studies, nameOf),
      ]),
    )
  })

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
