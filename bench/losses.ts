/** The goals that were missed: what was reached, what was wanted, and what the roofs of the machine allow. */
import { duration } from './format.ts'
import { type Row, markdown } from './markdown.ts'
import type { Goal } from './peers/goals.ts'
import type { RooflineLine } from './peers/leastTime.ts'
import {
  type GoalVerdict,
  type Standings,
  judgeColumn,
  threadsOf,
  valueOf,
} from './peers/standings.ts'
import { type ComparedTable, describeGoal, describeValue } from './peers/table.ts'
import type { Workload } from './peers/workload.ts'
import { workloadOf, workloads } from './peers/workloads.ts'

const byShortfall = (a: GoalVerdict, b: GoalVerdict): number => shortfall(b) - shortfall(a)

/** How many times better it would have to be. */
const shortfall = ({ goal, value }: GoalVerdict): number => {
  switch (goal.tag) {
    case 'below':
      return value / goal.limit
    case 'rate':
      return goal.gflops / value
    case 'library':
    case 'best':
    case 'threads':
      return goal.atLeast / value
    default:
      return goal satisfies never
  }
}

const milliseconds = (ms: number): string => duration(ms / 1000)

/** What it took, what the goal would take, and what the roofs of the machine allow, in time. */
const timesOf = (
  workload: Workload,
  verdict: GoalVerdict,
  standings: Standings,
  rooflines: readonly RooflineLine[],
): Row => {
  const { id, column, goal } = verdict
  const took = workload.unit === 'ms' ? valueOf(standings, id, column) : undefined
  const wanted = took === undefined ? undefined : wantedTime(took, verdict, goal)
  const threads = threadsOf(column)
  const measured = rooflines.find((line) => line.workload === id && line.threads === threads)?.least
  // A roof that was broken through was measured too low, as memory's is where others use it, too.
  const least = measured === undefined || measured > (took ?? 0) ? undefined : measured
  const isBeyond = wanted !== undefined && least !== undefined && wanted < least
  return [
    took === undefined ? '' : milliseconds(took),
    wanted === undefined ? '' : milliseconds(wanted),
    least === undefined ? '' : `${milliseconds(least)}${isBeyond ? ' †' : ''}`,
  ]
}

const wantedTime = (took: number, { value }: GoalVerdict, goal: Goal): number => {
  switch (goal.tag) {
    case 'below':
      return goal.limit
    case 'rate':
      return (took * value) / goal.gflops
    case 'library':
    case 'best':
    case 'threads':
      return (took * value) / goal.atLeast
    default:
      return goal satisfies never
  }
}

/** What the table is made of. */
export interface Measured {
  /** Medians over the rounds. */
  readonly standings: Standings
  /** The fastest iterations. */
  readonly fastest: Standings
  readonly rooflines: readonly RooflineLine[]
}

/** A table in Markdown; null where nothing was measured. */
export const lossesTable = (
  tables: readonly ComparedTable[],
  { standings, fastest, rooflines }: Measured,
): string | null => {
  const own = tables.filter((t) => t.column.startsWith('cotangent-wasm'))
  const verdicts = own.flatMap((t) => t.verdicts)
  if (verdicts.length === 0) return null
  const atBest = own.flatMap((t) => judgeColumn(workloads, fastest, t.column))
  const missed = verdicts.filter(({ isMet }) => !isMet).toSorted(byShortfall)
  const rows = missed.flatMap((verdict) => {
    const workload = workloadOf.get(verdict.id)
    if (workload === undefined) return []
    const other = atBest.find(
      (v) => v.goal === verdict.goal && v.column === verdict.column && v.id === verdict.id,
    )
    return [
      [
        `\`${verdict.id}\``,
        `${threadsOf(verdict.column)}`,
        describeValue(workload, verdict),
        other === undefined ? '' : `${describeValue(workload, other)}${other.isMet ? ' ✓' : ''}`,
        describeGoal(workload, verdict.goal),
        ...timesOf(workload, verdict, standings, rooflines),
      ],
    ]
  })
  const metAtBest = atBest.filter(({ isMet }) => isMet).length
  const head = `${verdicts.length - missed.length} of ${verdicts.length} goals are met; ${metAtBest} by each column's fastest iteration.`
  if (rows.length === 0) return head
  const titles = [
    'workload',
    'threads',
    'reached',
    'fastest',
    'wanted',
    'took',
    'would take',
    'at the roofs',
  ]
  return `${head} These are not, the furthest away first:\n\n${markdown([titles, ...rows])}`
}
