/** Tables: settings, time per kernel. */
import type { CompileStage, KernelTime, NamedText } from './data.ts'
import { count, elapsed, percent, significant } from './format.ts'
import { type Child, element, type Markup } from './markup.ts'

/** Names and texts, one pair a line. */
export const namedTexts = (pairs: readonly NamedText[]): Markup =>
  element(
    'dl',
    {},
    pairs.flatMap(([name, value]) => [element('dt', {}, [name]), element('dd', {}, [value])]),
  )

/** As many rows as one reads; the others are behind a click. */
const shown = 24

const number = (content: string): Markup => element('td', { class: 'number' }, [content])

const nameCell = (kernel: KernelTime): Markup => {
  const name: Child = element('code', {}, [kernel.name])
  const { source, why = [] } = kernel
  const inside = [
    ...why.map((reason) => element('p', {}, [reason])),
    ...(source === undefined ? [] : [element('pre', { tabindex: '0' }, [source])]),
  ]
  if (inside.length === 0) return element('th', { scope: 'row' }, [name])
  return element('th', { scope: 'row' }, [
    element('details', {}, [element('summary', {}, [name]), ...inside]),
  ])
}

/** Columns that only profiled kernels have. */
const rateHeads = ['GFLOP/s', 'GB/s', 'of roof', 'threads']

const giga = (value: number | undefined): string =>
  value === undefined || value === 0 ? '–' : significant(value / 1e9)

const rateCells = ({
  flopsPerSecond,
  bytesPerSecond,
  roof,
  bound = '',
  threads,
}: KernelTime): readonly Markup[] => [
  number(giga(flopsPerSecond)),
  number(giga(bytesPerSecond)),
  number(roof === undefined ? '–' : `${percent(roof, 0)} ${bound}`.trim()),
  number(threads === undefined ? '–' : count(threads)),
]

const row = (kernel: KernelTime, total: number, most: number, rates: boolean): Markup => {
  const seconds = timeOf(kernel)
  const length = most > 0 ? 100 * (seconds / most) : 0
  const bar = element('span', { class: 'bar', style: `width:${length.toFixed(1)}%` })
  return element('tr', {}, [
    nameCell(kernel),
    number(count(kernel.calls)),
    number(kernel.calls > 0 ? elapsed(seconds / kernel.calls) : '–'),
    number(elapsed(seconds)),
    number(total > 0 ? percent(seconds / total) : '–'),
    ...(rates ? rateCells(kernel) : []),
    element('td', { class: 'bars', 'aria-hidden': 'true' }, [bar]),
  ])
}

const timeOf = ({ totalSeconds }: KernelTime): number =>
  Number.isFinite(totalSeconds) ? Math.max(0, totalSeconds) : 0

const head = (caption: string, names: readonly string[]): readonly Markup[] => [
  element('caption', {}, [caption]),
  element('thead', {}, [
    element('tr', {}, [
      element('th', { scope: 'col' }, [names[0]!]),
      ...names.slice(1).map((name) => element('th', { scope: 'col', class: 'number' }, [name])),
      element('td', {}),
    ]),
  ]),
]

const table = (caption: string, names: readonly string[], rows: readonly Markup[]): Markup =>
  element('div', { class: 'scroll', tabindex: '0' }, [
    element('table', { class: 'kernels' }, [...head(caption, names), element('tbody', {}, rows)]),
  ])

/** Kernels by total time, the slowest first, with their share of all of it. */
export const kernelTable = (kernels: readonly KernelTime[], measuredOver?: string): Markup => {
  const sorted = kernels.toSorted((a, b) => timeOf(b) - timeOf(a))
  const total = sorted.reduce((sum, k) => sum + timeOf(k), 0)
  const most = sorted.length === 0 ? 0 : timeOf(sorted[0]!)
  const rates = sorted.some(({ roof }) => roof !== undefined)
  const names = ['kernel', 'calls', 'per call', 'total', 'share', ...(rates ? rateHeads : [])]
  const rows = sorted.map((kernel) => row(kernel, total, most, rates))
  const over = measuredOver === undefined ? '' : ` over ${measuredOver}`
  const main = table(
    `${count(sorted.length)} kernels, ${elapsed(total)} in all${over}`,
    names,
    rows.slice(0, shown),
  )
  if (rows.length <= shown) return main
  const rest = rows.length - shown
  return element('div', {}, [
    main,
    element('details', {}, [
      element('summary', {}, [`${count(rest)} more`]),
      table(`The other ${count(rest)}`, names, rows.slice(shown)),
    ]),
  ])
}

/** The stages of the first call in their order, with their share of it. */
export const stageTable = (stages: readonly CompileStage[]): Markup => {
  const secondsOf = ({ seconds }: CompileStage): number =>
    Number.isFinite(seconds) ? Math.max(0, seconds) : 0
  const total = stages.reduce((sum, s) => sum + secondsOf(s), 0)
  const most = Math.max(0, ...stages.map(secondsOf))
  const rows = stages.map((stage) => {
    const seconds = secondsOf(stage)
    const length = most > 0 ? 100 * (seconds / most) : 0
    return element('tr', {}, [
      element('th', { scope: 'row' }, [stage.name]),
      number(elapsed(seconds)),
      number(total > 0 ? percent(seconds / total) : '–'),
      element('td', { class: 'bars', 'aria-hidden': 'true' }, [
        element('span', { class: 'bar', style: `width:${length.toFixed(1)}%` }),
      ]),
    ])
  })
  return table(`${elapsed(total)} in all`, ['stage', 'time', 'share'], rows)
}
