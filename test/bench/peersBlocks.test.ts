/** The training steps of the three blocks begin with the losses of PyTorch. */
import { isAvailable } from '@cotangent/jit'
import { isRight, reference } from '@cotangent/bench/peers/reference'
import { contextFor } from '@cotangent/bench/peers/workload'
import { workloads } from '@cotangent/bench/peers/workloads'
import { describe, expect, test } from 'vitest'

// Generated JavaScript takes seconds a step; it is compared with the interpreter at small sizes.
describe.runIf(isAvailable('wasm'))('what wasm computes is what PyTorch does', () => {
  const blocks = workloads.filter(({ group }) => group === 'blocks')
  test('there are three', () => {
    expect(blocks.map(({ id }) => id)).toEqual(['transformer_step', 'inception_step', 'dense_step'])
  })
  for (const block of blocks) {
    test(block.id, () => {
      if (!('prepare' in block)) throw new Error(`${block.id} times itself`)
      const wanted = reference.get(block.id)!
      const check = block.prepare(contextFor('wasm')).check()
      expect(isRight(block.id, check), `${check.join(', ')} against ${wanted.join(', ')}`).toBe(
        true,
      )
      // Losses that hardly move would not show a wrong gradient.
      expect(Math.abs(wanted[2]! / wanted[0]! - 1)).toBeGreaterThan(0.05)
      expect(isRight(block.id, [check[0]!, check[0]!, check[0]!])).toBe(false)
    })
  }
})
