/** What a kernel holds decides which passes run: those that are left out would have changed nothing. */
import { type Scalar, type Stmt, scalars } from '@cotangent/core'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Kernel } from '../../../packages/jit/src/kernel.ts'
import { splitDivided } from '../../../packages/jit/src/loops/divided.ts'
import { peel } from '../../../packages/jit/src/loops/peel.ts'
import { contentsOf, kinds } from '../../../packages/jit/src/wasm/passes/contents.ts'
import { expand } from '../../../packages/jit/src/wasm/passes/expand.ts'
import { branchOnGuards } from '../../../packages/jit/src/wasm/passes/guards.ts'
import { drawsFrom, randomNest, randomScalar, realDTypes } from '../programs.ts'

const { counter, load } = scalars
const at = counter('i', 12)

const kernelOf = (body: readonly Stmt[]): Kernel => ({ name: 'random', buffers: [], body })

/** A body and all bodies inside of it. */
const bodiesIn = (body: readonly Stmt[]): readonly (readonly Stmt[])[] => [
  body,
  ...body.flatMap((s) => {
    if (s.tag === 'for' || s.tag === 'while') return bodiesIn(s.body)
    return s.tag === 'if' ? [...bodiesIn(s.then), ...bodiesIn(s.otherwise)] : []
  }),
]

const storing = (value: Scalar): readonly Stmt[] => [
  {
    tag: 'for',
    counter: 'i',
    extent: 12,
    parallel: true,
    body: [{ tag: 'store', buffer: 'out', at, value }],
  },
]

const randomBodies = (seed: number): readonly (readonly Stmt[])[] => {
  const draws = drawsFrom(seed)
  const dtype = draws.pick(realDTypes)
  const value = randomScalar(draws, dtype, draws.below(3), (d) => load('x', d, at), at)
  return [storing(value), ...bodiesIn(randomNest(seed))]
}

const passes: readonly [keyof typeof kinds, (body: readonly Stmt[]) => readonly Stmt[]][] = [
  ['division', splitDivided],
  ['test', (body) => peel(body)],
  ['guard', branchOnGuards],
  ['expandable', (body) => expand(kernelOf(body)).body],
]

for (const [kind, run] of passes) {
  test(`without any ${kind} the pass for it keeps the very same statements`, () => {
    let without = 0
    fc.assert(
      fc.property(fc.integer(), (seed) => {
        for (const body of randomBodies(seed)) {
          if ((contentsOf(body) & kinds[kind]) !== 0) continue
          without++
          expect(run(body)).toBe(body)
        }
      }),
      { numRuns: 200 },
    )
    expect(without).toBeGreaterThan(20)
  })
}

test('a body holds what the bodies inside of it hold', () => {
  fc.assert(
    fc.property(fc.integer(), (seed) => {
      const [all, ...inner] = bodiesIn(randomNest(seed))
      for (const body of inner) expect(contentsOf(body) & ~contentsOf(all!)).toBe(0)
    }),
    { numRuns: 50 },
  )
})
