/**
 * Keys of the threefry generator. A key is a `uint32[2]` tensor: an ordinary value that is split,
 * never advanced, so that every random number is a function of its key.
 */
import {
  DTypeError,
  IndexError,
  type Shape,
  ShapeError,
  Tensor,
  broadcastInDim,
  fill,
  isInteger,
  reshape,
  showAval,
  sizeOf,
} from '@cotangent/core'
import { convert } from '../prims/convert.ts'
import { concatenate, iota, slice } from '../prims/structural.ts'
import { threefry2x32 } from '../prims/threefry.ts'

const scalarOf = (words: Tensor, i: number): Tensor => reshape(slice(words, [i], [i + 1]), [])

/** Throws unless `key` is one key. */
export const requireKey = (operation: string, key: Tensor): void => {
  if (!(key instanceof Tensor)) {
    throw new DTypeError({
      operation,
      problem: 'a key is needed first',
      got: typeof key,
      want: 'a uint32[2] tensor',
      fix: 'make one with random.key(seed)',
    })
  }
  if (key.dtype === 'uint32' && key.ndim === 1 && key.shape[0] === 2) return
  throw new ShapeError({
    operation,
    problem: 'this is not one key',
    got: showAval(key.aval),
    want: 'u32[2]',
    fix: 'make one with random.key(seed); draw with several keys under vmap',
  })
}

/** Random words `[a, b]` of the given shape: element `i` is the block of the counter `[0, i]`. */
export const randomWords = (key: Tensor, shape: Shape): readonly [Tensor, Tensor] => {
  const [k0, k1] = [0, 1].map((i) => broadcastInDim(scalarOf(key, i), shape, []))
  const size = sizeOf(shape)
  const counter = reshape(iota('uint32', [size], 0), shape)
  return threefry2x32(k0!, k1!, fill(shape, 0, 'uint32'), counter)
}

const pairUp = (a: Tensor, b: Tensor): Tensor =>
  concatenate([reshape(a, [...a.shape, 1]), reshape(b, [...b.shape, 1])], a.ndim)

/**
 * The key of a seed: `[0, seed mod 2^32]`, for any integer, negative ones included. An integer
 * scalar tensor is a seed too.
 * @throws DTypeError for a seed that is no integer.
 * @example
 * const k = random.key(42)
 * const [a, b] = random.split(k)
 */
export const key = (seed: number | boolean | Tensor): Tensor => {
  const word = seed instanceof Tensor ? seedWord(seed) : fill([], seedNumber(seed), 'uint32')
  return pairUp(fill([], 0, 'uint32'), word)
}

const notASeed = (got: string): DTypeError =>
  new DTypeError({
    operation: 'random.key',
    problem: 'a seed must be an integer',
    got,
    want: 'a safe integer, or an integer scalar tensor',
    fix: 'round it first, for example with Math.floor',
  })

const seedNumber = (seed: number | boolean): number => {
  const value = Number(seed)
  if (!Number.isSafeInteger(value)) throw notASeed(String(seed))
  return ((value % 2 ** 32) + 2 ** 32) % 2 ** 32
}

const seedWord = (seed: Tensor): Tensor => {
  if (seed.ndim > 0 || !(isInteger(seed.dtype) || seed.dtype === 'bool'))
    throw notASeed(showAval(seed.aval))
  return convert(seed, 'uint32')
}

/**
 * New keys: `count` of them as `[count, 2]`, or as many as a shape holds, as `[...shape, 2]`. The
 * split key must not be used again.
 * @example
 * const [dropoutKey, nextKey] = random.split(k)
 */
export const split = (key: Tensor, count: number | Shape = 2): Tensor => {
  requireKey('random.split', key)
  const shape = typeof count === 'number' ? [count] : count
  if (!shape.every((n) => Number.isInteger(n) && n >= 0)) {
    throw new ShapeError({
      operation: 'random.split',
      problem: 'the number of keys must be a natural number',
      got: String(count),
      fix: 'give a whole number from 0, or a shape',
    })
  }
  const [a, b] = randomWords(key, shape)
  return pairUp(a, b)
}

/**
 * A key from a key and an integer from 0 to 2^32 − 1: for a step or an index that comes up in a
 * loop. @throws IndexError for a number outside that range.
 */
export const foldIn = (key: Tensor, data: number | Tensor): Tensor => {
  requireKey('random.foldIn', key)
  const [a, b] = threefry2x32(
    scalarOf(key, 0),
    scalarOf(key, 1),
    fill([], 0, 'uint32'),
    data instanceof Tensor ? foldedWord(data) : fill([], foldedNumber(data), 'uint32'),
  )
  return pairUp(a, b)
}

const foldedNumber = (data: number): number => {
  if (Number.isInteger(data) && data >= 0 && data < 2 ** 32) return data
  throw new IndexError({
    operation: 'random.foldIn',
    problem: 'the number does not fit in 32 bits',
    got: String(data),
    want: 'an integer from 0 to 4294967295',
    fix: 'fold in the low and the high word one after the other',
  })
}

const foldedWord = (data: Tensor): Tensor => {
  if (data.ndim === 0 && isInteger(data.dtype)) return convert(data, 'uint32')
  throw new DTypeError({
    operation: 'random.foldIn',
    problem: 'an integer scalar is needed',
    got: showAval(data.aval),
    fix: 'convert with astype("uint32"); fold in several numbers one after the other',
  })
}
