/** What was probably meant: the known word that a mistyped one is closest to. */

/**
 * Optimal string alignment distance: insertions, deletions, substitutions and swaps of neighbours,
 * each counting one. A swap counts once because it is the commonest typing slip.
 */
export const editDistance = (a: string, b: string): number => {
  let before: number[] = []
  let last: number[] = Array.from({ length: b.length + 1 }, (_, j) => j)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let cost = Math.min(last[j]! + 1, row[j - 1]! + 1, last[j - 1]! + same)
      const swapped = i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]
      if (swapped) cost = Math.min(cost, before[j - 2]! + 1)
      row.push(cost)
    }
    before = last
    last = row
  }
  return last[b.length]!
}

/**
 * The known word closest to `word`, or undefined where none is close: at most one slip in three
 * letters, or one is the beginning of the other. Upper and lower case count as the same.
 */
export const nearest = (word: string, known: readonly string[]): string | undefined => {
  const typed = word.toLowerCase().slice(0, 64)
  let best: string | undefined
  let least = Infinity
  for (const candidate of known) {
    const target = candidate.toLowerCase()
    const abbreviated = typed.length >= 2 && (target.startsWith(typed) || typed.startsWith(target))
    const distance = abbreviated ? 1 : editDistance(typed, target)
    const allowed = Math.max(1, Math.ceil(Math.max(typed.length, target.length) / 3))
    if (distance <= allowed && distance < least) {
      best = candidate
      least = distance
    }
  }
  return typed === '' ? undefined : best
}
