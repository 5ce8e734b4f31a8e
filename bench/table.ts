/** Results as text. */
import { describeTarget, duration, significant, times } from './format.ts'
import { type Report, type Result, gflops, ratioTo } from './results.ts'

interface Column {
  readonly title: string
  readonly cell: (result: Result) => string
}

const otherTimes = ({ timings }: Result): string =>
  timings
    .slice(1)
    .map(({ contender, median }) => `${contender} ${duration(median)}`)
    .join(', ')

const otherRatios = ({ timings }: Result): string =>
  timings
    .slice(1)
    .map(({ contender }) => times(ratioTo(timings, contender) ?? Number.NaN))
    .join(', ')

const verdicts = ({ verdicts: all }: Result): string =>
  all.map(({ target, isMet }) => `${describeTarget(target)} ${isMet ? 'met' : 'MISSED'}`).join(', ')

const columns = (before: Report | undefined): readonly Column[] => [
  { title: 'benchmark', cell: ({ name }) => name },
  { title: 'time', cell: ({ timings }) => duration(timings[0]!.median) },
  { title: 'others', cell: otherTimes },
  { title: 'ratio', cell: otherRatios },
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
    : [{ title: 'before', cell: (result: Result): string => change(result, before) }]),
]

/** The time in an earlier run, and how many times as fast this one is. */
export const change = (result: Result, before: Report): string => {
  const old = before.results.find(({ name }) => name === result.name)?.timings[0]
  if (old === undefined) return 'new'
  return `${duration(old.median)}, now ${times(old.median / result.timings[0]!.median)}`
}

/** One line a benchmark, columns aligned. */
export const table = (results: readonly Result[], before?: Report): string => {
  const cols = columns(before)
  const rows = [cols.map(({ title }) => title), ...results.map((r) => cols.map((c) => c.cell(r)))]
  const widths = cols.map((_, i) => Math.max(...rows.map((row) => row[i]!.length)))
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
