/** A confusion matrix as a heat map with its counts. */
import type { Confusion } from './data.ts'
import { count, percent } from './format.ts'
import { element, type Markup } from './markup.ts'
import { group, svg, text } from './svg.ts'

const clip = (label: string): string => (label.length > 12 ? `${label.slice(0, 11)}…` : label)

const rowOf = (confusion: Confusion, truth: number): readonly number[] =>
  confusion.labels.map((_, j) => {
    const n = Number(confusion.counts[truth]?.[j] ?? 0)
    return Number.isFinite(n) && n > 0 ? n : 0
  })

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0)

interface Cell {
  readonly x: number
  readonly y: number
  readonly side: number
  readonly count: number
  /** Share of the row, 0 to 1. */
  readonly share: number
  readonly right: boolean
  readonly tip: string
}

const drawCell = (cell: Cell): Markup => {
  const { x, y, side, share, right } = cell
  // A square root lifts the rare mistakes, which are what one looks for, out of the background.
  const strength =
    cell.count === 0 ? 0 : right ? 0.12 + 0.78 * share ** 2 : 0.1 + 0.8 * share ** 0.5
  const shade = { 'fill-opacity': strength, class: right ? 'right' : 'wrong' }
  const square = element('rect', { x, y, width: side - 1, height: side - 1, ...shade }, [
    element('title', {}, [cell.tip]),
  ])
  if (side < 22 || cell.count === 0) return square
  const small = cell.count >= 10_000 ? ' small' : ''
  const number = text(x + (side - 1) / 2, y + side / 2, count(cell.count), {
    class: `${strength > 0.5 ? 'on' : 'off'}${small}`,
    dy: '.34em',
  })
  return group({}, [square, number])
}

/** One row for each true class, one column for each predicted one, and the share found right. */
export const heatMap = (confusion: Confusion): Markup => {
  const { labels } = confusion
  const n = labels.length
  const side = Math.max(4, Math.min(38, Math.floor(420 / Math.max(1, n))))
  const named = side >= 11
  const longest = named ? Math.max(1, ...labels.map((l) => clip(l).length)) : 1
  const left = 26 + longest * 7
  const slanted = longest > 3
  const top = 26 + (slanted ? longest * 5 : 12)
  const [grid, share] = [n * side, 62]
  const middle = left + grid / 2
  const cells = labels.flatMap((truth, i) => {
    const row = rowOf(confusion, i)
    const total = sum(row)
    const drawn = row.map((number, j) => {
      const part = total === 0 ? 0 : number / total
      const tip = `${truth} taken for ${labels[j]}: ${count(number)} (${percent(part)})`
      const place = { x: left + j * side, y: top + i * side, side }
      return drawCell({ ...place, count: number, share: part, right: i === j, tip })
    })
    const y = top + i * side + side / 2
    const recall = total === 0 ? '–' : percent(row[i]! / total)
    const name = text(left - 7, y, clip(truth), {
      'text-anchor': 'end',
      dy: '.34em',
      class: 'name',
    })
    const found = text(left + grid + 8, y, recall, { dy: '.34em', class: 'recall' })
    return named ? [name, ...drawn, found] : drawn
  })
  const columns = labels.map((label, j) => {
    const [x, y] = [left + j * side + side / 2, top - 7]
    const turn = slanted ? { transform: `rotate(-35 ${x} ${y})` } : { 'text-anchor': 'middle' }
    return text(x, y, clip(label), { ...turn, class: 'name' })
  })
  const all = labels.map((_, i) => rowOf(confusion, i))
  const right = sum(all.map((row, i) => row[i] ?? 0))
  const description = `${count(right)} of ${count(sum(all.map(sum)))} examples on the diagonal.`
  const size = { width: left + grid + share, height: top + grid + 6 }
  return svg({ id: 'confusion', title: 'Confusion matrix', description, ...size }, [
    group({ class: 'heat' }, [
      text(middle, 13, 'predicted', { 'text-anchor': 'middle', class: 'axis' }),
      text(12, top + grid / 2, 'true', {
        'text-anchor': 'middle',
        transform: `rotate(-90 12 ${top + grid / 2})`,
        class: 'axis',
      }),
      ...(named ? columns : []),
      ...cells,
    ]),
  ])
}
