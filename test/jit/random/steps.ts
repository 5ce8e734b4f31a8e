/** The steps of programs, with those of loops and branches. */
import type { Kernel, KernelStep, Program, Step } from '@cotangent/jit'

const nested = (step: Step): readonly Program[] => {
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

/** Every step that runs a kernel. */
export const kernelSteps = (program: Program): readonly KernelStep[] =>
  program.steps.flatMap((step) => {
    if (step.tag === 'together') return step.parts
    return step.tag === 'kernel' ? [step] : nested(step).flatMap(kernelSteps)
  })

/** Every kernel of a program. */
export const kernelsOf = (program: Program): readonly Kernel[] =>
  kernelSteps(program).map(({ kernel }) => kernel)
