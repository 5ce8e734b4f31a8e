import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { choose, main } from '@cotangent/examples/digits'
import { data } from 'cotangent'
import { expect, test } from 'vitest'
import { dataDirectory } from './text.ts'

/** Generated digits, in the format of the UCI files. */
const csvOf = (digits: Iterable<data.LabelledImage>): string =>
  Array.from(digits, ({ image, label }) => {
    const pixels = image.mul(16).round().ravel()
    return [...Array.from(pixels.data(), Number), label.item()].join(',')
  }).join('\n')

test('a small perceptron reads generated digits of 8×8 pixels', async () => {
  const { train, test: unseen } = data.digits({ seed: 0, train: 2000, test: 500, size: 8 })
  const lines: string[] = []
  const { accuracy } = await main(csvOf(train), csvOf(unseen), {
    units: 96,
    epochs: 6,
    print: (line: string) => lines.push(line),
  })
  expect(accuracy).toBeGreaterThan(0.5)
  expect(lines).toEqual([`test accuracy ${(100 * accuracy).toFixed(2)} %`])
})

test('settings are chosen by cross-validation, the best first', async () => {
  const { train } = data.digits({ seed: 1, train: 600, test: 1, size: 8 })
  const settings = [
    { units: 64, epochs: 6, batch: 16, peak: 5e-3 },
    // Learns nothing, so that the order is known.
    { units: 64, epochs: 1, peak: 1e-7 },
  ]
  const results = await choose(csvOf(train), [...settings].reverse(), 2)
  expect(results.map(({ setting }) => setting)).toEqual(settings)
  const [best, worst] = results.map(({ accuracy }) => accuracy)
  expect(best).toBeGreaterThan(worst! + 0.1)
})

const [seen, unseen] = ['optdigits_train.csv', 'digits.csv'].map((name) =>
  join(dataDirectory, 'digits', name),
)

test('and the UCI digits, where they are', async () => {
  if (!existsSync(seen!) || !existsSync(unseen!)) return
  const { accuracy } = await main(readFileSync(seen!, 'utf8'), readFileSync(unseen!, 'utf8'), {
    units: 128,
    epochs: 15,
    print: () => {},
  })
  expect(accuracy).toBeGreaterThan(0.94)
})
