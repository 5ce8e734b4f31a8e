/** What a profile says of the roofs: how long each kernel takes at the rates that this machine can do. */
import type { ProfileData } from '@cotangent/jit'
import { isRecord, readJsonLines } from '../json.ts'

/** One workload with so many threads. */
export interface RooflineLine {
  readonly workload: string
  readonly threads: number
  /** Milliseconds of one call, without clocks inside. */
  readonly ms: number
  /** Milliseconds at the roofs. */
  readonly least: number
}

/**
 * Milliseconds of one call, if every kernel did its operations at the arithmetic roof or moved its bytes
 * at that of the cache they fit, whichever takes longer, on the threads that it ran on. Functions such as
 * `exp` count for the operations that they are written as, although some of these take several instructions.
 */
export const leastTime = ({ rows }: Pick<ProfileData, 'rows'>): number =>
  rows.reduce((sum, { time, roof }) => sum + time * Math.min(1, roof), 0)

const isRooflineLine = (value: unknown): value is RooflineLine =>
  isRecord(value) &&
  typeof value.workload === 'string' &&
  [value.threads, value.ms, value.least].every((x) => typeof x === 'number')

/** @throws Error, with one clear line, for text that is not such a line. */
export const parseRoofline = (text: string): RooflineLine => {
  const value: unknown = JSON.parse(text)
  if (isRooflineLine(value)) return value
  throw new Error(`not a line of the roofline: ${text.slice(0, 80)}`)
}

/** The lines of a file; none where there is no such file. */
export const readRooflines = (path: string): readonly RooflineLine[] =>
  readJsonLines(path, parseRoofline)
