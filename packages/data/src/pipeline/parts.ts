/** Where the parts of a split and the folds of a cross-validation begin and end. */
import { IndexError } from '@cotangent/core'

type Bounds = readonly [from: number, to: number]

/** Fractions to bounds between 0 and 1. @throws IndexError */
export const splitBounds = (fractions: readonly number[]): readonly Bounds[] => {
  const ends: number[] = []
  let sum = 0
  for (const fraction of fractions) ends.push((sum += fraction))
  if (!fractions.every((f) => f > 0) || !(sum <= 1 + 1e-9)) {
    throw new IndexError({
      operation: 'split',
      problem: 'the fractions do not divide the dataset',
      got: `[${fractions.join(', ')}]`,
      want: 'positive numbers whose sum is at most 1',
      fix: 'give shares of the whole, for instance [0.8, 0.2]',
    })
  }
  // 0.1 added up ten times is a little less than 1, and must still be everything.
  const whole = Math.abs(sum - 1) < 1e-9
  return ends.map((end, i) => [
    i === 0 ? 0 : ends[i - 1]!,
    whole && i === ends.length - 1 ? 1 : end,
  ])
}

/** `k` contiguous parts of `count` elements, the first ones larger by one. @throws IndexError */
export const foldBounds = (k: number, count: number): readonly Bounds[] => {
  if (k > count) {
    throw new IndexError({
      operation: 'kFold',
      problem: 'there are more folds than elements',
      got: `${k} folds of ${count} elements`,
      fix: 'take at most as many folds as there are elements',
    })
  }
  const small = Math.floor(count / k)
  const larger = count % k
  const start = (fold: number): number => fold * small + Math.min(fold, larger)
  return Array.from({ length: k }, (_, fold) => [start(fold), start(fold + 1)])
}
