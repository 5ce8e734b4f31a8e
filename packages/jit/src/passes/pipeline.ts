/** The passes, in order, by name. */
import { type Graph, check, checksEnabled } from '@cotangent/core'
import { dropDeadDeep } from './dead.ts'
import { hoistInvariants } from './hoist.ts'
import { inlineCalls } from './inline.ts'
import { mergeEqual } from './merge.ts'
import { dropIdentities, foldConstants } from './simplify.ts'

export interface Pass {
  readonly name: string
  readonly run: (graph: Graph) => Graph
}

export const pipeline: readonly Pass[] = [
  { name: 'inline calls', run: inlineCalls(false) },
  { name: 'drop dead equations', run: dropDeadDeep },
  { name: 'fold constants', run: foldConstants },
  { name: 'drop identities', run: dropIdentities },
  { name: 'hoist loop invariants', run: hoistInvariants },
  { name: 'merge equal equations', run: mergeEqual },
  { name: 'inline recomputation', run: inlineCalls(true) },
  { name: 'drop dead equations again', run: dropDeadDeep },
]

/** A graph after one pass. */
export interface Stage {
  readonly pass: string
  readonly graph: Graph
}

/** The graph after each pass, the untouched one first. */
export const optimize = (graph: Graph, passes: readonly Pass[] = pipeline): readonly Stage[] => {
  const stages: Stage[] = [{ pass: 'traced', graph }]
  let current = graph
  for (const pass of passes) {
    current = pass.run(current)
    if (checksEnabled()) check(current, pass.name)
    stages.push({ pass: pass.name, graph: current })
  }
  return stages
}
