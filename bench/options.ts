/** The command line of the benchmarks. */
import { parseArgs } from 'node:util'

export interface Options {
  /** Names of themes; all where empty. */
  readonly themes: readonly string[]
  readonly isQuick: boolean
  /** A further file for the figures. */
  readonly json: string | undefined
  /** The figures of an earlier run. */
  readonly compare: string | undefined
  /** Whether other libraries are compared, where they are installed. */
  readonly withPeers: boolean
  readonly isHelp: boolean
}

export const usage = (names: readonly string[]): string => `npm run bench -- [theme …] [options]

themes: ${names.join(', ')} (all by default)

  --quick          one short turn each: to see that everything runs
  --json FILE      write the figures to FILE too
  --compare FILE   show the change since the run that wrote FILE
  --no-peers       leave out other libraries
  --help           this text

Other libraries run where COTANGENT_PEERS names the folder with their scripts (npm run bench:peers -- --help).`

/** @throws Error, with one clear line, for unknown options and themes. */
export const parseOptions = (args: readonly string[], names: readonly string[]): Options => {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      quick: { type: 'boolean', default: false },
      json: { type: 'string' },
      compare: { type: 'string' },
      'no-peers': { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const unknown = positionals.find((name) => !names.includes(name))
  if (unknown !== undefined) {
    throw new Error(`there is no theme ${unknown}; the themes are ${names.join(', ')}`)
  }
  return {
    themes: positionals,
    isQuick: values.quick,
    json: values.json,
    compare: values.compare,
    withPeers: positionals.length === 0 && !values['no-peers'],
    isHelp: values.help,
  }
}
