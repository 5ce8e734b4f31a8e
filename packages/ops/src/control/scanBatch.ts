/** A scan over a batch: the body works on a whole batch in each step. */
import {
  type BatchAxis,
  type BatchDim,
  type Graph,
  type Tensor,
  batchOf,
  broadcastFront,
  moveAxis,
  moveBatchToFront,
  remember,
} from '@cotangent/core'
import { type Flags, fixedPoint } from './graphs.ts'
import { type RunScan, type ScanParams, inputSections, scanKey } from './scanPlan.ts'

interface ScanBatchPlan {
  readonly body: Graph
  /** A carry is batched as soon as any step batches it. */
  readonly batchedCarry: Flags
  readonly batchedYs: Flags
}

const plans = remember<ScanBatchPlan>()

const planScanBatch = (params: ScanParams, batched: Flags, axis: BatchAxis): ScanBatchPlan =>
  plans(params.body, `${scanKey(params, batched)}|${axis.size}|${axis.name ?? ''}`, () => {
    const { body, carries } = params
    const given = inputSections(params, batched)
    const derive = (carry: Flags): ReturnType<typeof batchOf> =>
      batchOf(body, [...given.constants, ...carry, ...given.xs], axis, carry)
    const batchedCarry = fixedPoint(given.carry, (flags) => derive(flags).batched.slice(0, carries))
    const { graph, batched: outputs } = derive(batchedCarry)
    return { batchedCarry, batchedYs: outputs.slice(carries), body: graph }
  })

export const batchScan = (
  run: RunScan,
  inputs: readonly Tensor[],
  dims: readonly BatchDim[],
  params: ScanParams,
  axis: BatchAxis,
): { readonly outputs: readonly Tensor[]; readonly dims: readonly BatchDim[] } => {
  const plan = planScanBatch(
    params,
    dims.map((d) => d !== null),
    axis,
  )
  const x = inputSections(params, inputs)
  const d = inputSections(params, dims)
  const carry = x.carry.map((value, i) =>
    plan.batchedCarry[i]! && d.carry[i] === null
      ? broadcastFront(value, axis.size)
      : moveBatchToFront(value, d.carry[i]!),
  )
  const outputs = run(
    [
      ...x.constants.map((value, i) => moveBatchToFront(value, d.constants[i]!)),
      ...carry,
      // The scanned axis stays in front, so that a slice has the batch axis in front.
      ...x.xs.map((value, i) => (d.xs[i] === null ? value : moveAxis(value, d.xs[i]!, 1))),
    ],
    { ...params, body: plan.body },
  )
  return {
    outputs,
    dims: [
      ...plan.batchedCarry.map((b) => (b ? 0 : null)),
      ...plan.batchedYs.map((b) => (b ? 1 : null)),
    ],
  }
}
