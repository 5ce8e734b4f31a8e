/** Transposition of a linear graph: cotangents of its outputs to cotangents of its inputs. */
import { type Aval, showAval } from '../aval.ts'
import { InternalError } from '../errors.ts'
import { type Atom, type Equation, type Graph, Literal, type Var } from '../graph.ts'
import { addMaybe } from '../prims/add.ts'
import { type MaybeZero, type NonLinear, type TransposeTerm, nonlinear } from '../primitive.ts'
import { type Concrete, Tensor } from '../tensor.ts'
import { bindAny, withOrigin } from '../trace.ts'

/** Stands for a linear input in transpose rules: it has a type, and no value. */
export class LinearInput extends Tensor {
  readonly aval: Aval
  constructor(aval: Aval) {
    super()
    this.aval = aval
  }
  concrete(operation: string): Concrete {
    throw new InternalError({
      operation,
      problem: 'a transpose rule read the value of a linear input',
    })
  }
  override toString(): string {
    return `LinearInput<${showAval(this.aval)}>`
  }
}

export const isLinear = (x: Tensor): x is LinearInput => x instanceof LinearInput

/**
 * Runs `graph` backwards. `inputs[i]` is the value of a nonlinear input, or null for a linear one.
 * Equations that no linear input reaches are run forwards first. Gives a cotangent for each
 * linear input, in order; null is a symbolic zero.
 */
export const transposeGraph = (
  graph: Graph,
  inputs: readonly (Tensor | null)[],
  cotangents: readonly MaybeZero[],
): readonly MaybeZero[] => {
  const values = new Map<Var, Tensor>()
  graph.inputs.forEach((v, i) => {
    const x = inputs[i]!
    if (x !== null) values.set(v, x)
  })
  const read = (atom: Atom): Tensor =>
    atom instanceof Literal ? atom.value : (values.get(atom) ?? new LinearInput(atom.aval))

  const linear: Equation[] = []
  for (const equation of graph.equations) {
    const { primitive, inputs: atoms, params, outputs, origin } = equation
    const xs = atoms.map(read)
    if (xs.some(isLinear)) linear.push(equation)
    else {
      const ys = withOrigin(origin, () => bindAny(primitive, xs, params))
      outputs.forEach((v, i) => values.set(v, ys[i]!))
    }
  }

  const cotangentOf = new Map<Var, Tensor>()
  const accumulate = (atom: Atom, ct: MaybeZero): void => {
    if (ct === null || atom instanceof Literal || values.has(atom)) return
    const sum = addMaybe(cotangentOf.get(atom) ?? null, ct)
    if (sum !== null) cotangentOf.set(atom, sum)
  }
  graph.outputs.forEach((atom, i) => accumulate(atom, cotangents[i]!))

  for (const equation of linear.toReversed()) {
    const cts = equation.outputs.map((v) => cotangentOf.get(v) ?? null)
    for (const v of equation.outputs) cotangentOf.delete(v)
    if (cts.every((ct) => ct === null)) continue
    withOrigin(equation.origin, () => {
      const results = transposeEquation(equation, equation.inputs.map(read), cts)
      results.forEach((ct, i) => accumulate(equation.inputs[i]!, ct))
    })
  }
  return graph.inputs.flatMap((v, i) => (inputs[i] === null ? [cotangentOf.get(v) ?? null] : []))
}

type SlotTerms = Readonly<Record<string, TransposeTerm<readonly string[], unknown> | NonLinear>>

const transposeEquation = (
  { primitive, params, outputs, inputs }: Equation,
  xs: readonly Tensor[],
  cts: readonly MaybeZero[],
): readonly MaybeZero[] => {
  if (typeof primitive.transpose === 'function') {
    const types = { inputs: inputs.map((a) => a.aval), outputs: outputs.map((v) => v.aval) }
    return primitive.transpose(cts, xs, params, types)
  }
  const rules: SlotTerms = primitive.transpose
  return primitive.slots.map((slot: string, i: number) => {
    const x = xs[i]!
    if (!isLinear(x)) return null
    const rule = rules[slot]
    const ct = cts[0]
    if (rule === undefined || ct === null || ct === undefined) return null
    if (rule === nonlinear) {
      throw new InternalError({
        operation: primitive.name,
        problem: `its input ${slot} cannot be linear`,
        fix: 'reverse mode needs a function that is differentiable in this input',
      })
    }
    return rule(ct, xs, params, x.aval)
  })
}
