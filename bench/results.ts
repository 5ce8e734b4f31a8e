/** What a run found: figures, and whether they are what was asked for. */
import type { Target } from './benchmark.ts'
import type { Timing } from './harness.ts'
import type { Machine } from './machine.ts'
import type { Line } from './peers/line.ts'

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
  /** The comparison with other libraries, where there are any. */
  readonly peers?: readonly Line[]
}

/** How many times as fast as `against` a contender is, the first by default: a ratio of medians. */
export const ratioTo = (
  timings: readonly Timing[],
  against: string,
  of?: string,
): number | undefined => {
  const judged = of === undefined ? timings[0] : timings.find(({ contender }) => contender === of)
  const other = timings.find(({ contender }) => contender === against)
  if (judged === undefined || other === undefined || other === judged) return undefined
  return other.median / judged.median
}

/** @throws Error where a target names a rival that there is not. */
export const judge = (timings: readonly Timing[], targets: readonly Target[]): readonly Verdict[] =>
  targets.flatMap((target): readonly Verdict[] => {
    switch (target.tag) {
      case 'ratio': {
        const { of, against, atLeast } = target
        const isHere = of === undefined || timings.some(({ contender }) => contender === of)
        if (!isHere) return []
        const value = ratioTo(timings, against, of)
        if (value === undefined) throw new Error(`there is no contender ${against}`)
        return [{ target, value, isMet: value >= atLeast }]
      }
      case 'time': {
        const value = timings[0]!.median
        return [{ target, value, isMet: value < target.below }]
      }
      default:
        return target satisfies never
    }
  })

/** Billions of operations a second of the judged contender. */
export const gflops = ({ flops, timings }: Result): number | undefined =>
  flops === undefined ? undefined : flops / timings[0]!.median / 1e9
