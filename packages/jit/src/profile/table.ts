/** A profile as text. */
import type { ProfileData, ProfileRow } from './data.ts'

const figures = (value: number): string => {
  if (value === 0) return '0'
  if (value >= 1000 || value < 0.001) return value.toExponential(1)
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}

/** `850 µs`, `12.3 ms`, `1.20 s`, from milliseconds. */
export const showTime = (milliseconds: number): string => {
  if (milliseconds < 1) return `${figures(milliseconds * 1000)} µs`
  return milliseconds < 1000 ? `${figures(milliseconds)} ms` : `${figures(milliseconds / 1000)} s`
}

const percent = (fraction: number): string => `${(100 * fraction).toFixed(1)} %`
const giga = (value: number): string => (value === 0 ? '–' : figures(value / 1e9))

const barWidth = 12
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']

const bar = (fraction: number): string => {
  const parts = Math.round(8 * barWidth * Math.min(1, Math.max(0, fraction)))
  return `${'█'.repeat(Math.floor(parts / 8))}${eighths[parts % 8]!}`.padEnd(barWidth)
}

const heads = ['kernel', 'runs', 'time', 'share', '', 'GFLOP/s', 'GB/s', 'of roof', 'threads']
/** Columns of text; the others are numbers, to the right. */
const leftAligned = new Set([0, 4])

const cells = (row: ProfileRow): readonly string[] => [
  row.inside === '' ? row.name : `${row.name} (${row.inside})`,
  Number.isInteger(row.calls) ? `${row.calls}` : figures(row.calls),
  showTime(row.time),
  percent(row.share),
  bar(row.share),
  giga(row.flopsPerSecond),
  giga(row.bytesPerSecond),
  `${(100 * row.roof).toFixed(0)} % ${row.bound === 'compute' ? 'flop' : 'mem '}`,
  `${row.threads}`,
]

const align = (lines: readonly (readonly string[])[]): readonly string[] => {
  const widths = heads.map((_, c) => Math.max(...lines.map((cell) => cell[c]?.length ?? 0)))
  return lines.map((line) =>
    line
      .map((cell, c) => (leftAligned.has(c) ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join('  ')
      .trimEnd(),
  )
}

// Rows beyond the limit as one.
const restOf = (rows: readonly ProfileRow[]): readonly (readonly string[])[] => {
  if (rows.length === 0) return []
  const time = rows.reduce((n, r) => n + r.time, 0)
  const share = rows.reduce((n, r) => n + r.share, 0)
  return [[`${rows.length} more`, '', showTime(time), percent(share), bar(share)]]
}

const reasons = (row: ProfileRow): readonly string[] => [
  `  ${row.name}`,
  `    apart   ${row.apart}`,
  ...row.stored.slice(0, 2).map((text) => `    stored  ${text}`),
  ...(row.stored.length > 2 ? [`    stored  … ${row.stored.length - 2} more`] : []),
]

/** The table: the slowest kernels first, then where the first call went, then why kernels are apart. */
export const showProfile = (profile: ProfileData, limit: number): string => {
  const { name, backend, threads, repeat, rows, total, compile, roofs } = profile
  const shown = rows.slice(0, limit)
  const otherShare = total.other / total.time
  const other = [
    'arguments, results, loops',
    '',
    showTime(total.other),
    percent(otherShare),
    bar(otherShare),
  ]
  const first = compile.reduce((n, c) => n + c.time, 0)
  return [
    `${name}: ${showTime(total.time)} a call (${showTime(total.unobserved)} unobserved), ${backend}, ${threads === 1 ? '1 thread' : `up to ${threads} threads`}, ${repeat} calls`,
    `${figures(total.flops / 1e9)} GFLOP at ${giga(total.flopsPerSecond)} GFLOP/s; one thread can do ${giga(roofs.flopsPerSecond)} GFLOP/s and ${roofs.memory.map((m) => giga(m.bytesPerSecond)).join(', ')} GB/s (caches, memory)`,
    '',
    ...align([heads, ...shown.map(cells), ...restOf(rows.slice(limit)), other]),
    '',
    `first call: ${showTime(first)}`,
    ...compile.map((c) =>
      `  ${c.stage.padEnd(12)} ${showTime(c.time).padStart(8)}  ${bar(c.time / first)}`.trimEnd(),
    ),
    '',
    'why kernels are apart',
    ...shown.flatMap(reasons),
  ].join('\n')
}
