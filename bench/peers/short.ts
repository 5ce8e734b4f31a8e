/** A comparison that takes a few minutes: one round, the threads that there are, some workloads. */
import { rmSync } from 'node:fs'
import { manyThreads } from '../backends.ts'
import { type Column, columnsHere } from './columns.ts'
import type { Line } from './line.ts'
import { runRounds } from './rounds.ts'
import { workloads } from './workloads.ts'

/** Those of which no library takes seconds a call. */
const some: readonly string[] = [
  'matmul_512',
  'conv_lenet1_fwd',
  'maxpool_fb',
  'bnrelu_fb',
  'layernorm_fb',
  'lstm_fb',
  'lenet_step',
  'mlp_step',
  'ew_transc',
  'sum_all',
  'jit_tiny',
]
const few: readonly string[] = ['matmul_512', 'jit_tiny']

const limit = 120

/** Every library once, with as many threads as the machine has. */
const isCompared = ({ name, library, threads }: Column): boolean =>
  library === 'cotangent'
    ? name === `cotangent-wasm-${manyThreads}t` || name === 'cotangent-js'
    : threads === manyThreads

/** The lines of a short comparison; none where no other library is installed in `folder`. */
export const comparePeers = async (
  folder: string,
  file: string,
  isQuick: boolean,
): Promise<readonly Line[]> => {
  const columns = columnsHere(folder).filter(isCompared)
  if (columns.every(({ library }) => library === 'cotangent')) return []
  const ids = isQuick ? few : some
  const chosen = workloads.filter(({ id }) => ids.includes(id))
  rmSync(file, { force: true })
  return runRounds({
    columns,
    shares: [{ name: 'some workloads', workloads: chosen }],
    rounds: 1,
    file,
    limit,
  })
}
