/**
 * Keeping less for the second half of a program: what cheap operations make again need not be kept.
 * The values to keep are a minimum cut between what is hard to make and the residuals, so of a
 * logistic gate `y` and its slope `y·(1 − y)` one array is kept.
 * @see Horace He, Shangdi Yu 2023, Transcending Runtime-Memory Tradeoffs in Checkpointing
 */
import {
  type Atom,
  type Equation,
  type Graph,
  Literal,
  type Tensor,
  type Var,
  bindAny,
  dtypeInfo,
  isEffectful,
  isVar,
  runGraph,
  sizeOf,
  trace,
  typesOf,
  withOrigin,
  loweringOf,
} from '@cotangent/core'
import { PricedGraph } from './minimumCut.ts'

export interface Kept {
  readonly values: readonly Var[]
  /** What makes the residuals of them, in order. */
  readonly equations: readonly Equation[]
}

/** Chooses what to keep of `graph` to have the residuals. `isFree` values cost nothing to keep. */
export const keepLess = (
  graph: Graph,
  residuals: readonly Var[],
  isFree: (v: Var) => boolean,
): Kept => {
  const makers = new Map<Var, Equation>()
  for (const e of graph.equations) if (isCheap(e)) makers.set(e.outputs[0]!, e)
  const values = cheapestCut(makers, residuals, isFree)
  const used = new Set<Equation>()
  const pending = [...residuals]
  for (let v = pending.pop(); v !== undefined; v = pending.pop()) {
    const maker = makers.get(v)
    if (values.has(v) || maker === undefined || used.has(maker)) continue
    used.add(maker)
    pending.push(...maker.inputs.filter(isVar))
  }
  return { values: [...values], equations: graph.equations.filter((e) => used.has(e)) }
}

const bytesOf = ({ aval: { shape, dtype } }: Var): number => sizeOf(shape) * dtypeInfo[dtype].bytes

const cheapestCut = (
  makers: ReadonlyMap<Var, Equation>,
  residuals: readonly Var[],
  isFree: (v: Var) => boolean,
): ReadonlySet<Var> => {
  const network = new PricedGraph()
  const [source, sink] = [network.addNode(Infinity), network.addNode(Infinity)]
  const nodes = new Map<Var, number>()
  const visit = (v: Var): number => {
    const known = nodes.get(v)
    if (known !== undefined) return known
    const maker = makers.get(v)
    // A constant is not worth passing, even where that is free: it is made again of nothing.
    const isConstant = maker !== undefined && !maker.inputs.some(isVar)
    const node = network.addNode(isFree(v) && !isConstant ? 0 : bytesOf(v))
    nodes.set(v, node)
    if (maker === undefined) network.addEdge(source, node)
    else for (const a of maker.inputs) if (isVar(a)) network.addEdge(visit(a), node)
    return node
  }
  for (const v of residuals) network.addEdge(visit(v), sink)
  const cut = new Set(network.cut(source, sink))
  return new Set([...nodes].flatMap(([v, node]) => (cut.has(node) ? [v] : [])))
}

// One output, computed element by element, by no function that is worth keeping the result of.
const isCheap = (equation: Equation): boolean => {
  if (equation.outputs.length !== 1 || isEffectful(equation)) return false
  const lowering = loweringOf(equation)
  return lowering.tag === 'pull' && lowering.cost !== 'expensive'
}

/** `rest: [...residuals, ...others]` as a graph of `[...kept values, ...others]`. */
export const restored = (rest: Graph, residuals: readonly Atom[], kept: Kept): Graph =>
  trace(
    'partition',
    (...inputs) => {
      const env = new Map<Var, Tensor>(kept.values.map((v, i) => [v, inputs[i]!]))
      const read = (a: Atom): Tensor => (a instanceof Literal ? a.value : env.get(a)!)
      for (const { primitive, inputs: atoms, params, outputs, origin } of kept.equations) {
        const [y] = withOrigin(origin, () => bindAny(primitive, atoms.map(read), params))
        env.set(outputs[0]!, y!)
      }
      return runGraph(rest, [...residuals.map(read), ...inputs.slice(kept.values.length)])
    },
    [...kept.values.map((v) => v.aval), ...typesOf(rest.inputs.slice(residuals.length))],
  ).graph
