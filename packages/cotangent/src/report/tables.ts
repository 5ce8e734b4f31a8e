/** Tables: settings, time per kernel. */
import type { KernelTime, NamedText } from './data.ts'
import { count, elapsed, percent } from './format.ts'
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
  if (kernel.source === undefined) return element('th', { scope: 'row' }, [name])
  const source = element('pre', { tabindex: '0' }, [kernel.source])
  return element('th', { scope: 'row' }, [
    element('details', {}, [element('summary', {}, [name]), source]),
  ])
}

const row = (kernel: KernelTime, total: number, most: number): Markup => {
  const seconds = timeOf(kernel)
  const length = most > 0 ? 100 * (seconds / most) : 0
  const bar = element('span', { class: 'bar', style: `width:${length.toFixed(1)}%` })
  return element('tr', {}, [
    nameCell(kernel),
    number(count(kernel.calls)),
    number(kernel.calls > 0 ? elapsed(seconds / kernel.calls) : '–'),
    number(elapsed(seconds)),
    number(total > 0 ? percent(seconds / total) : '–'),
    element('td', { class: 'bars', 'aria-hidden': 'true' }, [bar]),
  ])
}

const timeOf = ({ totalSeconds }: KernelTime): number =>
  Number.isFinite(totalSeconds) ? Math.max(0, totalSeconds) : 0

const head = (caption: string): readonly Markup[] => [
  element('caption', {}, [caption]),
  element('thead', {}, [
    element('tr', {}, [
      element('th', { scope: 'col' }, ['kernel']),
      ...['calls', 'per call', 'total', 'share'].map((name) =>
        element('th', { scope: 'col', class: 'number' }, [name]),
      ),
      element('td', {}),
    ]),
  ]),
]

const table = (caption: string, rows: readonly Markup[]): Markup =>
  element('div', { class: 'scroll', tabindex: '0' }, [
    element('table', { class: 'kernels' }, [...head(caption), element('tbody', {}, rows)]),
  ])

/** Kernels by total time, the slowest first, with their share of all of it. */
export const kernelTable = (kernels: readonly KernelTime[], measuredOver?: string): Markup => {
  const sorted = kernels.toSorted((a, b) => timeOf(b) - timeOf(a))
  const total = sorted.reduce((sum, k) => sum + timeOf(k), 0)
  const most = sorted.length === 0 ? 0 : timeOf(sorted[0]!)
  const rows = sorted.map((kernel) => row(kernel, total, most))
  const over = measuredOver === undefined ? '' : ` over ${measuredOver}`
  const main = table(
    `${count(sorted.length)} kernels, ${elapsed(total)} in all${over}`,
    rows.slice(0, shown),
  )
  if (rows.length <= shown) return main
  const rest = rows.length - shown
  return element('div', {}, [
    main,
    element('details', {}, [
      element('summary', {}, [`${count(rest)} more`]),
      table(`The other ${count(rest)}`, rows.slice(shown)),
    ]),
  ])
}
