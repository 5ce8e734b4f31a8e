/** Every primitive against every law. */
import { describe, expect, test } from 'vitest'
import { primitives } from '@cotangent/ops'
import { jvpLaw, secondOrderLaw, transposeLaw, typingLaw, vmapLaw } from './laws.ts'
import type { Sample } from './sample.ts'
import { samples, unsampled } from './samples.ts'

test('the samples are those of the closed set of primitives', () => {
  const exempt: readonly string[] = unsampled
  const names = Object.keys(primitives).filter((name) => !exempt.includes(name))
  expect(Object.keys(samples).sort()).toEqual(names.sort())
})

const forEach = (cases: readonly Sample[], law: (sample: Sample) => void): void => {
  for (const sample of cases) {
    try {
      law(sample)
    } catch (error) {
      throw new Error(`sample "${sample.label}"`, { cause: error })
    }
  }
}

describe.each<[string, readonly Sample[]]>(Object.entries(samples))('%s', (name, cases) => {
  const having = (...levels: readonly string[]): readonly Sample[] =>
    cases.filter((s) => levels.includes(s.derivatives))
  const forward = having('smooth', 'forward')
  const reverse = having('smooth', 'reverse')
  const smooth = having('smooth')

  test('types', () => forEach(cases, (s) => typingLaw(name, s)))
  test('vmap is a loop', () => forEach(cases, vmapLaw))
  if (forward.length > 0) test('jvp is the derivative', () => forEach(forward, jvpLaw))
  if (reverse.length > 0) test('transpose is the adjoint', () => forEach(reverse, transposeLaw))
  if (smooth.length > 0) test('derivatives differentiate', () => forEach(smooth, secondOrderLaw))
})
