/** What is compiled of a function, and why its calls compiled again: `jit.explain(f)`. */
import { showChanges } from './compare.ts'
import type { Miss, MissReason } from './log.ts'

/** What an explanation is made from. */
export interface ExplanationData {
  /** `jit(step)` */
  readonly name: string
  /** What the variants that are kept now were compiled for, the latest used last. */
  readonly variants: readonly string[]
  /** How many variants may be kept. */
  readonly capacity: number
  /** How often it was compiled in all. */
  readonly compilations: number
  /** The latest compilations, in order. */
  readonly misses: readonly Miss[]
}

export class Explanation implements ExplanationData {
  readonly name: string
  readonly variants: readonly string[]
  readonly capacity: number
  readonly compilations: number
  readonly misses: readonly Miss[]

  constructor({ name, variants, capacity, compilations, misses }: ExplanationData) {
    this.name = name
    this.variants = variants
    this.capacity = capacity
    this.compilations = compilations
    this.misses = misses
  }

  toJSON(): ExplanationData {
    const { name, variants, capacity, compilations, misses } = this
    return { name, variants, capacity, compilations, misses }
  }

  /** One paragraph for each compilation, the latest last. */
  toString(): string {
    const { name, variants, capacity, compilations, misses } = this
    const times = compilations === 1 ? 'once' : `${compilations} times`
    const head = `${name}: compiled ${times}, ${variants.length} of at most ${capacity} variants kept`
    const older = compilations - misses.length
    return [
      head,
      ...(older > 0 ? [`  … ${older} earlier compilations`] : []),
      ...misses.flatMap((miss) => showMiss(miss, capacity)),
    ].join('\n')
  }
}

const reasons: Readonly<Record<MissReason, (miss: Miss, capacity: number) => string>> = {
  first: () => 'the first call',
  changed: ({ closest }) => `not as compilation ${closest}, the closest`,
  evicted: ({ closest }, capacity) =>
    `the same as compilation ${closest}, which was dropped: more than ${capacity} variants; call it with fewer different shapes and static values`,
  cleared: ({ closest }) => `the same as compilation ${closest}, which clearCache dropped`,
  captured: ({ closest }) => `the same as compilation ${closest}, which could not be kept`,
}

const showMiss = (miss: Miss, capacity: number): readonly string[] => [
  `  ${miss.number}. ${reasons[miss.reason](miss, capacity)}`,
  ...(miss.changes.length === 0
    ? [`     ${miss.signature}`]
    : showChanges(miss.changes).map((line) => `     ${line}`)),
  ...(miss.captures === 0 ? [] : [`     ${capturedAdvice(miss.captures)}`]),
]

const capturedAdvice = (captures: number): string =>
  `it reads ${captures === 1 ? 'a value' : `${captures} values`} of the transform around it without being handed ${captures === 1 ? 'it' : 'them'}, so nothing is kept; pass ${captures === 1 ? 'it' : 'them'} as ${captures === 1 ? 'an argument' : 'arguments'}`
