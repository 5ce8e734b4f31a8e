/** The parameters of a scan, and the names of the sections of its inputs. */
import {
  type Aval,
  type Graph,
  type Tensor,
  inserted,
  mask,
  partitionOf,
  typesOf,
} from '@cotangent/core'
import { type Flags, fixedPoint, sections } from './graphs.ts'

/** Inputs `[...constants, ...carry, ...xs]`; the body gets one slice of each xs. */
export interface ScanParams {
  readonly body: Graph
  readonly length: number
  /** From the last slice to the first. */
  readonly reverse: boolean
  readonly constants: number
  readonly carries: number
}

/** The sections of a list that goes with a scan's inputs. */
export interface Sections<T> {
  readonly constants: readonly T[]
  readonly carry: readonly T[]
  readonly xs: readonly T[]
}

type Layout = Pick<ScanParams, 'constants' | 'carries'>

export const inputSections = <T>(
  { constants, carries }: Layout,
  items: readonly T[],
): Sections<T> => {
  const [c, s, xs] = sections(items, constants, carries)
  return { constants: c!, carry: s!, xs: xs! }
}

/** A key for what is derived from a scan's body: the layout, and the flags that decide it. */
export const scanKey = ({ constants, carries }: Layout, ...flags: readonly Flags[]): string =>
  [constants, carries, ...flags.map(mask)].join('|')

/** The type of a slice of `type`, with the scanned axis in front. */
export const stackedType = (type: Aval, length: number): Aval => ({
  ...type,
  shape: inserted(type.shape, 0, length),
})

export const outputTypes = ({ body, length, carries }: ScanParams): readonly Aval[] =>
  typesOf(body.outputs).map((type, i) => (i < carries ? type : stackedType(type, length)))

/** Which carries an unknown input reaches, in one step or in several. */
export const reachedCarries = (params: ScanParams, unknown: Flags): Flags => {
  const { constants, carry, xs } = inputSections(params, unknown)
  return fixedPoint(carry, (flags) =>
    partitionOf(params.body, [...constants, ...flags, ...xs], flags).unknownOutputs.slice(
      0,
      params.carries,
    ),
  )
}

/** Binds the primitive: its rules live in files that it is made of, so they are handed it. */
export type RunScan = (inputs: readonly Tensor[], params: ScanParams) => readonly Tensor[]
