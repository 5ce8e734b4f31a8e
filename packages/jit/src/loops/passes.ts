/** The passes over loop IR, in order. Each is a function from statements to statements. */
import type { Stmt } from '@cotangent/core'
import { shareAddresses } from './addresses.ts'
import { collapse } from './collapse.ts'
import { dropUnused } from './dead.ts'
import { hoist } from './hoist.ts'
import { uniqueNames } from './names.ts'
import { peel } from './peel.ts'
import { share } from './share.ts'
import { simplify } from './simplify.ts'
import { unrollSmall } from './unroll.ts'

export interface LoopPass {
  readonly name: string
  readonly run: (body: readonly Stmt[]) => readonly Stmt[]
}

export const loopPasses: readonly LoopPass[] = [
  { name: 'fold conditions', run: simplify },
  { name: 'peel borders', run: peel },
  { name: 'collapse nests', run: collapse },
  { name: 'unique names', run: uniqueNames },
  { name: 'unroll small loops', run: unrollSmall },
  { name: 'share subexpressions', run: share },
  { name: 'hoist invariants', run: hoist },
  { name: 'share what was hoisted', run: share },
  { name: 'share addresses', run: shareAddresses },
  { name: 'drop unused locals', run: dropUnused },
]

/** Runs every pass over the body of a kernel. */
export const runLoopPasses = (body: readonly Stmt[]): readonly Stmt[] =>
  loopPasses.reduce((statements, pass) => pass.run(statements), body)
