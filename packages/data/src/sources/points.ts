/** Points of the plane in classes that no straight line separates. */
import type { Tensor } from '@cotangent/core'
import { requireCount } from '../pipeline/arguments.ts'
import { rowsOfColumns } from '../pipeline/columns.ts'
import { Dataset } from '../pipeline/dataset.ts'
import { Draws } from '../random/draws.ts'
import { type KeyLike, keyWords } from '../random/key.ts'
import { direction } from '../random/direction.ts'

/** One example; a batch of `n` has `point: [n, 2]` and `label: [n]`. */
export interface LabelledPoint {
  /** float32 `[2]`. */
  readonly point: Tensor
  /** int32 scalar. */
  readonly label: Tensor
}

export interface PointsOptions {
  /** A key from `random.key`, or a seed; 0 by default. */
  readonly key?: KeyLike
  /** How many points, 1,000 by default; the classes take turns. */
  readonly count?: number
  /** The standard deviation of what is added to each coordinate. */
  readonly noise?: number
}

type Place = (label: number, draws: Draws) => readonly [x: number, y: number]

const scatter = (
  operation: string,
  options: PointsOptions,
  classes: number,
  defaultNoise: number,
  place: Place,
): Dataset<LabelledPoint> => {
  const { key = 0, count = 1000, noise = defaultNoise } = options
  requireCount(operation, 'count', count, 0)
  const draws = new Draws(keyWords(operation, key))
  const points = new Float32Array(2 * count)
  const labels = Int32Array.from({ length: count }, (_, i) => i % classes)
  labels.forEach((label, i) => {
    const [x, y] = place(label, draws)
    points[2 * i] = x + noise * draws.normal()
    points[2 * i + 1] = y + noise * draws.normal()
  })
  return new Dataset(
    rowsOfColumns(
      {
        point: { dtype: 'float32', shape: [2], data: points },
        label: { dtype: 'int32', shape: [], data: labels },
      },
      count,
    ),
  )
}

/**
 * Arms that wind outwards from the origin to radius 1, two by default, through three quarters of a
 * turn each. Noise: 0.02 by default.
 * @throws IndexError unless there are at least two arms.
 */
export const spirals = (
  options: PointsOptions & { readonly arms?: number } = {},
): Dataset<LabelledPoint> => {
  const { arms = 2 } = options
  requireCount('spirals', 'arms', arms, 2)
  return scatter('spirals', options, arms, 0.02, (label, draws) => {
    const along = draws.between(0.05, 1)
    const [x, y] = direction(label / arms + 0.75 * along)
    return [along * x, along * y]
  })
}

/** Two interleaved half circles of radius 1. Noise: 0.1 by default. */
export const moons = (options: PointsOptions = {}): Dataset<LabelledPoint> =>
  scatter('moons', options, 2, 0.1, (label, draws) => {
    const [x, y] = direction(0.5 * draws.uniform())
    return label === 0 ? [x, y] : [1 - x, 0.5 - y]
  })

/** A circle of radius 1 (label 0) around one of radius `ratio`, 0.5 by default (label 1). */
export const circles = (
  options: PointsOptions & { readonly ratio?: number } = {},
): Dataset<LabelledPoint> =>
  scatter('circles', options, 2, 0.05, (label, draws) => {
    const radius = label === 0 ? 1 : (options.ratio ?? 0.5)
    const [x, y] = direction(draws.uniform())
    return [radius * x, radius * y]
  })

/** Uniform in the square from −1 to 1; label 1 where the signs of x and y differ. Noise: 0. */
export const xor = (options: PointsOptions = {}): Dataset<LabelledPoint> =>
  scatter('xor', options, 2, 0, (label, draws) => {
    const x = draws.between(-1, 1)
    const size = draws.uniform()
    const sameSign = x < 0 ? -size : size
    return [x, label === 0 ? sameSign : -sameSign]
  })
