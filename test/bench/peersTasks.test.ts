/** Which programs the comparison with other libraries starts, and what it asks each of them for. */
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { type Column, type Script, columnsHere } from '@cotangent/bench/peers/columns'
import { type Share, runRounds, tasksOf } from '@cotangent/bench/peers/rounds'
import type { Group } from '@cotangent/bench/peers/workload'
import { groups, workloads } from '@cotangent/bench/peers/workloads'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'peers-'))
})
afterEach(() => {
  vi.unstubAllEnvs()
  rmSync(folder, { recursive: true })
})

/** Columns of a folder in which everything seems to be installed. */
const installedColumns = (): readonly Column[] => {
  const python = join(folder, 'python')
  writeFileSync(python, '#!/bin/sh\necho 9.8.7+cpu\n')
  chmodSync(python, 0o755)
  vi.stubEnv('PEER_PY', python)
  return columnsHere(folder)
}

const scriptsFor = ({ scripts }: Column, group: Group): readonly Script[] =>
  scripts.filter(({ has }) => has({ group }))

const programOf = ({ command, folder: own }: Script): string => {
  const name = command.find((part) => /\.(py|mjs|js)$/.test(part))!
  return isAbsolute(name) ? name : join(own, name)
}

describe('the columns', () => {
  test('two of each library, and the version of PyTorch in its name', () => {
    const names = installedColumns().map(({ name }) => name)
    for (const name of ['torch9.8.7-1t', 'torch9.8.7-2t', 'jax-xla-1t', 'jax-xla-2t']) {
      expect(names).toContain(name)
    }
    expect(columnsHere(undefined).every(({ library }) => library === 'cotangent')).toBe(true)
  })
  test('a library has at most one script for a group, and ours have every group', () => {
    for (const column of installedColumns()) {
      for (const group of groups) {
        const { length } = scriptsFor(column, group)
        expect(length).toBeLessThanOrEqual(1)
        if (column.library === 'cotangent') expect(length).toBe(1)
      }
    }
  })
  test('the blocks come from scripts of ours, the rest from the folder', () => {
    const python = installedColumns().filter(({ name }) => /^(torch|jax-xla)/.test(name))
    expect(python.length).toBe(4)
    for (const column of python) {
      const [blocks] = scriptsFor(column, 'blocks').map(programOf)
      expect(existsSync(blocks!), blocks).toBe(true)
      const source = readFileSync(blocks!, 'utf8')
      for (const { id, group } of workloads) {
        if (group === 'blocks') expect(source).toContain(`"${id}"`)
      }
      expect(scriptsFor(column, 'matmul').map(programOf)[0]).toContain(folder)
      for (const { command } of column.scripts) {
        expect(command.join(' ')).toContain(`--threads ${column.threads} --peer ${column.name}`)
      }
    }
  })
})

const script = (name: string, known: readonly Group[]): Script => ({
  command: [name],
  folder: '.',
  has: ({ group }) => known.includes(group),
})
const column = (name: string, ...scripts: readonly Script[]): Column => ({
  name,
  library: 'torch',
  threads: 1,
  scripts,
  environment: {},
})
const work = (id: string, group: Group): Share['workloads'][number] => ({ id, group })

describe('the processes of a round', () => {
  const columns = [
    column('a', script('a-all', ['conv', 'blocks', 'startup'])),
    column('b', script('b-rest', ['conv']), script('b-blocks', ['blocks'])),
  ]
  const mixed: Share = {
    name: 'mixed',
    workloads: [work('x', 'conv'), work('y', 'blocks'), work('z', 'conv'), work('s', 'startup')],
  }
  const shown = (shares: readonly Share[], round: number): readonly string[] =>
    tasksOf(columns, shares, round).map(
      ({ script: { command }, ids }) => `${command[0]} ${ids.join()}`,
    )

  test('each script is asked for what it has', () => {
    expect(shown([mixed], 1)).toEqual(['a-all x,y,z,s', 'b-rest x,z', 'b-blocks y'])
  })
  test('a script that has nothing of a share is not started', () => {
    expect(shown([{ name: 'startup', workloads: [work('s', 'startup')] }], 1)).toEqual(['a-all s'])
  })
  test('every other round goes backwards', () => {
    expect(shown([mixed], 2)).toEqual(['b-rest x,z', 'b-blocks y', 'a-all x,y,z,s'])
  })
  test('every workload is asked for once of each column that has it', () => {
    const some = fc.subarray([...workloads], { minLength: 1 })
    const cut = fc.tuple(some, fc.nat()).map(([chosen, n]) => {
      const at = n % (chosen.length + 1)
      return [chosen.slice(0, at), chosen.slice(at)]
    })
    fc.assert(
      fc.property(cut, fc.integer({ min: 1, max: 4 }), (parts, round) => {
        const shares = parts.map((chosen, i) => ({ name: `${i}`, workloads: chosen }))
        const tasks = tasksOf(columns, shares, round)
        for (const own of columns) {
          const ids = tasks.filter((task) => task.column === own).flatMap((task) => task.ids)
          const known = parts.flat().filter((w) => own.scripts.some(({ has }) => has(w)))
          expect(ids.toSorted()).toEqual(known.map(({ id }) => id).toSorted())
        }
      }),
    )
  })
})

describe('running them', () => {
  /** Prints what it was asked for as the name of a workload, after a warning. */
  const program = `console.log('a warning'); console.log(JSON.stringify({
    peer: process.env.NAME, workload: process.argv.slice(1).join(' '), n: 1, cwd: process.cwd() }))`
  const share: Share = { name: 'both', workloads: [work('x', 'conv'), work('y', 'conv')] }
  const running = (code: string): Column => ({
    ...column('p', {
      ...script('', ['conv']),
      command: [process.execPath, '-e', code, '--'],
      folder,
    }),
    environment: { NAME: 'p' },
  })
  const run = (code: string) => {
    const file = join(folder, 'lines.jsonl')
    return runRounds({ columns: [running(code)], shares: [share], rounds: 2, file, limit: 60 })
  }

  test('a script gets its workloads and the round, in its own folder and environment', async () => {
    const lines = await run(program)
    expect(lines).toMatchObject([
      { peer: 'p', workload: '--only x,y --round 1' },
      { peer: 'p', workload: '--only x,y --round 2' },
    ])
    const kept = readFileSync(join(folder, 'lines.jsonl'), 'utf8').trim().split('\n')
    expect(kept.map((text): unknown => JSON.parse(text))).toEqual(lines)
  })
  test('a script that ends badly leaves a line that says so', async () => {
    const [line] = await run('process.exitCode = 3')
    expect(line).toMatchObject({ workload: 'group:both', ms: null, reason: 'exit status 3' })
  })
})
