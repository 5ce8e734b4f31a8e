/** Padding in every mode of NumPy's. */
import {
  type Shape,
  ShapeError,
  type Tensor,
  type TensorLike,
  describeValue,
  fill,
  isFloat,
  range,
  showAval,
  tensor,
} from '@cotangent/core'
import { pad as padConstant } from '../prims/structural.ts'
import { cast, promoteOne } from '../promote.ts'
import { linspace } from './creation.ts'
import { concatenate } from './joining.ts'
import { sliceAxis } from './sliceAxis.ts'
import { median } from './quantiles.ts'
import { flip } from './shape.ts'
import { take } from './take.ts'

/** How many elements, for all sides; for each side; or for both sides of each axis. */
export type PadWidth = number | readonly number[] | readonly (readonly number[])[]

export type PadMode =
  | 'constant'
  | 'edge'
  | 'reflect'
  | 'symmetric'
  | 'wrap'
  | 'linear_ramp'
  | 'linearRamp'
  | 'maximum'
  | 'minimum'
  | 'mean'
  | 'median'
  | 'empty'

export interface PadOptions {
  readonly mode?: PadMode
  /** For `constant`; 0 by default. Like a width: for all, for each side, for both of each axis. */
  readonly constantValues?: PadWidth
  /** What a linear ramp ends in; 0 by default. */
  readonly endValues?: PadWidth
  /** How many elements at each end the statistics are of; all by default. */
  readonly statLength?: PadWidth | null
  /** `odd` reflects about the edge value: `2 · edge − x`. */
  readonly reflectType?: 'even' | 'odd'
}

type Pairs = readonly (readonly [number, number])[]

const pairsOf = (name: string, given: PadWidth, rank: number): Pairs => {
  const rows: readonly (readonly number[])[] =
    typeof given === 'number'
      ? [[given]]
      : !Array.isArray(given)
        ? []
        : isRows(given)
          ? given
          : [given]
  const fits =
    rows.every((r) => r.every((width) => typeof width === 'number')) &&
    (rows.length === 1 || rows.length === rank) &&
    rows.every((r) => r.length === 1 || r.length === 2)
  if (!fits) {
    throw new ShapeError({
      operation: 'np.pad',
      problem: `${name} has no such form`,
      got: Array.isArray(given) ? JSON.stringify(given) : describeValue(given),
      want: `a number, [low, high], or ${rank} such pairs`,
      fix: 'give one number, one pair, or one pair for each axis',
    })
  }
  return range(rank).map((d): readonly [number, number] => {
    const row = rows[d] ?? rows[0]!
    return [row[0]!, row[1] ?? row[0]!]
  })
}

const isRows = (given: Exclude<PadWidth, number>): given is readonly (readonly number[])[] =>
  given.length > 0 && given.every((row) => typeof row === 'object')

/**
 * `x` with elements added at both ends of each axis: a constant, the edge, a reflection (without the
 * edge, or `symmetric`, with it), a wrapped copy, a ramp, or a statistic of the line.
 * @throws ShapeError for widths that do not fit the axes.
 * @example
 * np.pad([1, 2, 3], 2, { mode: 'reflect' }).toArray() // [3, 2, 1, 2, 3, 2, 1]
 */
export const pad = (
  x: TensorLike,
  padWidth: PadWidth,
  options: PadOptions | PadMode = {},
): Tensor => {
  const given: PadOptions = typeof options === 'string' ? { mode: options } : options
  const a = promoteOne('np.pad', x)
  const widths = pairsOf('padWidth', padWidth, a.ndim)
  if (
    widths.some(
      ([low, high]) => !Number.isInteger(low) || !Number.isInteger(high) || low < 0 || high < 0,
    )
  ) {
    throw new ShapeError({
      operation: 'np.pad',
      problem: 'widths are counts',
      got: JSON.stringify(padWidth),
      fix: 'give whole numbers from 0; crop with x.at',
    })
  }
  const { mode = 'constant' } = given
  return widths.reduce((padded, [low, high], axis) => {
    if (low === 0 && high === 0) return padded
    return padAxis({ x: padded, axis, low, high }, mode, given)
  }, a)
}

interface Job {
  readonly x: Tensor
  readonly axis: number
  readonly low: number
  readonly high: number
}

const padAxis = (job: Job, mode: PadMode, options: PadOptions): Tensor => {
  switch (mode) {
    case 'constant':
      return padWithConstants(
        job,
        pairsOf('constantValues', options.constantValues ?? 0, job.x.ndim)[job.axis]!,
      )
    case 'empty':
      return padWithConstants(job, [0, 0])
    case 'edge':
      return byPosition(job, (i, n) => Math.min(n - 1, Math.max(0, i)))
    case 'wrap':
      return byPosition(job, (i, n) => ((i % n) + n) % n)
    case 'reflect':
    case 'symmetric':
      return reflected(job, mode, options.reflectType ?? 'even')
    case 'linear_ramp':
    case 'linearRamp':
      return ramp(job, pairsOf('endValues', options.endValues ?? 0, job.x.ndim)[job.axis]!)
    case 'maximum':
    case 'minimum':
    case 'mean':
    case 'median':
      return withStatistic(job, mode, options.statLength ?? null)
    default:
      return mode satisfies never
  }
}

const padWithConstants = (
  { x, axis, low, high }: Job,
  [before, after]: readonly [number, number],
): Tensor => {
  const config = (p: number, q: number): readonly (readonly [number, number, number])[] =>
    x.shape.map((_, d) => [d === axis ? p : 0, d === axis ? q : 0, 0])
  const constant = (value: number): Tensor => cast(fill([], value, 'float32'), x.dtype, x.aval.weak)
  if (before === after) return padConstant(x, constant(before), config(low, high))
  return padConstant(
    padConstant(x, constant(before), config(low, 0)),
    constant(after),
    config(0, high),
  )
}

const requireElements = ({ x, axis }: Job): number => {
  const n = x.shape[axis]!
  if (n > 0) return n
  throw new ShapeError({
    operation: 'np.pad',
    problem: 'an axis without elements can only be padded with a constant',
    got: `axis ${axis} of ${showAval(x.aval)}`,
    fix: 'use the mode "constant"',
  })
}

const byPosition = (job: Job, source: (i: number, n: number) => number): Tensor => {
  const n = requireElements(job)
  const { x, axis, low, high } = job
  const positions = range(low + n + high).map((i) => source(i - low, n))
  return take(x, tensor(Int32Array.from(positions)), { axis, mode: 'clip' })
}

interface Reflection {
  readonly at: number
  /** Whether the value is turned about the last element. */
  readonly turned: boolean
  /** How many whole periods away. */
  readonly period: number
}

// Period 2(n-1) without the edges repeated, 2n with them.
const reflection = (i: number, n: number, mode: 'reflect' | 'symmetric'): Reflection => {
  if (mode === 'reflect' && n === 1) return { at: 0, turned: false, period: 0 }
  const length = mode === 'reflect' ? 2 * (n - 1) : 2 * n
  const period = Math.floor(i / length)
  const j = i - period * length
  const turned = j >= n
  return { at: turned ? (mode === 'reflect' ? length - j : length - 1 - j) : j, turned, period }
}

const reflected = (job: Job, mode: 'reflect' | 'symmetric', type: 'even' | 'odd'): Tensor => {
  const even = byPosition(job, (i, n) => reflection(i, n, mode).at)
  if (type === 'even') return even
  const n = requireElements(job)
  const { x, axis, low, high } = job
  const places = range(low + n + high).map((i) => reflection(i - low, n, mode))
  const row = (f: (r: Reflection) => number): Tensor =>
    cast(
      tensor(places.map(f), { shape: x.shape.map((_, d) => (d === axis ? places.length : 1)) }),
      x.dtype,
    )
  // An odd reflection climbs by twice the rise of the line in every period.
  const first = sliceAxis(x, axis, 0, 1)
  const last = sliceAxis(x, axis, n - 1, n)
  const climb = row((r) => 2 * r.period).mul(last.sub(first))
  return even
    .mul(row((r) => (r.turned ? -1 : 1)))
    .add(last.mul(row((r) => (r.turned ? 2 : 0))))
    .add(climb)
}

const ramp = (job: Job, [before, after]: readonly [number, number]): Tensor => {
  const n = requireElements(job)
  const { x, axis, low, high } = job
  const towards = (edge: Tensor, end: number, count: number): Tensor => {
    const from = fill(edge.shape, end, isFloat(x.dtype) ? x.dtype : 'float32')
    const steps = linspace(from.squeeze(axis), edge.squeeze(axis), { num: count, endpoint: false })
    return cast(steps.transpose(orderWithFirstAt(axis, x.ndim)), x.dtype)
  }
  const parts = [
    ...(low > 0 ? [towards(sliceAxis(x, axis, 0, 1), before, low)] : []),
    x,
    ...(high > 0 ? [flip(towards(sliceAxis(x, axis, n - 1, n), after, high), axis)] : []),
  ]
  return concatenate(parts, axis)
}

// The permutation that moves the first axis to a place.
const orderWithFirstAt = (place: number, rank: number): Shape => {
  const rest = range(rank).slice(1)
  return [...rest.slice(0, place), 0, ...rest.slice(place)]
}

const withStatistic = (
  job: Job,
  mode: 'maximum' | 'minimum' | 'mean' | 'median',
  statLength: PadWidth | null,
): Tensor => {
  const n = requireElements(job)
  const { x, axis, low, high } = job
  const lengths =
    statLength === null ? ([n, n] as const) : pairsOf('statLength', statLength, x.ndim)[axis]!
  const edge = (part: Tensor, count: number): readonly Tensor[] => {
    if (count === 0) return []
    const value = statistic(part, axis, mode)
    return [
      concatenate(
        range(count).map(() => value),
        axis,
      ),
    ]
  }
  const front = sliceAxis(x, axis, 0, Math.min(n, lengths[0]))
  const back = sliceAxis(x, axis, Math.max(0, n - lengths[1]), n)
  return concatenate([...edge(front, low), x, ...edge(back, high)], axis)
}

const statistic = (
  x: Tensor,
  axis: number,
  mode: 'maximum' | 'minimum' | 'mean' | 'median',
): Tensor => {
  const options = { axis, keepdims: true }
  if (mode === 'maximum') return x.max(options)
  if (mode === 'minimum') return x.min(options)
  const value = mode === 'mean' ? x.mean(options) : median(x, options)
  return isFloat(x.dtype) ? cast(value, x.dtype) : cast(value.round(), x.dtype)
}
