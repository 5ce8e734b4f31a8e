/** MNIST directories: names, plain and gzip, and every way in which the files can disagree. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { type Tensor, tensor } from '@cotangent/core'
import { type DataError, encodeIdx, explain, mnist } from '@cotangent/data'
import * as E from 'fp-ts/lib/Either.js'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'

let folder = ''
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cotangent-mnist-'))
})
afterEach(() => rm(folder, { recursive: true }))

const images = (count: number, side = 28): Tensor =>
  tensor(
    Uint8Array.from({ length: count * side * side }, (_, i) => i % 256),
    { shape: [count, side, side] },
  )
const labels = (...values: readonly number[]): Tensor => tensor(Uint8Array.from(values))

type Files = Readonly<Record<string, Uint8Array>>
const good: Files = {
  'train-images-idx3-ubyte': encodeIdx(images(3)),
  'train-labels-idx1-ubyte': encodeIdx(labels(5, 0, 9)),
  't10k-images-idx3-ubyte': encodeIdx(images(2)),
  't10k-labels-idx1-ubyte': encodeIdx(labels(7, 2)),
}

const write = async (files: Files): Promise<void> => {
  for (const [name, bytes] of Object.entries(files)) await writeFile(join(folder, name), bytes)
}

const failure = async (files: Files): Promise<DataError> => {
  await write(files)
  const read = await mnist(folder)()
  if (E.isRight(read)) throw new Error('a result from broken files')
  return read.left
}

describe('mnist', () => {
  const spellings: readonly (readonly [string, (files: Files) => Files])[] = [
    ['plain', (files) => files],
    [
      'with dots',
      (files) =>
        renamed(
          files,
          (name) => name.replace('-idx', '.idx'),
          (b) => b,
        ),
    ],
    [
      'gzip',
      (files) =>
        renamed(
          files,
          (name) => `${name}.gz`,
          (b) => gzipSync(b),
        ),
    ],
  ]
  test.each(spellings)('reads the four files: %s', async (_, spell) => {
    await write(spell(good))
    const read = await mnist(folder)()
    if (E.isLeft(read)) throw new Error(explain(read.left))
    const { train, test: held } = read.right
    expect([train.size, held.size]).toEqual([3, 2])
    const { image, label } = train.toArrays()
    expect([image.shape, image.dtype]).toEqual([[3, 1, 28, 28], 'float32'])
    expect([label.dtype, label.toArray()]).toEqual(['int32', [5, 0, 9]])
    const pixels = image.data()
    expect([pixels[0], pixels[255], pixels[51]]).toEqual([0, 1, Math.fround(51 / 255)])
    expect(held.get(1).label.item()).toBe(2)
  })

  const renamed = (
    files: Files,
    name: (name: string) => string,
    content: (bytes: Uint8Array) => Uint8Array,
  ): Files => Object.fromEntries(Object.entries(files).map(([n, b]) => [name(n), content(b)]))

  test('names the missing file and the names that would do', async () => {
    const { 't10k-labels-idx1-ubyte': _, ...rest } = good
    const error = await failure(rest)
    expect(error.tag).toBe('FileMissing')
    expect(explain(error)).toContain(join(folder, 't10k-labels-idx1-ubyte'))
    expect(explain(error)).toContain('t10k-labels.idx1-ubyte.gz')
  })

  const broken: readonly (readonly [DataError['tag'], string, Tensor | Uint8Array, RegExp])[] = [
    ['CountMismatch', 'train-labels-idx1-ubyte', labels(1, 2), /found 2 labels, wanted 3/],
    ['CountMismatch', 't10k-images-idx3-ubyte', images(1), /found 2 labels, wanted 1/],
    ['LabelOutOfRange', 'train-labels-idx1-ubyte', labels(1, 10, 3), /label 1 .*byte 9.*found 10/],
    ['WrongDimensions', 'train-images-idx3-ubyte', images(3, 20), /found images of 20×20/],
    ['WrongDimensions', 'train-labels-idx1-ubyte', images(3), /found 3 dimensions, wanted 1/],
    [
      'WrongElementType',
      'train-labels-idx1-ubyte',
      tensor(Int32Array.from([1, 2, 3])),
      /found int32, wanted uint8/,
    ],
    [
      'Truncated',
      'train-images-idx3-ubyte',
      encodeIdx(images(3)).subarray(0, 1000),
      /truncated at byte 1000, 1368 bytes missing/,
    ],
  ]
  test.each(broken)('%s in %s', async (tag, name, content, message) => {
    const bytes = content instanceof Uint8Array ? content : encodeIdx(content)
    const error = await failure({ ...good, [name]: bytes })
    expect(error.tag).toBe(tag)
    expect(explain(error)).toMatch(message)
    expect(explain(error)).not.toContain('\n')
  })
})
