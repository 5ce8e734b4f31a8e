/**
 * Contractions that a loop's carry does not reach are done for all steps at once, ahead of the loop.
 * In the linear half of a scan these are the terms of weights and inputs; transposed, they become
 * one product over time after the loop in place of a sum of small ones in it.
 */
import {
  type Equation,
  type Graph,
  type Var,
  batchOf,
  dropDead,
  isEffectful,
  isVar,
  remember,
  sizeOf,
  loweringOf,
} from '@cotangent/core'
import type { ScanParams } from './scanPlan.ts'

export interface Ahead {
  /** Constants and whole xs to whole further xs. */
  readonly before: Graph
  /** The body, with slices of those behind the other xs. */
  readonly body: Graph
}

const plans = remember<Ahead | null>()

/** What to compute ahead of a scan; null where there is nothing. */
export const planAhead = ({ body, length, constants, carries }: ScanParams): Ahead | null =>
  plans(body, `${constants}|${carries}|${length}`, () => {
    const fixed = new Set<Var>(body.inputs.slice(0, constants))
    const early = new Set<Var>([...fixed, ...body.inputs.slice(constants + carries)])
    const moved: Equation[] = []
    const earlyEquations: Equation[] = []
    for (const equation of body.equations) {
      const known = equation.inputs.filter(isVar)
      if (isEffectful(equation) || !known.every((v) => early.has(v))) continue
      earlyEquations.push(equation)
      const isFixed = known.every((v) => fixed.has(v))
      for (const v of equation.outputs) {
        early.add(v)
        if (isFixed) fixed.add(v)
      }
      if (!isFixed && isContraction(equation)) moved.push(equation)
    }
    const gone = new Set(moved.flatMap((e) => e.outputs))
    const left = dropDead({ ...body, equations: body.equations.filter((e) => !moved.includes(e)) })
    const read = [...left.outputs, ...left.equations.flatMap((e) => e.inputs)].filter(isVar)
    const further = [...new Set(read.filter((v) => gone.has(v)))]
    if (length < 2 || further.length === 0) return null
    const inputs = [...body.inputs.slice(0, constants), ...body.inputs.slice(constants + carries)]
    const { graph } = batchOf(
      dropDead({ inputs, equations: earlyEquations, outputs: further }),
      inputs.map((_, i) => i >= constants),
      { size: length, name: null },
      further.map(() => true),
    )
    return { before: graph, body: { ...left, inputs: [...body.inputs, ...further] } }
  })

const isContraction = (equation: Equation): boolean => {
  if (equation.outputs.length !== 1 || equation.inputs.length < 2) return false
  const lowering = loweringOf(equation)
  return lowering.tag === 'reduce' && sizeOf(lowering.reduction.extents) > 1
}
