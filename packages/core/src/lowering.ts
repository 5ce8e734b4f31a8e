/** Looking at how an equation would be computed, without computing it. */
import type { Aval } from './aval.ts'
import { type Equation, typesOf } from './graph.ts'
import type { Source } from './loop.ts'
import type { Lowering } from './primitive.ts'
import { flatten, load } from './scalars.ts'

const sourceOf = ({ shape, dtype }: Aval, name: string): Source => ({
  shape,
  dtype,
  at: (index) => load(name, dtype, flatten(shape, index)),
})

/** The lowering of an equation over placeholder inputs. */
export const loweringOf = ({ primitive, inputs, params, outputs }: Equation): Lowering => {
  const types = { inputs: typesOf(inputs), outputs: typesOf(outputs) }
  const sources = types.inputs.map((type, i) => sourceOf(type, `in${i}`))
  return primitive.lower(sources, params, types)
}
