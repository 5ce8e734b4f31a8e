/** The lines that every library's script prints: one JSON object for each workload. */
import { isRecord, readJsonLines } from '../json.ts'

export interface Line {
  readonly peer: string
  readonly workload: string
  /** Milliseconds of one operation; null where there is none, for a reason. */
  readonly ms?: number | null
  readonly mb?: number
  readonly n: number
  readonly min?: number
  readonly round?: number
  readonly gflops?: number
  readonly gbs?: number
  readonly check?: readonly number[]
  readonly reason?: string
}

const isLine = (value: unknown): value is Line =>
  isRecord(value) && typeof value.peer === 'string' && typeof value.workload === 'string'

/** @throws Error, with one clear line, for text that is not such a line. */
export const parseLine = (text: string): Line => {
  const value: unknown = JSON.parse(text)
  if (isLine(value)) return value
  throw new Error(`not a line of figures: ${text.slice(0, 80)}`)
}

/** The lines of a file; none where there is no such file. */
export const readLines = (path: string): readonly Line[] => readJsonLines(path, parseLine)
