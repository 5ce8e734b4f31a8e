/** The digit generator: the same bytes everywhere, balanced, and neither too easy nor hopeless. */
import { createHash } from 'node:crypto'
import { type Dataset, type LabelledImage, digits } from '@cotangent/data'
import { random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { type LabelledPixels, fitSoftmax } from './softmaxRegression.ts'

const read = (dataset: Dataset<LabelledImage>): LabelledPixels => {
  const { image, label } = dataset.toArrays()
  return { pixels: image.data(), labels: label.data() }
}

const bytesOf = (dataset: Dataset<LabelledImage>): Uint8Array =>
  Uint8Array.from(dataset.toArrays().image.data(), (grey) => Math.round(255 * grey))

const hash = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

describe('digits', () => {
  test('the bytes are those of every other machine', () => {
    const { train, test: held } = digits({ seed: 0, train: 500, test: 100 })
    expect(hash(bytesOf(train))).toBe(
      'c0133e739c04f09c19110ba1db59f884bbd967d3cae2e46d867446f042f67723',
    )
    expect(hash(bytesOf(held))).toBe(
      '0cc9016b2ef5cbdf8a24ffd94ae4bffea6f2cb6decf2c78c568d7c638ed0d76d',
    )
    expect([...train.take(20).toArrays().label.data()]).toEqual([
      8, 6, 1, 2, 0, 5, 9, 7, 4, 3, 6, 2, 4, 7, 3, 1, 0, 8, 5, 9,
    ])
  })

  test('a seed is its key, and another key gives other images', () => {
    const options = { train: 20, test: 0 }
    const first = hash(bytesOf(digits({ ...options, seed: 7 }).train))
    expect(hash(bytesOf(digits({ ...options, key: random.key(7) }).train))).toBe(first)
    expect(hash(bytesOf(digits({ ...options, key: random.key(8) }).train))).not.toBe(first)
    expect(() => digits({ key: 1, seed: 1 })).toThrow(/exclude each other/)
    expect(() => digits({ train: -1 })).toThrow(/digits: train is out of range/)
  })

  test('a smaller set is the beginning of a larger one, and the test images are others', () => {
    const small = digits({ train: 33, test: 33 })
    const large = digits({ train: 95, test: 33 })
    expect(bytesOf(large.train.take(33))).toEqual(bytesOf(small.train))
    expect(bytesOf(small.test)).not.toEqual(bytesOf(small.train))
  })

  test('shapes, types and ranges', () => {
    const { image, label } = digits({ train: 30, test: 0, size: 32 }).train.toArrays()
    expect([image.shape, image.dtype]).toEqual([[30, 1, 32, 32], 'float32'])
    expect([label.shape, label.dtype]).toEqual([[30], 'int32'])
    const pixels = image.data()
    for (const grey of pixels) expect(grey >= 0 && grey <= 1).toBe(true)
    // A picture without ink, or one full of it, is no digit.
    for (let i = 0; i < 30; i++) {
      let ink = 0
      for (let j = i * 1024; j < (i + 1) * 1024; j++) ink += pixels[j]!
      expect(ink / 1024).toBeGreaterThan(0.02)
      expect(ink / 1024).toBeLessThan(0.5)
    }
  })

  test('the classes balance in every run of ten', () => {
    const { labels } = read(digits({ train: 205, test: 0 }).train)
    for (let start = 0; start < 200; start += 10) {
      const block = Array.from({ length: 10 }, (_, i) => labels[start + i]!)
      expect(block.toSorted((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9])
    }
  })

  test('a linear model learns much of it, and stays under 93 %', () => {
    const { train, test: held } = digits({ seed: 1, train: 5000, test: 2000 })
    const accuracy = fitSoftmax(read(train), 784, 10)
    const [seen, unseen] = [accuracy(read(train)), accuracy(read(held))]
    expect(unseen).toBeLessThan(0.93)
    expect(seen).toBeLessThan(0.96)
    expect(unseen).toBeGreaterThan(0.75)
  })
})
