/**
 * What the derivative of a window maximum needs: tangents gathered from, and cotangents scattered
 * to, the first largest (or smallest) element of every window.
 */
import {
  type Aval,
  type BatchRule,
  DTypeError,
  type NDArray,
  type Primitive,
  type Shape,
  ShapeError,
  type Tensor,
  alignBatch,
  aval,
  bind1,
  definePrimitive,
  makeArray,
  nonlinear,
  sameShape,
  showAval,
  wholeEquation,
  zero,
} from '@cotangent/core'
import {
  type GatherSlots,
  type ScatterSlots,
  type SelectOptions,
  type SelectParams,
  lowerGather,
  lowerScatter,
} from './selectLowering.ts'

export type { SelectOptions } from './selectLowering.ts'
import { alongAxes, forEachWindow, movingAxes, splitAxes } from './windowLoops.ts'
import { batchedWindowing, checkWindowing, fullWindowing, windowOutputShape } from './windows.ts'

// `first` has the shape of the operand (tangents) or of the windows (source).
const checkTypes = (
  name: string,
  first: Aval,
  operand: Aval,
  params: SelectParams,
  wanted: Shape,
): void => {
  if (operand.dtype === 'complex64' || first.dtype === 'bool') {
    throw new DTypeError({
      operation: name,
      problem: 'the dtypes cannot be compared or added',
      got: `${showAval(first)} and ${showAval(operand)}`,
      fix: 'convert both to one float or integer dtype',
    })
  }
  if (sameShape(first.shape, wanted)) return
  throw new ShapeError({
    operation: name,
    problem: 'the shapes do not fit the windows',
    got: `${showAval(first)} and operand ${showAval(operand)}, window [${params.window.join(',')}]`,
    want: `[${wanted.join(',')}] beside the operand`,
    fix: 'give it the shape that the windows have',
  })
}

/**
 * Calls `found` with the flat positions of every window and of its chosen element. A window that
 * covers padding only has none. An element replaces the choice where the choice is not at least as
 * good, so the first of equals stays and a NaN gives way to what follows it, as in XLA.
 */
const eachChoice = (
  operand: NDArray,
  windows: Shape,
  params: SelectParams,
  found: (window: number, element: number) => void,
): void => {
  const blocks = splitAxes(operand.shape, windows, movingAxes(params))
  const shape = blocks.moving.map((d) => operand.shape[d]!)
  const { data } = operand
  const sign = params.select === 'max' ? 1 : -1
  forEachWindow(
    shape,
    blocks.inStrides,
    alongAxes(params, blocks.moving),
    (position, { count, offsets }) => {
      if (count === 0) return
      for (let b = 0; b < blocks.inBases.length; b++) {
        const base = blocks.inBases[b]!
        let chosen = base + offsets[0]!
        let best = sign * data[chosen]!
        for (let t = 1; t < count; t++) {
          const value = sign * data[base + offsets[t]!]!
          if (best >= value) continue
          best = value
          chosen = base + offsets[t]!
        }
        found(blocks.outBases[b]! + blocks.outOffsets[position]!, chosen)
      }
    },
  )
}

const batchOf =
  <S extends GatherSlots | ScatterSlots>(
    run: (first: Tensor, operand: Tensor, params: SelectParams) => Tensor,
  ): BatchRule<S, SelectParams> =>
  (inputs, dims, params, { size }) => {
    const [first, operand] = alignBatch([...inputs], [...dims], size)
    return {
      outputs: [run(first!, operand!, { select: params.select, ...batchedWindowing(params) })],
      dims: [0],
    }
  }

/** Tangents at the chosen elements; see `selectAndGatherAdd`. */
export const selectAndGatherAddP: Primitive<GatherSlots, SelectParams> = definePrimitive({
  name: 'selectAndGatherAdd',
  slots: ['tangents', 'operand'],
  typing: ([tangents, operand], params) => {
    checkWindowing('selectAndGatherAdd', operand.shape, params)
    checkTypes('selectAndGatherAdd', tangents, operand, params, operand.shape)
    return [aval(windowOutputShape(operand.shape, params), tangents.dtype, tangents.weak)]
  },
  evaluate: ([tangents, operand], params, types) => {
    const out = makeArray(types[0]!)
    eachChoice(operand, out.shape, params, (window, element) => {
      out.data[window] = tangents.data[element]!
    })
    return [out]
  },
  jvp: {
    tangents: (d, [, operand], _, params) => selectAndGatherAdd(d, operand, params),
    operand: zero,
  },
  transpose: {
    tangents: (ct, [, operand], params) => selectAndScatterAdd(ct, operand, params),
    operand: nonlinear,
  },
  partition: wholeEquation,
  batch: batchOf<GatherSlots>((t, x, params) => selectAndGatherAdd(t, x, params)),
  lower: lowerGather,
  effectful: false,
})

/** Cotangents added at the chosen elements; see `selectAndScatterAdd`. */
export const selectAndScatterAddP: Primitive<ScatterSlots, SelectParams> = definePrimitive({
  name: 'selectAndScatterAdd',
  slots: ['source', 'operand'],
  typing: ([source, operand], params) => {
    checkWindowing('selectAndScatterAdd', operand.shape, params)
    checkTypes(
      'selectAndScatterAdd',
      source,
      operand,
      params,
      windowOutputShape(operand.shape, params),
    )
    return [aval(operand.shape, source.dtype, source.weak)]
  },
  evaluate: ([source, operand], params, types) => {
    const out = makeArray(types[0]!)
    eachChoice(operand, source.shape, params, (window, element) => {
      out.data[element] = out.data[element]! + source.data[window]!
    })
    return [out]
  },
  jvp: {
    source: (d, [, operand], _, params) => selectAndScatterAdd(d, operand, params),
    operand: zero,
  },
  transpose: {
    source: (ct, [, operand], params) => selectAndGatherAdd(ct, operand, params),
    operand: nonlinear,
  },
  partition: wholeEquation,
  batch: batchOf<ScatterSlots>((s, x, params) => selectAndScatterAdd(s, x, params)),
  lower: lowerScatter,
  effectful: false,
})

/**
 * For each window of `operand`, the element of `tangents` at the first maximum (or minimum). Zero
 * for windows that cover padding only.
 */
export const selectAndGatherAdd = (
  tangents: Tensor,
  operand: Tensor,
  options: SelectOptions,
): Tensor => bind1(selectAndGatherAddP, [tangents, operand], selectParams(options))

/**
 * Adds each element of `source`, one for each window, to where that window of `operand` has its
 * first maximum (or minimum): the gradient of max pooling. The result has `operand`'s shape.
 */
export const selectAndScatterAdd = (
  source: Tensor,
  operand: Tensor,
  options: SelectOptions,
): Tensor => bind1(selectAndScatterAddP, [source, operand], selectParams(options))

const selectParams = (options: SelectOptions): SelectParams => ({
  select: options.select,
  ...fullWindowing(options),
})
