/** Samples of the primitives that move elements. */
import {
  type DType,
  type Tensor,
  broadcastInDim,
  fill,
  reshape,
  stopGradient,
  transpose,
} from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { type Sample, floatTypes, sample, uniform } from '../sample.ts'

const types: readonly DType[] = [...floatTypes, 'int32', 'uint8', 'bool']

/** One input of the given shape, in several dtypes. */
const moving = (
  label: string,
  shape: readonly number[],
  f: (x: Tensor) => Tensor,
): readonly Sample[] =>
  types.map((dtype) =>
    sample(
      `${label}, ${dtype}`,
      (r) => [uniform(r, shape, dtype, dtype === 'int32' ? -9 : 0, 1)],
      (x) => f(x!),
      { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
    ),
  )

const padded = (
  label: string,
  shape: readonly number[],
  padding: prims.Padding,
): readonly Sample[] =>
  types.map((dtype) =>
    sample(
      `${label}, ${dtype}`,
      (r) => [uniform(r, shape, dtype, 0, 1), uniform(r, [], dtype, 0, 1)],
      (x, value) => prims.pad(x!, value!, padding),
      { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
    ),
  )

const joined = (shapes: readonly (readonly number[])[], axis: number): readonly Sample[] =>
  types.map((dtype) =>
    sample(
      `${shapes.map((s) => s.join('x')).join(' ')} along ${axis}, ${dtype}`,
      (r) => shapes.map((shape) => uniform(r, shape, dtype, 0, 1)),
      (...xs) => prims.concatenate(xs, axis),
      { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
    ),
  )

const withConstant = (label: string, constant: (dtype: DType) => Tensor): readonly Sample[] =>
  (['float64', 'float32', 'bfloat16', 'int32', 'uint8'] as const).map((dtype) =>
    sample(
      `${label}, ${dtype}`,
      (r) => [uniform(r, [2, 3], dtype, 0, 3)],
      (x) => prims.mul(x!, constant(dtype)),
      { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
    ),
  )

export const structural = {
  transpose: [
    ...moving('matrix', [2, 3], (x) => transpose(x, [1, 0])),
    ...moving('rank 3', [2, 3, 4], (x) => transpose(x, [2, 0, 1])),
  ],
  broadcastInDim: [
    ...moving('a new axis', [3], (x) => broadcastInDim(x, [2, 3], [1])),
    ...moving('an axis of 1', [2, 1], (x) => broadcastInDim(x, [2, 4, 3], [0, 2])),
    ...moving('a scalar', [], (x) => broadcastInDim(x, [2, 2], [])),
  ],
  reshape: [
    ...moving('flattened', [2, 3], (x) => reshape(x, [6])),
    ...moving('split', [2, 6], (x) => reshape(x, [4, 1, 3])),
    ...moving('to a scalar', [1, 1], (x) => reshape(x, [])),
  ],
  stopGradient: moving('beside itself', [3], (x) =>
    prims.select(prims.eq(x, x), stopGradient(x), x),
  ).map((s): Sample => ({ ...s, derivatives: 'none' })),
  fill: withConstant('2 everywhere', (dtype) => fill([2, 3], 2, dtype)),
  iota: [
    ...withConstant('along axis 0', (dtype) => prims.iota(dtype, [2, 3], 0)),
    ...withConstant('along axis 1', (dtype) => prims.iota(dtype, [2, 3], 1)),
  ],
  reverse: [
    ...moving('one axis', [2, 3], (x) => prims.reverse(x, [1])),
    ...moving('two axes', [2, 3, 4], (x) => prims.reverse(x, [2, 0])),
  ],
  slice: [
    ...moving('a block', [4, 5], (x) => prims.slice(x, [1, 0], [3, 5])),
    ...moving('strided', [7, 5], (x) => prims.slice(x, [1, 4], [6, 5], [2, 3])),
    ...moving('nothing', [4, 5], (x) => prims.slice(x, [2, 1], [2, 4])),
  ],
  pad: [
    ...padded(
      'around',
      [2, 3],
      [
        [1, 2, 0],
        [0, 1, 0],
      ],
    ),
    ...padded(
      'between',
      [3, 2],
      [
        [1, 0, 2],
        [0, 0, 1],
      ],
    ),
    ...padded(
      'cropped',
      [4, 5],
      [
        [-1, 2, 0],
        [1, -2, 0],
      ],
    ),
    ...padded(
      'cropped between',
      [4, 3],
      [
        [-2, -1, 1],
        [3, -4, 2],
      ],
    ),
    ...padded(
      'out of nothing',
      [0, 2],
      [
        [2, 1, 3],
        [0, 0, 0],
      ],
    ),
  ],
  concatenate: [
    ...joined([[2], [1], [3]], 0),
    ...joined(
      [
        [2, 1],
        [2, 0],
        [2, 3],
      ],
      1,
    ),
    ...joined(
      [
        [1, 2, 2],
        [2, 2, 2],
      ],
      0,
    ),
  ],
}
