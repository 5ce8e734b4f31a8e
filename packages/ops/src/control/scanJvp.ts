/** Forward mode of a scan: tangents are carried, scanned and stacked beside their primals. */
import { type Graph, jvpOf, remember } from '@cotangent/core'
import { type Flags, count, fixedPoint, reordered, span } from './graphs.ts'
import { type ScanParams, inputSections, scanKey } from './scanPlan.ts'

export interface ScanJvpPlan {
  /** `[constants, their tangents, carry, its tangents, xs, their tangents]`, outputs likewise. */
  readonly body: Graph
  readonly carryTangents: Flags
  readonly yTangents: Flags
}

const plans = remember<ScanJvpPlan>()

/** `tangents` says which inputs have one; a carry has one as soon as any step gives it one. */
export const planScanJvp = (params: ScanParams, tangents: Flags): ScanJvpPlan =>
  plans(params.body, scanKey(params, tangents), () => {
    const { body, constants, carries } = params
    const given = inputSections(params, tangents)
    const derive = (carry: Flags): ReturnType<typeof jvpOf> =>
      jvpOf(body, [...given.constants, ...carry, ...given.xs], carry)
    const carryTangents = fixedPoint(given.carry, (flags) =>
      derive(flags).tangentOutputs.slice(0, carries),
    )
    const derived = derive(carryTangents)
    const yTangents = derived.tangentOutputs.slice(carries)
    const xs = given.xs.length
    const [tc, ts, tx] = [count(given.constants), count(carryTangents), count(given.xs)]
    const first = constants + carries + xs
    const ys = body.outputs.length - carries
    return {
      body: reordered(
        derived.graph,
        [
          ...span(0, constants),
          ...span(first, tc),
          ...span(constants, carries),
          ...span(first + tc, ts),
          ...span(constants + carries, xs),
          ...span(first + tc + ts, tx),
        ],
        [
          ...span(0, carries),
          ...span(carries + ys, ts),
          ...span(carries, ys),
          ...span(carries + ys + ts, count(yTangents)),
        ],
      ),
      carryTangents,
      yTangents,
    }
  })
