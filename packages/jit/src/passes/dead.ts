/** Dead code, in nested graphs too. */
import { type Graph, dropDead } from '@cotangent/core'
import { mapSubgraphs } from './rewrite.ts'

export const dropDeadDeep = (graph: Graph): Graph => {
  const { inputs, equations, outputs } = dropDead(graph)
  return { inputs, equations: equations.map((e) => mapSubgraphs(e, dropDeadDeep)), outputs }
}
