/** Spelling of figures. */
import type { Target } from './benchmark.ts'

/** Three significant digits, without an exponent. */
export const significant = (value: number): string =>
  value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2)

/** Seconds in the unit that suits them. */
export const duration = (seconds: number): string => {
  if (seconds >= 10) return `${significant(seconds)} s`
  return seconds >= 1e-3 ? `${significant(seconds * 1e3)} ms` : `${significant(seconds * 1e6)} µs`
}

export const times = (ratio: number): string => `${significant(ratio)}×`

export const describeTarget = (target: Target): string => {
  switch (target.tag) {
    case 'ratio':
      return `${target.of === undefined ? '' : `${target.of} `}≥ ${target.atLeast}× ${target.against}`
    case 'time':
      return `< ${duration(target.below)}`
    default:
      return target satisfies never
  }
}
