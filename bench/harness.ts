/** The one place that knows benny: contenders that compute the same, timed in turns. */
import { add, suite } from 'benny'
import type { Contenders } from './benchmark.ts'
import { arraysOf, difference, median } from './samples.ts'

export interface CompareOptions {
  /** The greatest difference between results, relative to the greatest number of each array. */
  readonly sameResult: number
  /** One short turn each. */
  readonly quick?: boolean
}

/** Times of one contender, in seconds a call. */
export interface Timing {
  readonly contender: string
  readonly median: number
  readonly samples: readonly number[]
}

export interface Comparison {
  readonly name: string
  /** In the order in which the contenders were given. */
  readonly timings: readonly Timing[]
  /** The greatest difference that was found between results. */
  readonly difference: number
}

/** A call that takes longer, in seconds, is a sample by itself. */
const slowCall = 0.5
/** Turns of each contender; slow ones take every other. */
const rounds = 3
/** Calls that take longer have no turns: seconds of work hardly depend on warmth. */
const verySlowCall = 2
/** A first call that takes longer, with whatever is compiled in it, is not even repeated. */
const slowestCall = 10

/** Where results go, so that no engine can leave out computing them. */
export const results: { last: unknown } = { last: undefined }

interface Entrant {
  readonly contender: string
  readonly run: () => unknown
  /** Of the quickest call before the turns. */
  readonly seconds: number
}

/**
 * Times contenders against each other and returns the median of each.
 *
 * Each runs once first: the results must agree. Then they take turns, in alternating order, so that a
 * machine that gets slower or faster meanwhile does so for all of them; the samples of all turns of
 * one contender are put together.
 * @throws Error where the results differ by more than `sameResult`.
 * @example
 * await compare('sum', { compiled: () => f(x), interpreter: () => g(x) }, { sameResult: 1e-6 })
 */
export const compare = async (
  name: string,
  contenders: Contenders,
  { sameResult, quick = false }: CompareOptions,
): Promise<Comparison> => {
  globalThis.gc?.()
  const { entrants, apart } = admit(name, contenders, sameResult)
  const turns = turnsOf(entrants, quick ? 1 : rounds)
  const taken = await takeTurns(name, turns, quick)
  const timings = entrants.map(({ contender, seconds }): Timing => {
    const own = taken.filter((_, i) => turns[i]!.contender === contender).flat()
    const samples = own.length === 0 ? [seconds] : own
    return { contender, median: median(samples), samples }
  })
  return { name, timings, difference: apart }
}

/** The samples of each turn, in seconds. */
const takeTurns = async (
  name: string,
  turns: readonly Entrant[],
  quick: boolean,
): Promise<readonly (readonly number[])[]> => {
  // A suite without cases would never end.
  if (turns.length === 0) return []
  const { results: cases } = await suite(
    name,
    ...turns.map(({ contender, run, seconds }, i) => {
      const isSlow = seconds > slowCall
      const once = isSlow ? afterProbes(run) : kept(run)
      const brevity = isSlow ? slowOptions : quick ? quickOptions : options
      return add(`${contender} (turn ${i + 1})`, once, brevity)
    }),
  )
  return cases.map(({ details }) => details.sampleResults)
}

const options = { minSamples: 3, maxTime: 0.2 }
const quickOptions = { minSamples: 1, maxTime: 0.1 }
const slowOptions = { minSamples: 1, maxTime: 0 }

interface Admitted {
  readonly entrants: readonly Entrant[]
  readonly apart: number
}

// The results are turned into numbers at once: a contender may overwrite them in its next call.
const admit = (name: string, contenders: Contenders, sameResult: number): Admitted => {
  const tried = Object.entries(contenders).map(([contender, run]) => {
    const [result, first] = timed(run)
    const numbers = arraysOf(result).map((values) => Float64Array.from(values))
    return { contender, run, seconds: warm(run, first), numbers }
  })
  const [judged, ...others] = tried
  if (judged === undefined) throw new Error(`${name}: there is no contender`)
  if (judged.numbers.length === 0) throw new Error(`${name}: the result holds no numbers`)
  const differences = others.map(({ contender, numbers }) => {
    const apart = difference(judged.numbers, numbers)
    if (apart <= sameResult) return apart
    throw new Error(
      `${name}: ${judged.contender} and ${contender} differ by ${apart}, more than ${sameResult}`,
    )
  })
  const entrants = tried.map(({ contender, run, seconds }) => ({ contender, run, seconds }))
  return { entrants, apart: Math.max(0, ...differences) }
}

const timed = (run: () => unknown): readonly [result: unknown, seconds: number] => {
  const start = performance.now()
  const result = run()
  return [result, (performance.now() - start) / 1000]
}

/**
 * Calls again until calls get no quicker, since engines compile what is called often; returns the
 * seconds of the quickest call.
 */
const warm = (run: () => unknown, first: number): number => {
  let quickest = first
  if (first > slowestCall) return quickest
  for (let call = 2; call <= 10; call++) {
    const [, seconds] = timed(run)
    const isSettled = seconds > 0.7 * quickest
    quickest = Math.min(quickest, seconds)
    if (isSettled && (call >= 4 || quickest > slowCall)) break
  }
  return quickest
}

const turnsOf = (entrants: readonly Entrant[], count: number): readonly Entrant[] =>
  Array.from({ length: count }, (_, round) => {
    const taking = entrants.filter(({ seconds }) => {
      if (seconds > verySlowCall) return false
      return seconds <= slowCall || round % 2 === 0
    })
    return round % 2 === 0 ? taking : taking.toReversed()
  }).flat()

const kept =
  (run: () => unknown): (() => void) =>
  () => {
    results.last = run()
  }

/**
 * Benny calls a case once to see whether it returns a promise, and the library below once before
 * every sample to see whether it throws. Neither call is timed, and seconds are saved by not
 * computing anything in them: a slow contender has just run, for its result.
 */
const afterProbes = (run: () => unknown): (() => void) => {
  let probes = 2
  return () => {
    if (probes > 0) probes -= 1
    else results.last = run()
  }
}
