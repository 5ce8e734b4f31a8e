/** Datasets of labelled grey images, held as bytes. */
import type { Tensor } from '@cotangent/core'
import { rowsOfColumns } from '../pipeline/columns.ts'
import { Dataset } from '../pipeline/dataset.ts'

/** One example; a batch of `n` has `image: [n, 1, height, width]` and `label: [n]`. */
export interface LabelledImage {
  /** float32 `[1, height, width]`, from 0 (paper) to 1 (ink). */
  readonly image: Tensor
  /** int32 scalar. */
  readonly label: Tensor
}

export interface TrainTest<E> {
  readonly train: Dataset<E>
  readonly test: Dataset<E>
}

// Kept as bytes until a batch is made: a quarter of the memory.
const greyLevels: Float32Array = Float32Array.from({ length: 256 }, (_, byte) => byte / 255)

/** `pixels`: a byte for each pixel of each image; `labels`: one for each image. */
export const imageDataset = (
  pixels: Uint8Array,
  labels: Int32Array,
  height: number,
  width: number,
): Dataset<LabelledImage> =>
  new Dataset(
    rowsOfColumns(
      {
        image: { dtype: 'float32', shape: [1, height, width], data: pixels, table: greyLevels },
        label: { dtype: 'int32', shape: [], data: labels },
      },
      labels.length,
    ),
  )
