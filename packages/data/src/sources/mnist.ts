/** MNIST, from its four files. */
import type { TypedArray } from '@cotangent/core'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { DataError } from '../errors.ts'
import { hostModule } from '../formats/host.ts'
import { type IdxArray, readIdx } from '../formats/idx.ts'
import type { Dataset } from '../pipeline/dataset.ts'
import { type LabelledImage, type TrainTest, imageDataset } from './images.ts'

const classes = 10
const side = 28

// As downloaded, and as many programs name them after unpacking.
const spellings = (stem: string, rank: number): readonly string[] =>
  [`${stem}-idx${rank}-ubyte`, `${stem}.idx${rank}-ubyte`].flatMap((name) => [name, `${name}.gz`])

/** The path of the first of these files that there is. */
const locate = (dir: string, names: readonly string[]): TE.TaskEither<DataError, string> => {
  return async () => {
    const { access } = await hostModule('node:fs/promises')
    const path = await hostModule('node:path')
    for (const name of names) {
      const candidate = path.join(dir, name)
      const exists = await access(candidate).then(
        () => true,
        () => false,
      )
      if (exists) return E.right(candidate)
    }
    return E.left({
      tag: 'FileMissing',
      path: path.join(dir, names[0]!),
      offset: 0,
      found: 'nothing',
      wanted: `one of ${names.join(', ')}`,
    })
  }
}

interface Found {
  readonly path: string
  readonly array: IdxArray
}

const read = (dir: string, stem: string, rank: number): TE.TaskEither<DataError, Found> =>
  TE.flatMap(locate(dir, spellings(stem, rank)), (path) =>
    TE.map((array: IdxArray): Found => ({ path, array }))(readIdx(path, { dtype: 'uint8', rank })),
  )

const badLabel = (path: string, data: TypedArray): DataError | undefined => {
  const row = data.findIndex((label) => label >= classes)
  if (row < 0) return undefined
  // A header of eight bytes stands before the labels.
  const place = { path, offset: 8 + row, row, found: String(data[row]) }
  return { tag: 'LabelOutOfRange', ...place, wanted: `0 to ${classes - 1}` }
}

const pair = (images: Found, labels: Found): E.Either<DataError, Dataset<LabelledImage>> => {
  const [count = 0, height = 0, width = 0] = images.array.shape
  if (height !== side || width !== side) {
    return E.left({
      tag: 'WrongDimensions',
      path: images.path,
      offset: 8,
      found: `images of ${height}×${width}`,
      wanted: `${side}×${side}`,
    })
  }
  const given = labels.array.data.length
  if (given !== count) {
    return E.left({
      tag: 'CountMismatch',
      path: labels.path,
      other: images.path,
      offset: 4,
      found: `${given} labels`,
      wanted: `${count}, one for each image`,
    })
  }
  const bad = badLabel(labels.path, labels.array.data)
  if (bad !== undefined) return E.left(bad)
  const { data } = images.array
  const pixels = data instanceof Uint8Array ? data : Uint8Array.from(data)
  return E.right(imageDataset(pixels, Int32Array.from(labels.array.data), height, width))
}

const half = (dir: string, prefix: string): TE.TaskEither<DataError, Dataset<LabelledImage>> =>
  TE.flatMap(read(dir, `${prefix}-images`, 3), (images) =>
    TE.flatMapEither(read(dir, `${prefix}-labels`, 1), (labels) => pair(images, labels)),
  )

/**
 * MNIST from a directory with its four IDX files, plain or gzip, named `train-images-idx3-ubyte`
 * or `train-images.idx3-ubyte` and so on. Elements: `image` float32 `[1, 28, 28]` in 0 … 1, `label`
 * int32. Left: a `DataError` that names the file, if one is missing or broken, if images and labels
 * differ in number, or if a label is above 9.
 * @example
 * const read = await mnist('data/mnist')()
 * if (E.isLeft(read)) console.error(explain(read.left))
 */
export const mnist = (dir: string): TE.TaskEither<DataError, TrainTest<LabelledImage>> =>
  TE.flatMap(half(dir, 'train'), (train) =>
    TE.map((test: Dataset<LabelledImage>) => ({ train, test }))(half(dir, 't10k')),
  )
