/** `whileLoop`: steps until a condition on the carry fails. */
import {
  type Aval,
  DTypeError,
  type Structure,
  type Tensor,
  bind,
  erase,
  listStructure,
  showAval,
  traceTree,
  typesOf,
  unflatten,
} from '@cotangent/core'
import { castCarry, settleCarry } from './carry.ts'
import { type Like, type Tensors, flattenTensors, typesOfTensors } from './trees.ts'
import { whileP } from './whilePrimitive.ts'

const requireCondition = (structure: Structure, types: readonly Aval[]): void => {
  const [type] = types
  if (structure.tag === 'leaf' && type?.dtype === 'bool' && type.shape.length === 0) return
  throw new DTypeError({
    operation: 'whileLoop',
    problem: 'the condition returns one boolean',
    got: types.length === 0 ? 'nothing' : types.map(showAval).join(', '),
    want: 'bool[]',
    fix: 'compare to get a bool, and reduce it with all() or any()',
  })
}

/**
 * `carry = body(carry)` while `condition(carry)` holds; returns the last carry, a tree. The number
 * of steps may depend on values, so forward mode goes through and reverse mode does not. Under
 * vmap the loop runs until every example is done.
 * @throws DTypeError when the condition is no boolean scalar; TreeError, ShapeError or DTypeError
 * where the body changes the carry; UnsupportedError in reverse mode.
 * @example
 * whileLoop((x) => x.less(100), (x) => x.mul(2), 3) // 192
 */
export const whileLoop = <const C>(
  condition: (carry: Tensors<C>) => Tensor | boolean,
  body: (carry: Tensors<C>) => Like<C>,
  init: C,
): Tensors<C> => {
  const start = flattenTensors(init, 'whileLoop')
  const argument = listStructure([start.structure])
  const { types, result } = settleCarry(
    'whileLoop',
    start.structure,
    typesOfTensors(start.leaves),
    (carryTypes) => {
      const traced = traceTree('whileLoop', erase(body), argument, carryTypes)
      return { traced, structure: traced.structure, types: typesOf(traced.graph.outputs) }
    },
  )
  const asked = traceTree('whileLoop', erase(condition), argument, types)
  requireCondition(asked.structure, typesOf(asked.graph.outputs))
  const { traced } = result
  const carry = castCarry(start.leaves, types)
  const outputs = bind(whileP, [...asked.captures, ...traced.captures, ...carry], {
    condition: asked.graph,
    body: traced.graph,
    conditionConstants: asked.captures.length,
    bodyConstants: traced.captures.length,
  })
  return unflatten(start.structure, outputs)
}
