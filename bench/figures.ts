/** The measured parts of docs/performance.md: blocks of Markdown, and charts. */
import { chartFile } from './chart.ts'
import { peersChart, waysChart } from './charts.ts'
import { duration, times } from './format.ts'
import { describeMachine } from './machine.ts'
import type { Line } from './peers/line.ts'
import {
  type GoalVerdict,
  type Standings,
  standingsOf,
  threadsOf,
  valueOf,
} from './peers/standings.ts'
import { type ComparedTable, comparedTables, describeGoal, describeValue } from './peers/table.ts'
import type { Workload } from './peers/workload.ts'
import { workloads } from './peers/workloads.ts'
import { type Report, type Result, ratioTo } from './results.ts'
import { contendersOf } from './table.ts'

export interface Figures {
  readonly blocks: ReadonlyMap<string, string>
  /** SVG by file name. */
  readonly images: ReadonlyMap<string, string>
}

type Row = readonly string[]

const markdown = ([head, ...rows]: readonly Row[]): string => {
  const line = (row: Row): string => `| ${row.join(' | ')} |`
  const rule = `| --- |${' ---: |'.repeat(head!.length - 1)}`
  return [line(head!), rule, ...rows.map(line)].join('\n')
}

/** Columns that say most, best first: what the page is about. */
const mainColumns: readonly string[] = ['cotangent-wasm-2t', 'cotangent-wasm-1t', 'cotangent-js']

const nothing = 'Not measured yet.'

const comparisonBlock = (tables: readonly ComparedTable[], column: string): string => {
  const table = tables.find((t) => t.column === column)
  if (table === undefined) return nothing
  const [head, ...rows] = table.rows
  return markdown([head!, ...rows.map(([id, ...cells]) => [`\`${id}\``, ...cells])])
}

const titleOf: ReadonlyMap<string, Workload> = new Map(workloads.map((w) => [w.id, w]))

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

const byShortfall = (a: GoalVerdict, b: GoalVerdict): number => shortfall(b) - shortfall(a)

/** How many times better it would have to be. */
const shortfall = ({ goal, value }: GoalVerdict): number => {
  switch (goal.tag) {
    case 'below':
      return value / goal.limit
    case 'rate':
      return goal.gflops / value
    case 'library':
    case 'best':
    case 'threads':
      return goal.atLeast / value
    default:
      return goal satisfies never
  }
}

/** The share of all cores' arithmetic roof; nothing where operations are not what counts. */
const shareOfRoof = (
  { id, flops }: Workload,
  column: string,
  standings: Standings,
  roof: number | undefined,
): string => {
  const ms = valueOf(standings, id, column)
  if (flops === undefined || ms === undefined || roof === undefined) return ''
  const flopsPerSecond = (1000 * flops) / ms
  return `${((100 * flopsPerSecond) / (roof * threadsOf(column))).toFixed(0)} %`
}

const lossesBlock = (
  tables: readonly ComparedTable[],
  standings: Standings,
  roof: number | undefined,
): string => {
  const verdicts = tables.flatMap((t) => (t.column.startsWith('cotangent-wasm') ? t.verdicts : []))
  if (verdicts.length === 0) return nothing
  const missed = verdicts.filter(({ isMet }) => !isMet).toSorted(byShortfall)
  const rows = missed.flatMap((verdict) => {
    const workload = titleOf.get(verdict.id)
    if (workload === undefined) return []
    const threads = threadsOf(verdict.column)
    const got = describeValue(workload, verdict)
    const share = shareOfRoof(workload, verdict.column, standings, roof)
    return [[`\`${verdict.id}\``, `${threads}`, got, describeGoal(workload, verdict.goal), share]]
  })
  const head = `${verdicts.length - missed.length} of ${verdicts.length} goals are met.`
  if (rows.length === 0) return head
  return `${head} These are not, the furthest away first:\n\n${markdown([['workload', 'threads', 'reached', 'wanted', 'of the roof'], ...rows])}`
}

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
  const titles = new Map(shown.map((id) => [id, titleOf.get(id)?.title ?? id]))
  const peers = table === undefined ? undefined : chartFile(peersChart(table, standings, titles))
  const interpreted = chartFile(waysChart('Ways to run', ways))
  return new Map([
    ...(peers === undefined ? [] : ([[peersImage, peers]] as const)),
    ...(interpreted === undefined ? [] : ([[waysImage, interpreted]] as const)),
  ])
}

export const figuresFor = (report: Report, lines: readonly Line[]): Figures => {
  const standings = standingsOf(workloads, lines)
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
      ['losses', lossesBlock(tables, standings, report.machine.roofs?.flopsPerSecond)],
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
