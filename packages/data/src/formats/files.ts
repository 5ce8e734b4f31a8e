/** Whole files as bytes, decompressed where they are gzip. Node only; a browser never loads this. */
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { DataError } from '../errors.ts'
import { hostModule } from './host.ts'

const reasonOf = (thrown: unknown): string =>
  thrown instanceof Error ? thrown.message : String(thrown)

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown ? String(thrown.code) : ''

const readBytes = (path: string): TE.TaskEither<DataError, Uint8Array> =>
  TE.tryCatch(
    async (): Promise<Uint8Array> => (await hostModule('node:fs/promises')).readFile(path),
    (thrown): DataError => {
      const missing = codeOf(thrown) === 'ENOENT' || codeOf(thrown) === 'ENOTDIR'
      return missing
        ? { tag: 'FileMissing', path, offset: 0, found: 'nothing', wanted: 'a file' }
        : {
            tag: 'FileUnreadable',
            path,
            offset: 0,
            found: reasonOf(thrown),
            wanted: 'a readable file',
          }
    },
  )

const inflate = (path: string, packed: Uint8Array): TE.TaskEither<DataError, Uint8Array> =>
  TE.tryCatch(
    async (): Promise<Uint8Array> => {
      const { gunzip } = await hostModule('node:zlib')
      return new Promise((resolve, reject) => {
        gunzip(packed, (error, content) => (error === null ? resolve(content) : reject(error)))
      })
    },
    (thrown): DataError => ({
      tag: 'BrokenGzip',
      path,
      offset: 0,
      found: `${packed.length} bytes that do not decompress (${reasonOf(thrown)})`,
      wanted: 'a whole gzip file',
    }),
  )

/** Gzip is recognised by its first two bytes, not by the file's name. @see RFC 1952 */
const isGzip = (content: Uint8Array): boolean => content[0] === 0x1f && content[1] === 0x8b

/** The content of a file, decompressed where it is gzip. */
export const readContent = (path: string): TE.TaskEither<DataError, Uint8Array> =>
  TE.flatMap((content: Uint8Array) =>
    isGzip(content) ? inflate(path, content) : TE.right(content),
  )(readBytes(path))
