/** The figures at the top of the page. */
import type { Summary } from './data.ts'
import { count, elapsed, percent, significant } from './format.ts'
import { element, type Markup } from './markup.ts'

interface Tile {
  readonly label: string
  readonly value: string
  /** What explains the value, each on a line. */
  readonly details: readonly string[]
}

/** How many times as long the interpreter takes, where both were measured. */
export const speedUp = (summary: Summary): number | undefined => {
  const { compiledStepSeconds: fast, interpretedStepSeconds: slow } = summary
  if (fast === undefined || slow === undefined) return undefined
  const ratio = slow / fast
  return Number.isFinite(ratio) ? ratio : undefined
}

const optional = <T>(value: T | undefined, show: (value: T) => string): readonly string[] =>
  value === undefined ? [] : [show(value)]

const accuracyTile = ({ testAccuracy, testExamples, testLoss }: Summary): readonly Tile[] => {
  if (testAccuracy === undefined) return []
  const right = optional(
    testExamples,
    (n) => `${count(testAccuracy * n)} of ${count(n)} test images`,
  )
  const loss = optional(testLoss, (l) => `loss ${significant(l)}`)
  return [{ label: 'Test accuracy', value: percent(testAccuracy, 2), details: [...right, ...loss] }]
}

const timeTile = ({ trainSeconds, examplesPerSecond }: Summary): readonly Tile[] => {
  if (trainSeconds === undefined) return []
  const rate = optional(examplesPerSecond, (n) => `${count(n)} examples a second`)
  return [{ label: 'Training time', value: elapsed(trainSeconds), details: rate }]
}

const ratioTile = (summary: Summary): readonly Tile[] => {
  const { compiledStepSeconds: fast, interpretedStepSeconds: slow } = summary
  const ratio = speedUp(summary)
  if (ratio !== undefined) {
    const details = [`${elapsed(fast ?? 0)} a step`, `interpreted ${elapsed(slow ?? 0)}`]
    return [{ label: 'Compiled against interpreted', value: `${significant(ratio)}×`, details }]
  }
  return [
    ...optional(fast, elapsed).map((value) => ({ label: 'Compiled step', value, details: [] })),
    ...optional(slow, elapsed).map((value) => ({ label: 'Interpreted step', value, details: [] })),
  ]
}

const sizeTile = ({ parameters, compileSeconds }: Summary): readonly Tile[] => {
  const compiled = optional(compileSeconds, elapsed)
  const detail = compiled.map((time) => `step compiled in ${time}`)
  if (parameters !== undefined) {
    return [{ label: 'Parameters', value: count(parameters), details: detail }]
  }
  return compiled.map((value) => ({ label: 'Compilation', value, details: [] }))
}

/** A row of tiles, one for each figure that was measured. */
export const summaryTiles = (summary: Summary): Markup => {
  const tiles = [
    ...accuracyTile(summary),
    ...timeTile(summary),
    ...ratioTile(summary),
    ...sizeTile(summary),
  ]
  const drawn = tiles.map(({ label, value, details }) =>
    element('div', { class: 'tile' }, [
      element('dt', {}, [label]),
      element('dd', { class: 'value' }, [value]),
      ...details.map((detail) => element('dd', { class: 'muted' }, [detail])),
    ]),
  )
  return element('dl', { class: 'tiles' }, drawn)
}
