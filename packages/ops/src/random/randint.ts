/** Uniform integers. */
import {
  type DType,
  DTypeError,
  IndexError,
  type Shape,
  Tensor,
  add,
  dtypeInfo,
  fill,
  integerRange,
  isInteger,
  showAval,
} from '@cotangent/core'
import { and, max, min, mul, rem, sub } from '../prims/binary.ts'
import { gt, le, select } from '../prims/compare.ts'
import { bitcast } from '../prims/convert.ts'
import { broadcastTensor, cast } from '../promote.ts'
import { half } from './continuous.ts'
import { requireKey, split } from './key.ts'
import { type ShapeOr, resolveOptions, sampleShape } from './options.ts'
import { rawBits } from './uniform.ts'

export interface RandintOptions {
  readonly shape?: Shape
  /** The smallest integer. Default 0. */
  readonly minval?: number | Tensor
  /** One more than the largest integer. */
  readonly maxval: number | Tensor
  /** Default int32. */
  readonly dtype?: DType
}

const bound = (value: number | Tensor, shape: Shape): Tensor => {
  const name = 'random.randint'
  if (value instanceof Tensor) {
    if (isInteger(value.dtype)) return broadcastTensor(name, value, shape)
    throw new DTypeError({
      operation: name,
      problem: 'the bounds must be integers',
      got: showAval(value.aval),
      fix: 'convert them with astype("int32")',
    })
  }
  const [low, high] = integerRange('int32')
  if (Number.isInteger(value) && value >= low && value <= high) return fill(shape, value, 'int32')
  throw new IndexError({
    operation: name,
    problem: 'a bound is not an int32',
    got: String(value),
    want: `an integer from ${low} to ${high}`,
    fix: 'give larger bounds as uint32 tensors',
  })
}

// Clamped to a range rather than wrapped.
const clipTo = (value: Tensor, low: number, high: number, dtype: DType): Tensor => {
  const [least, most] = integerRange(value.dtype)
  const raised = low > least ? max(value, fill(value.shape, low, value.dtype)) : value
  const lowered = high < most ? min(raised, fill(value.shape, high, value.dtype)) : raised
  return cast(lowered, dtype)
}

// One draw in [0, 2^32) is not a multiple of the span; two, combined, nearly are.
const offsetWithin = (key: Tensor, span: Tensor): Tensor => {
  const { shape } = span
  const keys = split(key)
  const [high, low] = [0, 1].map((i) => rawBits(half(keys, i, [2]), shape, 'uint32'))
  const root = rem(fill(shape, 2 ** 16, 'uint32'), span)
  const multiplier = rem(mul(root, root), span)
  return rem(add(mul(rem(high!, span), multiplier), rem(low!, span)), span)
}

/**
 * Integers from `minval` to `maxval − 1`, uniform but for a bias of at most 2^-32 or so. Where
 * `maxval ≤ minval`, `minval`. Bounds may be tensors that broadcast to the shape.
 * @throws DTypeError for bounds or a dtype that are no integers, IndexError for numbers beyond int32.
 * @example
 * random.randint(key, [8], 0, 10)
 * random.randint(key, [8], { maxval: 10, dtype: 'uint8' })
 */
export const randint = (
  key: Tensor,
  options: ShapeOr<RandintOptions>,
  more?: RandintOptions | number | Tensor,
  last?: number | Tensor,
): Tensor => {
  const name = 'random.randint'
  requireKey(name, key)
  const isBound = typeof more === 'number' || more instanceof Tensor
  const bounds: RandintOptions | undefined =
    isBound && last !== undefined ? { minval: more, maxval: last } : undefined
  const [given, o] = resolveOptions<RandintOptions>(name, options, isBound ? bounds : more)
  const { minval = 0, maxval = undefined, dtype = 'int32' } = o ?? {}
  if (maxval === undefined)
    throw new DTypeError({
      operation: name,
      problem: 'maxval is missing',
      fix: 'give both bounds, or { maxval: 10 }',
    })
  if (!isInteger(dtype))
    throw new DTypeError({
      operation: name,
      problem: 'the samples are integers',
      got: `dtype ${dtype}`,
      fix: 'use random.uniform for floats',
    })
  const shape = sampleShape(name, given, [minval, maxval])
  const [lowBound, highBound] = [bound(minval, shape), bound(maxval, shape)]
  const [least, most] = integerRange(dtype)
  // Narrow integers are drawn as int32, where one more than their largest value fits.
  const wide = dtypeInfo[dtype].bytes < 4 ? 'int32' : dtype
  const low = clipTo(lowBound, least, most, wide)
  const high = clipTo(highBound, least, wide === dtype ? most : most + 1, wide)
  const difference = sub(high, low)
  const width = wide === 'uint32' ? difference : bitcast(difference, 'uint32')
  const whole = wide === dtype ? includeTop(width, highBound, low, high) : width
  const span = select(le(high, low), fill(shape, 1, 'uint32'), whole)
  const offset = offsetWithin(key, span)
  return cast(add(low, wide === 'uint32' ? offset : bitcast(offset, wide)), dtype)
}

// A bound beyond the dtype was clipped, so its largest value is one of the results.
const includeTop = (width: Tensor, bound: Tensor, low: Tensor, high: Tensor): Tensor => {
  const top = integerRange(high.dtype)[1]
  if (top >= integerRange(bound.dtype)[1]) return width
  const beyond = and(gt(bound, fill(bound.shape, top, bound.dtype)), gt(high, low))
  return select(beyond, add(width, fill(width.shape, 1, 'uint32')), width)
}
