/** Strokes as chains of short straight pieces. */
import type { Point, Stroke } from './skeletons.ts'

/** The pieces of one pen stroke: point `i` is at `(x[i], y[i])`. */
export interface Chain {
  readonly x: Float64Array
  readonly y: Float64Array
}

const piecesPerSpan = 6

/**
 * Follows a stroke: a `line` through its points with corners, a `curve` as a uniform Catmull–Rom
 * spline. Lines are cut into pieces too, so that a distortion can bend them.
 * @see Catmull, Rom 1974, "A class of local interpolating splines"
 */
export const follow = ({ kind, points }: Stroke): Chain => {
  const spans = points.length - 1
  const count = spans * piecesPerSpan + 1
  const x = new Float64Array(count)
  const y = new Float64Array(count)
  for (let i = 0; i < count; i++) {
    const span = Math.min(spans - 1, Math.floor(i / piecesPerSpan))
    const t = i / piecesPerSpan - span
    const p1 = points[span]!
    const p2 = points[span + 1]!
    const p0 = points[span - 1] ?? beyond(p1, p2)
    const p3 = points[span + 2] ?? beyond(p2, p1)
    const at = kind === 'curve' ? spline : straight
    x[i] = at(t, p0[0], p1[0], p2[0], p3[0])
    y[i] = at(t, p0[1], p1[1], p2[1], p3[1])
  }
  return { x, y }
}

/** The point one step outside an end: the end's neighbour mirrored at it. */
const beyond = (end: Point, inner: Point): Point => [2 * end[0] - inner[0], 2 * end[1] - inner[1]]

const straight = (t: number, _: number, b: number, c: number): number => b + t * (c - b)

const spline = (t: number, a: number, b: number, c: number, d: number): number =>
  b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a)))
