/** Combining the lanes of a vector into one value. */
import { type BinaryOp, type DType, InternalError, type Lanes, type Scalar } from '@cotangent/core'

import { simd } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { kindOf } from './layout.ts'
import { laneOperator } from './laneOps.ts'
import { walk } from '../../loops/visit.ts'

const bytesOf = (lanes: readonly number[], width: number): readonly number[] =>
  lanes.flatMap((lane) => Array.from({ length: width }, (_, b) => lane * width + b))

/** Takes the vector on the stack and leaves its first lane. */
export const extractFirst = ({ body }: Frame, dtype: DType): void => {
  const kind = kindOf(dtype)
  if (kind === 'f32') body.simdLane(simd.f32x4ExtractLane, 0)
  else if (kind === 'f64') body.simdLane(simd.f64x2ExtractLane, 0)
  else body.simdLane(simd.i32x4ExtractLane, 0)
}

/** Takes the vector on the stack, combines its lanes in pairs, and leaves one value. */
export const combineLanes = (
  frame: Frame,
  name: BinaryOp,
  dtype: DType,
  lanes: Lanes | null,
): void => {
  const { body } = frame
  const kind = kindOf(dtype)
  const code = laneOperator(name, dtype)
  if (code === null || dtype === 'bool') {
    throw new InternalError({
      operation: 'print kernel',
      problem: `lanes of ${dtype} cannot be combined by ${name}`,
    })
  }
  const fold = (order: readonly number[]): void =>
    frame.scratch('v128', (v) => {
      body.tee(v)
      body.get(v)
      body.get(v)
      body.shuffle(order)
      body.simd(code)
    })
  if (kind === 'f64') fold(bytesOf([1, 0], 8))
  else {
    if (lanes !== 2) fold(bytesOf([2, 3, 0, 1], 4))
    fold(bytesOf([1, 0, 3, 2], 4))
  }
  extractFirst(frame, dtype)
}

/** How many lanes the vectors that a scalar reads have. */
export const lanesOf = (frame: Frame, s: Scalar): Lanes | null => {
  let lanes = frame.lanes
  walk({
    scalar: (x) => {
      if (x.tag === 'local') lanes = frame.local(x.name).lanes ?? lanes
    },
  }).scalar(s)
  return lanes
}
