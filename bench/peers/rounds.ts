/** Runs the columns in alternation: rounds, then groups, then columns, each in a process of its own. */
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Column, Script } from './columns.ts'
import { type Line, parseLine } from './line.ts'
import type { Workload } from './workload.ts'

/** What each column is asked for before it is the next share's turn. */
export interface Share {
  readonly name: string
  readonly workloads: readonly Pick<Workload, 'id' | 'group'>[]
}

/** One process: a script, and the workloads that it is asked for. */
export interface Task {
  readonly share: string
  readonly column: Column
  readonly script: Script
  readonly ids: readonly string[]
}

export interface RoundsOptions {
  readonly columns: readonly Column[]
  readonly shares: readonly Share[]
  readonly rounds: number
  /** Lines are added to this file as they come. */
  readonly file: string
  /** Seconds after which a process is ended. */
  readonly limit: number
}

const environmentOf = ({ environment }: Column): NodeJS.ProcessEnv => {
  const changed = { ...process.env, ...environment }
  return Object.fromEntries(Object.entries(changed).filter(([, value]) => value !== undefined))
}

/** The processes of a round, in their order; a script that has none of a share is not started for it. */
export const tasksOf = (
  columns: readonly Column[],
  shares: readonly Share[],
  round: number,
): readonly Task[] => {
  // Every other round backwards, so that nobody always follows the same one.
  const order = round % 2 === 1 ? columns : columns.toReversed()
  return shares.flatMap(({ name, workloads }) =>
    order.flatMap((column) =>
      column.scripts.flatMap((script) => {
        const ids = workloads.filter(script.has).map(({ id }) => id)
        return ids.length === 0 ? [] : [{ share: name, column, script, ids }]
      }),
    ),
  )
}

const runTask = ({ share, column, script, ids }: Task, round: number, limit: number) =>
  new Promise<readonly Line[]>((resolve) => {
    const [program, ...given] = script.command
    const args = [...given, '--only', ids.join(','), '--round', String(round)]
    const child = spawn(program, args, {
      cwd: script.folder,
      env: environmentOf(column),
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: limit * 1000,
      killSignal: 'SIGKILL',
    })
    const lines: Line[] = []
    const fail = (reason: string): void => {
      lines.push({ peer: column.name, workload: `group:${share}`, ms: null, n: 0, reason, round })
    }
    // A library may write warnings between its lines.
    createInterface(child.stdout).on('line', (text) => {
      if (text.startsWith('{')) lines.push(parseLine(text))
    })
    child.on('error', (error) => fail(error.message))
    child.on('close', (code, signal) => {
      if (code !== 0) fail(signal === null ? `exit status ${code}` : `no end in ${limit} s`)
      resolve(lines)
    })
  })

/**
 * All lines of all rounds. A machine that gets slower or faster meanwhile does so for all columns.
 * `progress` hears of each process that starts.
 */
export const runRounds = async (
  { columns, shares, rounds, file, limit }: RoundsOptions,
  progress: (text: string) => void = () => {},
): Promise<readonly Line[]> => {
  const all: Line[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const task of tasksOf(columns, shares, round)) {
      progress(`round ${round} of ${rounds}, ${task.share}: ${task.column.name}`)
      const lines = await runTask(task, round, limit)
      all.push(...lines)
      appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
    }
  }
  return all
}
