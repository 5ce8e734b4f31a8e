import { main } from '@cotangent/examples/captioner'
import { expect, test } from 'vitest'

test('a short run tells how scenes are laid out, in captions of the right form', async () => {
  const lines: string[] = []
  const { exact, told, wanted } = await main({
    units: 64,
    batch: 32,
    steps: 160,
    test: 200,
    print: (line: string) => lines.push(line),
  })
  // Beside each other, one above the other, or alone: a third would be right by guessing.
  const layout = told.at(':', 3).equal(wanted.at(':', 3)).astype('float32').mean().item()
  expect(layout).toBeGreaterThan(0.5)
  expect(exact).toBeLessThanOrEqual(layout)
  expect(lines).toHaveLength(10 + 4 + 1)
  const phrase = 'a (red|green|blue|yellow) (circle|square|triangle)'
  const caption = new RegExp(`^told: ${phrase}( (left of|above) ${phrase})? {3}shown: ${phrase}`)
  for (const line of lines.slice(10, 14)) expect(line).toMatch(caption)
})
