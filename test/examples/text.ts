/** A text to learn from: Tiny Shakespeare where it is, else one that is generated. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where data sets are looked for: `$COTANGENT_DATA`, or `shared/data` beside the repository. */
export const dataDirectory: string =
  process.env['COTANGENT_DATA'] ?? fileURLToPath(new URL('../../../shared/data', import.meta.url))

const subjects = ['the king', 'a thief', 'my lady', 'the fool', 'this night']
const verbs = ['sees', 'loves', 'robs', 'mocks', 'forgets']
const objects = ['the crown', 'a rose', 'his sword', 'the moon', 'all of us']

/** Sentences with a simple grammar, each of the 125 in a fixed pseudo-random order. */
const generated = (characters: number): string => {
  let text = ''
  for (let i = 1; text.length < characters; i++) {
    const pick = (i * 7919) % 125
    const word = (list: readonly string[], place: number): string =>
      list[Math.floor(pick / place) % 5]!
    text += `${word(subjects, 1)} ${word(verbs, 5)} ${word(objects, 25)}.\n`
  }
  return text.slice(0, characters)
}

/** At most `characters` of it, and which it is. */
export const sampleText = (
  characters: number,
): { readonly name: string; readonly text: string } => {
  const path = join(dataDirectory, 'text', 'tinyshakespeare.txt')
  return existsSync(path)
    ? { name: 'Tiny Shakespeare', text: readFileSync(path, 'utf8').slice(0, characters) }
    : { name: 'generated sentences', text: generated(characters) }
}
