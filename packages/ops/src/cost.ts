/** What a function costs, read off its graph: nothing is run. */
import {
  type Aval,
  type Buffer,
  type Equation,
  type Graph,
  type Index,
  type Lowering,
  type Region,
  type Scalar,
  type Stmt,
  type TypesOnly,
  dtypeInfo,
  isFloat,
  makeIR,
  range,
  scalars,
  sizeOf,
  trace,
  typesOf,
  loweringOf,
} from '@cotangent/core'
import { multiplyAddsOf } from './multiplyAdds.ts'

export interface FunctionCost {
  /** Of matrix products and convolutions, padding included. */
  readonly multiplyAdds: number
  /**
   * Floating point operations: additions, products, and calls such as `exp`, one each; products and
   * convolutions as they are defined, however few they get by with. A loop counts as often as it runs
   * (a while loop, whose steps are not known, once), a branch as its dearest one.
   */
  readonly flops: number
  /** Bytes read and written by the operations one by one; fusion makes it less. */
  readonly bytes: number
  /** Elements of the first argument: the parameters, where a model is called `f(params, …)`. */
  readonly parameters: number
}

type Cost = Omit<FunctionCost, 'parameters'>

/**
 * The cost of `f` at arguments of these types (tensors, or `{ shape, dtype }`).
 * @example
 * costOf((w: Tensor, x: Tensor) => w.matmul(x))({ shape: [8, 4], dtype: 'float32' }, { shape: [4, 2], dtype: 'float32' })
 * // { multiplyAdds: 64, flops: 128, bytes: 224, parameters: 32 }
 */
export const costOf =
  <A extends readonly unknown[]>(f: (...args: A) => unknown) =>
  (...args: { readonly [K in keyof A]: TypesOnly<A[K]> }): FunctionCost => {
    const first = makeIR((x: unknown) => x)(args[0] ?? null).graph
    const parameters = typesOf(first.inputs).reduce((n, { shape }) => n + sizeOf(shape), 0)
    return Object.freeze({ ...costOfGraph(makeIR(f)(...args).graph), parameters })
  }

const nothing: Cost = { multiplyAdds: 0, flops: 0, bytes: 0 }

const sum = (costs: readonly Cost[]): Cost => ({
  multiplyAdds: costs.reduce((n, c) => n + c.multiplyAdds, 0),
  flops: costs.reduce((n, c) => n + c.flops, 0),
  bytes: costs.reduce((n, c) => n + c.bytes, 0),
})

const times = (n: number, { multiplyAdds, flops, bytes }: Cost): Cost => ({
  multiplyAdds: n * multiplyAdds,
  flops: n * flops,
  bytes: n * bytes,
})

const costOfGraph = (graph: Graph): Cost => sum(graph.equations.map(costOfEquation))

const bytesOf = ({ shape, dtype }: Aval): number => sizeOf(shape) * dtypeInfo[dtype].bytes

const countersOf = (shape: readonly number[], name: string): readonly Index[] =>
  shape.map((extent, d) => scalars.counter(`${name}${d}`, extent))

const costOfEquation = (equation: Equation): Cost => {
  const types = { inputs: typesOf(equation.inputs), outputs: typesOf(equation.outputs) }
  const bytes = [...types.inputs, ...types.outputs].reduce((n, type) => n + bytesOf(type), 0)
  const multiplyAdds = multiplyAddsOf(equation)
  if (multiplyAdds !== null) return { multiplyAdds, flops: 2 * multiplyAdds, bytes }
  const lowering = loweringOf(equation)
  if (lowering.tag === 'region') return costOfRegion(lowering.region)
  if (lowering.tag === 'expand') {
    const { expand } = lowering
    return costOfGraph(trace('costOf', (...xs) => expand(xs), types.inputs).graph)
  }
  return { ...nothing, flops: flopsOf(lowering, types.inputs, types.outputs), bytes }
}

const flopsOf = (
  lowering: Exclude<Lowering, { readonly tag: 'region' | 'expand' }>,
  inputs: readonly Aval[],
  outputs: readonly Aval[],
): number => {
  const shape = outputs[0]?.shape ?? []
  if (lowering.tag === 'pull') {
    const index = countersOf(shape, 'i')
    return sizeOf(shape) * operations(lowering.outputs.map((pull) => pull(index)))
  }
  if (lowering.tag === 'reduce') {
    const { extents, accumulators, step, finish } = lowering.reduction
    const values = accumulators.map(({ dtype }, i) => scalars.local(dtype, `acc${i}`))
    const next = step(values, countersOf(shape, 'i'), countersOf(extents, 'k'))
    return sizeOf(shape) * (sizeOf(extents) * operations(next) + operations(finish(values)))
  }
  const buffers = (types: readonly Omit<Aval, 'weak'>[], name: string): readonly Buffer[] =>
    types.map(({ shape: extents, dtype }, i) => ({ name: `${name}${i}`, shape: extents, dtype }))
  const [given, scratch] = [buffers(inputs, 'in'), buffers(lowering.scratch, 'scratch')]
  if (lowering.tag === 'routine') {
    return flopsOfStatements(lowering.emit(given, buffers(outputs, 'out'), scratch))
  }
  const body = lowering.emit(given, scratch, (_, value) => [{ tag: 'let', name: 'element', value }])
  return flopsOfStatements(body)
}

const flopsOfStatements = (body: readonly Stmt[]): number =>
  body.reduce((n, statement) => n + flopsOfStatement(statement), 0)

const flopsOfStatement = (s: Stmt): number => {
  switch (s.tag) {
    case 'comment':
      return 0
    case 'for':
      return Math.ceil(s.extent / (s.step ?? 1)) * flopsOfStatements(s.body)
    case 'while':
      return flopsOfStatements(s.body)
    case 'if':
      return Math.max(flopsOfStatements(s.then), flopsOfStatements(s.otherwise))
    case 'let':
    case 'variable':
    case 'assign':
    case 'store':
      return operations([s.value])
    default:
      return s satisfies never
  }
}

// Operations of an expression; a value that is used twice is computed once.
const operations = (values: readonly Scalar[]): number => {
  const seen = new Set<Scalar>()
  const visit = (s: Scalar): number => {
    if (seen.has(s)) return 0
    seen.add(s)
    const own = isFloat(s.dtype) ? 1 : 0
    switch (s.tag) {
      case 'literal':
      case 'load':
      case 'local':
      case 'within':
      case 'fromIndex':
        return 0
      case 'unary':
        return own + visit(s.x)
      case 'binary':
        return own + visit(s.x) + visit(s.y)
      case 'compare':
        return visit(s.x) + visit(s.y)
      case 'select':
        return visit(s.condition) + visit(s.onTrue) + visit(s.onFalse)
      case 'guard':
        return visit(s.condition) + visit(s.value) + visit(s.otherwise)
      case 'convert':
      case 'bitcast':
      case 'across':
        return visit(s.x)
      default:
        return s satisfies never
    }
  }
  return values.reduce((n, s) => n + visit(s), 0)
}

const costOfRegion = (region: Region): Cost => {
  switch (region.kind) {
    case 'call':
      return costOfGraph(region.graph)
    case 'scan':
      return times(region.length, costOfGraph(region.body))
    case 'while':
      return sum([costOfGraph(region.condition), costOfGraph(region.body)])
    case 'branch': {
      const costs = region.branches.map(costOfGraph)
      return range(costs.length).reduce(
        (most, i) => (costs[i]!.flops > most.flops ? costs[i]! : most),
        costs[0]!,
      )
    }
    case 'host':
      return nothing
    default:
      return region satisfies never
  }
}
