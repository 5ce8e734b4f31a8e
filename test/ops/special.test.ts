/** Special functions against fixed-point arithmetic, and at the edges of their domains. */
import { maths, tensor } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import * as exact from './fixedPoint.ts'

const ulp32 = (x: number): number => 2 ** Math.max(-149, Math.floor(Math.log2(Math.abs(x))) - 23)

/** float32 numbers spread over magnitudes 2^low … 2^high, both signs where wanted. */
const magnitudes = (low: number, high: number, signed: boolean): readonly number[] => {
  const points: number[] = []
  for (let e = low; e < high; e += 0.13) {
    const x = Math.fround(2 ** e)
    points.push(x)
    if (signed) points.push(-x)
  }
  return points
}

const near = (centre: number): readonly number[] =>
  Array.from({ length: 40 }, (_, i) => Math.fround(centre + (i - 20) * Math.abs(centre) * 3e-6))

const judge = (
  f: (x: number) => number,
  truth: (x: bigint) => bigint,
  points: readonly number[],
  relative: number,
): void => {
  for (const x of points) {
    const want = exact.toNumber(truth(exact.fixed(x)))
    const got = f(x)
    const ulps = Math.abs(Math.fround(got) - want) / ulp32(want)
    expect(ulps, `float32 at ${x}: ${got}, not ${want}`).toBeLessThan(0.51)
    const error = Math.abs(got - want) / Math.abs(want)
    expect(error, `float64 at ${x}: ${got}, not ${want}`).toBeLessThan(relative)
  }
}

const notAPole = (x: number): boolean => x > 0 || !Number.isInteger(x)

describe('accuracy', () => {
  test('the judge itself knows π, Γ(½)² = π and erf(1)', () => {
    expect(exact.toNumber(exact.pi)).toBe(Math.PI)
    expect(
      exact.toNumber(2n * exact.logGamma(exact.fixed(0.5)) - exact.log(exact.pi)),
    ).toBeLessThan(1e-90)
    expect(exact.toNumber(exact.erf(exact.fixed(1)))).toBe(0.8427007929497149)
    expect(exact.toNumber(exact.digamma(exact.fixed(1)))).toBe(-0.5772156649015329)
  })
  test('erf', () => {
    judge(maths.erf, exact.erf, [...magnitudes(-40, 2.5, true), ...near(1), ...near(0.5)], 1e-15)
  })
  test('erfc', () => {
    judge(maths.erfc, exact.erfc, [...magnitudes(-40, 3.15, true), ...near(0.5), ...near(1)], 2e-15)
  })
  test('logGamma', () => {
    const points = [
      ...magnitudes(-40, 60, false),
      ...near(1),
      ...near(2),
      ...near(2.5),
      ...near(10),
      ...magnitudes(-30, 5, true).filter(notAPole),
      ...near(-2.4570247),
      ...near(-2.7476826),
    ]
    const nonZero = points.filter((x) => x !== 1 && x !== 2)
    // Near its zeros at negative x, the reflection formula keeps the absolute error only.
    judge(
      maths.logGamma,
      exact.logGamma,
      nonZero.filter((x) => x > 0),
      1e-14,
    )
    judge(
      maths.logGamma,
      exact.logGamma,
      nonZero.filter((x) => x < 0),
      1e-8,
    )
    expect(maths.logGamma(1)).toBe(0)
    expect(maths.logGamma(2)).toBe(0)
  })
  test('digamma', () => {
    const points = [
      ...magnitudes(-40, 60, false),
      ...near(1.4616321),
      ...near(1),
      ...near(10),
      ...magnitudes(-30, 5, true).filter(notAPole),
      ...near(-0.504083),
    ]
    judge(maths.digamma, exact.digamma, points, 1e-6)
  })
  test('erfInverse is the inverse of erf', () => {
    const points = [
      ...magnitudes(-40, 0, true),
      ...near(0.5),
      0.99999994,
      -0.99999994,
      1 - 2 ** -53,
      1 - 2 ** -40,
    ]
    for (const y of points.filter((v) => Math.abs(v) < 1)) {
      const x = maths.erfInverse(y)
      const miss = exact.toNumber(exact.erf(exact.fixed(x)) - exact.fixed(y))
      const slope = (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x)
      expect(Math.abs(miss / slope / x), `erfInverse(${y}) = ${x}`).toBeLessThan(2e-15)
    }
  })
})

describe('edges', () => {
  test('erf and erfc', () => {
    expect([NaN, Infinity, -Infinity, 0].map(maths.erf)).toEqual([NaN, 1, -1, 0])
    expect(maths.erf(-0)).toBe(-0)
    expect([NaN, Infinity, -Infinity, 0, -0].map(maths.erfc)).toEqual([NaN, 0, 2, 1, 1])
    expect(maths.erfc(9.1)).toBeGreaterThan(0)
  })
  test('erfInverse', () => {
    expect([NaN, 1, -1, 1.1, -2, 0].map(maths.erfInverse)).toEqual([
      NaN,
      Infinity,
      -Infinity,
      NaN,
      NaN,
      0,
    ])
    expect(maths.erfInverse(-0)).toBe(-0)
  })
  test('logGamma has poles at 0, −1, −2, … and digamma is NaN there', () => {
    expect([0, -0, -1, -7, Infinity, -Infinity, NaN].map(maths.logGamma)).toEqual([
      Infinity,
      Infinity,
      Infinity,
      Infinity,
      Infinity,
      Infinity,
      NaN,
    ])
    expect([0, -0, -1, -7, Infinity, -Infinity, NaN].map(maths.digamma)).toEqual([
      NaN,
      NaN,
      NaN,
      NaN,
      Infinity,
      NaN,
      NaN,
    ])
  })
  test('trigamma by values that are known in closed form', () => {
    const x = tensor(new Float64Array([1, 0.5, 2, -0.5, 30]))
    const [one, half, two, negative, large] = prims.trigamma(x).data()
    expect(one).toBeCloseTo(Math.PI ** 2 / 6, 12)
    expect(half).toBeCloseTo(Math.PI ** 2 / 2, 12)
    expect(two).toBeCloseTo(Math.PI ** 2 / 6 - 1, 12)
    expect(negative).toBeCloseTo(Math.PI ** 2 / 2 + 4, 11)
    expect(large).toBeCloseTo(0.03389506, 7)
  })
})
