/** The comparison as text: figures, ratios, and what was asked for. */
import { significant, times } from '../format.ts'
import type { Goal } from './goals.ts'
import {
  type GoalVerdict,
  type Standing,
  type Standings,
  judgeColumn,
  libraryOf,
  threadsOf,
  valueOf,
} from './standings.ts'
import type { Workload } from './workload.ts'

/** A difference between rounds that is said. */
const wideSpread = 1.25

const unitName = { ms: 'ms', us: 'µs', MB: 'MB' } as const

export const describeFigure = ({ unit }: Workload, value: number): string =>
  `${significant(value)} ${unitName[unit]}`

const cellOf = (workload: Workload, standing: Standing | undefined): string => {
  switch (standing?.tag) {
    case undefined:
      return ''
    case 'value':
      return `${describeFigure(workload, standing.value)}${standing.spread > wideSpread ? ' ±' : ''}`
    case 'wrong':
      return `${describeFigure(workload, standing.value)} ✗`
    case 'failed':
      return '–'
    default:
      return standing satisfies never
  }
}

/** What is measured, how fast we are, and what that is of each other column with as many threads. */
export const comparisonRows = (
  workloads: readonly Workload[],
  standings: Standings,
  columns: readonly string[],
  judged: string,
): readonly (readonly string[])[] => {
  const head = ['workload', ...columns]
  const rows = workloads.flatMap((workload) => {
    const figures = standings.get(workload.id)
    if (figures === undefined || figures.size === 0) return []
    const own = valueOf(standings, workload.id, judged)
    const cells = columns.map((column) => {
      const text = cellOf(workload, figures.get(column))
      const value = valueOf(standings, workload.id, column)
      if (own === undefined || value === undefined || column === judged) return text
      return `${text} (${times(value / own)})`
    })
    return [[workload.id, ...cells]]
  })
  return [head, ...rows]
}

export const describeGoal = (workload: Workload, goal: Goal): string => {
  switch (goal.tag) {
    case 'library':
      return `≥ ${goal.atLeast}× ${goal.library}`
    case 'best':
      return goal.atLeast === 1 ? 'ahead of all' : `≥ ${goal.atLeast}× the best`
    case 'below':
      return `≤ ${goal.limit} ${unitName[workload.unit]}`
    case 'rate':
      return `≥ ${goal.gflops} GFLOP/s a thread`
    case 'threads':
      return `≥ ${goal.atLeast}× one thread`
    default:
      return goal satisfies never
  }
}

export const describeValue = (workload: Workload, { goal, value }: GoalVerdict): string => {
  switch (goal.tag) {
    case 'below':
      return describeFigure(workload, value)
    case 'rate':
      return `${significant(value)} GFLOP/s`
    case 'library':
    case 'best':
    case 'threads':
      return times(value)
    default:
      return goal satisfies never
  }
}

/** Our columns among those that were run, the most capable last. */
export const judgedColumns = (columns: readonly string[]): readonly string[] =>
  columns.filter((name) => libraryOf(name) === 'cotangent' && !name.endsWith('interpreter'))

export interface ComparedTable {
  readonly column: string
  /** That column, others of ours, and the other libraries with as many threads. */
  readonly columns: readonly string[]
  readonly rows: readonly (readonly string[])[]
  readonly verdicts: readonly GoalVerdict[]
}

/** One table for each number of threads: 2 against 2, 1 against 1. */
export const comparedTables = (
  workloads: readonly Workload[],
  standings: Standings,
  present: readonly string[],
): readonly ComparedTable[] =>
  judgedColumns(present).map((column) => {
    const others = present.filter(
      (name) => libraryOf(name) !== 'cotangent' && threadsOf(name) === threadsOf(column),
    )
    const columns = [column, ...others]
    return {
      column,
      columns,
      rows: comparisonRows(workloads, standings, columns, column),
      verdicts: judgeColumn(workloads, standings, column),
    }
  })
