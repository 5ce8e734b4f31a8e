import { main } from '@cotangent/examples/truncatedBptt'
import { expect, test } from 'vitest'

test('the state carries what gradients do not: bits are said again four steps later', () => {
  const lines: string[] = []
  const { losses } = main({ print: (line: string) => lines.push(line) })
  expect(losses[0]).toBeCloseTo(Math.log(2), 0)
  expect(losses.at(-1)).toBeLessThan(0.02)
  expect(lines).toHaveLength(6)
})
