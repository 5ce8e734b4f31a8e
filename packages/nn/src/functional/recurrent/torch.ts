/** Recurrent weights as PyTorch keeps them. */
import { type Tensor, transpose } from '@cotangent/core'
import type { CellWeights } from './cells.ts'

/** `weightIh: [gates · units, features]`, `weightHh: [gates · units, units]`. */
export interface TorchCellWeights {
  readonly weightIh: Tensor
  readonly weightHh: Tensor
  readonly biasIh?: Tensor | undefined
  readonly biasHh?: Tensor | undefined
  /** Of an LSTM with `proj_size`: `[projected, units]`. */
  readonly weightHr?: Tensor | undefined
}

/** PyTorch's weights as ours; the gates have the same order. */
export const fromTorchCell = (w: TorchCellWeights): CellWeights => ({
  kernel: transpose(w.weightIh, [1, 0]),
  recurrentKernel: transpose(w.weightHh, [1, 0]),
  bias: w.biasIh,
  recurrentBias: w.biasHh,
  projection: w.weightHr === undefined ? undefined : transpose(w.weightHr, [1, 0]),
})
