/** The libraries that are compared, each with a number of threads: one column of the table. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type Backend, isAvailable } from '@cotangent/jit'
import type { Workload } from './workload.ts'

export type Library = 'cotangent' | 'jax-xla' | 'torch' | 'jaxjs' | 'tfjs-wasm'

/** A program that prints the lines of some workloads. */
export interface Script {
  /** What to start, without the choice of workloads. */
  readonly command: Command
  readonly folder: string
  /** Whether it has this workload: it is asked for no others. */
  readonly has: (workload: Pick<Workload, 'group'>) => boolean
}

type Command = readonly [program: string, ...args: string[]]

export interface Column {
  readonly name: string
  readonly library: Library
  readonly threads: number
  readonly scripts: readonly Script[]
  readonly environment: Readonly<Record<string, string | undefined>>
}

const here = fileURLToPath(new URL('.', import.meta.url))

export interface OwnColumn {
  /** Absent: what `jit` takes by itself, which is WebAssembly for all but tiny functions. */
  readonly backend?: Backend
  readonly threads: number
  readonly isHere: boolean
}

/** Our columns by name. */
export const ownColumns: ReadonlyMap<string, OwnColumn> = new Map<string, OwnColumn>([
  ['cotangent-wasm-1t', { threads: 1, isHere: isAvailable('wasm') }],
  ['cotangent-wasm-2t', { threads: 2, isHere: isAvailable('wasm') }],
  ['cotangent-js', { backend: 'js', threads: 1, isHere: isAvailable('js') }],
  ['cotangent-interpreter', { backend: 'interpret', threads: 1, isHere: true }],
])

const own: readonly Column[] = [...ownColumns].flatMap(([name, { threads, isHere }]) => {
  const command: Command = [process.execPath, join(here, 'main.js'), '--peer', name]
  const environment = { COTANGENT_THREADS: String(threads) }
  const scripts: readonly Script[] = [{ command, folder: process.cwd(), has: () => true }]
  return isHere ? [{ name, library: 'cotangent', threads, scripts, environment }] : []
})

/** A script in the folder of the other libraries, which knows what we share with it. */
const shared = (folder: string, ...command: Command): Script => ({
  command,
  folder,
  has: ({ group }) => group !== 'blocks' && group !== 'startup',
})

/** Our own scripts for other libraries: Python, which lies beside the sources and not what is compiled. */
const rivals = fileURLToPath(
  new URL(import.meta.url.endsWith('.js') ? '../../peers/rivals/' : './rivals/', import.meta.url),
)

/** A script of ours for another library, which knows the blocks. */
const written = (...command: Command): Script => ({
  command,
  folder: rivals,
  has: ({ group }) => group === 'blocks',
})

/** Both numbers of threads of a library whose scripts take `--threads`. */
const pair = (
  library: Library,
  version: string,
  scripts: (threads: number) => readonly Script[],
  environment: (threads: number) => Column['environment'] = () => ({}),
): readonly Column[] =>
  [1, 2].map((threads): Column => {
    const name = `${library}${version}-${threads}t`
    const withOptions = ({ command, ...rest }: Script): Script => ({
      ...rest,
      command: [...command, '--threads', String(threads), '--peer', name],
    })
    return {
      name,
      library,
      threads,
      scripts: scripts(threads).map(withOptions),
      environment: environment(threads),
    }
  })

const pythonIn = (folder: string): string =>
  process.env['PEER_PY'] ?? join(folder, '.venv', 'bin', 'python')

/** The version of a Python package, or nothing where it is not installed. */
const pythonPackage = (python: string, name: string): string | undefined => {
  const program = `from importlib.metadata import version; print(version('${name}'))`
  const { status, stdout } = spawnSync(python, ['-c', program], { encoding: 'utf8' })
  return status === 0 ? stdout.trim().split('+')[0] : undefined
}

/**
 * The other libraries, as far as they are installed in a folder of scripts that print such lines:
 * `peer_torch.py` and `peer_jax.py` for `.venv`, `peer_jaxjs.mjs` and `peer_tfjs.mjs`.
 */
const othersIn = (folder: string): readonly Column[] => {
  const python = pythonIn(folder)
  const torch = pythonPackage(python, 'torch')
  const hasModule = (name: string): boolean => existsSync(join(folder, 'node_modules', name))
  // XLA has no setting for threads: it takes the cores that it is allowed.
  const pinned = (threads: number): Command =>
    threads === 1 ? ['taskset', '-c', '0', python] : [python]
  return [
    ...(torch === undefined
      ? []
      : pair(
          'torch',
          torch,
          () => [shared(folder, python, 'peer_torch.py'), written(python, '-B', 'blocks_torch.py')],
          (threads) => ({
            OMP_NUM_THREADS: String(threads),
            MKL_NUM_THREADS: String(threads),
            // Set to an old processor in some containers, which halves the speed of OpenBLAS.
            OPENBLAS_CORETYPE: undefined,
            OPENBLAS_L2_SIZE: undefined,
          }),
        )),
    ...(pythonPackage(python, 'jax') === undefined
      ? []
      : pair('jax-xla', '', (threads) => [
          shared(folder, ...pinned(threads), 'peer_jax.py'),
          written(...pinned(threads), '-B', 'blocks_jax.py'),
        ])),
    ...(hasModule('@jax-js/jax')
      ? pair('jaxjs', '', () => [shared(folder, process.execPath, 'peer_jaxjs.mjs')])
      : []),
    ...(hasModule('@tensorflow/tfjs-backend-wasm')
      ? pair('tfjs-wasm', '', () => [
          shared(folder, process.execPath, 'peer_tfjs.mjs', '--backend', 'wasm'),
        ])
      : []),
  ]
}

/** Every column that this machine can run; `peers` is the folder of the other libraries. */
export const columnsHere = (peers: string | undefined): readonly Column[] => [
  ...own,
  ...(peers === undefined ? [] : othersIn(resolve(peers))),
]
