/** Addresses for temporaries: intervals of time packed into one arena. */

/** Bytes needed from step `start` to step `end`, both included. */
export interface Interval {
  readonly bytes: number
  readonly start: number
  readonly end: number
}

export interface Arena {
  readonly bytes: number
  /** The offset of each interval, in the order given. */
  readonly offsets: readonly number[]
}

const alignment = 64
const aligned = (bytes: number): number => Math.ceil(bytes / alignment) * alignment

// Behind all that lie no further.
const positionAfter = (
  placed: readonly number[],
  offsets: readonly number[],
  offset: number,
): number => {
  let [low, high] = [0, placed.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (offsets[placed[middle]!]! > offset) high = middle
    else low = middle + 1
  }
  return low
}

/** First fit, largest first: two intervals share bytes only when they share no step. */
export const packArena = (intervals: readonly Interval[]): Arena => {
  const order = intervals.map((_, i) => i).sort((a, b) => intervals[b]!.bytes - intervals[a]!.bytes)
  const offsets = new Array<number>(intervals.length).fill(0)
  /** In the order of their offsets. */
  const placed: number[] = []
  let total = 0
  for (const i of order) {
    const mine = intervals[i]!
    const size = aligned(mine.bytes)
    let offset = 0
    for (const p of placed) {
      const other = intervals[p]!
      if (other.start > mine.end || other.end < mine.start) continue
      if (offset + size <= offsets[p]!) break
      offset = Math.max(offset, offsets[p]! + aligned(other.bytes))
    }
    offsets[i] = offset
    placed.splice(positionAfter(placed, offsets, offset), 0, i)
    total = Math.max(total, offset + size)
  }
  return { bytes: total, offsets }
}
