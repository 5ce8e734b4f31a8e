/** Dropping what nobody reads of loops and branches: their outputs, carries and inputs. */
import { type Equation, type Graph, type Var, isEffectful, isVar, subgraphs } from '../graph.ts'
import { loweringOf } from '../lowering.ts'
import type { Region } from '../primitive.ts'
import { mask, remember } from './remember.ts'

type Flags = readonly boolean[]
type Of<K extends Region['kind']> = Extract<Region, { readonly kind: K }>

/** An equation with fewer inputs and outputs: which, and the parameters that go with them. */
interface Pruned {
  readonly inputs: Flags
  readonly outputs: Flags
  readonly params: unknown
}

type DropDead = (graph: Graph) => Graph

/** The equation without what leads to none of the used outputs. */
export const pruneEquation = (
  equation: Equation,
  used: ReadonlySet<Var>,
  dropDead: DropDead,
): Equation => {
  if (subgraphs(equation.params).length === 0) return equation
  const lowering = loweringOf(equation)
  if (lowering.tag !== 'region') return equation
  const pruned = pruneRegion(
    lowering.region,
    equation.outputs.map((v) => used.has(v)),
    dropDead,
  )
  if (pruned === null || [...pruned.inputs, ...pruned.outputs].every((keep) => keep)) {
    return equation
  }
  return {
    ...equation,
    inputs: kept(equation.inputs, pruned.inputs),
    outputs: kept(equation.outputs, pruned.outputs),
    params: pruned.params,
  }
}

const kept = <T>(items: readonly T[], flags: Flags): readonly T[] =>
  items.filter((_, i) => flags[i]!)

const count = (flags: Flags): number => flags.filter((flag) => flag).length

const pruneRegion = (region: Region, used: Flags, dropDead: DropDead): Pruned | null => {
  switch (region.kind) {
    case 'scan':
      return pruneScan(region, used, dropDead)
    case 'while':
      return pruneWhile(region, used, dropDead)
    case 'branch':
      return pruneBranch(region, used, dropDead)
    case 'call':
    case 'host':
      return null
    default:
      return region satisfies never
  }
}

// Which inputs the chosen outputs, and every effect, depend on.
const liveInputs = (graph: Graph, outputs: Flags): Flags => {
  const live = new Set<Var>(kept(graph.outputs, outputs).filter(isVar))
  for (const equation of graph.equations.toReversed()) {
    if (!isEffectful(equation) && !equation.outputs.some((v) => live.has(v))) continue
    for (const atom of equation.inputs) if (isVar(atom)) live.add(atom)
  }
  return graph.inputs.map((v) => live.has(v))
}

const slims = remember<Graph>()
const slim = (graph: Graph, inputs: Flags, outputs: Flags, dropDead: DropDead): Graph =>
  slims(graph, `${mask(inputs)}|${mask(outputs)}`, () =>
    dropDead({
      inputs: kept(graph.inputs, inputs),
      equations: graph.equations,
      outputs: kept(graph.outputs, outputs),
    }),
  )

// Carries keep each other alive from step to step.
const liveCarries = (used: Flags, inputsFor: (carries: Flags) => Flags): Flags => {
  let carries = used
  for (;;) {
    const inputs = inputsFor(carries)
    const next = carries.map((live, i) => live || inputs[i]!)
    if (count(next) === count(carries)) return carries
    carries = next
  }
}

const pruneScan = (region: Of<'scan'>, used: Flags, dropDead: DropDead): Pruned => {
  const { kind: _, ...fields } = region
  const { body, constants, carries } = fields
  const ys = used.slice(carries)
  const alive = liveCarries(used.slice(0, carries), (flags) =>
    liveInputs(body, [...flags, ...ys]).slice(constants, constants + carries),
  )
  const outputs = [...alive, ...ys]
  const inputs = liveInputs(body, outputs).map((live, i) => alive[i - constants] ?? live)
  const params = {
    ...fields,
    body: slim(body, inputs, outputs, dropDead),
    constants: count(inputs.slice(0, constants)),
    carries: count(alive),
  }
  return { inputs, outputs, params }
}

const pruneWhile = (region: Of<'while'>, used: Flags, dropDead: DropDead): Pruned => {
  const { kind: _, ...fields } = region
  const { condition, body, conditionConstants, bodyConstants } = fields
  const asked = liveInputs(condition, [true])
  const wanted = used.map((live, i) => live || asked[conditionConstants + i]!)
  const outputs = liveCarries(wanted, (flags) => liveInputs(body, flags).slice(bodyConstants))
  const ofCondition = asked.slice(0, conditionConstants)
  const ofBody = liveInputs(body, outputs).slice(0, bodyConstants)
  const params = {
    condition: slim(condition, [...ofCondition, ...outputs], [true], dropDead),
    body: slim(body, [...ofBody, ...outputs], outputs, dropDead),
    conditionConstants: count(ofCondition),
    bodyConstants: count(ofBody),
  }
  return { inputs: [...ofCondition, ...ofBody, ...outputs], outputs, params }
}

const pruneBranch = ({ branches }: Of<'branch'>, used: Flags, dropDead: DropDead): Pruned => {
  const live = branches.map((branch) => liveInputs(branch, used))
  const operands = live[0]!.map((_, i) => live.some((flags) => flags[i]!))
  const params = { branches: branches.map((branch) => slim(branch, operands, used, dropDead)) }
  return { inputs: [true, ...operands], outputs: used, params }
}
