/** Booleans, signs and categories. */
import {
  type DType,
  DTypeError,
  type Shape,
  ShapeError,
  Tensor,
  add,
  fill,
  isFloat,
  moveAxis,
  normalizeAxis,
  range,
  reshape,
  showAval,
  showShape,
  sizeOf,
  without,
  describeValue,
} from '@cotangent/core'
import { argmax } from '../prims/argExtremum.ts'
import { mul, sub } from '../prims/binary.ts'
import { lt } from '../prims/compare.ts'
import { convert } from '../prims/convert.ts'
import { neg } from '../prims/arithmetic.ts'
import { sort } from '../prims/sort.ts'
import { iota, slice } from '../prims/structural.ts'
import { broadcastTensor } from '../promote.ts'
import { type TailMode, gumbelOf, half } from './continuous.ts'
import { floatLimits } from './floats.ts'
import { requireKey } from './key.ts'
import { type ShapeOr, resolveOptions, sampleShape } from './options.ts'
import { parameter, uniformOf } from './uniform.ts'

export interface BernoulliOptions {
  /** The probability of true. Default 0.5. */
  readonly p?: number | Tensor
  readonly shape?: Shape
  /** `high` compares with twice as many bits. Default `'low'`. */
  readonly mode?: TailMode
}

/**
 * True with probability `p`, which may be a tensor that broadcasts to the shape.
 * @example
 * random.bernoulli(key, 0.9, [32, 256])
 */
export const bernoulli = (
  key: Tensor,
  options?: number | Tensor | ShapeOr<BernoulliOptions>,
  more?: ShapeOr<BernoulliOptions>,
): Tensor => {
  requireKey('random.bernoulli', key)
  const [moreShape, rest = {}] = resolveOptions('random.bernoulli', more, undefined)
  const further = moreShape === undefined ? rest : { ...rest, shape: moreShape }
  const given =
    typeof options === 'number' || options instanceof Tensor ? { ...further, p: options } : options
  const [wanted, o = {}] = resolveOptions('random.bernoulli', given, further)
  const { p = 0.5, mode = 'low' } = o
  const dtype = p instanceof Tensor ? p.dtype : 'float32'
  if (!isFloat(dtype)) {
    throw new DTypeError({
      operation: 'random.bernoulli',
      problem: 'p must be a float',
      got: dtype,
      fix: 'convert it with astype("float32")',
    })
  }
  const shape = sampleShape('random.bernoulli', wanted, [p])
  const probability = parameter('random.bernoulli', p, shape, dtype)
  if (mode === 'low') return lt(uniformOf(key, shape, dtype), probability)
  const both = uniformOf(key, [2, ...shape], dtype)
  const fine = mul(half(both, 1, shape), fill(shape, floatLimits(dtype).epsilon, dtype))
  return lt(fine, sub(probability, half(both, 0, shape)))
}

export interface RademacherOptions {
  readonly shape?: Shape
  /** Default int32. */
  readonly dtype?: DType
}

/** −1 or 1 with equal probability. */
export const rademacher = (
  key: Tensor,
  options?: ShapeOr<RademacherOptions>,
  more?: RademacherOptions,
): Tensor => {
  const [shape = [], o] = resolveOptions('random.rademacher', options, more)
  const dtype = o?.dtype ?? 'int32'
  const heads = convert(bernoulli(key, { p: 0.5, shape }), dtype)
  return sub(mul(fill(shape, 2, dtype), heads), fill(shape, 1, dtype))
}

export interface CategoricalOptions {
  /** The axis of the logits that holds the categories. Default −1. */
  readonly axis?: number
  /** Ends in the batch shape of the logits; the default is just that. */
  readonly shape?: Shape
  /** Without replacement the leading part of the shape holds different categories. Default true. */
  readonly replace?: boolean
  readonly mode?: TailMode
}

/**
 * Categories (int32) with probabilities `softmax(logits, axis)`, by the Gumbel-max trick.
 * @throws ShapeError where the shape does not end in the batch shape of the logits.
 */
export const categorical = (
  key: Tensor,
  logits: Tensor,
  options?: ShapeOr<CategoricalOptions>,
  more?: CategoricalOptions,
): Tensor => {
  const name = 'random.categorical'
  requireKey(name, key)
  const [given, o = {}] = resolveOptions(name, options, more)
  const { axis = -1, replace = true, mode = 'low' } = o
  if (!(logits instanceof Tensor) || !isFloat(logits.dtype)) {
    throw new DTypeError({
      operation: name,
      problem: 'logits must be a tensor of floats',
      got: logits instanceof Tensor ? showAval(logits.aval) : describeValue(logits),
      fix: 'convert them with astype("float32")',
    })
  }
  const from = normalizeAxis(name, axis, logits.ndim)
  const last = moveAxis(logits, from, logits.ndim - 1)
  const batch = without(logits.shape, [from])
  const shape = given ?? batch
  const prefix = shape.slice(0, Math.max(0, shape.length - batch.length))
  const wanted = sampleShape(name, shape, [fill(batch, 0, logits.dtype)])
  if (!replace) return withoutReplacement(key, last, prefix, batch, mode)
  const noiseShape = [
    ...prefix,
    ...insertedAt(wanted.slice(prefix.length), from, logits.shape[from]!),
  ]
  const noise = gumbelOf(key, noiseShape, logits.dtype, mode)
  return argmax(add(noise, broadcastTensor(name, logits, noiseShape)), prefix.length + from)
}

const insertedAt = (shape: Shape, position: number, extent: number): Shape => [
  ...shape.slice(0, position),
  extent,
  ...shape.slice(position),
]

const withoutReplacement = (
  key: Tensor,
  logits: Tensor,
  prefix: Shape,
  batch: Shape,
  mode: TailMode,
): Tensor => {
  const count = sizeOf(prefix)
  const categories = logits.shape.at(-1)!
  if (count > categories) {
    throw new ShapeError({
      operation: 'random.categorical',
      problem: 'there are not enough categories to draw without replacement',
      got: `${count} draws (${showShape(prefix)}) of ${categories}`,
      fix: 'draw fewer, or with replacement',
    })
  }
  const chosen = largest(add(logits, gumbelOf(key, logits.shape, logits.dtype, mode)), count)
  return reshape(moveAxis(chosen, batch.length, 0), [...prefix, ...batch])
}

/** Positions of the `count` largest elements along the last axis, largest first. */
export const largest = (x: Tensor, count: number): Tensor => {
  const axis = x.ndim - 1
  const order = sort([neg(x), iota('int32', x.shape, axis)], axis)[1]!
  return slice(
    order,
    range(x.ndim).map(() => 0),
    [...x.shape.slice(0, -1), count],
  )
}
