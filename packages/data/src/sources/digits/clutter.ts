/** What else is on the paper: the end of a neighbour's stroke, a ruled line, specks. */
import type { Draws } from '../../random/draws.ts'
import { follow } from './curve.ts'
import { type Picture, stroke } from './raster.ts'
import type { Point } from './skeletons.ts'

/** Adds, to some pictures only, marks that do not belong to the digit. `unit` is 1 at 28 pixels. */
export const clutter = (picture: Picture, unit: number, draws: Draws): void => {
  if (draws.uniform() < 0.1) neighbour(picture, unit, draws)
  if (draws.uniform() < 0.05) ruledLine(picture, unit, draws)
  if (draws.uniform() < 0.08) specks(picture, unit, draws)
}

/** A short stroke that comes in from one side, at most five pixels deep. */
const neighbour = (picture: Picture, unit: number, draws: Draws): void => {
  const { side } = picture
  const edge = draws.below(4)
  const at = (along: number, depth: number): Point => {
    const a = along * side
    const d = depth * unit
    if (edge === 0) return [d, a]
    if (edge === 1) return [side - d, a]
    return edge === 2 ? [a, d] : [a, side - d]
  }
  const start = draws.uniform()
  const points = [
    at(start, -1),
    at(start + draws.between(-0.1, 0.1), draws.between(1, 4)),
    at(start + draws.between(-0.25, 0.25), draws.between(0, 5)),
  ]
  const radius = unit * draws.between(0.6, 1.3)
  const ink = draws.between(0.5, 1)
  stroke(picture, follow({ kind: 'curve', points }), { from: radius, to: radius, ink })
}

/** A pale, nearly level line across the picture. */
const ruledLine = (picture: Picture, unit: number, draws: Draws): void => {
  const { side } = picture
  const left = draws.between(0.1, 0.95) * side
  const right = left + draws.between(-2, 2) * unit
  const points: readonly Point[] = [
    [0, left],
    [side, right],
  ]
  const radius = 0.35 * unit
  const ink = draws.between(0.15, 0.45)
  stroke(picture, follow({ kind: 'line', points }), { from: radius, to: radius, ink })
}

const specks = (picture: Picture, unit: number, draws: Draws): void => {
  const count = 1 + draws.below(3)
  for (let i = 0; i < count; i++) {
    const point: Point = [draws.uniform() * picture.side, draws.uniform() * picture.side]
    const radius = unit * draws.between(0.2, 0.8)
    const ink = draws.between(0.3, 1)
    stroke(picture, follow({ kind: 'line', points: [point, point] }), {
      from: radius,
      to: radius,
      ink,
    })
  }
}
