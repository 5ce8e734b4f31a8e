/** Kernels are named after what they do. */
import { type Equation, dtypeInfo } from '@cotangent/core'
import { loweringKind } from '../passes/lowering.ts'
import type { Root } from './cluster.ts'

const isMovement = (equation: Equation): boolean => {
  const lowering = loweringKind(equation)
  return lowering.tag === 'pull' && lowering.cost === 'movement'
}

/** `conv_add_max_f32_64x6x28x28`: the operations, the last result's type and shape. */
export const kernelName = (
  equations: readonly Equation[],
  roots: readonly Pick<Root, 'shape' | 'outputs'>[],
): string => {
  const working = equations.filter((e) => !isMovement(e))
  const names = [
    ...new Set((working.length === 0 ? equations : working).map((e) => e.primitive.name)),
  ]
  const shown = names.length > 4 ? [...names.slice(0, 3), `${names.length - 3}more`] : names
  const last = roots.at(-1)!
  const shape = last.shape.length === 0 ? 'scalar' : last.shape.join('x')
  return `${shown.join('_')}_${dtypeInfo[last.outputs[0]!.aval.dtype].short}_${shape}`
}
