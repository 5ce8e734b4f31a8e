/** Asking a primitive for its lowering with sources that answer symbolically. */
import {
  type Aval,
  type Equation,
  InternalError,
  type Lowering,
  type Machine,
  type Pull,
  type Source,
  currentMachine,
  showAval,
  typesOf,
} from '@cotangent/core'

/** The lowering of an equation whose inputs are read through `pulls`. */
export const lowerEquation = (equation: Equation, pulls: readonly Pull[]): Lowering => {
  const inputs: readonly Aval[] = typesOf(equation.inputs)
  const sources: readonly Source[] = inputs.map(({ shape, dtype }, i) => ({
    shape,
    dtype,
    at: pulls[i]!,
  }))
  return equation.primitive.lower(sources, equation.params, {
    inputs,
    outputs: typesOf(equation.outputs),
  })
}

/** What a primitive's lowering promised and did not do, with the line of the user's call. */
export const brokenLowering = (
  { primitive, inputs, origin }: Equation,
  problem: string,
): InternalError =>
  new InternalError(
    { operation: primitive.name, problem, got: typesOf(inputs).map(showAval).join(', ') },
    origin.location,
  )

const neverRead: Pull = () => {
  throw new InternalError({
    operation: 'lower',
    problem: 'a lowering read an element while it was only asked for its kind',
  })
}

/** Lowerings without sources, each for one machine: every pass asks for them again. */
const kinds = new WeakMap<Equation, { readonly machine: Machine; readonly lowering: Lowering }>()

/** The lowering's tag and region, without reading any element. */
export const loweringKind = (equation: Equation): Lowering => {
  const machine = currentMachine()
  const known = kinds.get(equation)
  if (known?.machine === machine) return known.lowering
  const lowering = lowerEquation(
    equation,
    equation.inputs.map(() => neverRead),
  )
  kinds.set(equation, { machine, lowering })
  return lowering
}
