/** A line chart: axes, grid, marked places on the x axis, curves with gaps. */
import { scaleLinear, scaleLog } from 'd3-scale'
import { line } from 'd3-shape'
import { element, type Markup } from './markup.ts'
import type { Points } from './series.ts'
import { group, rule, svg, text } from './svg.ts'

/** How a curve is drawn; the style sheet gives each its colour. */
export type CurveStyle = 'raw' | 'train' | 'test'

export interface Curve {
  readonly label: string
  readonly style: CurveStyle
  readonly points: Points
  /** Draws a dot at each point, with its value as a tooltip: for curves of a few points. */
  readonly dots: boolean
}

export interface LineChart {
  readonly id: string
  readonly title: string
  readonly description: string
  readonly xLabel: string
  readonly curves: readonly Curve[]
  readonly xRange: readonly [number, number]
  /** Values outside are drawn up to the edge. In a logarithmic chart both are above 0. */
  readonly yRange: readonly [number, number]
  readonly logarithmic: boolean
  /** A value as a tooltip says it, and, shorter, as a tick says it. */
  readonly format: (value: number) => string
  readonly tick: (value: number) => string
  /** Vertical lines: the ends of the epochs. */
  readonly marks: readonly { readonly at: number; readonly label: string }[]
}

const size = { width: 520, height: 300 }
const inner = { left: 52, right: 510, top: 22, bottom: 258 }

/** At most six ticks that people would choose: powers of ten, with 2 and 5 where decades are few. */
const logTicks = (low: number, high: number): readonly number[] => {
  const decades = Math.log10(high / low)
  const digits = decades < 1.2 ? [1, 1.5, 2, 3, 4, 5, 7] : decades < 2.5 ? [1, 2, 5] : [1]
  const every = Math.max(1, Math.ceil(decades / 6))
  const ticks: number[] = []
  for (let e = Math.floor(Math.log10(low)); e <= Math.ceil(Math.log10(high)); e++) {
    if (e % every !== 0) continue
    ticks.push(...digits.map((d) => Number(`${d}e${e}`)).filter((t) => t >= low && t <= high))
  }
  return ticks
}

/** At most eight of the marks keep their label, so that labels do not run into each other. */
const drawMarks = (chart: LineChart, x: (v: number) => number): Markup => {
  const every = Math.max(1, Math.ceil(chart.marks.length / 8))
  return group(
    { class: 'marks' },
    chart.marks.flatMap((mark, i) => {
      const at = x(mark.at)
      const lines = chart.marks.length > 60 ? [] : [rule(at, inner.top, at, inner.bottom)]
      const shown = (i + 1) % every === 0
      const label = text(at - 4, inner.top - 7, mark.label, { 'text-anchor': 'end' })
      return shown ? [...lines, label] : lines
    }),
  )
}

/**
 * Draws a chart. Values that are not finite leave gaps; there may be no value at all.
 * @throws RangeError if a range is empty, reversed or not finite.
 */
export const lineChart = (chart: LineChart): Markup => {
  const { xRange, yRange } = chart
  const ordered = [xRange, yRange].every(([a, b]) => Number.isFinite(b - a) && a < b)
  if (!ordered || (chart.logarithmic && yRange[0] <= 0)) {
    throw new RangeError(`lineChart: ranges ${xRange.join(' to ')} and ${yRange.join(' to ')}`)
  }
  const x = scaleLinear(xRange, [inner.left, inner.right])
  const y = (chart.logarithmic ? scaleLog : scaleLinear)(yRange, [inner.bottom, inner.top])
  // Up to the edge and no further: a batch loss of exactly 0 has no logarithm.
  const place = (v: number): number => y(Math.min(yRange[1], Math.max(yRange[0], v)))
  const yTicks = chart.logarithmic ? logTicks(...yRange) : y.ticks(5)
  const xTicks = x.ticks(6).filter((t) => Number.isInteger(t))
  const axes = group({ class: 'axes' }, [
    ...yTicks.map((t) => rule(inner.left, y(t), inner.right, y(t))),
    ...yTicks.map((t) =>
      text(inner.left - 7, y(t), chart.tick(t), { 'text-anchor': 'end', dy: '.32em' }),
    ),
    ...xTicks.map((t) =>
      text(x(t), inner.bottom + 17, t.toLocaleString('en-US'), { 'text-anchor': 'middle' }),
    ),
    rule(inner.left, inner.bottom, inner.right, inner.bottom, { class: 'base' }),
    text((inner.left + inner.right) / 2, inner.bottom + 36, chart.xLabel, {
      'text-anchor': 'middle',
    }),
  ])
  const path = line<number>()
    .digits(1)
    .x((t) => x(t))
  const curves = chart.curves.map(({ label, style, points, dots }) => {
    const value = (i: number): number => points.y[i] ?? Number.NaN
    const d = path.defined((_, i) => Number.isFinite(value(i))).y((_, i) => place(value(i)))(
      points.x,
    )
    const drawn = element('path', { d: d ?? '', class: 'curve' })
    const marked = dots ? points.x.map((_, i) => i).filter((i) => Number.isFinite(value(i))) : []
    const circles = marked.map((i) => {
      const tip = `${label}: ${chart.format(value(i))} at step ${points.x[i]!.toLocaleString('en-US')}`
      return element('circle', { cx: x(points.x[i]!), cy: place(value(i)), r: 3.5 }, [
        element('title', {}, [tip]),
      ])
    })
    return group({ class: `series ${style}` }, [drawn, ...circles])
  })
  return svg({ ...size, id: chart.id, title: chart.title, description: chart.description }, [
    axes,
    drawMarks(chart, x),
    ...curves,
  ])
}
