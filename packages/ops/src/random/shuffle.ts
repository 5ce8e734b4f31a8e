/** Permutations and choices. */
import {
  DTypeError,
  type Shape,
  ShapeError,
  add,
  fill,
  isFloat,
  normalizeAxis,
  range,
  reduceSum,
  reshape,
  showAval,
  showShape,
  sizeOf,
  Tensor,
  describeValue,
} from '@cotangent/core'
import { mul, sub } from '../prims/binary.ts'
import { lt } from '../prims/compare.ts'
import { convert } from '../prims/convert.ts'
import { cumsum } from '../prims/cumulative.ts'
import { gather } from '../prims/gather.ts'
import { sort } from '../prims/sort.ts'
import { iota, slice } from '../prims/structural.ts'
import { log } from '../prims/unary.ts'
import { broadcastTensor } from '../promote.ts'
import { type TailMode, gumbelOf, half } from './continuous.ts'
import { largest } from './discrete.ts'
import { requireKey, split } from './key.ts'
import { type ShapeOr, resolveOptions } from './options.ts'
import { randint } from './randint.ts'
import { rawBits, uniformOf } from './uniform.ts'

export interface PermutationOptions {
  /** Default 0. */
  readonly axis?: number
  /** Each vector along the axis in an order of its own. Default false. */
  readonly independent?: boolean
}

// Sorting by random words once leaves ties; three words' worth of rounds makes them negligible.
const shuffled = (key: Tensor, x: Tensor, axis: number): Tensor => {
  const rounds = Math.ceil((3 * Math.log(Math.max(1, x.size))) / Math.log(2 ** 32 - 1))
  let [current, result] = [key, x]
  for (let round = 0; round < rounds; round++) {
    const keys = split(current)
    current = half(keys, 0, [2])
    const words = rawBits(half(keys, 1, [2]), x.shape, 'uint32')
    result = sort([words, result], axis)[1]!
  }
  return result
}

/** Rows of `x` at int32 positions of any shape, which takes the place of the axis. */
const takeRows = (x: Tensor, positions: Tensor, axis: number): Tensor => {
  const before = axis
  const offsets = range(x.ndim - 1).map((d) => (d < before ? d : d + positions.ndim))
  return gather(x, reshape(positions, [...positions.shape, 1]), {
    offsetDims: offsets,
    collapsedSliceDims: [axis],
    startIndexMap: [axis],
    sliceSizes: x.shape.map((extent, d) => (d === axis ? 1 : extent)),
    mode: 'inBounds',
  })
}

/**
 * A random order of `0 … n − 1` (int32), or of the entries of a tensor along an axis.
 * @example
 * random.permutation(key, 10)
 * random.permutation(key, rows, { axis: 0 })
 */
export const permutation = (
  key: Tensor,
  x: number | Tensor,
  options: PermutationOptions = {},
): Tensor => {
  const name = 'random.permutation'
  requireKey(name, key)
  if (typeof x === 'number') return shuffled(key, count(name, x), 0)
  requireEntries(name, x)
  const axis = normalizeAxis(name, options.axis ?? 0, x.ndim)
  if (options.independent === true || x.ndim === 1) return shuffled(key, x, axis)
  return takeRows(x, shuffled(key, count(name, x.shape[axis]!), 0), axis)
}

const requireEntries = (operation: string, x: Tensor): void => {
  if (x instanceof Tensor) return
  throw new DTypeError({
    operation,
    problem: 'there is nothing to choose from',
    got: describeValue(x),
    want: 'a number of entries, or a tensor of them',
    fix: 'give how many there are, or a tensor',
  })
}

const count = (operation: string, n: number): Tensor => {
  if (Number.isInteger(n) && n >= 0) return iota('int32', [n], 0)
  throw new DTypeError({
    operation,
    problem: 'a natural number or a tensor is needed',
    got: String(n),
    fix: 'give the number of positions, or the tensor whose rows to draw',
  })
}

export interface ChoiceOptions {
  /** Default: one choice, a scalar. */
  readonly shape?: Shape
  /** Whether the same entry may come up twice. Default true. */
  readonly replace?: boolean
  /** Probabilities of the entries, summing to 1. Default: all equal. */
  readonly p?: Tensor
  /** The axis of the entries. Default 0. */
  readonly axis?: number
  readonly mode?: TailMode
}

/**
 * Random entries of a tensor along an axis, or of `0 … a − 1` for a number. The shape takes the
 * place of the axis.
 * @throws ShapeError for more choices without replacement than entries, or `p` of another length.
 */
export const choice = (
  key: Tensor,
  a: number | Tensor,
  options?: ShapeOr<ChoiceOptions>,
  more?: ChoiceOptions,
): Tensor => {
  const name = 'random.choice'
  requireKey(name, key)
  const [shape = [], o = {}] = resolveOptions(name, options, more)
  const { replace = true, p, axis: given = 0, mode = 'low' } = o
  const entries = typeof a === 'number' ? count(name, a) : a
  requireEntries(name, entries)
  const axis = normalizeAxis(name, given, entries.ndim)
  const available = entries.shape[axis]!
  const draws = sizeOf(shape)
  if (draws > 0 && (available === 0 || (!replace && draws > available))) {
    throw new ShapeError({
      operation: name,
      problem: 'there are not enough entries',
      got: `${draws} draws of ${available}${replace ? '' : ' without replacement'}`,
      fix: 'draw fewer, or with replacement',
    })
  }
  if (p !== undefined) {
    checkProbabilities(p, available)
    return takeRows(entries, weighted(key, p, shape, replace, mode), axis)
  }
  if (replace || draws === 0) {
    const positions =
      draws === 0 ? fill(shape, 0, 'int32') : randint(key, { shape, maxval: available })
    return typeof a === 'number' ? positions : takeRows(entries, positions, axis)
  }
  const order = permutation(key, entries, { axis })
  const limit = order.shape.map((extent, d) => (d === axis ? draws : extent))
  const taken = slice(
    order,
    limit.map(() => 0),
    limit,
  )
  return reshape(taken, [...limit.slice(0, axis), ...shape, ...limit.slice(axis + 1)])
}

const checkProbabilities = (p: Tensor, available: number): void => {
  if (p.ndim === 1 && p.shape[0] === available && isFloat(p.dtype)) return
  throw new ShapeError({
    operation: 'random.choice',
    problem: 'one float probability is needed for each entry',
    got: `p ${showAval(p.aval)}`,
    want: showShape([available]),
    fix: 'give p one float for each entry',
  })
}

const weighted = (
  key: Tensor,
  p: Tensor,
  shape: Shape,
  replace: boolean,
  mode: TailMode,
): Tensor => {
  const n = p.shape[0]!
  if (!replace) {
    const scores = add(gumbelOf(key, [n], p.dtype, mode), log(p))
    return reshape(largest(scores, sizeOf(shape)), shape)
  }
  const cumulative = cumsum(p, 0)
  const total = reshape(slice(cumulative, [n - 1], [n]), [])
  const u = sub(fill(shape, 1, p.dtype), uniformOf(key, shape, p.dtype))
  const r = mul(broadcastTensor('random.choice', total, shape), u)
  // The position is the number of steps of the distribution function that lie below.
  const wide = [...shape, n]
  const below = lt(
    broadcastTensor('random.choice', cumulative, wide),
    broadcastTensor('random.choice', reshape(r, [...shape, 1]), wide),
  )
  return reduceSum(convert(below, 'int32'), [shape.length])
}
