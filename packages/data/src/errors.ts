/** What can be wrong with a file, as values: where, what was found, and what was wanted. */

interface Place {
  readonly path: string
  /** The byte, in the uncompressed content, at which the problem is. */
  readonly offset: number
  readonly found: string
  readonly wanted: string
}

/** A file that could not be read as what it should be. Nothing half-read comes with it. */
export type DataError =
  | (Place & { readonly tag: 'FileMissing' })
  | (Place & { readonly tag: 'FileUnreadable' })
  | (Place & { readonly tag: 'BrokenGzip' })
  | (Place & { readonly tag: 'NotIdx' })
  | (Place & { readonly tag: 'WrongElementType' })
  | (Place & { readonly tag: 'WrongDimensions' })
  | (Place & { readonly tag: 'Truncated'; readonly missingBytes: number })
  | (Place & { readonly tag: 'TrailingBytes'; readonly extraBytes: number })
  | (Place & { readonly tag: 'CountMismatch'; readonly other: string })
  | (Place & { readonly tag: 'LabelOutOfRange'; readonly row: number })

/**
 * A data error as one line for people.
 * @example
 * explain(error) // 'train-labels-idx1-ubyte: truncated: 12 bytes are missing; found …, wanted …'
 */
export const explain = (error: DataError): string =>
  `${oneLine(error.path)}: ${problem(error)}: found ${oneLine(error.found)}, wanted ${oneLine(error.wanted)}`

const problem = (error: DataError): string => {
  switch (error.tag) {
    case 'FileMissing':
      return 'no such file'
    case 'FileUnreadable':
      return 'the file cannot be read'
    case 'BrokenGzip':
      return 'the gzip data is broken'
    case 'NotIdx':
      return `not an IDX file (byte ${error.offset})`
    case 'WrongElementType':
      return `wrong type of elements (byte ${error.offset})`
    case 'WrongDimensions':
      return `wrong dimensions (byte ${error.offset})`
    case 'Truncated':
      return `truncated at byte ${error.offset}, ${bytes(error.missingBytes)} missing`
    case 'TrailingBytes':
      return `${bytes(error.extraBytes)} too many after byte ${error.offset}`
    case 'CountMismatch':
      return `does not match ${oneLine(error.other)}`
    case 'LabelOutOfRange':
      return `label ${error.row} is out of range (byte ${error.offset})`
    default:
      return error satisfies never
  }
}

const bytes = (count: number): string => `${count} ${count === 1 ? 'byte' : 'bytes'}`

/** Control characters in a name would break the line, or the terminal. */
const oneLine = (text: string): string => text.replace(/[\p{Cc}\u2028\u2029]/gu, '?')
