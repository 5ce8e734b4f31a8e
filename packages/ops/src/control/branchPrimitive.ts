/** `branch` as a primitive: an index chooses which of several graphs runs on the operands. */
import {
  type BatchRule,
  type NDArray,
  type Primitive,
  type SplitRule,
  type WholeJvp,
  type WholeTranspose,
  bind,
  definePrimitive,
  evaluateGraph,
  fill,
  isLinear,
  moveBatchToFront,
  runGraph,
  typesOf,
  variadic,
} from '@cotangent/core'
import { le } from '../prims/compare.ts'
import {
  type BranchParams,
  planBranchBatch,
  planBranchJvp,
  planBranchSplit,
  planBranchTranspose,
} from './branchPlan.ts'
import { flagged, isPresent, others, present, requireTypes, spread } from './graphs.ts'
import { selectWith } from './selectWith.ts'

type Slots = readonly string[]

const evaluate = (
  [index, ...operands]: readonly NDArray[],
  { branches }: BranchParams,
): readonly NDArray[] => {
  const i = Math.min(Math.max(index!.data[0]!, 0), branches.length - 1)
  return evaluateGraph(branches[i]!, operands)
}

const jvp: WholeJvp<Slots, BranchParams> = ([index, ...operands], [, ...tangents], params) => {
  const { branches, tangentOutputs } = planBranchJvp(params, flagged(tangents))
  const results = bind(branchP, [index!, ...operands, ...present(tangents)], { branches })
  const count = tangentOutputs.length
  return {
    outputs: results.slice(0, count),
    tangents: spread(tangentOutputs, results.slice(count)),
  }
}

const partition: SplitRule<BranchParams> = ([index, ...operands], _, params) => {
  const known = operands.filter(isPresent)
  if (index === null) {
    // Nothing is decided before the choice is.
    const unknown = operands.map((x) => x === null)
    return {
      known: { outputs: [], residuals: known },
      linearOutputs: params.branches[0]!.outputs.map(() => true),
      linear: (residuals, [i, ...rest]) => {
        let [held, next] = [0, 0]
        const xs = unknown.map((u) => (u ? rest[next++]! : residuals[held++]!))
        return bind(branchP, [i!, ...xs], params)
      },
    }
  }
  const plan = planBranchSplit(
    params,
    operands.map((x) => x === null),
  )
  const results = bind(branchP, [index!, ...known], { branches: plan.known })
  const residuals = [
    index!,
    ...results.slice(plan.knownOutputs),
    ...plan.passed.map((i) => known[i]!),
  ]
  return {
    known: { outputs: results.slice(0, plan.knownOutputs), residuals },
    linearOutputs: plan.unknownOutputs,
    linear: (held, unknown) => bind(branchP, [...held, ...unknown], { branches: plan.rest }),
  }
}

const transpose: WholeTranspose<Slots, BranchParams> = (
  cotangents,
  [index, ...operands],
  params,
) => {
  const linear = operands.map(isLinear)
  const plan = planBranchTranspose(params, linear, flagged(cotangents))
  const results = bind(branchP, [index!, ...others(operands, linear), ...present(cotangents)], {
    branches: plan.branches,
  })
  const found = spread(plan.cotangentInputs, results)
  let next = 0
  return [null, ...linear.map((flag) => (flag ? found[next++]! : null))]
}

const batch: BatchRule<Slots, BranchParams> = (
  [index, ...operands],
  [which, ...dims],
  params,
  axis,
) => {
  const front = operands.map((x, i) => moveBatchToFront(x, dims[i]!))
  const batched = dims.map((d) => d !== null)
  const plan = planBranchBatch(params, batched, axis, which !== null)
  if (which === null) {
    return {
      outputs: bind(branchP, [index!, ...front], { branches: plan.branches }),
      dims: plan.batchedOutputs.map((b) => (b ? 0 : null)),
    }
  }
  // The choice differs along the batch: every branch runs on all of it, and each example takes its own.
  const results = plan.branches.map((branch) => runGraph(branch, front))
  const outputs = plan.batchedOutputs.map((_, o) =>
    results
      .map((values) => values[o]!)
      .reduceRight((later, own, i) =>
        selectWith(le(index!, fill(index!.shape, i, 'int32')), own, later),
      ),
  )
  return { outputs, dims: outputs.map(() => 0) }
}

export const branchP: Primitive<Slots, BranchParams> = definePrimitive({
  name: 'branch',
  slots: variadic,
  typing: ([, ...operands], { branches }) => {
    const types = typesOf(branches[0]!.outputs)
    for (const branch of branches) {
      requireTypes('branch', operands, typesOf(branch.inputs))
      requireTypes('branch', typesOf(branch.outputs), types)
    }
    return types
  },
  evaluate,
  jvp,
  transpose,
  partition,
  batch,
  lower: (_, { branches }) => ({ tag: 'region', region: { kind: 'branch', branches } }),
  effectful: false,
})
