/** What BLEU counts, what it makes of the counts, and counting in lists of tokens. */

/** What BLEU counts: by the length of n-grams, from 1. */
export interface BleuCounts {
  /** n-grams of candidates that are in a reference, each at most as often as there. */
  readonly matches: readonly number[]
  /** n-grams of candidates. */
  readonly totals: readonly number[]
  readonly candidateLength: number
  /** Of the references nearest in length. */
  readonly referenceLength: number
}

export interface BleuOptions {
  /** n-grams of 1 to this many tokens; 4 by default. */
  readonly orders?: number
  /** Adds 1 to matches and totals above single tokens, so that short texts are not 0; false by default. */
  readonly smooth?: boolean
}

const add = (a: readonly number[], b: readonly number[]): readonly number[] =>
  a.map((count, i) => count + b[i]!)

export const noCounts = (orders: number): BleuCounts => {
  const zeros = Array.from({ length: orders }, () => 0)
  return { matches: zeros, totals: zeros, candidateLength: 0, referenceLength: 0 }
}

/** Counts of two sets of texts together. */
export const joinBleu = (a: BleuCounts, b: BleuCounts): BleuCounts => ({
  matches: add(a.matches, b.matches),
  totals: add(a.totals, b.totals),
  candidateLength: a.candidateLength + b.candidateLength,
  referenceLength: a.referenceLength + b.referenceLength,
})

/**
 * The geometric mean of the n-gram precisions times the brevity penalty; 0 where one of them is 0
 * (unless smoothed).
 * @see Papineni et al. 2002; Lin & Och 2004 for smoothing
 */
export const bleuScore = (counts: BleuCounts, { smooth = false }: BleuOptions = {}): number => {
  const { matches, totals, candidateLength, referenceLength } = counts
  if (candidateLength === 0) return 0
  const logs = matches.map((m, i) => {
    const extra = smooth && i > 0 ? 1 : 0
    return Math.log(m + extra) - Math.log(totals[i]! + extra)
  })
  if (!logs.every(Number.isFinite)) return 0
  const brevity = Math.min(0, 1 - referenceLength / candidateLength)
  return Math.exp(brevity + logs.reduce((a, b) => a + b, 0) / logs.length)
}

/**
 * BLEU's counts of texts that are lists of tokens (words, characters, numbers), with references of
 * each.
 * @example
 * const words = (s: string) => s.split(' ')
 * metrics.bleuScore(metrics.bleuCounts([words('the cat sat')], [[words('the cat sat')]], { orders: 2 })) // 1
 */
export const bleuCounts = (
  candidates: readonly (readonly (string | number)[])[],
  references: readonly (readonly (readonly (string | number)[])[])[],
  { orders = 4 }: BleuOptions = {},
): BleuCounts =>
  candidates
    .map((candidate, i) => countsOfText(candidate, references[i] ?? [], orders))
    .reduce(joinBleu, noCounts(orders))

type Text = readonly (string | number)[]

const countsOfText = (candidate: Text, references: readonly Text[], orders: number): BleuCounts => {
  const each = Array.from({ length: orders }, (_, i) => i + 1)
  const gap = (r: Text): number => Math.abs(r.length - candidate.length)
  const byGap = references.toSorted((a, b) => gap(a) - gap(b) || a.length - b.length)
  return {
    matches: each.map((n) => {
      const known = references.map((r) => ngrams(r, n))
      return [...ngrams(candidate, n)].reduce(
        (sum, [gram, times]) =>
          sum + Math.min(times, Math.max(0, ...known.map((grams) => grams.get(gram) ?? 0))),
        0,
      )
    }),
    totals: each.map((n) => Math.max(0, candidate.length - n + 1)),
    candidateLength: candidate.length,
    referenceLength: byGap[0]?.length ?? 0,
  }
}

const ngrams = (text: Text, n: number): ReadonlyMap<string, number> => {
  const counts = new Map<string, number>()
  for (let i = 0; i + n <= text.length; i++) {
    const gram = JSON.stringify(text.slice(i, i + n))
    counts.set(gram, (counts.get(gram) ?? 0) + 1)
  }
  return counts
}
