/** Numbers over steps, made ready to be drawn: smoothing, thinning, ranges. */

/** Points of a curve; where `y` is not finite the curve has a gap. */
export interface Points {
  readonly x: readonly number[]
  readonly y: readonly number[]
}

/** The values of a curve at steps 1, 2, 3, … */
export const overSteps = (values: ArrayLike<number>): Points => ({
  x: Array.from({ length: values.length }, (_, i) => i + 1),
  y: Array.from(values),
})

/**
 * Exponential moving average with a half-life of `halfLife` values, corrected for its start, so the
 * first value is itself. A value that is not finite stays as it is and does not enter the average.
 */
export const smooth = (values: ArrayLike<number>, halfLife: number): readonly number[] => {
  const decay = 0.5 ** (1 / Math.max(halfLife, 1e-9))
  let [sum, weight] = [0, 0]
  return Array.from(values, (value) => {
    if (!Number.isFinite(value)) return value
    sum = sum * decay + value
    weight = weight * decay + 1
    return sum / weight
  })
}

/** Position of the least and of the greatest finite value of a part, in order; none if there is none. */
const extremes = (y: readonly number[], from: number, to: number): readonly number[] => {
  let low = -1
  let high = -1
  for (let i = from; i < to; i++) {
    if (!Number.isFinite(y[i])) continue
    if (low < 0 || y[i]! < y[low]!) low = i
    if (high < 0 || y[i]! > y[high]!) high = i
  }
  if (low < 0) return []
  return low === high ? [low] : [Math.min(low, high), Math.max(low, high)]
}

/**
 * At most about `most` points that look the same: of each stretch its least and its greatest value,
 * so no spike is lost. A stretch without a finite value stays a gap.
 */
export const thin = (points: Points, most: number): Points => {
  const n = points.x.length
  if (n <= most) return points
  const stretches = Math.max(1, Math.floor(most / 2))
  const kept: number[] = []
  for (let s = 0; s < stretches; s++) {
    const [from, to] = [Math.floor((s * n) / stretches), Math.floor(((s + 1) * n) / stretches)]
    const found = extremes(points.y, from, to)
    kept.push(...(found.length === 0 ? [from] : found))
  }
  return { x: kept.map((i) => points.x[i]!), y: kept.map((i) => points.y[i]!) }
}

/** The value below which a fraction `q` of the finite values lies; undefined where there is none. */
export const quantile = (values: readonly number[], q: number): number | undefined => {
  const sorted = values.filter((v) => Number.isFinite(v)).toSorted((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))]
}
