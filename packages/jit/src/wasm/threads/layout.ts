/**
 * The words of the control block, an `Int32Array` that the main thread and the workers share. What
 * is written by different threads lies 64 bytes apart or more, so that caches do not fight for it.
 */

/** Words of the whole block, and of the part that each thread has. */
export const layout = {
  /** `2 · generation + 1` while a job may be joined, `2 · generation` after it was closed. */
  state: 0,
  /** The job: written by the main thread while `state` is even, read while it is odd. */
  slot: 1,
  serial: 2,
  codeOffset: 3,
  codeLength: 4,
  phase: 5,
  args: 6,
  count: 7,
  grain: 8,
  chunks: 9,
  participants: 10,
  /** Changed to wake workers, who wait on it. */
  wake: 16,
  /** How many workers sleep, or are about to. */
  sleepers: 17,
  /** How often workers went to sleep, all together. */
  naps: 18,
  /** How many workers have started. */
  ready: 19,
  /** Changed to wake the main thread, which waits on it while `waiting` is 1. */
  join: 32,
  waiting: 33,
  /** Counts the modules whose bytes were given up. */
  freed: 48,
  /** 1 after an error. */
  failed: 64,
  /** 1 as soon as a worker writes what its error was: the first one does. */
  explained: 65,
  /** The bytes of that text, and the text in UTF-8. */
  failureLength: 66,
  failureText: 67,
  /** Where the parts of the threads begin; the main thread's is first. */
  threads: 352,
  /** The length of such a part. */
  stride: 32,
} as const

/** Within a thread's part. */
export const own = {
  /** The number of chunks taken from this thread's share, by whomever. */
  next: 0,
  /** 1 while the thread works on a job: the main thread waits for that to end. */
  entered: 16,
  /** 1 after the thread has started. */
  started: 17,
  /** 1 after it was seen to have died. */
  dead: 18,
} as const

/** The bytes of a failure's text that are kept. */
export const failureBytes = 1024

/** A value for `next` that no share reaches: whoever asks for a chunk is told there are none. */
export const exhausted = 0x7000_0000

/** The words of a control block for so many threads. */
export const controlWords = (threads: number): number => layout.threads + threads * layout.stride
