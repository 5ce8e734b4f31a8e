/** Choosing whole examples of a batch by a mask with one entry each. */
import { type Tensor, broadcastInDim } from '@cotangent/core'
import { select } from '../prims/compare.ts'

/** `mask: [n]`, the others `[n, …]`: `onTrue[i]` where `mask[i]` holds, `onFalse[i]` elsewhere. */
export const selectWith = (mask: Tensor, onTrue: Tensor, onFalse: Tensor): Tensor =>
  select(broadcastInDim(mask, onTrue.shape, [0]), onTrue, onFalse)
