/** Positions of extremes. */
import {
  type AxisOptions,
  IndexError,
  type Tensor,
  type TensorLike,
  isFloat,
  normalizeAxis,
  reshape,
  showAval,
} from '@cotangent/core'
import * as compare from '../prims/compare.ts'
import * as extrema from '../prims/argExtremum.ts'
import { cast, constantLike, promoteOne } from '../promote.ts'
import { all } from './reductions.ts'
import type { AxisOr } from './axes.ts'

const position = (
  operation: string,
  x: TensorLike,
  options: AxisOr<AxisOptions> | undefined,
  find: (x: Tensor, axis: number) => Tensor,
): Tensor => {
  const given: AxisOptions = singleAxis(operation, options)
  const a = promoteOne(operation, x)
  const typed = a.dtype === 'bool' ? cast(a, 'uint8') : a
  const isFlat = given.axis === undefined || given.axis === null
  const flat = isFlat ? reshape(typed, [typed.size]) : typed
  const axis = isFlat ? 0 : normalizeAxis(operation, given.axis ?? 0, typed.ndim)
  if (flat.shape[axis] === 0) {
    throw new IndexError({
      operation,
      problem: 'nothing has no position',
      got: `axis ${axis} of ${showAval(a.aval)}`,
      fix: 'look for extremes only where there are elements',
    })
  }
  const found = find(flat, axis)
  if (given.keepdims !== true) return found
  return reshape(
    found,
    typed.shape.map((extent, d) => (isFlat || d === axis ? 1 : extent)),
  )
}

const singleAxis = (operation: string, options: AxisOr<AxisOptions> | undefined): AxisOptions => {
  if (options === undefined) return {}
  if (options === null || typeof options === 'number') return { axis: options }
  if (!isList(options)) return options
  throw new IndexError({
    operation,
    problem: 'a position lies along one axis, or (null) in the flattened tensor',
    got: `axes [${options.join(',')}]`,
    fix: 'give one axis',
  })
}

const isList = (options: AxisOptions | readonly number[]): options is readonly number[] =>
  Array.isArray(options)

/**
 * The position of the greatest element, the first of equals or the first NaN, as int32: in the
 * flattened tensor, or along an axis. @throws IndexError for an axis without elements.
 * @example
 * np.argmax([[1, 9], [8, 3]], { axis: 1 }).toArray() // [1, 0]
 */
export const argmax = (x: TensorLike, options?: AxisOr<AxisOptions>): Tensor =>
  position('np.argmax', x, options, extrema.argmax)

/** The position of the smallest element; see `argmax`. */
export const argmin = (x: TensorLike, options?: AxisOr<AxisOptions>): Tensor =>
  position('np.argmin', x, options, extrema.argmin)

// NaNs are replaced by the value that cannot win; where nothing else is there the answer is −1.
const ignoringNaN = (
  operation: string,
  x: TensorLike,
  options: AxisOr<AxisOptions> | undefined,
  loses: number,
  find: (x: Tensor, axis: number) => Tensor,
): Tensor => {
  const a = promoteOne(operation, x)
  if (!isFloat(a.dtype)) return position(operation, a, options, find)
  const isNaN = compare.ne(a, a)
  const replaced = compare.select(isNaN, constantLike(a, loses), a)
  const found = position(operation, replaced, options, find)
  const nothing = all(isNaN, singleAxis(operation, options))
  return compare.select(nothing, constantLike(found, -1), found)
}

/** `argmax` without the NaNs; −1 where there is nothing else. */
export const nanargmax = (x: TensorLike, options?: AxisOr<AxisOptions>): Tensor =>
  ignoringNaN('np.nanargmax', x, options, -Infinity, extrema.argmax)

/** `argmin` without the NaNs; −1 where there is nothing else. */
export const nanargmin = (x: TensorLike, options?: AxisOr<AxisOptions>): Tensor =>
  ignoringNaN('np.nanargmin', x, options, Infinity, extrema.argmin)
