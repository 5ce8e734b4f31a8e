/** Reading JSON that some run wrote: nothing is known of it until it was looked at. */
import { existsSync, readFileSync } from 'node:fs'

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

/** What the lines of a file hold, one JSON value in each; nothing where there is no such file. */
export const readJsonLines = <T>(path: string, parse: (line: string) => T): readonly T[] =>
  existsSync(path)
    ? readFileSync(path, 'utf8')
        .split('\n')
        .filter((text) => text.trim() !== '')
        .map(parse)
    : []
