/**
 * Splitting a graph in two: what its known inputs decide, and the rest. The second half is traced
 * as a graph of its own; the values that it reads from the first are what it closes over.
 */
import { type Atom, type Equation, type Graph, Literal, type Var, isEffectful } from '../graph.ts'
import { type Split, wholeEquation } from '../primitive.ts'
import type { Tensor } from '../tensor.ts'
import { type Traced, bindAny, trace, withOrigin } from '../trace.ts'

export interface Partitioned {
  /** Values of everything that the known inputs decide. */
  readonly known: ReadonlyMap<Var, Tensor>
  /** For each output of the graph: does it depend on an unknown input? */
  readonly unknownOutputs: readonly boolean[]
  /** Known values that take no input to make: the second half makes them again, at no memory. */
  readonly constants: ReadonlyMap<Var, Equation>
  /** `[...residuals, ...unknown inputs]` to the unknown outputs; its captures are the residuals. */
  readonly rest: Traced
}

/** An equation of the second half, or the second half of a split one. */
interface Step {
  readonly equation: Equation
  readonly split: Split | null
}

/** Runs the known half of `graph` through `bind` and traces the rest. `inputs[i]` is null where unknown. */
export const partitionGraph = (
  transform: string,
  graph: Graph,
  inputs: readonly (Tensor | null)[],
): Partitioned => {
  const known = new Map<Var, Tensor>()
  const unknown = new Set<Var>()
  graph.inputs.forEach((v, i) => {
    const x = inputs[i]!
    if (x === null) unknown.add(v)
    else known.set(v, x)
  })
  const unknownInputs = graph.inputs.filter((v) => unknown.has(v))
  const steps = runKnown(graph, known, unknown)
  const unknownOutputs = graph.outputs.map((a) => !(a instanceof Literal) && unknown.has(a))
  const constants = new Map(
    graph.equations.flatMap((e) => (isConstant(e) ? [[e.outputs[0]!, e]] : [])),
  )
  const rest = trace(
    transform,
    (...values) => {
      const env = new Map<Var, Tensor>(known)
      for (const v of constants.keys()) env.delete(v)
      const read = (a: Atom): Tensor => {
        if (a instanceof Literal) return a.value
        const value = env.get(a) ?? remade({ constants }, a)!
        env.set(a, value)
        return value
      }
      unknownInputs.forEach((v, i) => env.set(v, values[i]!))
      for (const step of steps) runUnknown(step, env, read, unknown)
      return graph.outputs.flatMap((a) =>
        a instanceof Literal || !unknown.has(a) ? [] : [env.get(a)!],
      )
    },
    unknownInputs.map((v) => v.aval),
  )
  return { known, unknownOutputs, constants, rest }
}

const isConstant = (equation: Equation): boolean =>
  equation.inputs.length === 0 && equation.outputs.length === 1 && !isEffectful(equation)

/** A constant of a partitioned graph made once more; undefined for anything else. */
export const remade = (
  { constants }: Pick<Partitioned, 'constants'>,
  v: Var,
): Tensor | undefined => {
  const equation = constants.get(v)
  if (equation === undefined) return undefined
  return withOrigin(equation.origin, () => bindAny(equation.primitive, [], equation.params)[0])
}

/** The known outputs of a partitioned graph, in order. */
export const knownOutputs = (
  graph: Graph,
  { known, unknownOutputs }: Partitioned,
): readonly Tensor[] =>
  graph.outputs.flatMap((a, i) => {
    if (unknownOutputs[i]!) return []
    return [a instanceof Literal ? a.value : known.get(a)!]
  })

// Binds every equation that no unknown reaches; collects the others in order.
const runKnown = (graph: Graph, known: Map<Var, Tensor>, unknown: Set<Var>): readonly Step[] => {
  const steps: Step[] = []
  for (const equation of graph.equations) {
    const { primitive, inputs, params, outputs, origin } = equation
    const values = inputs.map((a) => (a instanceof Literal ? a.value : (known.get(a) ?? null)))
    withOrigin(origin, () => {
      if (values.every((x) => x !== null)) {
        const ys = bindAny(primitive, values, params)
        outputs.forEach((v, i) => known.set(v, ys[i]!))
      } else if (primitive.partition === wholeEquation) {
        for (const v of outputs) unknown.add(v)
        steps.push({ equation, split: null })
      } else {
        const split = primitive.partition(
          values,
          inputs.map((a) => a.aval),
          params,
        )
        let next = 0
        outputs.forEach((v, i) => {
          if (split.linearOutputs[i]!) unknown.add(v)
          else known.set(v, split.known.outputs[next++]!)
        })
        steps.push({ equation, split })
      }
    })
  }
  return steps
}

const runUnknown = (
  { equation, split }: Step,
  env: Map<Var, Tensor>,
  read: (atom: Atom) => Tensor,
  unknown: ReadonlySet<Var>,
): void => {
  const { primitive, inputs, params, outputs, origin } = equation
  withOrigin(origin, () => {
    if (split === null) {
      bindAny(primitive, inputs.map(read), params).forEach((y, i) => env.set(outputs[i]!, y))
      return
    }
    const rest = inputs.flatMap((a) =>
      a instanceof Literal || !unknown.has(a) ? [] : [env.get(a)!],
    )
    const ys = split.linear(split.known.residuals, rest)
    outputs.filter((_, i) => split.linearOutputs[i]!).forEach((v, i) => env.set(v, ys[i]!))
  })
}
