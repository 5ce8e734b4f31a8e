/** From the lines of all rounds to one figure for each workload and column, and what they are worth. */
import { median } from '../samples.ts'
import type { Library } from './columns.ts'
import { type Goal, type Rival, goals } from './goals.ts'
import type { Line } from './line.ts'
import { isRight } from './reference.ts'
import type { Workload } from './workload.ts'

/** What a column says of a workload. */
export type Standing =
  /** In the workload's own unit. */
  | { readonly tag: 'value'; readonly value: number; readonly spread: number }
  | { readonly tag: 'wrong'; readonly value: number }
  | { readonly tag: 'failed'; readonly reason: string }

/** One figure over the rounds, by workload and then column; what was not run is not there. */
export type Standings = ReadonlyMap<string, ReadonlyMap<string, Standing>>

const figureOf = (
  { unit }: Workload,
  line: Line,
  representative: Representative,
): number | null => {
  if (unit === 'MB') return line.mb ?? null
  const ms = (representative === 'fastest' ? line.min : undefined) ?? line.ms ?? null
  return ms === null || unit === 'ms' ? ms : ms * 1000
}

/**
 * What stands for all iterations of all rounds: the median over the rounds of their medians, or the fastest of
 * all, which is what a column can do where nothing else on the machine disturbs it.
 */
export type Representative = 'median' | 'fastest'

const standingOf = (
  workload: Workload,
  lines: readonly Line[],
  representative: Representative,
): Standing => {
  const values = lines.flatMap((line) => figureOf(workload, line, representative) ?? [])
  if (values.length === 0) {
    return { tag: 'failed', reason: lines.find((l) => l.reason)?.reason ?? 'no figure' }
  }
  const value = representative === 'median' ? median(values) : Math.min(...values)
  const check = lines.find((line) => line.check !== undefined)?.check
  if (check !== undefined && !isRight(workload.id, check)) return { tag: 'wrong', value }
  return { tag: 'value', value, spread: Math.max(...values) / Math.min(...values) }
}

/** By workload and column; medians unless the fastest iterations are asked for. */
export const standingsOf = (
  workloads: readonly Workload[],
  lines: readonly Line[],
  representative: Representative = 'median',
): Standings =>
  new Map(
    workloads.map((workload) => {
      const own = lines.filter((line) => line.workload === workload.id)
      const peers = [...new Set(own.map(({ peer }) => peer))]
      const columns = peers.map(
        (peer) =>
          [
            peer,
            standingOf(
              workload,
              own.filter((line) => line.peer === peer),
              representative,
            ),
          ] as const,
      )
      return [workload.id, new Map(columns)]
    }),
  )

/** The figure of a column, where it has a right one. */
export const valueOf = (standings: Standings, id: string, column: string): number | undefined => {
  const standing = standings.get(id)?.get(column)
  return standing?.tag === 'value' ? standing.value : undefined
}

const libraries: readonly (readonly [prefix: string, library: Library])[] = [
  ['cotangent', 'cotangent'],
  ['torch', 'torch'],
  ['jax-xla', 'jax-xla'],
  ['jaxjs', 'jaxjs'],
  ['tfjs-wasm', 'tfjs-wasm'],
]

export const libraryOf = (column: string): Library | undefined =>
  libraries.find(([prefix]) => column.startsWith(prefix))?.[1]

/** The number of threads that a column's name ends with; 1 where it says none. */
export const threadsOf = (column: string): number => Number(/-(\d+)t$/.exec(column)?.[1] ?? 1)

/** The fastest column of each other library that has a right figure, with so many threads. */
export const rivalsOf = (
  standings: Standings,
  id: string,
  threads: number,
): ReadonlyMap<Rival, number> => {
  const fastest = new Map<Rival, number>()
  for (const [column] of standings.get(id) ?? []) {
    const library = libraryOf(column)
    const value = valueOf(standings, id, column)
    if (library === undefined || library === 'cotangent' || value === undefined) continue
    if (threadsOf(column) !== threads) continue
    fastest.set(library, Math.min(value, fastest.get(library) ?? Number.POSITIVE_INFINITY))
  }
  return fastest
}

export interface GoalVerdict {
  readonly id: string
  readonly column: string
  readonly goal: Goal
  /** In the terms of the goal. */
  readonly value: number
  readonly isMet: boolean
}

/** What a goal comes to; nothing where the column it speaks of is missing. */
const measureGoal = (
  standings: Standings,
  { id, flops }: Workload,
  column: string,
  goal: Goal,
): number | undefined => {
  const own = valueOf(standings, id, column)
  if (own === undefined) return undefined
  const threads = threadsOf(column)
  const rivals = rivalsOf(standings, id, threads)
  switch (goal.tag) {
    case 'library': {
      const value = rivals.get(goal.library)
      return value === undefined ? undefined : value / own
    }
    case 'best':
      return rivals.size === 0 ? undefined : Math.min(...rivals.values()) / own
    case 'below':
      return own
    case 'rate':
      return flops === undefined ? undefined : flops / own / 1e6 / threads
    case 'threads': {
      if (threads !== 2) return undefined
      const single = valueOf(standings, id, column.replace(/-2t$/, '-1t'))
      return single === undefined ? undefined : single / own
    }
    default:
      return goal satisfies never
  }
}

const isMet = (goal: Goal, value: number): boolean => {
  switch (goal.tag) {
    case 'below':
      return value <= goal.limit
    case 'rate':
      return value >= goal.gflops
    case 'library':
    case 'best':
    case 'threads':
      return value >= goal.atLeast
    default:
      return goal satisfies never
  }
}

/** What was asked for, for one of our columns, as far as it can be said. */
export const judgeColumn = (
  workloads: readonly Workload[],
  standings: Standings,
  column: string,
): readonly GoalVerdict[] =>
  workloads.flatMap((workload) =>
    (goals.get(workload.id) ?? []).flatMap((goal) => {
      const value = measureGoal(standings, workload, column, goal)
      if (value === undefined) return []
      return [{ id: workload.id, column, goal, value, isMet: isMet(goal, value) }]
    }),
  )
