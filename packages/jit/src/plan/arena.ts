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

/** First fit, largest first: two intervals share bytes only when they share no step. */
export const packArena = (intervals: readonly Interval[]): Arena => {
  const order = intervals.map((_, i) => i).sort((a, b) => intervals[b]!.bytes - intervals[a]!.bytes)
  const offsets = new Array<number>(intervals.length).fill(0)
  const placed: number[] = []
  let total = 0
  for (const i of order) {
    const mine = intervals[i]!
    const size = aligned(mine.bytes)
    const rivals = placed
      .filter((p) => intervals[p]!.start <= mine.end && intervals[p]!.end >= mine.start)
      .sort((a, b) => offsets[a]! - offsets[b]!)
    let offset = 0
    for (const p of rivals) {
      if (offset + size <= offsets[p]!) break
      offset = Math.max(offset, offsets[p]! + aligned(intervals[p]!.bytes))
    }
    offsets[i] = offset
    placed.push(i)
    total = Math.max(total, offset + size)
  }
  return { bytes: total, offsets }
}
