/** Reading the figures of an earlier run. */
import { readFileSync } from 'node:fs'
import { isRecord } from './json.ts'
import type { Report } from './results.ts'

// Only what a comparison reads: the names, and the medians of the judged contenders.
const isReport = (value: unknown): value is Report =>
  isRecord(value) &&
  Array.isArray(value.results) &&
  value.results.every(
    (result: unknown) =>
      isRecord(result) &&
      typeof result.name === 'string' &&
      Array.isArray(result.timings) &&
      result.timings.every((t: unknown) => isRecord(t) && typeof t.median === 'number'),
  )

/** @throws Error, with one clear line, where the file is missing or holds something else. */
export const readReport = (path: string): Report => {
  const value: unknown = JSON.parse(readFileSync(path, 'utf8'))
  if (isReport(value)) return value
  throw new Error(`${path} does not hold the figures of a run`)
}
