/** Random slicings of operands: what gather and scatter are tested on. */
import type { Tensor } from '@cotangent/core'
import fc from 'fast-check'
import { integers } from './laws.ts'

export interface SliceSample {
  readonly operand: readonly number[]
  readonly sizes: readonly number[]
  readonly collapsed: readonly number[]
  readonly startMap: readonly number[]
  readonly batch: readonly number[]
  readonly windowAxes: readonly number[]
  readonly indices: Tensor
  readonly result: readonly number[]
}

const axis = fc.record({
  extent: fc.integer({ min: 1, max: 4 }),
  size: fc.integer({ min: 1, max: 4 }),
  collapse: fc.boolean(),
  started: fc.boolean(),
})

/** Operand axes with a slice size each, some collapsed, some positioned; window axes interleaved. */
export const sliceSamples: fc.Arbitrary<SliceSample> = fc
  .record({
    axes: fc.array(axis, { minLength: 1, maxLength: 3 }),
    batch: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 0, maxLength: 2 }),
    places: fc.array(fc.boolean(), { minLength: 8, maxLength: 8 }),
    seed: fc.integer({ min: 0, max: 1000 }),
  })
  .map(({ axes, batch, places, seed }) => {
    const sizes = axes.map((a) => (a.collapse ? 1 : Math.min(a.size, a.extent)))
    const collapsed = axes.flatMap((a, d) => (a.collapse ? [d] : []))
    const startMap = axes.flatMap((a, d) => (a.started ? [d] : [])).toReversed()
    const shown = sizes.filter((_, d) => !collapsed.includes(d))
    const windowAxes: number[] = []
    const result: number[] = []
    let [nextShown, nextBatch] = [0, 0]
    while (nextShown < shown.length || nextBatch < batch.length) {
      const window =
        nextBatch >= batch.length || (nextShown < shown.length && places[result.length]!)
      if (window) windowAxes.push(result.length)
      result.push(window ? shown[nextShown++]! : batch[nextBatch++]!)
    }
    return {
      operand: axes.map((a) => a.extent),
      sizes,
      collapsed,
      startMap,
      batch,
      windowAxes,
      indices: integers([...batch, startMap.length], -2, 5, seed),
      result,
    }
  })

export const positions = (shape: readonly number[]): readonly (readonly number[])[] =>
  shape.reduce<readonly (readonly number[])[]>(
    (all, extent) => all.flatMap((p) => Array.from({ length: extent }, (_, i) => [...p, i])),
    [[]],
  )

export const flat = (shape: readonly number[], at: readonly number[]): number =>
  at.reduce((offset, i, d) => offset * shape[d]! + i, 0)

/** Where each element of the result lies in the operand; null where its slice does not fit. */
export const sources = (s: SliceSample, clip: boolean): readonly (readonly number[] | null)[] => {
  const index = s.indices.data()
  return positions(s.result).map((position) => {
    const batch = position.filter((_, d) => !s.windowAxes.includes(d))
    const start = s.operand.map(() => 0)
    s.startMap.forEach((d, k) => {
      start[d] = index[flat([...s.batch, s.startMap.length], [...batch, k])]!
    })
    const fits = start.every((v, d) => v >= 0 && v <= s.operand[d]! - s.sizes[d]!)
    if (!fits && !clip) return null
    const clamped = start.map((v, d) => Math.min(Math.max(v, 0), s.operand[d]! - s.sizes[d]!))
    const shown = s.operand.flatMap((_, d) => (s.collapsed.includes(d) ? [] : [d]))
    return clamped.map((v, d) =>
      shown.includes(d) ? v + position[s.windowAxes[shown.indexOf(d)]!]! : v,
    )
  })
}
