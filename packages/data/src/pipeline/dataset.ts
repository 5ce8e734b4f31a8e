/** Datasets: pure descriptions of sequences, read as often as wanted, always with the same result. */
import { IndexError, UnsupportedError, tensor } from '@cotangent/core'
import { foldIn, keyWords, type KeyLike } from '../random/key.ts'
import { permutation, resample } from '../random/order.ts'
import { finite, requireCount } from './arguments.ts'
import { type Batched, type Rows, computedRows, ordered, range, renumbered } from './rows.ts'
import { type Padding, pad } from './stack.ts'
import { Stream, prefetched } from './stream.ts'
import { foldBounds, splitBounds } from './parts.ts'

export interface BatchOptions<E> {
  /** Leaves out the last batch where it is not full. */
  readonly dropRemainder?: boolean
  /** Fills the last batch up with rows of zeros, of this number, or of one number for each leaf. */
  readonly pad?: boolean | Padding<E>
}

export interface Fold<E> {
  readonly train: Dataset<E>
  readonly test: Dataset<E>
}

/**
 * An immutable sequence of elements (trees of tensors). Every method gives a new dataset and reads
 * nothing; elements are made when they are asked for, and the same key gives the same order.
 *
 * @example
 * const batches = fromArrays({ x, y }).shuffle(random.key(0)).batch(32)
 * for (const { x, y } of batches) step(x, y)
 */
export class Dataset<E> implements Iterable<E>, AsyncIterable<E> {
  readonly #rows: Rows<E>

  constructor(rows: Rows<E>) {
    this.#rows = rows
  }

  /** How many elements; `Infinity` after an endless `repeat`. After a `filter` this reads all. */
  get size(): number {
    return this.#rows.count()
  }

  /** The element of this number, from 0. @throws IndexError outside 0 … size − 1. */
  get(index: number): E {
    const { size } = this
    if (Number.isInteger(index) && index >= 0 && index < size) return this.#rows.get(index)
    throw new IndexError({
      operation: 'Dataset.get',
      problem: 'no element has this number',
      got: String(index),
      want: size === 0 ? 'none: the dataset is empty' : `an integer from 0 to ${size - 1}`,
      fix: 'ask for one of those that exist; count() says how many',
    })
  }

  *[Symbol.iterator](): Generator<E, void, undefined> {
    const { size } = this
    for (let i = 0; i < size; i++) yield this.#rows.get(i)
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<E, void, undefined> {
    // Not `yield* this`, which would ask for this very iterator.
    for (const element of this) yield element
  }

  /**
   * Applies a pure function to each element; `index` counts from 0 in this dataset's order. On a
   * batched dataset it is applied to whole batches, which is much faster.
   */
  map<F>(f: (element: E, index: number) => F): Dataset<F> {
    const rows = this.#rows
    return new Dataset(computedRows(rows.count, (index) => f(rows.get(index), index)))
  }

  /**
   * The elements for which the pure `keep` holds. They are looked for once, all at the first use.
   * @throws UnsupportedError (at the first use) after an endless `repeat`.
   */
  filter(keep: (element: E, index: number) => boolean): Dataset<E> {
    const rows = this.#rows
    return new Dataset(
      ordered(rows, () => {
        const all = range(0, finite('filter', rows.count()))
        return all.filter((index) => keep(rows.get(index), index))
      }),
    )
  }

  /**
   * All elements in a random order that depends on the key and the size alone.
   * @throws UnsupportedError (at the first use) after an endless `repeat`.
   */
  shuffle(key: KeyLike): Dataset<E> {
    const words = keyWords('shuffle', key)
    const rows = this.#rows
    return new Dataset(ordered(rows, () => permutation(words, finite('shuffle', rows.count()))))
  }

  /**
   * Groups of `size` elements, each leaf along a new first axis; numbers become float32 tensors.
   * The last group is smaller where the size does not divide, unless the options say otherwise.
   * @throws IndexError unless `size` is a positive integer.
   */
  batch(size: number, options: BatchOptions<E> = {}): Dataset<Batched<E>> {
    requireCount('batch', 'the batch size', size, 1)
    const { dropRemainder = false, pad: wanted = false } = options
    const padding = wanted === true ? 0 : wanted === false ? undefined : wanted
    if (dropRemainder && padding !== undefined) {
      throw new UnsupportedError({
        operation: 'batch',
        problem: 'dropRemainder and pad exclude each other',
        fix: 'give one of them',
      })
    }
    const rows = this.#rows
    const round = dropRemainder ? Math.floor : Math.ceil
    return new Dataset(
      computedRows(
        () => round(rows.count() / size),
        (index) => {
          const length = Math.min(size, rows.count() - index * size)
          const batch = rows.gather(range(index * size, length))
          return length < size && padding !== undefined ? pad(batch, size, padding) : batch
        },
      ),
    )
  }

  /** The elements again and again, `times` times or without end; each time in the same order. */
  repeat(times: number = Infinity): Dataset<E> {
    if (times !== Infinity) requireCount('repeat', 'the number of times', times, 0)
    const rows = this.#rows
    // An empty dataset stays empty, also without end.
    const count = (): number => (rows.count() === 0 ? 0 : rows.count() * times)
    return new Dataset(renumbered(rows, count, (index) => index % rows.count()))
  }

  /** The first `count` elements, or all where there are fewer. */
  take(count: number): Dataset<E> {
    if (count !== Infinity) requireCount('take', 'the count', count, 0)
    const rows = this.#rows
    return new Dataset({ ...rows, count: () => Math.min(count, rows.count()) })
  }

  /** All but the first `count` elements. */
  skip(count: number): Dataset<E> {
    requireCount('skip', 'the count', count, 0)
    const rows = this.#rows
    const left = (): number => Math.max(0, rows.count() - count)
    return new Dataset(renumbered(rows, left, (index) => index + count))
  }

  /** Asynchronous iteration with up to `count` elements made ahead, while the consumer waits. */
  prefetch(count: number): Stream<E> {
    requireCount('prefetch', 'the count', count, 1)
    return new Stream(
      () => this.size,
      prefetched(() => this[Symbol.asyncIterator](), count),
    )
  }

  /**
   * Disjoint parts, in order; with a key the elements are shuffled first. The sizes differ from
   * the exact fractions by less than one.
   * @throws IndexError unless the fractions are positive and their sum is at most 1.
   * @example
   * const [train, test] = dataset.split([0.8, 0.2], random.key(0))
   */
  split<const F extends readonly number[]>(
    fractions: F,
    key?: KeyLike,
  ): { readonly [K in keyof F]: Dataset<E> }
  split(fractions: readonly number[], key?: KeyLike): readonly Dataset<E>[] {
    const bounds = splitBounds(fractions)
    const source = key === undefined ? this : this.shuffle(key)
    const rows = source.#rows
    const at = (bound: number): number => Math.round(bound * finite('split', rows.count()))
    return bounds.map(([from, to]) => {
      const count = (): number => at(to) - at(from)
      return new Dataset(renumbered(rows, count, (index) => index + at(from)))
    })
  }

  /**
   * `k` pairs for cross-validation: each element is in the test part of exactly one, and in the
   * training part of the others. With a key the elements are shuffled first.
   * @throws IndexError unless 2 ≤ k ≤ size.
   */
  kFold(k: number, key?: KeyLike): readonly Fold<E>[] {
    const count = finite('kFold', this.size)
    requireCount('kFold', 'k', k, 2)
    const bounds = foldBounds(k, count)
    const source = key === undefined ? this : this.shuffle(key)
    return bounds.map(([from, to]): Fold<E> => {
      const outside = (index: number): number => (index < from ? index : index + to - from)
      const train = renumbered(source.#rows, () => count - (to - from), outside)
      return { train: new Dataset(train), test: source.skip(from).take(to - from) }
    })
  }

  /** As many elements, drawn with replacement. */
  bootstrap(key: KeyLike): Dataset<E> {
    const words = keyWords('bootstrap', key)
    const rows = this.#rows
    return new Dataset(ordered(rows, () => resample(words, finite('bootstrap', rows.count()))))
  }

  /**
   * All elements as one batch: the inverse of `fromArrays`.
   * @throws UnsupportedError after an endless `repeat`.
   */
  toArrays(): Batched<E> {
    return this.#rows.gather(range(0, finite('toArrays', this.size)))
  }
}

/**
 * The epochs of a training run: the dataset in a new order each time, that of
 * `random.foldIn(key, epoch)`. `epochs(d, key, n)` and `epochs(d, key)` begin alike.
 * @example
 * for (const epoch of epochs(train, key, 3)) for (const batch of epoch.batch(64)) step(batch)
 */
export function* epochs<E>(
  dataset: Dataset<E>,
  key: KeyLike,
  count: number = Infinity,
): Generator<Dataset<E>, void, undefined> {
  if (count !== Infinity) requireCount('epochs', 'the count', count, 0)
  for (let epoch = 0; epoch < count; epoch++) yield shuffledFor(dataset, key, epoch)
}

/** The dataset in its order for this epoch. @see epochs */
export const shuffledFor = <E>(dataset: Dataset<E>, key: KeyLike, epoch: number): Dataset<E> =>
  dataset.shuffle(tensor(Uint32Array.from(foldIn(keyWords('epochs', key), epoch))))
