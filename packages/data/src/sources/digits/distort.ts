/** Random distortions of the plane: one affine map, and one smooth field of displacements. */
import type { Draws } from '../../random/draws.ts'
import type { Chain } from './curve.ts'
import type { Point, Skeleton } from './skeletons.ts'

/** How far writers differ: standard deviations, in units of the digit's box unless said. */
export interface Variation {
  /** Of each point of the skeleton. */
  readonly wobble: number
  /** Of the tangent of half the angle of rotation: 0.08 is about 9°. */
  readonly rotation: number
  readonly shear: number
  /** Of width and height, each about 1. */
  readonly scale: number
  /** The largest shift of the centre, each way. */
  readonly shift: number
  /** Of the displacement at the nodes of the elastic field. */
  readonly elastic: number
}

/** The same strokes with every point moved a little: the hand is never quite the same. */
export const wobble = (skeleton: Skeleton, deviation: number, draws: Draws): Skeleton => ({
  weight: skeleton.weight,
  strokes: skeleton.strokes.map(({ kind, points }) => ({
    kind,
    points: points.map(
      ([x, y]): Point => [x + deviation * draws.normal(), y + deviation * draws.normal()],
    ),
  })),
})

/** Moves the points of a chain in place. */
export type Warp = (chain: Chain) => void

/** A random affine map about the centre of the box. */
export const affine = (variation: Variation, draws: Draws): Warp => {
  // By the tangent of the half angle, cosine and sine need no library function, whose last bit
  // would depend on the machine.
  const t = variation.rotation * draws.normal()
  const cos = (1 - t * t) / (1 + t * t)
  const sin = (2 * t) / (1 + t * t)
  const shear = variation.shear * draws.normal()
  const size = 1 + variation.scale * draws.normal()
  const width = size * (1 + variation.scale * draws.normal())
  const height = size
  const dx = 0.5 + draws.between(-variation.shift, variation.shift)
  const dy = 0.5 + draws.between(-variation.shift, variation.shift)
  return ({ x, y }) => {
    for (let i = 0; i < x.length; i++) {
      const v = (y[i]! - 0.5) * height
      const u = (x[i]! - 0.5) * width - shear * v
      x[i] = cos * u - sin * v + dx
      y[i] = sin * u + cos * v + dy
    }
  }
}

const nodes = 5

/**
 * A random smooth field of displacements: independent at the nodes of a 5×5 grid over the box,
 * interpolated between them with continuous slope.
 * @see Simard, Steinkraus, Platt 2003, "Best practices for convolutional neural networks"
 */
export const elastic = (variation: Variation, draws: Draws): Warp => {
  const node = (): Float64Array =>
    Float64Array.from({ length: nodes * nodes }, () => variation.elastic * draws.normal())
  const across = node()
  const down = node()
  return ({ x, y }) => {
    for (let i = 0; i < x.length; i++) {
      const [column, u] = cell(x[i]!)
      const [row, v] = cell(y[i]!)
      const corner = row * nodes + column
      x[i] = x[i]! + blend(across, corner, u, v)
      y[i] = y[i]! + blend(down, corner, u, v)
    }
  }
}

/** The grid cell of a coordinate, and the smoothed place inside it; clamped to the grid. */
const cell = (coordinate: number): readonly [number, number] => {
  const scaled = Math.min(nodes - 1, Math.max(0, coordinate * (nodes - 1)))
  const index = Math.min(nodes - 2, Math.floor(scaled))
  const t = scaled - index
  return [index, t * t * (3 - 2 * t)]
}

const blend = (field: Float64Array, corner: number, u: number, v: number): number => {
  const top = field[corner]! + u * (field[corner + 1]! - field[corner]!)
  const below = corner + nodes
  const bottom = field[below]! + u * (field[below + 1]! - field[below]!)
  return top + v * (bottom - top)
}
