/** Where the outputs of an executable come from. */
import { Literal, type Storage } from '@cotangent/core'
import type { Program } from './program.ts'

/** Where an output's elements are: in memory of its own, or in somebody else's. */
export type OutputOrigin =
  | { readonly tag: 'made' }
  | { readonly tag: 'input'; readonly position: number }
  /** The same variable as an earlier output. */
  | { readonly tag: 'output'; readonly position: number }
  | { readonly tag: 'constant'; readonly storage: Storage }

export const originsOf = ({ inputs, outputs }: Program): readonly OutputOrigin[] =>
  outputs.map((atom, i): OutputOrigin => {
    if (atom instanceof Literal) return { tag: 'constant', storage: atom.value.storage.share() }
    const earlier = outputs.indexOf(atom)
    if (earlier < i) return { tag: 'output', position: earlier }
    const position = inputs.indexOf(atom)
    return position < 0 ? { tag: 'made' } : { tag: 'input', position }
  })
