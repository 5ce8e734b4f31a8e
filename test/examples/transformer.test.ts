import { main } from '@cotangent/examples/transformer'
import { expect, test } from 'vitest'
import { sampleText } from './text.ts'

test('the transformer learns more of a text than the frequencies of its characters', () => {
  const { name, text } = sampleText(60_000)
  console.log(`transformer reads ${text.length} characters of: ${name}`)
  const lines: string[] = []
  const { losses, story, alphabet } = main(text, {
    features: 32,
    layers: 2,
    heads: 2,
    time: 32,
    batch: 16,
    steps: 120,
    print: (line: string) => lines.push(line),
  })
  // Before training every character is about equally likely.
  expect(Math.abs(losses[0]! - Math.log(alphabet.length))).toBeLessThan(1)
  // Frequencies alone leave 3.3 nats of Shakespeare, 2.8 of the generated sentences.
  expect(losses[1]).toBeLessThan(2.7)
  expect(story).toHaveLength(16)
  expect(lines.at(-1)).toBe(story)
})
