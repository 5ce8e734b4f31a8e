/** The usage text, printed from the flag table so that it cannot disagree with the parser. */
import { defaultReport, defaults, defaultSeed, type Flag, flags } from './flags.ts'

/** What the command line must know of a model; a table of richer records passes too. */
export interface ModelSummary {
  /** One line for the usage text. */
  readonly summary: string
}

const perSource = (of: 'epochs' | 'batch' | 'learningRate'): string => {
  const [generated, files] = [defaults.digits[of], defaults.mnist[of]]
  return generated === files ? `${generated}` : `${generated}; with --data ${files}`
}

const defaultOf = (flag: Flag, models: readonly string[]): string | undefined => {
  switch (flag.name) {
    case 'epochs':
      return perSource('epochs')
    case 'batch':
      return perSource('batch')
    case 'lr':
      return perSource('learningRate')
    case 'seed':
      return String(defaultSeed)
    case 'report':
      return defaultReport
    case 'model':
      return models[0]
    case 'data':
    case 'interpret':
    case 'help':
      return undefined
  }
}

/**
 * The text of `--help`. `models` is the table of known models by name; the first is the default.
 * Example: `usage({ lenet5: { summary: 'LeNet-5' } })`.
 */
export const usage = (models: Readonly<Record<string, ModelSummary>>): string => {
  const names = Object.keys(models)
  const spelt = flags.map((f) => `--${f.name}${f.placeholder === '' ? '' : ` ${f.placeholder}`}`)
  const width = Math.max(...spelt.map((s) => s.length), ...names.map((n) => n.length)) + 2
  const lines = flags.map((flag, i) => {
    const value = defaultOf(flag, names)
    const note = value === undefined ? '' : ` (default ${value})`
    return `  ${spelt[i]!.padEnd(width)}${flag.help}${note}`
  })
  return [
    'Train a digit classifier, measure it compiled and interpreted, and write an HTML report.',
    '',
    'Usage: npm start -- [flags]',
    '',
    ...lines,
    '',
    'Models:',
    ...names.map((name) => `  ${name.padEnd(width)}${models[name]!.summary}`),
    '',
    'Ctrl-C stops after the current step and still writes the report.',
    'Exit code: 0 when done or stopped, 2 when a flag or a file is wrong.',
    '',
  ].join('\n')
}
