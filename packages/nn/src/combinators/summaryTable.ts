/** A summary as text: columns that line up. */
import { type Shapes, isByName, isShape, listOfShapes } from '../layer.ts'
import type { SummaryRow, SummaryTotals } from './summary.ts'

const headings = [
  'layer',
  'kind',
  'output',
  'parameters',
  'multiply-adds',
  'FLOPs',
  'receptive field',
] as const

const grouped = (n: number): string => Math.round(n).toLocaleString('en-US')

const shown = (shapes: Shapes): string => {
  if (isShape(shapes)) return `[${shapes.join(', ')}]`
  if (!isByName(shapes)) return `[${listOfShapes(shapes).map(shown).join(', ')}]`
  const parts = Object.entries(shapes).flatMap(([name, s]) =>
    s === undefined || s === null ? [] : [`${name}: ${shown(s)}`],
  )
  return `{ ${parts.join(', ')} }`
}

const fieldOf = (sizes: readonly number[] | null): string =>
  sizes === null ? '' : sizes.map((n) => String(Math.round(n * 100) / 100)).join('×')

const cells = (row: SummaryRow): readonly string[] => [
  row.path,
  row.kind,
  shown(row.outputShape),
  grouped(row.parameters),
  grouped(row.multiplyAdds),
  grouped(row.flops),
  fieldOf(row.receptiveField),
]

/** Names to the left, numbers to the right. */
export const tableOf = (rows: readonly SummaryRow[], totals: SummaryTotals): string => {
  const { parameters, multiplyAdds, flops } = totals
  const total = ['total', '', '', grouped(parameters), grouped(multiplyAdds), grouped(flops), '']
  const lines = [headings, ...rows.map(cells), total]
  const widths = headings.map((_, c) => Math.max(...lines.map((line) => line[c]!.length)))
  const text = lines.map((line) =>
    line
      .map((cell, c) => (c < 3 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join('  ')
      .trimEnd(),
  )
  const rule = '─'.repeat(widths.reduce((n, w) => n + w, 2 * (widths.length - 1)))
  return [text[0]!, rule, ...text.slice(1, -1), rule, text[text.length - 1]!].join('\n')
}
