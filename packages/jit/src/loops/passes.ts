/** The passes over loop IR, in order. Each is a function from kernels to kernels. */
import type { Stmt } from '@cotangent/core'
import type { Kernel } from '../kernel.ts'
import { shareAddresses } from './addresses.ts'
import { branchless } from './branchless.ts'
import { collapse } from './collapse.ts'
import { dropUnused } from './dead.ts'
import { hoist } from './hoist.ts'
import { jamTransposed } from './jam.ts'
import { uniqueNames } from './names.ts'
import { peel } from './peel.ts'
import { share } from './share.ts'
import { simplify } from './simplify.ts'
import { unrollSmall } from './unroll.ts'

export interface LoopPass {
  readonly name: string
  readonly run: (kernel: Kernel) => Kernel
}

const onBody =
  (run: (body: readonly Stmt[]) => readonly Stmt[]): LoopPass['run'] =>
  (kernel) => ({ ...kernel, body: run(kernel.body) })

const withoutBranches: LoopPass['run'] = (kernel) => {
  const { body, scratch } = branchless(kernel.body)
  if (scratch === null) return kernel
  return {
    ...kernel,
    body,
    scratch: [...(kernel.scratch ?? []), { ...scratch, dtype: 'float64' }],
  }
}

export const loopPasses: readonly LoopPass[] = [
  { name: 'fold conditions', run: onBody(simplify) },
  { name: 'peel borders', run: onBody((body) => peel(body)) },
  { name: 'collapse nests', run: onBody(collapse) },
  { name: 'jam transposed reads', run: onBody(jamTransposed) },
  { name: 'unique names', run: onBody(uniqueNames) },
  { name: 'unroll small loops', run: onBody(unrollSmall) },
  { name: 'share subexpressions', run: onBody(share) },
  { name: 'hoist invariants', run: onBody(hoist) },
  { name: 'share what was hoisted', run: onBody(share) },
  { name: 'choose without branches', run: withoutBranches },
  { name: 'share addresses', run: onBody(shareAddresses) },
  { name: 'drop unused locals', run: onBody(dropUnused) },
]

/** Runs every pass over a kernel. */
export const runLoopPasses = (kernel: Kernel): Kernel =>
  loopPasses.reduce((made, pass) => pass.run(made), kernel)
