/** What the charts of a run show. */
import { type Bar, type BarChart, type BarGroup, type BarKind } from './chart.ts'
import { times } from './format.ts'
import type { Library } from './peers/columns.ts'
import { type ComparedTable } from './peers/table.ts'
import { type Standings, libraryOf, valueOf } from './peers/standings.ts'
import { type Result, ratioTo } from './results.ts'

const wayKind = (contender: string): BarKind => {
  if (contender.startsWith('wasm,')) return 'one'
  if (contender === 'wasm') return 'two'
  return contender === 'js' ? 'three' : 'rest'
}

/** What others are measured by: the interpreter, or the last where there is none. */
const baseOf = ({ timings }: Result): string | undefined =>
  timings.find(({ contender }) => contender === 'interpreter')?.contender ??
  timings.at(-1)?.contender

/** Where a bar should reach at least, in terms of the base. */
const goalFor = (result: Result, contender: string, base: string): number | undefined => {
  const { timings, verdicts } = result
  const goals = verdicts.flatMap(({ target }) => {
    if (target.tag !== 'ratio' || (target.of ?? timings[0]!.contender) !== contender) return []
    const rival = target.against === base ? 1 : ratioTo(timings, base, target.against)
    return rival === undefined ? [] : [target.atLeast * rival]
  })
  return goals.length === 0 ? undefined : Math.max(...goals)
}

const groupOf = (result: Result): BarGroup => {
  const base = baseOf(result)
  const bars = result.timings.flatMap(({ contender }): readonly Bar[] => {
    const ratio = base === undefined ? undefined : ratioTo(result.timings, base, contender)
    if (base === undefined || ratio === undefined) return []
    const target = goalFor(result, contender, base)
    const bar = { label: contender, kind: wayKind(contender), ratio }
    return [target === undefined ? bar : { ...bar, target }]
  })
  return { title: result.name, bars }
}

const chartOf = (title: string, groups: readonly BarGroup[], rest: string): BarChart => {
  const shown = groups.filter(({ bars }) => bars.length > 0)
  const said = shown.flatMap((g) => g.bars.map((b) => `${g.title}: ${b.label} ${times(b.ratio)}`))
  return { title, description: `${rest}: ${said.join('; ')}`, groups: shown }
}

/** How many times as fast as the interpreter each way to run is. */
export const waysChart = (title: string, results: readonly Result[]): BarChart =>
  chartOf(title, results.map(groupOf), 'how many times as fast as the interpreter')

const libraryKinds: ReadonlyMap<Library, BarKind> = new Map([
  ['jax-xla', 'one'],
  ['torch', 'two'],
  ['jaxjs', 'three'],
  ['tfjs-wasm', 'four'],
])

/** How many times as fast as each other library one of our columns is, workload by workload. */
export const peersChart = (
  { column, columns, verdicts }: ComparedTable,
  standings: Standings,
  titles: ReadonlyMap<string, string>,
): BarChart => {
  const groups = [...titles].map(([id, title]): BarGroup => {
    const own = valueOf(standings, id, column)
    const bars = columns.flatMap((other): readonly Bar[] => {
      const value = valueOf(standings, id, other)
      const library = libraryOf(other)
      if (library === undefined || other === column) return []
      if (own === undefined || value === undefined) return []
      const kind = libraryKinds.get(library) ?? 'rest'
      const goal = verdicts
        .filter((verdict) => verdict.id === id)
        .map((verdict) => verdict.goal)
        .find((g) => g.tag === 'library' && g.library === library)
      const bar = { label: other, kind, ratio: value / own }
      return [goal?.tag === 'library' ? { ...bar, target: goal.atLeast } : bar]
    })
    return { title, bars }
  })
  return chartOf(column, groups, `how many times as fast as others ${column} is`)
}
