/** The page of a run: one file, nothing loaded. */
import type { Theme } from './benchmark.ts'
import { type BarChart, barChart, chartStyle } from './chart.ts'
import { peersChart, waysChart } from './charts.ts'
import { describeTarget, duration, significant, times } from './format.ts'
import { describeMachine } from './machine.ts'
import { type Child, type Markup, element, escape } from './markup.ts'
import type { Line } from './peers/line.ts'
import { standingsOf } from './peers/standings.ts'
import { type ComparedTable, comparedTables, describeGoal, describeValue } from './peers/table.ts'
import { workloads } from './peers/workloads.ts'
import { type Report, type Result, gflops, ratioTo } from './results.ts'
import { change, contendersOf, summary } from './table.ts'

const css = `
:root{color-scheme:light dark;--ground:#fbfaf7;--ink:#1d1f24;--muted:#60646d;--line:#e2e0da;--target:#c9541c}
@media (prefers-color-scheme:dark){:root{--ground:#14161a;--ink:#e8e6e1;--muted:#9da2ad;--line:#31353d;--target:#ff9b66}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1000px;margin:0 auto;padding:44px 24px 72px}
h1{font-size:2rem;line-height:1.2;margin:0 0 8px}h2{font-size:1.25rem;margin:44px 0 10px}h3{font-size:1rem;margin:28px 0 6px}
p{margin:0 0 8px;max-width:75ch}.muted{color:var(--muted)}
svg{display:block;width:100%;height:auto}
${chartStyle}
.scroll{overflow-x:auto;margin-top:14px}
table{border-collapse:collapse;width:100%;font-size:.85rem}
th,td{text-align:left;font-weight:400;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--muted);font-size:.8rem}.number{text-align:right;white-space:nowrap}
.ratio{display:block;color:var(--muted);font-size:.78rem}
.missed{color:var(--target);font-weight:600}
`

const drawn = (chart: BarChart): readonly Child[] => {
  const svg = barChart(chart)
  return svg === undefined ? [] : [svg]
}

const numeric = (text: string): Markup => element('td', { class: 'number' }, [text])

const verdictCell = ({ verdicts }: Result): Markup =>
  element(
    'td',
    {},
    verdicts.map(({ target, isMet }) =>
      element('div', isMet ? {} : { class: 'missed' }, [
        `${describeTarget(target)}: ${isMet ? 'met' : 'missed'}`,
      ]),
    ),
  )

/** The median of one contender, and beneath it how many times as fast the judged one is. */
const timeCell = ({ timings }: Result, contender: string): Markup => {
  const timing = timings.find((t) => t.contender === contender)
  if (timing === undefined) return numeric('')
  const ratio = ratioTo(timings, contender)
  const below = ratio === undefined ? [] : [element('span', { class: 'ratio' }, [times(ratio)])]
  return element('td', { class: 'number' }, [duration(timing.median), ...below])
}

const rowOf = (
  result: Result,
  contenders: readonly string[],
  before: Report | undefined,
): Markup => {
  const rate = gflops(result)
  return element('tr', {}, [
    element('th', {}, [result.name]),
    ...contenders.map((contender) => timeCell(result, contender)),
    numeric(rate === undefined ? '' : significant(rate)),
    verdictCell(result),
    ...(before === undefined ? [] : [element('td', {}, [change(result, before)])]),
  ])
}

const scrolling = (head: readonly string[], rows: readonly Markup[]): Markup =>
  element('div', { class: 'scroll' }, [
    element('table', {}, [
      element('thead', {}, [
        element(
          'tr',
          {},
          head.map((title) => element('th', {}, [title])),
        ),
      ]),
      element('tbody', {}, rows),
    ]),
  ])

const tableOf = (results: readonly Result[], before: Report | undefined): Markup => {
  const contenders = contendersOf(results)
  const head = ['benchmark', ...contenders, 'GFLOP/s', 'target']
  return scrolling(
    before === undefined ? head : [...head, 'since then'],
    results.map((result) => rowOf(result, contenders, before)),
  )
}

const missedGoals = ({ verdicts }: ComparedTable): readonly Markup[] => {
  const missed = verdicts.filter(({ isMet }) => !isMet)
  const head = `${verdicts.length - missed.length} of ${verdicts.length} goals met`
  const lines = missed.flatMap((verdict) => {
    const workload = workloads.find(({ id }) => id === verdict.id)
    if (workload === undefined) return []
    const got = `${verdict.id}: ${describeValue(workload, verdict)}`
    return [`${got}, asked for ${describeGoal(workload, verdict.goal)}`]
  })
  return [
    element('p', {}, [head]),
    ...lines.map((line) => element('p', { class: 'missed' }, [line])),
  ]
}

/** The comparison with other libraries: a chart and a table for each of our columns. */
const peersSection = (lines: readonly Line[]): readonly Markup[] => {
  if (lines.length === 0) return []
  const standings = standingsOf(workloads, lines)
  const titles = new Map(workloads.map(({ id, title }) => [id, title]))
  const present = [...new Set(lines.map(({ peer }) => peer))]
  const parts = comparedTables(workloads, standings, present).flatMap((compared) => {
    const [head, ...rows] = compared.rows
    return [
      element('h3', {}, [`${compared.column} against others`]),
      ...drawn(peersChart(compared, standings, titles)),
      scrolling(
        head!,
        rows.map((row) =>
          element(
            'tr',
            {},
            row.map((cell, i) => (i === 0 ? element('th', {}, [cell]) : numeric(cell))),
          ),
        ),
      ),
      ...missedGoals(compared),
    ]
  })
  return [element('section', {}, [element('h2', {}, ['Other libraries']), ...parts])]
}

/** The whole page. */
export const page = (report: Report, themes: readonly Theme[], before?: Report): string => {
  const sections = themes.flatMap(({ name, title }) => {
    const results = report.results.filter(({ theme }) => theme === name)
    if (results.length === 0) return []
    const content = [...drawn(waysChart(title, results)), tableOf(results, before)]
    return [element('section', {}, [element('h2', {}, [title]), ...content])]
  })
  const notes = [
    ...describeMachine(report.machine),
    `${report.date}${report.isQuick ? ' · a quick run: one short turn each' : ''}`,
  ]
  const body = element('main', {}, [
    element('h1', {}, ['cotangent benchmarks']),
    ...summary(report.results)
      .split('\n')
      .map((line) => element('p', {}, [line])),
    ...notes.map((note) => element('p', { class: 'muted' }, [note])),
    element('p', { class: 'muted' }, [
      'Bars show how many times as fast as the interpreter each way to run is, on a logarithmic scale; the upright mark is the target. In tables, the ratio says how many times as fast the first column is.',
    ]),
    ...sections,
    ...peersSection(report.peers ?? []),
  ])
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape('cotangent benchmarks')}</title><style>${css}</style></head><body>${body.text}</body></html>
`
}
