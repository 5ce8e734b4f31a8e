/** Schedules: where they begin, end, meet and turn. */
import { type Tensor, tensor, vmap } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const at = (schedule: optim.Schedule, step: number): number => schedule(step).item()
const positive = fc.double({ min: 0.01, max: 2, noNaN: true })
const steps = fc.integer({ min: 2, max: 50 })
const few = { numRuns: 25 }

describe('schedules', () => {
  test('are continuous where they are joined', () => {
    fc.assert(
      fc.property(positive, positive, steps, steps, (initial, peak, warmup, more) => {
        const all = [
          optim.warmupCosine({ initial, peak, warmup, steps: warmup + more }),
          optim.warmupExponential({ initial, peak, warmup, steps: more, rate: 0.5 }),
          optim.warmupConstant(initial, peak, warmup),
          optim.joinSchedules(
            [optim.linear(initial, peak, warmup), optim.constantSchedule(peak)],
            [warmup],
          ),
        ]
        for (const schedule of all) {
          expect(at(schedule, 0)).toBeCloseTo(initial, 4)
          expect(at(schedule, warmup)).toBeCloseTo(peak, 4)
          // From the step before by no more than the slope of the line.
          expect(Math.abs(at(schedule, warmup) - at(schedule, warmup - 1))).toBeLessThan(
            Math.abs(peak - initial) / warmup + 1e-4,
          )
        }
      }),
      few,
    )
  })

  test('one cycle: ends, peak and momentum', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 10, max: 200 }),
        positive,
        fc.constantFrom('linear', 'cosine'),
        fc.boolean(),
        (n, peak, anneal, threePhase) => {
          const { rate, momentum } = optim.oneCycle({
            peak,
            steps: n,
            anneal,
            threePhase,
            percentStart: 0.3,
          })
          expect(at(rate, 0)).toBeCloseTo(peak / 25, 5)
          expect(at(rate, n - 1)).toBeCloseTo(peak / 25 / 1e4, 7)
          expect(at(momentum, n - 1)).toBeCloseTo(0.95, 5)
          const values = rate(np.arange(n)).data()
          expect(Math.max(...values)).toBeLessThanOrEqual(peak * (1 + 1e-5))
        },
      ),
      few,
    )
  })

  test('warm restarts begin at the top, each period longer by the factor', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 4 }),
        (period, factor) => {
          const schedule = optim.cosineWarmRestarts({ initial: 1, period, factor, end: 0.1 })
          let start = 0
          for (let length = period; start < 2000 && start + length < 5000; length *= factor) {
            expect(at(schedule, start)).toBeCloseTo(1, 5)
            const last = 0.1 + 0.45 * (1 + Math.cos((Math.PI * (length - 1)) / length))
            expect(at(schedule, start + length - 1)).toBeCloseTo(last, 3)
            start += length
            if (factor === 1 && start > 100) break
          }
        },
      ),
      few,
    )
    expect(() => optim.cosineWarmRestarts({ initial: 1, period: 2, factor: 1.5 })).toThrow(
      'whole number',
    )
  })

  test('annealing is even and periodic; triangles meet base and peak', () => {
    const annealing = optim.cosineAnnealing({ initial: 1, period: 10, end: 0.2 })
    expect(at(annealing, 10)).toBeCloseTo(0.2, 6)
    expect(at(annealing, 13)).toBeCloseTo(at(annealing, 7), 5)
    expect(at(annealing, 23)).toBeCloseTo(at(annealing, 3), 5)
    const triangle = optim.cyclic({ base: 0.1, peak: 0.5, up: 4, down: 6, mode: 'triangular2' })
    expect([0, 4, 10, 14].map((t) => at(triangle, t))).toEqual(
      [0.1, 0.5, 0.1, 0.3].map((v) => expect.closeTo(v, 6)),
    )
  })

  test('piecewise: factors multiply; steps are exact', () => {
    const schedule = optim.piecewiseConstant(1, { 2: 0.5, 4: 0.1 })
    expect([0, 1, 2, 3, 4, 9].map((t) => at(schedule, t))).toEqual(
      [1, 1, 0.5, 0.5, 0.05, 0.05].map((v) => expect.closeTo(v, 6)),
    )
    const between = optim.piecewiseInterpolate('linear', 1, { 2: 3, 4: 0 })
    expect([0, 1, 2, 3, 4, 9].map((t) => at(between, t))).toEqual(
      [1, 2, 3, 1.5, 0, 0].map((v) => expect.closeTo(v, 5)),
    )
    expect(() => optim.piecewiseInterpolate('linear', 1, { 2: -1 })).toThrow('not negative')
    expect(() => optim.piecewiseConstant(1, { 2: -1 })).toThrow('not negative')
    expect(() => optim.cosineDecay(1, 0)).toThrow('some steps')
    expect(() => optim.joinSchedules([optim.constantSchedule(1)], [3])).toThrow('one boundary')
  })

  test('inverse square root', () => {
    const schedule = optim.inverseSquareRoot(0.2, 10)
    expect([0, 9, 39].map((t) => at(schedule, t))).toEqual(
      [0.02, 0.2, 0.1].map((v) => expect.closeTo(v, 6)),
    )
  })

  test('many steps at once, mapped and compiled are the same', () => {
    const all: readonly optim.Schedule[] = [
      optim.sgdr([
        { initial: 0, peak: 1, warmup: 2, steps: 6 },
        { initial: 0.1, peak: 0.5, warmup: 1, steps: 9 },
      ]),
      optim.cosineWarmRestarts({ initial: 1, period: 3, factor: 2 }),
      optim.cyclic({ base: 0, peak: 1, up: 3, mode: 'expRange', gamma: 0.9 }),
      optim.linearOneCycle({ steps: 12, peak: 1 }),
      optim.cosineOneCycle({ steps: 12, peak: 1 }),
      optim.polynomial({ initial: 1, end: 0, power: 2, steps: 5, begin: 2 }),
      optim.exponentialDecay({ initial: 1, steps: 3, rate: 0.5, staircase: true }),
    ]
    const t = tensor(Int32Array.from({ length: 15 }, (_, i) => i))
    for (const schedule of all) {
      const one = Array.from({ length: 15 }, (_, i) => expect.closeTo(at(schedule, i), 5))
      for (const y of [schedule(t), vmap((s: Tensor) => schedule(s))(t), jit(schedule)(t)]) {
        expect([...y.data()]).toEqual(one)
      }
    }
  })
})
