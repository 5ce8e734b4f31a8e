/** Scans without what they do not need: inputs that no step reads, ys that are another's copy. */
import { type Atom, type Graph, type Tensor, type Var, isVar, remember } from '@cotangent/core'
import { type Flags, chosen, sections } from './graphs.ts'
import type { RunScan, ScanParams } from './scanPlan.ts'

/** Where a y comes from: the slim scan's ys, or an input of which every slice passes through. */
interface Origin {
  readonly from: 'ys' | 'inputs'
  readonly index: number
}

interface SlimPlan {
  readonly body: Graph
  readonly kept: Flags
  readonly constants: number
  readonly ys: readonly Origin[]
}

const plans = remember<SlimPlan | null>()

const planSlim = ({ body, constants, carries }: ScanParams): SlimPlan | null =>
  plans(body, `${constants}|${carries}`, () => {
    const scanned = constants + carries
    const [carry, ys] = sections(body.outputs, carries)
    const unique: Atom[] = []
    const sources = ys!.map((atom): Origin => {
      const input = isVar(atom) ? body.inputs.indexOf(atom) : -1
      if (input >= scanned) return { from: 'inputs', index: input }
      const known = unique.indexOf(atom)
      return { from: 'ys', index: known >= 0 ? known : unique.push(atom) - 1 }
    })
    const outputs = [...carry!, ...unique]
    const read = new Set<Var>(
      [...outputs, ...body.equations.flatMap((e) => e.inputs)].filter(isVar),
    )
    const kept = body.inputs.map((v, i) => (i >= constants && i < scanned) || read.has(v))
    if (unique.length === ys!.length && kept.every((keep) => keep)) return null
    return {
      body: { ...body, inputs: chosen(body.inputs, kept), outputs },
      kept,
      constants: kept.slice(0, constants).filter((keep) => keep).length,
      ys: sources,
    }
  })

/** Runs the slim form of a scan; the results are those of the scan itself. */
export const slim =
  (run: RunScan): RunScan =>
  (inputs, params) => {
    const plan = planSlim(params)
    if (plan === null) return run(inputs, params)
    const { body, kept, constants, ys } = plan
    const results = run(chosen(inputs, kept), { ...params, body, constants })
    const [carry, stacked] = sections(results, params.carries)
    const sources: Readonly<Record<Origin['from'], readonly Tensor[]>> = { ys: stacked!, inputs }
    return [...carry!, ...ys.map(({ from, index }) => sources[from][index]!)]
  }
