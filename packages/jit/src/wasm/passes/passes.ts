/** The loop passes of the WebAssembly backend, in order. */
import type { Stmt } from '@cotangent/core'
import type { Kernel } from '../../kernel.ts'
import { blockTransposed } from '../../loops/blocked.ts'
import { collapse } from '../../loops/collapse.ts'
import { dropUnused } from '../../loops/dead.ts'
import { hoistValues } from '../../loops/hoist.ts'
import { uniqueNames } from '../../loops/names.ts'
import type { LoopPass } from '../../loops/passes.ts'
import { splitDivided } from '../../loops/divided.ts'
import { peel } from '../../loops/peel.ts'
import { share } from '../../loops/share.ts'
import { simplify } from '../../loops/simplify.ts'
import { type Loop, hasLoop, roundsOf, unrollSmall } from '../../loops/unroll.ts'
import { sizeOfBody, walk } from '../../loops/visit.ts'
import { contentsOf, kinds } from './contents.ts'
import { expand } from './expand.ts'
import { branchOnGuards } from './guards.ts'
import { readableIn } from './readable.ts'
import { unrollLanes } from './unrollLanes.ts'
import { takesLanes, vectorVariables, vectorise } from './vectorise.ts'

/** Nodes that a written-out loop may have. */
const unrolledSize = 120
/** More accumulators than this are a register tile, whose steps are better apart. */
const fewAssignments = 2

const worthUnrolling = (loop: Loop): boolean => {
  const rounds = roundsOf(loop)
  if (loop.lanes !== undefined || rounds === 1 || rounds > 9 || hasLoop(loop.body)) return false
  const assigns = loop.body.filter((s) => s.tag === 'assign').length
  return assigns <= fewAssignments && rounds * sizeOfBody(loop.body) <= unrolledSize
}

const onBody =
  (run: (body: readonly Stmt[]) => readonly Stmt[]): LoopPass['run'] =>
  (kernel) => ({ ...kernel, body: run(kernel.body) })

/** A pass that only changes statements with nodes of a kind. */
const where =
  (kind: number, run: LoopPass['run']): LoopPass['run'] =>
  (kernel) =>
    (contentsOf(kernel.body) & kind) === 0 ? kernel : run(kernel)

/** Rounds that lanes run through without testing fewer of them apart. */
const longLoop = 256

/** Loads beside which a choice costs little. */
const manyLoads = 3

const loadsIn = (body: readonly Stmt[]): number => {
  let loads = 0
  walk({
    scalar: (s) => {
      if (s.tag === 'load') loads++
    },
  }).body(body)
  return loads
}

// Short loops in which lanes can choose keep their tests: pieces would leave no whole vectors.
const peelLong: LoopPass['run'] = (kernel) => {
  const readable = readableIn(kernel)
  const keeps = (loop: Loop): boolean =>
    loop.extent < longLoop && loadsIn(loop.body) >= manyLoads && takesLanes(loop, readable)
  return { ...kernel, body: peel(kernel.body, keeps) }
}

// What was shared before has nothing to share while no statement has moved.
const hoistAndShare = (body: readonly Stmt[]): readonly Stmt[] => {
  const hoisted = hoistValues(body)
  return hoisted === body ? body : share(hoisted)
}

const lanes: LoopPass['run'] = (kernel) => ({
  ...kernel,
  body: vectorise(kernel.body, readableIn(kernel)),
})

export const wasmPasses: readonly LoopPass[] = [
  { name: 'fold conditions', run: onBody(simplify) },
  { name: 'split divided counters', run: where(kinds.division, onBody(splitDivided)) },
  { name: 'peel borders', run: where(kinds.test, peelLong) },
  { name: 'collapse nests', run: onBody(collapse) },
  { name: 'block transposed reads', run: onBody(blockTransposed) },
  { name: 'unique names', run: onBody(uniqueNames) },
  { name: 'expand functions', run: where(kinds.expandable, expand) },
  { name: 'lanes for parallel loops', run: lanes },
  { name: 'unroll windows', run: onBody((body) => unrollSmall(body, worthUnrolling)) },
  { name: 'branch on large guards', run: where(kinds.guard, onBody(branchOnGuards)) },
  { name: 'several vectors a round', run: onBody(unrollLanes) },
  { name: 'share subexpressions', run: onBody(share) },
  { name: 'hoist invariants and share them', run: onBody(hoistAndShare) },
  { name: 'vectors for variables', run: onBody(vectorVariables) },
  { name: 'drop unused locals', run: onBody(dropUnused) },
]

/** Runs every pass over a kernel. */
export const runWasmPasses = (kernel: Kernel): Kernel =>
  wasmPasses.reduce((made, pass) => pass.run(made), kernel)
