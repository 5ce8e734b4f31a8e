/** Results as text. */
import { describeTarget, duration, significant, times } from './format.ts'
import { type Report, type Result, gflops, ratioTo } from './results.ts'

interface Column {
  readonly title: string
  readonly cell: (result: Result) => string
}

/** The names of all contenders, in the order in which they are first met. */
export const contendersOf = (results: readonly Result[]): readonly string[] => [
  ...new Set(results.flatMap(({ timings }) => timings.map(({ contender }) => contender))),
]

/** The median of one contender, and how many times as fast the judged one is. */
const timeOf =
  (contender: string) =>
  ({ timings }: Result): string => {
    const timing = timings.find((t) => t.contender === contender)
    if (timing === undefined) return ''
    const ratio = ratioTo(timings, contender)
    return duration(timing.median) + (ratio === undefined ? '' : ` (${times(ratio)})`)
  }

const verdicts = ({ verdicts: all }: Result): string =>
  all.map(({ target, isMet }) => `${describeTarget(target)} ${isMet ? 'met' : 'MISSED'}`).join(', ')

const columns = (results: readonly Result[], before: Report | undefined): readonly Column[] => [
  { title: 'benchmark', cell: ({ name }) => name },
  ...contendersOf(results).map((title) => ({ title, cell: timeOf(title) })),
  {
    title: 'GFLOP/s',
    cell: (result) => {
      const rate = gflops(result)
      return rate === undefined ? '' : significant(rate)
    },
  },
  { title: 'target', cell: verdicts },
  ...(before === undefined
    ? []
    : [{ title: 'since then', cell: (result: Result): string => change(result, before) }]),
]

/** Contenders whose speed is not ours to change. */
const fixed: ReadonlySet<string> = new Set(['interpreter', 'hand-written'])

/** How many times as fast as in an earlier run each contender is that was there, too. */
export const change = (result: Result, before: Report): string => {
  const old = before.results.find(({ name }) => name === result.name)
  if (old === undefined) return 'new'
  const changes = result.timings.flatMap(({ contender, median }) => {
    if (fixed.has(contender)) return []
    const then = old.timings.find((timing) => timing.contender === contender)
    if (then === undefined) return [`${contender} new`]
    const note = `${times(then.median / median)} (was ${duration(then.median)})`
    return [result.timings.length === 1 ? note : `${contender} ${note}`]
  })
  return changes.join(', ')
}

/** One line a benchmark, columns aligned. */
export const table = (results: readonly Result[], before?: Report): string => {
  const cols = columns(results, before)
  return aligned([
    cols.map(({ title }) => title),
    ...results.map((r) => cols.map((c) => c.cell(r))),
  ])
}

/** Rows of text, the first of them the head. */
export const aligned = (rows: readonly (readonly string[])[]): string => {
  const widths = rows[0]!.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => cell.padEnd(widths[i]!))
      .join('  ')
      .trimEnd()
  const [head, ...body] = rows
  const rule = widths.map((width) => '─'.repeat(width)).join('  ')
  return [line(head!), rule, ...body.map(line)].join('\n')
}

/** `17 of 19 targets met`, and those that are not. */
export const summary = (results: readonly Result[]): string => {
  const all = results.flatMap((r) => r.verdicts.map((verdict) => ({ name: r.name, ...verdict })))
  const missed = all.filter(({ isMet }) => !isMet)
  const head = `${all.length - missed.length} of ${all.length} targets met`
  const lines = missed.map(({ name, target, value }) => {
    const got = target.tag === 'ratio' ? times(value) : duration(value)
    return `  missed: ${name}: ${got}, asked for ${describeTarget(target)}`
  })
  return [head, ...lines].join('\n')
}
