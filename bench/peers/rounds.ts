/** Runs the columns in alternation: rounds, then groups, then columns, each in a process of its own. */
import { spawn } from 'node:child_process'
import { appendFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import type { Column } from './columns.ts'
import { type Line, parseLine } from './line.ts'

/** A share of the work: what one process is asked for. */
export interface Share {
  readonly name: string
  /** As the scripts take it: `--group conv` or `--only matmul_256,matmul_512`. */
  readonly args: readonly string[]
  /** Which only our own script can measure. */
  readonly isOurs?: boolean
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

const runShare = (column: Column, { name, args }: Share, round: number, limit: number) =>
  new Promise<readonly Line[]>((resolve) => {
    const [program, ...given] = column.command
    const child = spawn(program, [...given, ...args, '--round', String(round)], {
      cwd: column.folder,
      env: environmentOf(column),
      stdio: ['ignore', 'pipe', 'ignore'],
      timeout: limit * 1000,
      killSignal: 'SIGKILL',
    })
    const lines: Line[] = []
    const fail = (reason: string): void => {
      lines.push({ peer: column.name, workload: `group:${name}`, ms: null, n: 0, reason, round })
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
    // Every other round backwards, so that nobody always follows the same one.
    const order = round % 2 === 1 ? columns : columns.toReversed()
    for (const share of shares) {
      for (const column of order) {
        if (share.isOurs === true && column.library !== 'cotangent') continue
        progress(`round ${round} of ${rounds}, ${share.name}: ${column.name}`)
        const lines = await runShare(column, share, round, limit)
        all.push(...lines)
        appendFileSync(file, lines.map((line) => `${JSON.stringify(line)}\n`).join(''))
      }
    }
  }
  return all
}
