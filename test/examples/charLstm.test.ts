import { main } from '@cotangent/examples/charLstm'
import { expect, test } from 'vitest'
import { sampleText } from './text.ts'

/** Bits of surprise per character, in nats, of a model that knows the frequencies alone. */
const entropy = (text: string): number => {
  const counts = new Map<string, number>()
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1)
  const shares = [...counts.values()].map((count) => count / text.length)
  return -shares.reduce((sum, share) => sum + share * Math.log(share), 0)
}

test('the LSTM learns more of a text than the frequencies of its characters', () => {
  const { name, text } = sampleText(100_000)
  console.log(`charLstm reads ${text.length} characters of: ${name}`)
  const lines: string[] = []
  const { losses, story, alphabet } = main(text, {
    units: 48,
    embedding: 16,
    time: 24,
    batch: 16,
    epochs: 1,
    rate: 1e-2,
    sample: 80,
    print: (line: string) => lines.push(line),
  })
  // Before training every character is about equally likely.
  expect(losses[0]).toBeCloseTo(Math.log(alphabet.length), 0)
  expect(losses.at(-1)).toBeLessThan(entropy(text) - 0.3)
  expect(story).toHaveLength(80)
  expect(Array.from(story).every((character) => alphabet.includes(character))).toBe(true)
  expect(lines.at(-1)).toBe(story)
})

test('the same key writes the same text', () => {
  const options = { units: 8, time: 8, batch: 4, epochs: 1, sample: 20, print: () => {} }
  const { text } = sampleText(2000)
  expect(main(text, options)).toEqual(main(text, options))
})
