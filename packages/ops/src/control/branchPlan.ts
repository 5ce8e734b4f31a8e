/** The graphs that the rules of a branch put in place of its branches. */
import {
  type Aval,
  type BatchAxis,
  type Graph,
  type Tensor,
  batchOf,
  dropDead,
  isVar,
  jvpOf,
  mask,
  partitionOf,
  remember,
  runGraph,
  showAval,
  strong,
  trace,
  transposeOf,
  typesOf,
  zerosLike,
} from '@cotangent/core'
import { type Flags, chosen, count, sections } from './graphs.ts'

export interface BranchParams {
  /** All take the operands and give the same types. */
  readonly branches: readonly Graph[]
}

// What is derived from several graphs is remembered by the first, together with the others.
const perBranches = <T>(): ((branches: readonly Graph[], key: string, make: () => T) => T) => {
  const memory = remember<{ readonly branches: readonly Graph[]; readonly made: T }[]>()
  return (branches, key, make) => {
    const known = memory(branches[0]!, key, () => [])
    const found = known.find(
      (entry) =>
        entry.branches.length === branches.length &&
        entry.branches.every((branch, i) => branch === branches[i]),
    )
    if (found !== undefined) return found.made
    const made = make()
    known.push({ branches, made })
    return made
  }
}

const union = (flags: readonly Flags[]): Flags => flags[0]!.map((_, i) => flags.some((f) => f[i]!))

export interface BranchJvpPlan {
  readonly branches: readonly Graph[]
  readonly tangentOutputs: Flags
}

const jvps = perBranches<BranchJvpPlan>()

/** An output has a tangent where any branch gives it one. */
export const planBranchJvp = ({ branches }: BranchParams, tangents: Flags): BranchJvpPlan =>
  jvps(branches, mask(tangents), () => {
    const tangentOutputs = union(branches.map((b) => jvpOf(b, tangents).tangentOutputs))
    return {
      branches: branches.map((b) => jvpOf(b, tangents, tangentOutputs).graph),
      tangentOutputs,
    }
  })

export interface BranchSplitPlan {
  readonly unknownOutputs: Flags
  /** Known operands to known outputs and the residual slots. */
  readonly known: readonly Graph[]
  readonly knownOutputs: number
  /** `[slots, known operands that the second half reads, unknown operands]`. */
  readonly rest: readonly Graph[]
  /** Positions of those operands among the known ones. */
  readonly passed: readonly number[]
}

const splits = perBranches<BranchSplitPlan>()

/**
 * Residuals go through slots that the branches share: a branch fills the slots of the types that
 * it needs, and leaves zeros in the others. Known operands are passed as they are.
 */
export const planBranchSplit = ({ branches }: BranchParams, unknown: Flags): BranchSplitPlan =>
  splits(branches, mask(unknown), () => {
    const unknownOutputs = union(branches.map((b) => partitionOf(b, unknown).unknownOutputs))
    const parts = branches.map((b) => partitionOf(b, unknown, unknownOutputs))
    const knownOutputs = unknownOutputs.length - count(unknownOutputs)
    const residuals = parts.map(({ known }) => known.outputs.slice(knownOutputs))
    const operandOf = (branch: number, i: number): number => {
      const atom = residuals[branch]![i]!
      return isVar(atom) ? parts[branch]!.known.inputs.indexOf(atom) : -1
    }
    const passed = [
      ...new Set(residuals.flatMap((list, b) => list.map((_, i) => operandOf(b, i)))),
    ].filter((i) => i >= 0)
    const slotted = residuals.map((list, b) => list.filter((_, i) => operandOf(b, i) < 0))
    const { slots, places } = shareSlots(slotted.map(typesOf))
    return {
      unknownOutputs,
      knownOutputs,
      passed,
      known: parts.map(({ known }, b) => {
        const outputs = [...known.outputs.slice(0, knownOutputs), ...slotted[b]!]
        return fillSlots(dropDead({ ...known, outputs }), knownOutputs, slots, places[b]!)
      }),
      rest: parts.map(({ rest, known }, b) => {
        const passedTypes = passed.map((i) => known.inputs[i]!.aval)
        const unknownTypes = typesOf(rest.inputs.slice(residuals[b]!.length))
        const traced = trace(
          'partition',
          (...values) => {
            const [held, operands, linear] = sections(values, slots.length, passed.length)
            let next = 0
            const own = residuals[b]!.map((_, i) => {
              const operand = operandOf(b, i)
              return operand < 0 ? held![places[b]![next++]!]! : operands![passed.indexOf(operand)]!
            })
            return runGraph(rest, [...own, ...linear!])
          },
          [...slots, ...passedTypes, ...unknownTypes],
        )
        return traced.graph
      }),
    }
  })

interface Slots {
  readonly slots: readonly Aval[]
  /** For each branch, the slot of each of its residuals. */
  readonly places: readonly (readonly number[])[]
}

const shareSlots = (types: readonly (readonly Aval[])[]): Slots => {
  const slots: Aval[] = []
  const ofType = new Map<string, number[]>()
  const places = types.map((list) => {
    const used = new Map<string, number>()
    return list.map((type) => {
      const key = showAval(strong(type))
      const nth = used.get(key) ?? 0
      used.set(key, nth + 1)
      const known = ofType.get(key) ?? []
      ofType.set(key, known)
      if (known[nth] === undefined) known.push(slots.push(strong(type)) - 1)
      return known[nth]!
    })
  })
  return { slots, places }
}

const fillSlots = (
  graph: Graph,
  outputs: number,
  slots: readonly Aval[],
  places: readonly number[],
): Graph =>
  trace(
    'partition',
    (...values) => {
      const results = runGraph(graph, values)
      const held = slots.map((type, slot): Tensor => {
        const i = places.indexOf(slot)
        return i < 0 ? zerosLike(type) : results[outputs + i]!
      })
      return [...results.slice(0, outputs), ...held]
    },
    typesOf(graph.inputs),
  ).graph

export interface BranchTransposePlan {
  /** `[nonlinear operands, cotangents]` to the cotangents of linear operands that have one. */
  readonly branches: readonly Graph[]
  readonly cotangentInputs: Flags
}

const transposes = perBranches<BranchTransposePlan>()

export const planBranchTranspose = (
  { branches }: BranchParams,
  linear: Flags,
  cotangents: Flags,
): BranchTransposePlan =>
  transposes(branches, `${mask(linear)}|${mask(cotangents)}`, () => {
    const derived = branches.map((b) => transposeOf(b, linear, cotangents))
    const cotangentInputs = union(derived.map((d) => d.cotangentInputs))
    const types = chosen(typesOf(branches[0]!.inputs), linear).map(strong)
    return {
      cotangentInputs,
      branches: derived.map(
        ({ graph, cotangentInputs: own }) =>
          trace(
            'transpose',
            (...values) => {
              const results = runGraph(graph, values)
              let next = 0
              const found = own.map((has) => (has ? results[next++]! : null))
              const needed = chosen(
                found.map((ct, i) => ({ ct, type: types[i]! })),
                cotangentInputs,
              )
              return needed.map(({ ct, type }) => ct ?? zerosLike(type))
            },
            typesOf(graph.inputs),
          ).graph,
      ),
    }
  })

export interface BranchBatchPlan {
  readonly branches: readonly Graph[]
  readonly batchedOutputs: Flags
}

const batches = perBranches<BranchBatchPlan>()

/** `all`: every output is batched, as the choice itself differs along the batch. */
export const planBranchBatch = (
  { branches }: BranchParams,
  batched: Flags,
  axis: BatchAxis,
  all: boolean,
): BranchBatchPlan =>
  batches(branches, `${mask(batched)}|${axis.size}|${axis.name ?? ''}|${all}`, () => {
    const every = branches[0]!.outputs.map(() => true)
    const batchedOutputs = all
      ? every
      : union(branches.map((b) => batchOf(b, batched, axis).batched))
    return {
      branches: branches.map((b) => batchOf(b, batched, axis, batchedOutputs).graph),
      batchedOutputs,
    }
  })
