/** One line of progress, as a pure function of the state and of the width that there is for it. */
import { clock, count, loss, percent } from '../report/format.ts'

/** Where training stands. A figure that is not known yet is left out of the line. */
export interface ProgressState {
  /** Counted from 1. */
  readonly epoch: number
  readonly epochs: number
  /** Steps done in this epoch, and in a whole one. */
  readonly step: number
  readonly steps: number
  readonly loss?: number | undefined
  /** A fraction, 0 to 1. */
  readonly accuracy?: number | undefined
  readonly examplesPerSecond?: number | undefined
  readonly secondsLeft?: number | undefined
}

/** What is said when an epoch is over. */
export interface EpochSummary {
  readonly epoch: number
  readonly epochs: number
  readonly loss: number
  readonly accuracy?: number | undefined
  readonly testLoss?: number | undefined
  readonly testAccuracy?: number | undefined
  readonly seconds: number
}

const gap = '  '
const eighths = ['', '▏', '▎', '▍', '▌', '▋', '▊', '▉']
const narrowestBar = 6
const widestBar = 40

const fractionOf = (state: ProgressState): number => {
  const fraction = state.step / state.steps
  return Number.isFinite(fraction) ? Math.min(1, Math.max(0, fraction)) : 0
}

/** A bar of `cells` characters between two thin walls, filled to an eighth of a character. */
export const bar = (fraction: number, cells: number): string => {
  const filled = Math.floor(Math.min(1, Math.max(0, fraction)) * cells * 8)
  const body = '█'.repeat(filled >> 3) + eighths[filled & 7]!
  return `▕${body.padEnd(cells)}▏`
}

interface Part {
  readonly text: string
  /** The part with the lowest rank is the first to go where the line is too long. */
  readonly rank: number
}

const partsOf = (state: ProgressState): readonly Part[] => {
  const parts: Part[] = [{ text: `epoch ${state.epoch}/${state.epochs}`, rank: 5 }]
  // Rounded down: 100 % is said when the epoch is over, not before.
  const whole = Math.floor(fractionOf(state) * 100)
  parts.push({ text: `${whole} %`, rank: 6 })
  if (state.loss !== undefined) parts.push({ text: `loss ${loss(state.loss)}`, rank: 4 })
  if (state.accuracy !== undefined) parts.push({ text: `acc ${percent(state.accuracy)}`, rank: 3 })
  if (state.examplesPerSecond !== undefined) {
    parts.push({ text: `${count(state.examplesPerSecond)} ex/s`, rank: 1 })
  }
  if (state.secondsLeft !== undefined) {
    parts.push({ text: `${clock(state.secondsLeft)} left`, rank: 2 })
  }
  return parts
}

const lengthOf = (parts: readonly Part[]): number =>
  parts.reduce((sum, p) => sum + p.text.length, 0) + gap.length * Math.max(0, parts.length - 1)

/**
 * The line for a terminal, at most `width` characters:
 * `epoch 2/5 ▕████▌   ▏ 62 %  loss 0.1234  acc 96.1 %  2,345 ex/s  0:12 left`.
 * In a narrow one the bar shrinks, then goes; then the rate, the time left, the accuracy, the loss.
 */
export const render = (state: ProgressState, width: number): string => {
  let parts = partsOf(state)
  const [epoch, share, ...rest] = parts.map((p) => p.text)
  const tail = [share!.padStart(6), ...rest].join(gap)
  const room = Math.floor(width) - epoch!.length - tail.length - 3
  if (room >= narrowestBar) {
    return `${epoch} ${bar(fractionOf(state), Math.min(widestBar, room))}${tail}`
  }
  while (parts.length > 1 && lengthOf(parts) > width) {
    const least = Math.min(...parts.map((p) => p.rank))
    parts = parts.filter((p) => p.rank !== least)
  }
  const line = parts.map((p) => p.text).join(gap)
  return line.slice(0, Math.max(0, Math.floor(width)))
}

/** The line for a log file: no bar, nothing left out. */
export const renderPlain = (state: ProgressState): string =>
  partsOf(state)
    .map((p) => p.text)
    .join(gap)

/** `epoch 1/5  loss 0.2312  acc 93.1 %  test loss 0.1004  test acc 96.9 %  12.3 s`. */
export const renderEpoch = (summary: EpochSummary): string => {
  const parts = [`epoch ${summary.epoch}/${summary.epochs}`, `loss ${loss(summary.loss)}`]
  if (summary.accuracy !== undefined) parts.push(`acc ${percent(summary.accuracy)}`)
  if (summary.testLoss !== undefined) parts.push(`test loss ${loss(summary.testLoss)}`)
  if (summary.testAccuracy !== undefined) {
    parts.push(`test acc ${percent(summary.testAccuracy, 2)}`)
  }
  parts.push(`${summary.seconds.toFixed(1)} s`)
  return parts.join(gap)
}
