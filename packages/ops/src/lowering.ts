/** Looking at how an equation would be computed, without computing it. */
import {
  type Aval,
  type Equation,
  type Lowering,
  type Source,
  scalars,
  typesOf,
} from '@cotangent/core'

const sourceOf = ({ shape, dtype }: Aval, name: string): Source => ({
  shape,
  dtype,
  at: (index) => scalars.load(name, dtype, scalars.flatten(shape, index)),
})

/** The lowering of an equation over placeholder inputs. */
export const loweringOf = ({ primitive, inputs, params, outputs }: Equation): Lowering => {
  const types = { inputs: typesOf(inputs), outputs: typesOf(outputs) }
  const sources = types.inputs.map((type, i) => sourceOf(type, `in${i}`))
  return primitive.lower(sources, params, types)
}
