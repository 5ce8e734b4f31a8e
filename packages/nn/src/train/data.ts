/** What training reads: batches of inputs and targets, again for every epoch. */
import { Tensor, TreeError, flatten, leafTensor, unflatten } from '@cotangent/core'
import type { Shapes } from '../layer.ts'

/** A batch: `[inputs, targets]` or `{ x, y }`; the first axis of each leaf is the batch. */
export type Batch<X, T> = readonly [x: X, y: T] | { readonly x: X; readonly y: T }

/** Batches in order, at once or in time. */
export type Batches<X, T> = Iterable<Batch<X, T>> | AsyncIterable<Batch<X, T>>

/**
 * The batches of every epoch: something that can be iterated over again and again (an array, a
 * pipeline), or a function of the epoch (from 0), which may shuffle by it.
 */
export type Data<X, T> = Batches<X, T> | ((epoch: number) => Batches<X, T>)

export const batchesOf = <X, T>(data: Data<X, T>, epoch: number): Batches<X, T> =>
  typeof data === 'function' ? data(epoch) : data

const isPair = <X, T>(batch: Batch<X, T>): batch is readonly [X, T] => Array.isArray(batch)

export const pairOf = <X, T>(batch: Batch<X, T>): readonly [x: X, y: T] =>
  isPair(batch) ? batch : [batch.x, batch.y]

/** The first tensor of an input: its first axis is the batch. */
export const firstTensor = (x: unknown): Tensor => {
  const [first] = flatten(x, 'train').leaves
  if (first !== undefined) return leafTensor(first)
  throw new TreeError({
    operation: 'train',
    problem: 'a batch holds no tensor',
    want: '[inputs, targets], or { x, y }',
    fix: 'give elements of the form [inputs, targets]',
  })
}

/** The shapes of an input, in its own structure: what a model is initialised for. */
export const shapesOf = (x: unknown): Shapes => {
  if (x instanceof Tensor) return x.shape
  firstTensor(x)
  const { leaves, structure } = flatten(x, 'train')
  return unflatten<Shapes>(
    structure,
    leaves.map((leaf) => leafTensor(leaf).shape),
  )
}

/** How many examples: the extent of the first axis. */
export const examplesIn = (x: unknown): number => firstTensor(x).shape[0] ?? 1

/** One item and whether it is the last: reads one ahead. */
export interface Marked<B> {
  readonly item: B
  readonly isLast: boolean
}

/** Marks the last item. The iterable is closed when the reader stops early. */
export const markLast = async function* <B>(
  items: Iterable<B> | AsyncIterable<B>,
): AsyncGenerator<Marked<B>, void, undefined> {
  let waiting: { readonly item: B } | null = null
  for await (const item of items) {
    if (waiting !== null) yield { item: waiting.item, isLast: false }
    waiting = { item }
  }
  if (waiting !== null) yield { item: waiting.item, isLast: true }
}
