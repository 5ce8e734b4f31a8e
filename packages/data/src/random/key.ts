/** Keys as this package takes them: what `random.key` gives, or just a seed. */
import { DTypeError, Tensor, showAval } from '@cotangent/core'
import { threefry } from './threefry.ts'

/** A `uint32[2]` key from `random.key`, or an integer seed, which stands for `random.key(seed)`. */
export type KeyLike = Tensor | number

/** The two words of a key on the host. */
export type Key = readonly [number, number]

const badKey = (operation: string, got: string): DTypeError =>
  new DTypeError({
    operation,
    problem: 'this is neither a key nor a seed',
    got,
    want: 'a uint32[2] tensor from random.key, or a safe integer',
    fix: 'pass random.key(0), or an integer',
  })

/** The words of a key or a seed. @throws DTypeError for anything else. */
export const keyWords = (operation: string, key: KeyLike): Key => {
  if (key instanceof Tensor) {
    const words = key.dtype === 'uint32' && key.ndim === 1 ? key.data() : undefined
    const [k0, k1] = words ?? []
    if (words?.length !== 2 || k0 === undefined || k1 === undefined)
      throw badKey(operation, showAval(key.aval))
    return [k0, k1]
  }
  if (!Number.isSafeInteger(key)) throw badKey(operation, String(key))
  return [0, ((key % 2 ** 32) + 2 ** 32) % 2 ** 32]
}

/** A further key from a key and an integer from 0 to 2^32 − 1: the words of `random.foldIn`. */
export const foldIn = (key: Key, data: number): Key => {
  const words = new Uint32Array(2)
  threefry(key[0], key[1], 0, data, words)
  return [words[0]!, words[1]!]
}
