import {
  eagerAdditions,
  growthLimit,
  memoryLimit,
  peakOf,
  trainingSteps,
} from '@cotangent/bench/memoryRuns'
import { expect, test } from 'vitest'

// Short forms of `npm run bench:memory`: each still makes more garbage than the limit allows to keep.
test('eager additions in one synchronous loop leave nothing behind', () => {
  const steps = 300
  expect(steps * 4e6).toBeGreaterThan(memoryLimit)
  expect(peakOf(eagerAdditions(steps))).toBeLessThan(memoryLimit)
})

test('compiled training steps that donate their state take no further memory', () => {
  const { early, late } = trainingSteps(200, 4)
  expect(late - early).toBeLessThan(growthLimit)
})
