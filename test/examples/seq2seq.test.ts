import { main } from '@cotangent/examples/seq2seq'
import { expect, test } from 'vitest'

test('a short run already reverses numbers that it has never seen', async () => {
  const lines: string[] = []
  const { exact, weights } = await main({
    units: 48,
    batch: 128,
    steps: 250,
    rate: 1e-2,
    test: 200,
    print: (line: string) => lines.push(line),
  })
  expect(exact.reversed).toBeGreaterThan(0.5)
  // Of the digits of a source each one written looks at some, and at nothing else.
  expect(weights.shape).toEqual([200, 5, 5])
  expect(weights.sum({ axis: -1 }).sub(1).abs().max().item()).toBeLessThan(1e-5)
  expect(lines).toHaveLength(10 + 4 + 1)
  expect(lines.at(-5)).toMatch(/^\d{5} → \d+$/)
  expect(lines.at(-1)).toMatch(/^exact: .* % reversed, .* % added$/)
})
