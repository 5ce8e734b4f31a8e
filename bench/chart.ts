/** Ratios as horizontal bars on a logarithmic scale. */
import { times } from './format.ts'
import { type Child, Markup, element } from './markup.ts'

export interface Bar {
  readonly label: string
  readonly kind: BarKind
  readonly ratio: number
  /** Where the bar should reach at least. */
  readonly target?: number
}

/** Bars that belong together, under one line of text. */
export interface BarGroup {
  readonly title: string
  readonly bars: readonly Bar[]
}

export interface BarChart {
  readonly title: string
  readonly description: string
  readonly groups: readonly BarGroup[]
}

const width = 860
const left = 130
const right = 70
const barHeight = 16
const barStep = 20
const figureWidth = 45
const titleHeight = 26
const axisHeight = 26

const ticks: readonly number[] = [
  0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000,
]

/** The look of charts; `kind` of a bar is one of the last classes. */
export const chartStyle = `
svg{--ground:#fbfaf7;--ink:#1d1f24;--muted:#60646d;--line:#e2e0da;--target:#c9541c;--one:#1f4fb0;--two:#6f9be8;--three:#cf9a2f;--four:#3f8f6b;--rest:#8a8f99}
@media (prefers-color-scheme:dark){svg{--ground:#14161a;--ink:#e8e6e1;--muted:#9da2ad;--line:#31353d;--target:#ff9b66;--one:#8ab4ff;--two:#4f7fd6;--three:#d8ac4e;--four:#67b892;--rest:#7b818d}}
svg text{fill:var(--ink);font:13px system-ui,sans-serif}
svg .axis,svg .label{fill:var(--muted);font-size:12px}svg .axis{text-anchor:middle}svg .label{text-anchor:end}
svg .group,svg .value{paint-order:stroke;stroke:var(--ground);stroke-width:4}svg .group{font-weight:600}
svg .tick{stroke:var(--line)}svg .even{stroke:var(--muted)}
svg .target{stroke:var(--target);stroke-width:2.5}svg .missed{fill:var(--target);font-weight:600}
svg .one{fill:var(--one)}svg .two{fill:var(--two)}svg .three{fill:var(--three)}svg .four{fill:var(--four)}svg .rest{fill:var(--rest)}
`

/** The colours that bars can have. */
export type BarKind = 'one' | 'two' | 'three' | 'four' | 'rest'

interface Scale {
  readonly low: number
  readonly high: number
  readonly at: (ratio: number) => number
}

const scaleOf = (ratios: readonly number[]): Scale => {
  const least = Math.min(0.5, ...ratios)
  const most = Math.max(10, ...ratios)
  const low = ticks.findLast((tick) => tick <= least) ?? ticks[0]!
  const high = ticks.find((tick) => tick >= most) ?? most
  const span = Math.log(high / low)
  const at = (ratio: number): number =>
    left + ((width - left - right) * Math.log(Math.max(ratio, low) / low)) / span
  return { low, high, at }
}

const axis = (scale: Scale, height: number): readonly Markup[] =>
  ticks
    .filter((tick) => tick >= scale.low && tick <= scale.high)
    .flatMap((tick) => [
      element('line', {
        class: tick === 1 ? 'even' : 'tick',
        x1: scale.at(tick),
        x2: scale.at(tick),
        y1: 0,
        y2: height - axisHeight,
      }),
      element('text', { class: 'axis', x: scale.at(tick), y: height - 8 }, [`${tick}×`]),
    ])

const drawBar = (bar: Bar, scale: Scale, y: number): readonly Child[] => {
  // From 1×, where neither is faster: a bar to the left is a loss.
  const [from, to] = [scale.at(1), scale.at(bar.ratio)].sort((a, b) => a - b)
  const isMissed = bar.target !== undefined && bar.ratio < bar.target
  // The figure stands behind the mark where that would cross it.
  const mark = bar.target === undefined ? to! : scale.at(bar.target)
  const end = mark > to! && mark < to! + figureWidth ? mark : to!
  const parts = [
    element('text', { class: 'label', x: left - 10, y: y + 12 }, [bar.label]),
    element('rect', {
      class: `bar ${bar.kind}`,
      x: from!,
      y,
      width: Math.max(1, to! - from!),
      height: barHeight,
      rx: 2,
    }),
    element('text', { class: isMissed ? 'value missed' : 'value', x: end + 7, y: y + 12.5 }, [
      times(bar.ratio),
    ]),
  ]
  if (bar.target === undefined) return parts
  const place = { x1: mark, x2: mark, y1: y - 3, y2: y + barHeight + 3 }
  return [...parts, element('line', { class: 'target', ...place })]
}

/** The chart as a file of its own, which brings its look with it. */
export const chartFile = (chart: BarChart): string | undefined => {
  const drawn = barChart(chart, [element('style', {}, [new Markup(chartStyle)])])
  return drawn === undefined ? undefined : `${drawn.text}\n`
}

/** The chart as SVG; nothing where there are no bars. */
export const barChart = (
  { title, description, groups }: BarChart,
  before: readonly Child[] = [],
): Markup | undefined => {
  const bars = groups.flatMap((group) => group.bars)
  if (bars.length === 0) return undefined
  const scale = scaleOf(bars.flatMap(({ ratio, target }) => [ratio, target ?? ratio]))
  const height = groups.length * titleHeight + bars.length * barStep + axisHeight
  let y = 0
  const drawn: Child[] = []
  for (const group of groups) {
    drawn.push(element('text', { class: 'group', x: 0, y: y + 17 }, [group.title]))
    y += titleHeight
    for (const bar of group.bars) {
      drawn.push(...drawBar(bar, scale, y))
      y += barStep
    }
  }
  return element(
    'svg',
    {
      xmlns: 'http://www.w3.org/2000/svg',
      viewBox: `0 0 ${width} ${height}`,
      style: `max-width:${width}px`,
      role: 'img',
      'aria-label': `${title}. ${description}`,
    },
    [...before, ...axis(scale, height), ...drawn],
  )
}
