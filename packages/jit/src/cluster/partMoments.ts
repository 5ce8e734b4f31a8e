/**
 * Moments part by part: what a kernel can say of a slab of its results while that is in a cache. A slab is some
 * rows of one image in one channel; each has its mean, the sum of deviations from that (which is what
 * rounding took from the mean), and the sum of their squares.
 *
 * With them Σ(x − m)² is, for any m, a sum of terms none of which is negative (Chan, Golub and LeVeque 1979,
 * Updating formulae and a pairwise algorithm for computing sample variances): no digits cancel.
 *
 * These equations come after differentiation, when kernels are made.
 */
import {
  type Aval,
  type Equation,
  InternalError,
  type NDArray,
  type Primitive,
  type Scalar,
  type Shape,
  definePrimitive,
  makeArray,
  range,
  scalars,
  sizeOf,
  wholeEquation,
} from '@cotangent/core'
import { loopOver } from '../loops/vector/nest.ts'
import { slabMoments } from './slabMoments.ts'

const { binaryOp, convertTo, literal, unflatten } = scalars

/** `rows` of the third axis are a slab; they divide it. */
export interface PartMoments {
  readonly rows: number
}

/** How many slabs `[images, channels, rows, …]` falls into, and how many elements each has. */
export const partsOf = (
  shape: Shape,
  rows: number,
): { readonly parts: number; readonly terms: number } => ({
  parts: (shape[0]! * shape[2]!) / rows,
  terms: rows * sizeOf(shape.slice(3)),
})

const afterTransforms = (): never => {
  throw new InternalError({
    operation: 'moments',
    problem: 'a transform met an equation that only the compiler makes',
  })
}

/** `[means, deviations, squares]`, each `[channels, parts]`, of `x: [images, channels, rows, …]`. */
export const partMomentsP: Primitive<readonly ['x'], PartMoments> = definePrimitive({
  name: 'moments',
  slots: ['x'],
  typing: ([x], { rows }) => {
    const { parts } = partsOf(x.shape, rows)
    const type: Aval = { shape: [x.shape[1]!, parts], dtype: x.dtype, weak: false }
    return [type, type, type]
  },
  evaluate: ([x], { rows }, types) => evaluateParts(x, rows, types),
  jvp: afterTransforms,
  transpose: afterTransforms,
  partition: wholeEquation,
  batch: afterTransforms,
  lower: ([{ shape }], { rows }) => ({
    tag: 'routine',
    scratch: [],
    inPlace: [null, null, null],
    emit: ([x], [means, deviations, squares]) => {
      const { parts } = partsOf(shape, rows)
      const to = { means: means!.name, deviations: deviations!.name, squares: squares!.name }
      const body = slabMoments({ x: x!.name, shape, rows, ...to }, scalars.counter('slab', parts))
      return [loopOver('slab', parts, body, true)]
    },
  }),
  effectful: false,
})

const evaluateParts = (
  { data, shape }: NDArray,
  rows: number,
  types: readonly Aval[],
): readonly NDArray[] => {
  const { parts, terms } = partsOf(shape, rows)
  const [channels, inImage] = [shape[1]!, shape[2]! / rows]
  const out = types.map((type) => makeArray(type))
  for (let c = 0; c < channels; c++) {
    for (let part = 0; part < parts; part++) {
      const image = Math.floor(part / inImage)
      const start = ((image * channels + c) * inImage + (part % inImage)) * terms
      let sum = 0
      for (let k = 0; k < terms; k++) sum += data[start + k]!
      const mean = Math.fround(sum / terms)
      let [deviations, squares] = [0, 0]
      for (let k = 0; k < terms; k++) {
        const deviation = data[start + k]! - mean
        deviations += deviation
        squares += deviation * deviation
      }
      for (const [n, value] of [mean, deviations, squares].entries()) {
        out[n]!.data[c * parts + part] = value
      }
    }
  }
  return out
}

/** How many elements each part has. */
export interface Combining {
  readonly terms: number
}

/** The sums of all elements, `[channels]`. */
export const sumOfPartsP: Primitive<readonly ['means', 'deviations'], Combining> = definePrimitive({
  name: 'sumOfMoments',
  slots: ['means', 'deviations'],
  typing: ([means]) => [{ ...means, shape: means.shape.slice(0, 1) }],
  evaluate: ([means, deviations], { terms }, types) => [
    combined(means, types[0]!, (at) => terms * means.data[at]! + deviations.data[at]!),
  ],
  jvp: afterTransforms,
  transpose: afterTransforms,
  partition: wholeEquation,
  batch: afterTransforms,
  lower: ([means, deviations], { terms }) => ({
    tag: 'reduce',
    reduction: {
      extents: means.shape.slice(1),
      accumulators: [{ dtype: 'float64', initial: 0 }],
      step: ([sum], [c], [part]) => {
        const mean = convertTo('float64', means.at([c!, part!]))
        const all = binaryOp('multiply', mean, literal('float64', terms))
        return [
          binaryOp(
            'add',
            sum!,
            binaryOp('add', all, convertTo('float64', deviations.at([c!, part!]))),
          ),
        ]
      },
      finish: ([sum]) => [convertTo(means.dtype, sum!)],
    },
  }),
  effectful: false,
})

type DeviationSlots = readonly ['means', 'deviations', 'squares', 'centre']

/** What is squared: x − centre or x + centre. */
export interface Squaring extends Combining {
  readonly op: 'subtract' | 'add'
}

/** Σ(x ∓ centre)², `[channels]`; `centre` has an element for each channel, in any shape. */
export const squaresOfPartsP: Primitive<DeviationSlots, Squaring> = definePrimitive({
  name: 'squaresOfMoments',
  slots: ['means', 'deviations', 'squares', 'centre'],
  typing: ([means]) => [{ ...means, shape: means.shape.slice(0, 1) }],
  evaluate: ([means, deviations, squares, centre], { terms, op }, types) => [
    combined(means, types[0]!, (at, c) => {
      const apart = means.data[at]! + (op === 'add' ? centre.data[c]! : -centre.data[c]!)
      return squares.data[at]! + apart * (2 * deviations.data[at]! + terms * apart)
    }),
  ],
  jvp: afterTransforms,
  transpose: afterTransforms,
  partition: wholeEquation,
  batch: afterTransforms,
  lower: ([means, deviations, squares, centre], { terms, op }) => ({
    tag: 'reduce',
    reduction: {
      extents: means.shape.slice(1),
      accumulators: [{ dtype: 'float64', initial: 0 }],
      step: ([sum], [c], [part]) => {
        const at = [c!, part!]
        const { dtype } = means
        const apart = binaryOp(op, means.at(at), centre.at(unflatten(centre.shape, c!)))
        const twice = binaryOp('multiply', deviations.at(at), literal(dtype, 2))
        const all = binaryOp('multiply', apart, literal(dtype, terms))
        const moved = binaryOp('multiply', apart, binaryOp('add', twice, all))
        const term = binaryOp('add', squares.at(at), moved)
        return [binaryOp('add', sum!, convertTo('float64', notNegative(term)))]
      },
      finish: ([sum]) => [convertTo(means.dtype, sum!)],
    },
  }),
  effectful: false,
})

// A sum of squares; rounding may say otherwise where all are next to nothing.
const notNegative = (x: Scalar): Scalar => binaryOp('maximum', x, literal(x.dtype, 0))

const combined = (
  { shape }: NDArray,
  type: Aval,
  term: (at: number, channel: number) => number,
): NDArray => {
  const out = makeArray(type)
  const [channels, parts] = [shape[0]!, shape[1]!]
  for (const c of range(channels)) {
    out.data[c] = range(parts).reduce((sum, part) => sum + term(c * parts + part, c), 0)
  }
  return out
}

/** What the moments of an equation are of; null for any other equation. */
export const partMomentsIn = ({ primitive, params }: Equation): PartMoments | null =>
  primitive === partMomentsP && hasRows(params) ? params : null

const hasRows = (params: unknown): params is PartMoments =>
  typeof params === 'object' &&
  params !== null &&
  'rows' in params &&
  typeof params.rows === 'number'
