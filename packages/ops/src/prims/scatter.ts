/** Writing slices at indexed starts: replacing, multiplying, and keeping the smaller or larger. */
import {
  type MaybeZero,
  type Tensor,
  add,
  bind1,
  fill,
  isLinear,
  reshape,
  sizeOf,
  zerosLike,
} from '@cotangent/core'
import { div, max, mul, or } from './binary.ts'
import { convert } from './convert.ts'
import { eq, ne, select } from './compare.ts'
import { gatherUpdates, scatterAddP } from './gather.ts'
import { neverLinear, noDerivative } from './rules.ts'
import {
  type ScatterOptions,
  type ScatterParams,
  type ScatterPrimitive,
  product,
  scatterParams,
  scatterPrimitive,
} from './scatterRules.ts'
import { iota } from './structural.ts'

export { scatterAdd, scatterAddP } from './gather.ts'
export type { ScatterOptions, ScatterParams } from './scatterRules.ts'

/** Replacement of slices; see `scatter`. */
export const scatterP: ScatterPrimitive = scatterPrimitive({
  name: 'scatter',
  combine: () => (_, update) => update,
  op: () => null,
  jvp: ([operand, indices, updates], [dOperand, , dUpdates], params) => {
    const outputs = [bind1(scatterP, [operand, indices, updates], params)]
    const onto = dOperand ?? zerosLike(operand)
    const tangent = bind1(scatterP, [onto, indices, dUpdates ?? zerosLike(updates)], params)
    return { outputs, tangents: [tangent] }
  },
  transpose: ([ct], [operand, indices, updates], params) => [
    isLinear(operand) ? bind1(scatterP, [ct!, indices, zerosLike(updates)], params) : null,
    null,
    isLinear(updates) ? survivors(ct!, operand, indices, updates, params) : null,
  ],
})

// Where several updates meet, only the last one was kept: the others receive no cotangent.
const survivors = (
  ct: Tensor,
  operand: Tensor,
  indices: Tensor,
  updates: Tensor,
  params: ScatterParams,
): Tensor => {
  const gathered = gatherUpdates(ct, indices, params, updates.shape)
  if (writesOnce(indices, params)) return gathered
  const names = reshape(iota('int32', [updates.size], 0), updates.shape)
  const written = bind1(scatterP, [fill(operand.shape, -1, 'int32'), indices, names], params)
  const kept = eq(gatherUpdates(written, indices, params, updates.shape), names)
  return select(kept, gathered, zerosLike(gathered))
}

const writesOnce = (indices: Tensor, params: ScatterParams): boolean =>
  params.uniqueIndices || sizeOf(indices.shape.slice(0, -1)) === 1

/** Multiplication of slices; see `scatterMul`. */
export const scatterMulP: ScatterPrimitive = scatterPrimitive({
  name: 'scatterMul',
  combine: product,
  op: (dtype) => (dtype === 'bool' ? 'and' : 'multiply'),
  jvp: ([operand, indices, updates], [dOperand, , dUpdates], params) => {
    const outputs = [bind1(scatterMulP, [operand, indices, updates], params)]
    const terms: Tensor[] = []
    if (dOperand !== null) terms.push(bind1(scatterMulP, [dOperand, indices, updates], params))
    if (dUpdates !== null) {
      if (!writesOnce(indices, params)) {
        throw noDerivative(
          'scatterMul',
          'its derivative in the updates needs indices that are known to differ',
          'say uniqueIndices: true where they do, or multiply by a product that was formed before',
        )
      }
      const parts = mul(dUpdates, gatherUpdates(operand, indices, params, updates.shape))
      terms.push(bind1(scatterAddP, [zerosLike(operand), indices, parts], params))
    }
    return { outputs, tangents: [terms.reduce(add)] }
  },
  transpose: ([ct], [operand, indices, updates], params) => {
    if (isLinear(updates)) return neverLinear('scatterMul')()
    return [
      isLinear(operand) ? bind1(scatterMulP, [ct!, indices, updates], params) : null,
      null,
      null,
    ]
  },
})

const extremum = (name: string, op: 'maximum' | 'minimum'): ScatterPrimitive => {
  const primitive: ScatterPrimitive = scatterPrimitive({
    name,
    combine: () => (op === 'maximum' ? Math.max : Math.min),
    op: () => op,
    jvp: ([operand, indices, updates], [dOperand, , dUpdates], params) => {
      const output = bind1(primitive, [operand, indices, updates], params)
      return {
        outputs: [output],
        tangents: [shareAmongEquals(output, operand, indices, updates, dOperand, dUpdates, params)],
      }
    },
    transpose: neverLinear(name),
  })
  return primitive
}

// The tangents of all values that reached an element, the old one included, in equal parts.
const shareAmongEquals = (
  output: Tensor,
  operand: Tensor,
  indices: Tensor,
  updates: Tensor,
  dOperand: MaybeZero,
  dUpdates: MaybeZero,
  params: ScatterParams,
): Tensor => {
  const { dtype } = operand
  const gatherBack = (x: Tensor): Tensor => gatherUpdates(x, indices, params, updates.shape)
  // An untouched NaN differs from itself, and is still the old value.
  const kept = convert(or(eq(operand, output), ne(operand, operand)), dtype)
  const reached = convert(eq(updates, gatherBack(output)), dtype)
  const contenders = bind1(scatterAddP, [kept, indices, reached], params)
  const share = div(fill(operand.shape, 1, dtype), max(contenders, fill(operand.shape, 1, dtype)))
  const fromOperand = dOperand === null ? zerosLike(operand) : mul(dOperand, mul(kept, share))
  if (dUpdates === null) return fromOperand
  const parts = mul(dUpdates, mul(reached, gatherBack(share)))
  return bind1(scatterAddP, [fromOperand, indices, parts], params)
}

/** Minimum with slices; see `scatterMin`. */
export const scatterMinP: ScatterPrimitive = extremum('scatterMin', 'minimum')
/** Maximum with slices; see `scatterMax`. */
export const scatterMaxP: ScatterPrimitive = extremum('scatterMax', 'maximum')

/**
 * `operand` with slices replaced by `updates`. Of several updates of one element the last one, in
 * row-major order of the indices, stays; so does only its derivative.
 * @throws ShapeError where the dimension numbers do not fit, DTypeError for differing dtypes.
 * @example
 * // rows 4 and 0 of a [5, 3] matrix replaced
 * scatter(x, tensor([[4], [0]], { dtype: 'int32' }), rows, { updateWindowDims: [1], insertedWindowDims: [0], scatterDimsToOperandDims: [0] })
 */
export const scatter = (
  operand: Tensor,
  indices: Tensor,
  updates: Tensor,
  options: ScatterOptions,
): Tensor => bind1(scatterP, [operand, indices, updates], scatterParams(options))

/**
 * `operand` with slices multiplied by `updates`; equal indices multiply repeatedly.
 * Differentiating in the updates needs `uniqueIndices`. @throws UnsupportedError otherwise.
 */
export const scatterMul = (
  operand: Tensor,
  indices: Tensor,
  updates: Tensor,
  options: ScatterOptions,
): Tensor => bind1(scatterMulP, [operand, indices, updates], scatterParams(options))

/** The smaller of the element and its updates; equal ones share the derivative. */
export const scatterMin = (
  operand: Tensor,
  indices: Tensor,
  updates: Tensor,
  options: ScatterOptions,
): Tensor => bind1(scatterMinP, [operand, indices, updates], scatterParams(options))

/** The larger of the element and its updates; equal ones share the derivative. */
export const scatterMax = (
  operand: Tensor,
  indices: Tensor,
  updates: Tensor,
  options: ScatterOptions,
): Tensor => bind1(scatterMaxP, [operand, indices, updates], scatterParams(options))
