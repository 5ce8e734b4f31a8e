/** A compiled graph before it has addresses: kernels and control flow, in order. */
import type { Aval, Atom, Equation, Graph, NDArray, Var } from '@cotangent/core'
import type { Kernel } from './kernel.ts'

export interface KernelStep {
  readonly tag: 'kernel'
  readonly kernel: Kernel
  /** What the kernel's buffers are, in their order. */
  readonly arguments: readonly Slot[]
  /** Copies made first: output memory that starts as a copy of an input. */
  readonly copies: readonly { readonly from: Slot; readonly to: Slot }[]
  readonly equations: readonly Equation[]
  /** Whether it writes each element of its results once only. */
  readonly writesOnce: boolean
}

/** Kernels that touch no array that another of them writes: their rounds are one phase. */
export interface TogetherStep {
  readonly tag: 'together'
  readonly name: string
  readonly parts: readonly KernelStep[]
}

export interface ScanStep {
  readonly tag: 'scan'
  readonly body: Program
  readonly length: number
  readonly reverse: boolean
  readonly constants: readonly Slot[]
  /** Filled before the loop, read by its body under the same name. */
  readonly scratch: readonly Scratch[]
  readonly initial: readonly Slot[]
  readonly xs: readonly Slot[]
  readonly finals: readonly Slot[]
  readonly ys: readonly Slot[]
}

export interface WhileStep {
  readonly tag: 'while'
  readonly condition: Program
  readonly body: Program
  readonly conditionConstants: readonly Slot[]
  readonly bodyConstants: readonly Slot[]
  /** Filled before the loop, read by its body under the same name. */
  readonly scratch: readonly Scratch[]
  readonly initial: readonly Slot[]
  readonly finals: readonly Slot[]
}

export interface BranchStep {
  readonly tag: 'branch'
  readonly index: Slot
  readonly branches: readonly Program[]
  readonly operands: readonly Slot[]
  readonly outputs: readonly Slot[]
}

export interface HostStep {
  readonly tag: 'host'
  readonly call: (inputs: readonly NDArray[]) => readonly NDArray[]
  readonly inputs: readonly Slot[]
  readonly outputs: readonly Slot[]
}

export type Step = KernelStep | TogetherStep | ScanStep | WhileStep | BranchStep | HostStep

/** Where a step finds or leaves an array: a variable's memory, a constant, or scratch. */
export type Slot = Atom | Scratch

/** Memory that only one step uses. */
export class Scratch {
  readonly type: Aval
  constructor(type: Aval) {
    this.type = type
  }
}

export const typeOf = (slot: Slot): Aval => (slot instanceof Scratch ? slot.type : slot.aval)

export interface Program {
  readonly graph: Graph
  readonly inputs: readonly Var[]
  readonly steps: readonly Step[]
  /** What the outputs are; each is written by a step, is an input, or is a constant. */
  readonly outputs: readonly Atom[]
}
