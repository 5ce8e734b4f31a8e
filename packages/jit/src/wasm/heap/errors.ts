/** What the heap says when it cannot go on. */
import { CotangentError } from '@cotangent/core'

/** The WebAssembly heap cannot hold what is needed. */
export class MemoryError extends CotangentError {}

const mebibytes = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(1)} MiB`

export const heapFull = (
  label: string,
  bytes: number,
  inUse: number,
  reserved: number,
  ceiling: number,
): MemoryError =>
  new MemoryError({
    operation: label,
    problem: `the heap cannot hold ${mebibytes(bytes)} more`,
    got: `${mebibytes(inUse)} in use now, all of it needed by this call; ${mebibytes(reserved)} reserved, ${mebibytes(ceiling)} at most`,
    want: 'a working set that fits a WebAssembly memory (4 GiB), and a machine that has as much',
    fix: 'work on smaller batches, or rematerialise (checkpoint) the large intermediate results',
  })

export const noMemory = (pages: number, cause: string): MemoryError =>
  new MemoryError({
    operation: 'create the heap',
    problem: 'this machine gives no WebAssembly memory',
    got: `${pages} pages asked for last: ${cause}`,
    fix: 'close other pages or programs that hold memory, or compile to JavaScript',
  })
