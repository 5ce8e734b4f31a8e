/** What a run found: figures, and whether they are what was asked for. */
import type { Target } from './benchmark.ts'
import type { Timing } from './harness.ts'
import type { Machine } from './machine.ts'

export interface Verdict {
  readonly target: Target
  /** The ratio or the seconds that the target speaks of. */
  readonly value: number
  readonly isMet: boolean
}

export interface Result {
  readonly theme: string
  readonly name: string
  /** The first is the one that is judged. */
  readonly timings: readonly Timing[]
  readonly flops?: number
  readonly verdicts: readonly Verdict[]
  /** The greatest difference between the contenders' results. */
  readonly difference?: number
}

export interface Report {
  readonly date: string
  readonly machine: Machine
  readonly isQuick: boolean
  readonly results: readonly Result[]
}

/** How many times as fast as `against` the judged contender is: a ratio of medians. */
export const ratioTo = (timings: readonly Timing[], against: string): number | undefined => {
  const [judged] = timings
  const other = timings.find(({ contender }) => contender === against)
  if (judged === undefined || other === undefined || other === judged) return undefined
  return other.median / judged.median
}

/** @throws Error where a target names a contender that there is not. */
export const judge = (timings: readonly Timing[], targets: readonly Target[]): readonly Verdict[] =>
  targets.map((target) => {
    switch (target.tag) {
      case 'ratio': {
        const value = ratioTo(timings, target.against)
        if (value === undefined) throw new Error(`there is no contender ${target.against}`)
        return { target, value, isMet: value >= target.atLeast }
      }
      case 'time': {
        const value = timings[0]!.median
        return { target, value, isMet: value < target.below }
      }
      default:
        return target satisfies never
    }
  })

/** Billions of operations a second of the judged contender. */
export const gflops = ({ flops, timings }: Result): number | undefined =>
  flops === undefined ? undefined : flops / timings[0]!.median / 1e9
