/** The command line's arguments to checked options: every mistake is one line that names the flag. */
import { parseArgs } from 'node:util'
import * as E from 'fp-ts/lib/Either.js'
import {
  type DataSource,
  defaultReport,
  defaults,
  defaultSeed,
  type Flag,
  type FlagKind,
  type FlagName,
  flags,
} from './flags.ts'
import { nearest } from './nearest.ts'
import type { ModelSummary } from './usage.ts'

/** Checked options; `M` is the union of the known models' names. */
export interface Options<M extends string = string> {
  readonly help: boolean
  readonly source: DataSource
  /** The directory of the MNIST files, where `source` is `mnist`. */
  readonly data: string | undefined
  readonly model: M
  readonly epochs: number
  readonly batch: number
  readonly learningRate: number
  readonly seed: number
  readonly interpret: boolean
  readonly report: string
}

/** A mistake in the arguments. `message` is one line, ready to print. */
export interface UsageError {
  readonly tag: 'UsageError'
  /** The flag as typed, with its dashes, or the stray word. */
  readonly flag: string
  readonly got: string
  readonly want: string
  /** The flag or model that was probably meant. */
  readonly nearest: string | undefined
  readonly message: string
}

type Value = string | number | true
type Given = ReadonlyMap<FlagName, Value>
type Models<M extends string> = Readonly<Record<M, ModelSummary>>

/** One line of at most 60 characters in quotes, whatever was typed. */
const quote = (text: string): string => {
  const [short, end] = text.length > 60 ? [text.slice(0, 57), '…'] : [text, '']
  return `'${short.replace(/[\p{Cc}\u2028\u2029]/gu, '?')}${end}'`
}

const usageError = (flag: string, got: string, want: string, meant?: string): UsageError => {
  const hint = meant === undefined ? '' : `; did you mean ${meant}?`
  return {
    tag: 'UsageError',
    flag,
    got,
    want,
    nearest: meant,
    message: `${flag}: got ${got}, wants ${want}${hint}`,
  }
}

const describe = (kind: FlagKind, models: readonly string[]): string => {
  switch (kind.tag) {
    case 'switch':
      return 'no value'
    case 'path':
      return 'a path'
    case 'model':
      return `one of ${models.join(', ')}`
    case 'integer':
      return `a whole number from ${kind.min} to ${kind.max}`
    case 'real':
      return `a number above ${kind.above} and at most ${kind.max}`
  }
}

const decimal = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i

/** The value of one flag, or the reason why `text` is none. */
const readValue = (
  flag: Flag,
  text: string,
  models: readonly string[],
): E.Either<UsageError, Value> => {
  const { kind } = flag
  const number = decimal.test(text) ? Number(text) : Number.NaN
  const refuse = (meant?: string): E.Either<UsageError, Value> =>
    E.left(usageError(`--${flag.name}`, quote(text), describe(kind, models), meant))
  switch (kind.tag) {
    case 'switch':
      return refuse()
    case 'path':
      return text.trim() === '' || text.includes('\0') ? refuse() : E.right(text)
    case 'model':
      return models.includes(text) ? E.right(text) : refuse(nearest(text, models))
    case 'integer': {
      const inRange = Number.isInteger(number) && number >= kind.min && number <= kind.max
      return inRange ? E.right(number) : refuse()
    }
    case 'real':
      return number > kind.above && number <= kind.max ? E.right(number) : refuse()
  }
}

/** An unknown flag, as typed: what was meant, by name or by another program's name for it. */
const unknownFlag = (typed: string): UsageError => {
  const known = new Map(flags.flatMap((f) => [f.name, ...f.alsoKnownAs].map((n) => [n, f.name])))
  const word = typed.replace(/^-+/, '')
  const match = nearest(word, [...flags.map((f) => f.name), ...known.keys()])
  const meant = match === undefined ? undefined : `--${known.get(match)}`
  const all = flags.map((f) => `--${f.name}`).join(' ')
  const hint = meant === undefined ? `the flags are ${all}` : `did you mean ${meant}?`
  return {
    tag: 'UsageError',
    flag: typed,
    got: quote(typed),
    want: `one of ${all}`,
    nearest: meant,
    message: `${quote(typed).slice(1, -1)}: no such flag; ${hint}`,
  }
}

/** All flags given, each checked on its own. */
const readFlags = (
  args: readonly string[],
  models: readonly string[],
): E.Either<UsageError, Given> => {
  const config = Object.fromEntries(
    flags.map((f) => {
      const type: 'boolean' | 'string' = f.kind.tag === 'switch' ? 'boolean' : 'string'
      return [f.name, f.name === 'help' ? { type, short: 'h' } : { type }]
    }),
  )
  // Not strict: its messages neither say what is wanted nor what was meant. The tokens say all.
  const { tokens } = parseArgs({
    args: [...args],
    options: config,
    strict: false,
    allowPositionals: true,
    tokens: true,
  })
  // The argument itself, not the token's name: '-epochs' arrives as six one-letter flags, h among them.
  const typed = (index: number): string => args[index] ?? ''
  if (tokens.some((t) => t.kind === 'option' && ['--help', '-h'].includes(typed(t.index)))) {
    return E.right(new Map([['help', true]]))
  }
  const given = new Map<FlagName, Value>()
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue
    if (token.kind === 'positional') {
      return E.left(usageError(quote(token.value), 'a word without a flag', 'flags only'))
    }
    const flag = flags.find((f) => f.name === token.name && token.rawName.startsWith('--'))
    if (flag === undefined) return E.left(unknownFlag(typed(token.index).replace(/=.*/s, '')))
    const shown = `--${flag.name}`
    const want = describe(flag.kind, models)
    if (given.has(flag.name)) return E.left(usageError(shown, 'it twice', 'to be given once'))
    if (flag.kind.tag === 'switch' && token.value === undefined) {
      given.set(flag.name, true)
      continue
    }
    if (token.value === undefined) return E.left(usageError(shown, 'nothing', want))
    if (token.inlineValue === false && /^-[^\d.]/.test(token.value)) {
      // The next flag was taken for the value; a path may begin with a dash only after '='.
      return E.left(usageError(shown, `no value before ${quote(token.value)}`, want))
    }
    const value = readValue(flag, token.value, models)
    if (E.isLeft(value)) return value
    given.set(flag.name, value.right)
  }
  return E.right(given)
}

const isKey = <M extends string>(table: Models<M>, key: unknown): key is M =>
  typeof key === 'string' && Object.hasOwn(table, key)

/**
 * Reads the arguments after the script's name. `models` is the table of known models; its first is
 * the default. `--help` (or `-h`) wins over everything else, mistakes included.
 *
 * Left: the first mistake, in one line. Right: all options, defaults filled in by data source.
 *
 * Example: `parseOptions(['--epochs', '3'], { lenet5: { summary: 'LeNet-5' } })`
 * @throws RangeError if the table of models is empty.
 */
export const parseOptions = <M extends string>(
  args: readonly string[],
  models: Models<M>,
): E.Either<UsageError, Options<M>> => {
  const names = Object.keys(models)
  const [first] = names
  if (!isKey(models, first)) throw new RangeError('parseOptions: the table of models is empty')
  // `pnpm start -- --epochs 3` hands the separator on; npm does not.
  const read = readFlags(args[0] === '--' ? args.slice(1) : args, names)
  if (E.isLeft(read)) return read
  const text = (name: FlagName): string | undefined => {
    const value = read.right.get(name)
    return typeof value === 'string' ? value : undefined
  }
  const number = (name: FlagName): number | undefined => {
    const value = read.right.get(name)
    return typeof value === 'number' ? value : undefined
  }
  const model = text('model')
  const source: DataSource = read.right.has('data') ? 'mnist' : 'digits'
  const usual = defaults[source]
  return E.right({
    help: read.right.has('help'),
    source,
    data: text('data'),
    model: isKey(models, model) ? model : first,
    epochs: number('epochs') ?? usual.epochs,
    batch: number('batch') ?? usual.batch,
    learningRate: number('lr') ?? usual.learningRate,
    seed: number('seed') ?? defaultSeed,
    interpret: read.right.has('interpret'),
    report: text('report') ?? defaultReport,
  })
}
