/** From clock readings to the figures of a profile. */
import type { ProfileData, ProfileRow, ProfileTotal } from './data.ts'
import type { StepFacts } from './facts.ts'
import type { CallRecord } from './recorder.ts'
import { type Roofs, bandwidthFor } from './roofs.ts'

/** A step with what is known of it before it runs. */
export interface Site {
  readonly facts: StepFacts
  readonly source: string
}

const mean = (values: readonly number[]): number =>
  values.reduce((a, b) => a + b, 0) / Math.max(1, values.length)

const rate = (amount: number, milliseconds: number): number =>
  milliseconds > 0 ? (1000 * amount) / milliseconds : 0

/** Rows of the steps that ran, the slowest first, each with the number of its site. */
export const rowsOf = (
  sites: readonly Site[],
  calls: readonly CallRecord[],
  roofs: Roofs,
): readonly (readonly [site: number, row: ProfileRow])[] => {
  const whole = mean(calls.map((c) => c.end - c.start))
  return sites
    .flatMap((site, n): readonly (readonly [number, ProfileRow])[] => {
      const runs = mean(calls.map((c) => c.runs[n] ?? 0))
      if (runs === 0) return []
      const time = mean(calls.map((c) => c.times[n] ?? 0))
      const threads = Math.max(...calls.map((c) => c.threads[n] ?? 1))
      return [[n, rowOf(site, runs, time, time / whole, threads, roofs)]]
    })
    .toSorted(([, a], [, b]) => b.time - a.time)
}

const rowOf = (
  { facts, source }: Site,
  runs: number,
  time: number,
  share: number,
  threads: number,
  roofs: Roofs,
): ProfileRow => {
  const { name, operations, apart, stored, inside, at } = facts
  const [flops, bytes] = [runs * facts.flops, runs * facts.bytes]
  const computing = flops / (threads * roofs.flopsPerSecond)
  const moving = bytes / (threads * bandwidthFor(roofs, facts.bytes / threads))
  return {
    name,
    operations,
    calls: runs,
    time,
    share,
    flops,
    bytes,
    flopsPerSecond: rate(flops, time),
    bytesPerSecond: rate(bytes, time),
    roof: rate(Math.max(computing, moving), time),
    bound: computing > moving ? 'compute' : 'memory',
    threads,
    apart,
    stored,
    inside,
    at: at ?? null,
    source,
  }
}

export const totalOf = (
  rows: ProfileData['rows'],
  calls: readonly CallRecord[],
  unobserved: number,
): ProfileTotal => {
  const time = mean(calls.map((c) => c.end - c.start))
  const sum = (pick: (row: ProfileRow) => number): number => rows.reduce((n, r) => n + pick(r), 0)
  const kernels = sum((r) => r.time)
  const [flops, bytes] = [sum((r) => r.flops), sum((r) => r.bytes)]
  return {
    time,
    unobserved,
    kernels,
    other: Math.max(0, time - kernels),
    flops,
    bytes,
    flopsPerSecond: rate(flops, time),
    bytesPerSecond: rate(bytes, time),
  }
}
