/** The comparison for a terminal. */
import { aligned } from '../table.ts'
import type { Line } from './line.ts'
import { standingsOf } from './standings.ts'
import { comparedTables, describeGoal, describeValue } from './table.ts'
import { workloads } from './workloads.ts'

/** A table for each of our columns, and the goals that it misses. */
export const comparisonText = (lines: readonly Line[]): string => {
  const standings = standingsOf(workloads, lines)
  const present = [...new Set(lines.map(({ peer }) => peer))]
  const parts = comparedTables(workloads, standings, present).map(({ column, rows, verdicts }) => {
    const missed = verdicts.filter((verdict) => !verdict.isMet)
    const reasons = missed.flatMap((verdict) => {
      const workload = workloads.find(({ id }) => id === verdict.id)
      if (workload === undefined) return []
      const asked = describeGoal(workload, verdict.goal)
      return [`  missed: ${verdict.id}: ${describeValue(workload, verdict)}, asked for ${asked}`]
    })
    return [
      `\n${column}; in brackets how many times as fast it is\n`,
      aligned(rows),
      `\n${verdicts.length - missed.length} of ${verdicts.length} goals met`,
      ...reasons,
    ].join('\n')
  })
  return parts.join('\n')
}
