/** Work that is the same in every step of a scan is done once, before it. */
import {
  type Equation,
  type Graph,
  type Var,
  dropDead,
  isEffectful,
  isVar,
  loweringOf,
  remember,
  runGraph,
} from '@cotangent/core'
import { sections } from './graphs.ts'
import type { RunScan, ScanParams } from './scanPlan.ts'

interface InvariantPlan {
  /** The constants to further constants. */
  readonly before: Graph
  /** The body, which takes those after the other constants. */
  readonly body: Graph
  readonly constants: number
}

const plans = remember<InvariantPlan | null>()

const planInvariants = ({ body, constants }: ScanParams): InvariantPlan | null =>
  plans(body, String(constants), () => {
    const fixed = new Set<Var>(body.inputs.slice(0, constants))
    const fixedEquations: Equation[] = []
    for (const equation of body.equations) {
      const { inputs, outputs } = equation
      if (isEffectful(equation) || !inputs.every((a) => !isVar(a) || fixed.has(a))) continue
      fixedEquations.push(equation)
      for (const v of outputs) fixed.add(v)
    }
    const moved = new Set(fixedEquations.filter(isWork))
    const made = new Set([...moved].flatMap((e) => e.outputs))
    const left = dropDead({ ...body, equations: body.equations.filter((e) => !moved.has(e)) })
    const read = [...left.outputs, ...left.equations.flatMap((e) => e.inputs)].filter(isVar)
    const further = [...new Set(read.filter((v) => made.has(v)))]
    if (further.length === 0) return null
    const [outer, others] = sections(body.inputs, constants)
    return {
      before: dropDead({ inputs: outer!, equations: fixedEquations, outputs: further }),
      body: { ...left, inputs: [...outer!, ...further, ...others!] },
      constants: constants + further.length,
    }
  })

// Constants and rearrangements cost a fused loop nothing, where an array would have to be read.
const isWork = (equation: Equation): boolean => {
  if (equation.inputs.length === 0) return false
  const lowering = loweringOf(equation)
  return lowering.tag !== 'pull' || lowering.cost !== 'movement'
}

/** Runs a scan with its invariant work done before it. */
export const withInvariants =
  (run: RunScan): RunScan =>
  (inputs, params) => {
    const plan = params.length < 2 ? null : planInvariants(params)
    if (plan === null) return run(inputs, params)
    const { before, body, constants } = plan
    const [outer, others] = sections(inputs, params.constants)
    const further = runGraph(before, outer!)
    return run([...outer!, ...further, ...others!], { ...params, body, constants })
  }
