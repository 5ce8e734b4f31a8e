/** Point sets of the plane: where the points lie, and that the key decides them. */
import {
  type Dataset,
  type LabelledPoint,
  type PointsOptions,
  circles,
  moons,
  spirals,
  xor,
} from '@cotangent/data'
import { random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

type Place = readonly [x: number, y: number, label: number]

const places = (dataset: Dataset<LabelledPoint>): readonly Place[] => {
  const { point, label } = dataset.toArrays()
  const [points, labels] = [point.data(), label.data()]
  return Array.from({ length: labels.length }, (_, i) => [
    points[2 * i]!,
    points[2 * i + 1]!,
    labels[i]!,
  ])
}

const all: readonly (readonly [string, (options: PointsOptions) => Dataset<LabelledPoint>])[] = [
  ['spirals', spirals],
  ['moons', moons],
  ['circles', circles],
  ['xor', xor],
]

describe('points', () => {
  test.each(all)('%s: two balanced classes that the key decides', (_, make) => {
    const drawn = places(make({ count: 100, key: 3 }))
    expect(drawn.filter(([, , label]) => label === 0).length).toBe(50)
    expect(drawn.filter(([, , label]) => label === 1).length).toBe(50)
    expect(places(make({ count: 100, key: random.key(3) }))).toEqual(drawn)
    expect(places(make({ count: 100, key: 4 }))).not.toEqual(drawn)
    const { point, label } = make({ count: 5 }).toArrays()
    expect([point.shape, point.dtype]).toEqual([[5, 2], 'float32'])
    expect([label.shape, label.dtype]).toEqual([[5], 'int32'])
    expect(() => make({ count: 1.5 })).toThrow(/count is out of range/)
  })

  test('spirals without noise lie on their arms', () => {
    for (const [x, y, label] of places(spirals({ noise: 0, arms: 3, count: 300 }))) {
      const radius = Math.hypot(x, y)
      const angle = 2 * Math.PI * (label / 3 + 0.75 * radius)
      expect(x).toBeCloseTo(radius * Math.cos(angle), 5)
      expect(y).toBeCloseTo(radius * Math.sin(angle), 5)
    }
    expect(() => spirals({ arms: 1 })).toThrow(/arms is out of range/)
  })

  test('circles without noise lie on them, all around', () => {
    const drawn = places(circles({ noise: 0, ratio: 0.25, count: 4000 }))
    for (const [x, y, label] of drawn) expect(Math.hypot(x, y)).toBeCloseTo(label ? 0.25 : 1, 6)
    const quadrants = [0, 0, 0, 0]
    for (const [x, y] of drawn) quadrants[(x > 0 ? 1 : 0) + (y > 0 ? 2 : 0)]! += 1
    // 1,000 expected in each, with a standard deviation of 27.
    for (const count of quadrants) expect(Math.abs(count - 1000)).toBeLessThan(140)
  })

  test('moons without noise are two half circles', () => {
    for (const [x, y, label] of places(moons({ noise: 0 }))) {
      const [u, v] = label === 0 ? [x, y] : [1 - x, 0.5 - y]
      expect(Math.hypot(u, v)).toBeCloseTo(1, 6)
      expect(v).toBeGreaterThan(-1e-6)
    }
  })

  test('xor: the label is whether the signs differ', () => {
    for (const [x, y, label] of places(xor())) expect(x * y < 0 ? 1 : 0).toBe(label)
  })

  test('noise has the mean and the deviation that were asked for', () => {
    const exact = places(moons({ noise: 0, count: 4000, key: 1 }))
    const near = places(moons({ noise: 0.1, count: 4000, key: 1 }))
    const offsets = near.map(([x, y], i) => [x - exact[i]![0], y - exact[i]![1]] as const).flat()
    const mean = offsets.reduce((sum, d) => sum + d, 0) / offsets.length
    const square = offsets.reduce((sum, d) => sum + d * d, 0) / offsets.length
    // The standard error of the mean is 0.0011, that of the square's root 0.0008.
    expect(Math.abs(mean)).toBeLessThan(0.006)
    expect(Math.abs(Math.sqrt(square) - 0.1)).toBeLessThan(0.005)
  })
})
