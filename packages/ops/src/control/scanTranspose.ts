/**
 * Reverse mode of a scan: a scan the other way round. Cotangents of constants are summed in its
 * carry, those of the carry are its carry, those of ys are scanned and those of xs stacked.
 */
import {
  type Graph,
  add,
  remember,
  runGraph,
  strong,
  trace,
  transposeOf,
  typesOf,
  zerosLike,
} from '@cotangent/core'
import { type Flags, chosen, count, fixedPoint, others, sections, spread } from './graphs.ts'
import { type ScanParams, inputSections, scanKey } from './scanPlan.ts'

export interface ScanTransposePlan {
  /** `[nonlinear constants | sums of constants' cotangents, carry's | nonlinear xs, ys' cotangents]`. */
  readonly body: Graph
  /** Of the linear constants, of all carries, of the linear xs: which have a cotangent. */
  readonly constantCotangents: Flags
  readonly carryCotangents: Flags
  readonly xCotangents: Flags
}

const plans = remember<ScanTransposePlan>()

/** For a scan whose carry is linear as a whole. `cotangents` says which outputs have one. */
export const planScanTranspose = (
  params: ScanParams,
  linear: Flags,
  cotangents: Flags,
): ScanTransposePlan =>
  plans(params.body, scanKey(params, linear, cotangents), () => {
    const { body, carries } = params
    const given = inputSections(params, linear)
    const [lastCarry, ys] = sections(cotangents, carries)
    const linearCarry = lastCarry!.map(() => true)
    const derive = (carry: Flags): ReturnType<typeof transposeOf> =>
      transposeOf(body, [...given.constants, ...linearCarry, ...given.xs], [...carry, ...ys!])
    const linearConstants = count(given.constants)
    const split = (flags: Flags): readonly Flags[] => sections(flags, linearConstants, carries)
    const carryCotangents = fixedPoint(
      lastCarry!,
      (flags) => split(derive(flags).cotangentInputs)[1]!,
    )
    const derived = derive(carryCotangents)
    const [constantCotangents, ofCarry, xCotangents] = split(derived.cotangentInputs)

    const types = inputSections(params, typesOf(body.inputs))
    const summed = chosen(chosen(types.constants, given.constants), constantCotangents!).map(strong)
    const carried = types.carry.map(strong)
    const nonlinearConstants = others(types.constants, given.constants)
    const nonlinearXs = others(types.xs, given.xs)
    const yTypes = chosen(typesOf(body.outputs).slice(carries), ys!).map(strong)
    const traced = trace(
      'transpose',
      (...values) => {
        const [c, sums, ct, xs, dys] = sections(
          values,
          nonlinearConstants.length,
          summed.length,
          chosen(carried, carryCotangents).length,
          nonlinearXs.length,
        )
        const results = runGraph(derived.graph, [...c!, ...xs!, ...ct!, ...dys!])
        const [dc, ds, dx] = sections(results, summed.length, count(ofCarry!))
        const next = chosen(
          spread(ofCarry!, ds!).map((d, i) => d ?? zerosLike(carried[i]!)),
          carryCotangents,
        )
        return [...sums!.map((sum, i) => add(sum, dc![i]!)), ...next, ...dx!]
      },
      [
        ...nonlinearConstants,
        ...summed,
        ...chosen(carried, carryCotangents),
        ...nonlinearXs,
        ...yTypes,
      ],
    )
    return {
      body: traced.graph,
      constantCotangents: constantCotangents!,
      carryCotangents,
      xCotangents: xCotangents!,
    }
  })
