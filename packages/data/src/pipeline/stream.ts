/** Sequences that are read asynchronously, and the queue that reads ahead. */
import { requireCount } from './arguments.ts'

/** An immutable asynchronous sequence: each `for await` reads it from the beginning. */
export class Stream<E> implements AsyncIterable<E> {
  readonly #count: () => number
  readonly #open: () => AsyncIterator<E>

  constructor(count: () => number, open: () => AsyncIterator<E>) {
    this.#count = count
    this.#open = open
  }

  /** How many elements; may be `Infinity`. */
  get size(): number {
    return this.#count()
  }

  [Symbol.asyncIterator](): AsyncIterator<E> {
    return this.#open()
  }

  /** Applies a function that may take its time, such as reading a file; one call at a time. */
  map<F>(f: (element: E, index: number) => F | Promise<F>): Stream<F> {
    const open = this.#open
    return new Stream(this.#count, async function* () {
      let index = 0
      for await (const element of { [Symbol.asyncIterator]: open }) yield f(element, index++)
    })
  }

  /** Makes up to `count` elements ahead of the consumer. */
  prefetch(count: number): Stream<E> {
    requireCount('prefetch', 'the count', count, 1)
    return new Stream(this.#count, prefetched(this.#open, count))
  }
}

/**
 * Opens an iterator whose elements are made up to `count` ahead. Between two of them the event loop
 * turns, so that making them fills the time in which the consumer waits and never delays it more.
 * An error arrives in its place in the order; a consumer that stops early closes the source.
 */
export const prefetched = <E>(
  open: () => AsyncIterator<E>,
  count: number,
): (() => AsyncGenerator<E, void, undefined>) =>
  async function* () {
    const source = open()
    const queue: Promise<IteratorResult<E>>[] = []
    let last: Promise<unknown> = Promise.resolve()
    const ask = (): void => {
      const next = last.then(turn).then(() => source.next())
      // An error is for the consumer, who has not come to it yet.
      last = next.catch(() => undefined)
      queue.push(next)
    }
    try {
      for (let i = 0; i < count; i++) ask()
      for (;;) {
        const result = await queue.shift()!
        if (result.done === true) return
        ask()
        yield result.value
      }
    } finally {
      await source.return?.()
    }
  }

/** One turn of the event loop; timers exist in every host. */
const turn = (): Promise<void> =>
  new Promise((resolve) => {
    if (typeof setImmediate === 'function') setImmediate(resolve)
    else setTimeout(resolve, 0)
  })
