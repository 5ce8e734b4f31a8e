import { expect, test } from 'vitest'
import { PricedGraph } from '../../packages/ops/src/control/minimumCut.ts'

/** A graph from `name: [price, ...names it is made of]`; those made of nothing hang on the source. */
const cutOf = (
  nodes: Readonly<Record<string, readonly [number, ...string[]]>>,
  wanted: readonly string[],
): readonly string[] => {
  const graph = new PricedGraph()
  const [source, sink] = [graph.addNode(Infinity), graph.addNode(Infinity)]
  const ids = new Map(Object.entries(nodes).map(([name, [price]]) => [name, graph.addNode(price)]))
  for (const [name, [, ...parents]] of Object.entries(nodes)) {
    if (parents.length === 0) graph.addEdge(source, ids.get(name)!)
    for (const parent of parents) graph.addEdge(ids.get(parent)!, ids.get(name)!)
  }
  for (const name of wanted) graph.addEdge(ids.get(name)!, sink)
  const cut = graph.cut(source, sink)
  return Object.keys(nodes).filter((name) => cut.includes(ids.get(name)!))
}

test('two values made of one are that one', () => {
  expect(cutOf({ y: [4], slope: [4, 'y'], double: [4, 'y'] }, ['slope', 'double'])).toEqual(['y'])
})

test('one value made of two is itself', () => {
  expect(cutOf({ a: [4], b: [4], sum: [4, 'a', 'b'] }, ['sum'])).toEqual(['sum'])
})

test('small values are kept for large ones', () => {
  const nodes = { seed: [1], large: [9, 'seed'], other: [2], both: [9, 'large', 'other'] } as const
  expect(cutOf(nodes, ['both', 'large'])).toEqual(['seed', 'other'])
})

test('free values are taken', () => {
  expect(cutOf({ x: [0], deep: [5], y: [5, 'x'], z: [5, 'y', 'deep'] }, ['y', 'z'])).toEqual([
    'x',
    'z',
  ])
})

test('of equal prices the cut nearest to the use', () => {
  expect(cutOf({ a: [3], b: [3, 'a'], c: [3, 'b'] }, ['c'])).toEqual(['c'])
})

test('nothing wanted is nothing kept', () => {
  expect(cutOf({ a: [3] }, [])).toEqual([])
})
