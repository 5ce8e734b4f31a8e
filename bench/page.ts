/** The page of a run: one file, nothing loaded. */
import type { Theme } from './benchmark.ts'
import { type BarGroup, barChart } from './chart.ts'
import { describeTarget, duration, significant, times } from './format.ts'
import { describeMachine } from './machine.ts'
import { type Child, type Markup, element, escape } from './markup.ts'
import { type Report, type Result, gflops, ratioTo } from './results.ts'
import { change, summary } from './table.ts'

const css = `
:root{color-scheme:light dark;--ground:#fbfaf7;--ink:#1d1f24;--muted:#60646d;--line:#e2e0da;--interpreter:#2f6fdb;--other:#8a8f99;--target:#c9541c}
@media (prefers-color-scheme:dark){:root{--ground:#14161a;--ink:#e8e6e1;--muted:#9da2ad;--line:#31353d;--interpreter:#7fb0ff;--other:#7b818d;--target:#ff9b66}}
body{margin:0;background:var(--ground);color:var(--ink);font:16px/1.55 system-ui,sans-serif;font-variant-numeric:tabular-nums}
main{max-width:1000px;margin:0 auto;padding:44px 24px 72px}
h1{font-size:2rem;line-height:1.2;margin:0 0 8px}h2{font-size:1.25rem;margin:44px 0 10px}
p{margin:0 0 8px;max-width:75ch}.muted{color:var(--muted)}
svg{display:block;width:100%;height:auto}
svg text{fill:var(--ink);font-size:13px}
svg .axis,svg .label{fill:var(--muted);font-size:12px}svg .axis{text-anchor:middle}svg .label{text-anchor:end}
svg .group,svg .value{paint-order:stroke;stroke:var(--ground);stroke-width:4}svg .group{font-weight:600}
svg .tick{stroke:var(--line)}svg .one{stroke:var(--muted)}
svg .target{stroke:var(--target);stroke-width:2.5}svg .missed{fill:var(--target);font-weight:600}
svg .interpreter{fill:var(--interpreter)}svg .other{fill:var(--other)}
.scroll{overflow-x:auto;margin-top:14px}
table{border-collapse:collapse;width:100%;font-size:.88rem}
th,td{text-align:left;font-weight:400;padding:5px 14px 5px 0;border-bottom:1px solid var(--line);vertical-align:top}
thead th{color:var(--muted);font-size:.8rem}.number{text-align:right;white-space:nowrap}
.missed{color:var(--target);font-weight:600}
`

const groupOf = ({ name, timings, verdicts }: Result): BarGroup => ({
  title: name,
  bars: timings.slice(1).map(({ contender }) => {
    const target = verdicts
      .map((v) => v.target)
      .find((t) => t.tag === 'ratio' && t.against === contender)
    const bar = {
      label: contender,
      kind: contender === 'interpreter' ? 'interpreter' : 'other',
      ratio: ratioTo(timings, contender) ?? 1,
    }
    return target?.tag === 'ratio' ? { ...bar, target: target.atLeast } : bar
  }),
})

const chartOf = (title: string, results: readonly Result[]): readonly Child[] => {
  const groups = results.map(groupOf).filter(({ bars }) => bars.length > 0)
  const description = groups
    .flatMap((g) => g.bars.map((b) => `${g.title}: ${times(b.ratio)} as fast as ${b.label}`))
    .join('; ')
  const chart = barChart({ title, description, groups })
  return chart === undefined ? [] : [chart]
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

const rowOf = (result: Result, before: Report | undefined): Markup => {
  const { name, timings } = result
  const rate = gflops(result)
  const others = timings.slice(1).map(({ contender, median }) => {
    const ratio = times(ratioTo(timings, contender) ?? Number.NaN)
    return element('div', {}, [`${contender} ${duration(median)} (${ratio})`])
  })
  return element('tr', {}, [
    element('th', {}, [name]),
    numeric(duration(timings[0]!.median)),
    element('td', {}, others),
    numeric(rate === undefined ? '' : significant(rate)),
    verdictCell(result),
    ...(before === undefined ? [] : [element('td', {}, [change(result, before)])]),
  ])
}

const tableOf = (results: readonly Result[], before: Report | undefined): Markup => {
  const titles = ['benchmark', 'time', 'others', 'GFLOP/s', 'target']
  const head = before === undefined ? titles : [...titles, 'before']
  return element('div', { class: 'scroll' }, [
    element('table', {}, [
      element('thead', {}, [
        element(
          'tr',
          {},
          head.map((title) => element('th', {}, [title])),
        ),
      ]),
      element(
        'tbody',
        {},
        results.map((result) => rowOf(result, before)),
      ),
    ]),
  ])
}

/** The whole page. */
export const page = (report: Report, themes: readonly Theme[], before?: Report): string => {
  const sections = themes.flatMap(({ name, title }) => {
    const results = report.results.filter(({ theme }) => theme === name)
    if (results.length === 0) return []
    const content = [...chartOf(title, results), tableOf(results, before)]
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
      'Bars show how many times as fast the compiled function is, on a logarithmic scale; the upright mark is the target.',
    ]),
    ...sections,
  ])
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1">
<title>${escape('cotangent benchmarks')}</title><style>${css}</style></head><body>${body.text}</body></html>
`
}
