/** The measured parts of docs/performance.md: blocks of Markdown, and charts. */
import { chartFile } from './chart.ts'
import { peersChart, waysChart } from './charts.ts'
import { duration, times } from './format.ts'
import { describeMachine } from './machine.ts'
import { lossesTable } from './losses.ts'
import { markdown } from './markdown.ts'
import type { RooflineLine } from './peers/leastTime.ts'
import type { Line } from './peers/line.ts'
import { type Standings, standingsOf } from './peers/standings.ts'
import { type ComparedTable, comparedTables } from './peers/table.ts'
import { workloadOf, workloads } from './peers/workloads.ts'
import { type Report, type Result, ratioTo } from './results.ts'
import { contendersOf } from './table.ts'

export interface Figures {
  readonly blocks: ReadonlyMap<string, string>
  /** SVG by file name. */
  readonly images: ReadonlyMap<string, string>
}

const nothing = 'Not measured yet.'

/** Columns that say most, best first: what the page is about. */
const mainColumns: readonly string[] = ['cotangent-wasm-2t', 'cotangent-wasm-1t', 'cotangent-js']

const comparisonBlock = (tables: readonly ComparedTable[], column: string): string => {
  const table = tables.find((t) => t.column === column)
  if (table === undefined) return nothing
  const [head, ...rows] = table.rows
  return markdown([head!, ...rows.map(([id, ...cells]) => [`\`${id}\``, ...cells])])
}

const shown: readonly string[] = [
  'matmul_1024',
  'conv3x3_fwd',
  'conv3x3_grad',
  'maxpool_fb',
  'bnrelu_fb',
  'layernorm_fb',
  'lstm_fb',
  'lenet_step',
  'mlp_step',
  'charlstm_step',
  'resnet20_step',
  'transformer_step',
  'inception_step',
  'dense_step',
  'ew_transc',
]

const waysBlock = (results: readonly Result[]): string => {
  if (results.length === 0) return nothing
  const contenders = contendersOf(results)
  const rows = results.map((result) => [
    result.name,
    ...contenders.map((contender) => {
      const timing = result.timings.find((t) => t.contender === contender)
      if (timing === undefined) return ''
      const ratio = ratioTo(result.timings, 'interpreter', contender)
      return duration(timing.median) + (ratio === undefined ? '' : ` (${times(ratio)})`)
    }),
  ])
  return markdown([['benchmark', ...contenders], ...rows])
}

const hasInterpreter = ({ timings }: Result): boolean =>
  timings.some(({ contender }) => contender === 'interpreter')

const charted: ReadonlySet<string> = new Set(['convolution', 'matmul', 'recurrent', 'training'])

const peersImage = 'performance-peers.svg'
const waysImage = 'performance-ways.svg'

const imagesOf = (
  report: Report,
  tables: readonly ComparedTable[],
  standings: Standings,
): ReadonlyMap<string, string> => {
  const ways = report.results.filter(
    (result) => charted.has(result.theme) && hasInterpreter(result),
  )
  const table = mainColumns.flatMap((name) => tables.find((t) => t.column === name) ?? [])[0]
  const titles = new Map(shown.map((id) => [id, workloadOf.get(id)?.title ?? id]))
  const peers = table === undefined ? undefined : chartFile(peersChart(table, standings, titles))
  const interpreted = chartFile(waysChart('Ways to run', ways))
  return new Map([
    ...(peers === undefined ? [] : ([[peersImage, peers]] as const)),
    ...(interpreted === undefined ? [] : ([[waysImage, interpreted]] as const)),
  ])
}

export const figuresFor = (
  report: Report,
  lines: readonly Line[],
  rooflines: readonly RooflineLine[] = [],
): Figures => {
  const standings = standingsOf(workloads, lines)
  const fastest = standingsOf(workloads, lines, 'fastest')
  const present = [...new Set(lines.map(({ peer }) => peer))]
  const tables = comparedTables(workloads, standings, present)
  const rounds = Math.max(0, ...lines.map(({ round }) => round ?? 0))
  const machine = [
    ...describeMachine(report.machine),
    `Measured on ${report.date.slice(0, 10)}; rounds of the comparison: ${rounds}.`,
  ]
  const images = imagesOf(report, tables, standings)
  const chart = (name: string, description: string): string =>
    images.has(name) ? `![${description}](images/${name})` : nothing
  return {
    blocks: new Map([
      ['machine', machine.join('\n')],
      [
        'peers chart',
        chart(peersImage, 'How many times as fast as each other library cotangent is'),
      ],
      [
        'ways chart',
        chart(waysImage, 'How many times as fast as the interpreter each way to run is'),
      ],
      ['two threads', comparisonBlock(tables, 'cotangent-wasm-2t')],
      ['one thread', comparisonBlock(tables, 'cotangent-wasm-1t')],
      ['javascript', comparisonBlock(tables, 'cotangent-js')],
      ['losses', lossesTable(tables, { standings, fastest, rooflines }) ?? nothing],
      ['ways', waysBlock(report.results.filter(hasInterpreter))],
    ]),
    images,
  }
}

/** Puts new text between the marks of a block: `<!-- measured: name -->` and `<!-- end -->`. */
export const replaceBlock = (text: string, name: string, content: string): string => {
  const start = `<!-- measured: ${name} -->`
  const [from, to] = [text.indexOf(start), text.indexOf('<!-- end -->', text.indexOf(start))]
  if (from < 0 || to < 0) throw new Error(`there is no block ${name}`)
  return `${text.slice(0, from)}${start}\n\n${content.trim()}\n\n${text.slice(to)}`
}
