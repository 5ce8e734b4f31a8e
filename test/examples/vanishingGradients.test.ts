/** What vanishes and what explodes is said before training, and training bears it out. */
import { main } from '@cotangent/examples/vanishingGradients'
import { expect, test } from 'vitest'

const lines: string[] = []
// Not fewer steps: how soon a clipped network learns depends on how its sums are rounded.
const found = main({ print: (line: string) => lines.push(line) })
const { small, large, residual, gated, clipped, normalized } = found

test('small weights: the layers look healthy, the first steps do not', () => {
  expect(small.byLayer.first).toBe(null)
  expect(small.byStep.first?.verdict).toBe('vanishes')
  expect(small.byStep.layers).toHaveLength(40)
  expect(small.byStep.layers[0]!.norm).toBeLessThan(1e-10)
  expect(small.byStep.layers.at(-1)!.norm).toBeGreaterThan(1e-3)
})

test('large weights: the layers furthest from the loss explode', () => {
  expect(large.byLayer.first?.verdict).toBe('explodes')
  expect(large.byLayer.layers[0]!.verdict).toBe('explodes')
  expect(large.byStep.layers[0]!.norm).toBeGreaterThan(100)
})

test('residuals, gates and normalisation make the gradients healthy', () => {
  for (const { byLayer, byStep } of [residual, gated, normalized]) {
    expect(byLayer.first).toBe(null)
    expect(byStep.first).toBe(null)
  }
})

test('plain networks guess; each remedy learns', () => {
  for (const { accuracy } of [small, large]) expect(accuracy).toBeLessThan(0.8)
  for (const { accuracy } of [residual, gated, clipped, normalized]) {
    expect(accuracy).toBeGreaterThan(0.95)
  }
})

test('the table has a row for each', () => {
  expect(lines).toHaveLength(7)
  expect(lines[1]).toMatch(/^plain, small weights +vanishes/)
  expect(lines[4]).toMatch(/^plain, large weights +explodes/)
})
