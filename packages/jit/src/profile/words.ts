/** The decisions of clustering, in words. */
import { type Shape, type Var, showShape } from '@cotangent/core'
import { type Kept, expressionLimit } from '../cluster/analysis.ts'
import { type Apart, type Root, readLimit, workLimit } from '../cluster/cluster.ts'

/** A kernel that something could have been part of. */
export interface Neighbour {
  readonly name: string
  /** Its loops; null where it is no kernel. */
  readonly outer: Shape | null
}

/** Why a root is not in the kernel of its neighbour. */
export const wordsApart = (why: Apart, root: Root, { name, outer }: Neighbour): string => {
  switch (why) {
    case 'no kernel':
      return `${name} is a step of its own`
    case 'work limit':
      return `work limit: with ${name} it would do more than ${workLimit} operations per element`
    case 'read limit':
      return `read limit: with ${name} it would read more than ${readLimit} arrays`
    case 'tile reads memory':
      return `a tile reads elements of ${name} again and again, so those are finished first`
    case 'in a tile':
      return `${name} is a tile of sums: only point-wise epilogues over the same elements join it`
    case 'no lanes':
      return `${name} is a tile of vectors, which cannot hold what this computes`
    case 'other rows':
      return `it reads ${name} in other rows than its own`
    case 'other loops':
      return `another iteration space: ${spaceOf(root)} beside ${showShape(outer ?? [])} of ${name}`
    case 'nothing shared':
      return `it reads nothing that ${name} reads`
    default:
      return why satisfies never
  }
}

const spaceOf = ({ shape, extents }: Root): string =>
  extents === null ? showShape(shape) : `${showShape(shape)} with sums over ${showShape(extents)}`

/** Why a result is in memory, rather than computed where it is read. */
export const wordsKept = (why: Kept, v: Var, readers: readonly string[]): string => {
  if (readers.length === 0 && why !== 'returned') return 'read again by its own kernel'
  switch (why) {
    case 'computed whole':
      return `a finished result, read by ${listed(readers)}`
    case 'returned':
      return 'a result of the function'
    case 'read whole':
      return `read as a whole by ${listed(readers)}`
    case 'long':
      return `its expression has more than ${expressionLimit} operations: too long to write out in ${listed(readers)}`
    case 'read often':
      return readers.length === 1
        ? `each element is read several times by ${listed(readers)}`
        : `read by ${listed(readers)}`
    case 'viewed':
      return `read under another shape than ${showShape(v.aval.shape)} by ${listed(readers)}`
    default:
      return why satisfies never
  }
}

const numbers = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine']
const named = 3

// `one kernel (a)`, `two kernels (a, b)`
const listed = (names: readonly string[]): string => {
  const distinct = [...new Set(names)]
  const count = numbers[names.length] ?? `${names.length}`
  const shown = distinct.slice(0, named).join(', ')
  const more = distinct.length > named ? ', …' : ''
  return `${count} ${names.length === 1 ? 'kernel' : 'kernels'} (${shown}${more})`
}
