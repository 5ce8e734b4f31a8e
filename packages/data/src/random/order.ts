/** Row numbers in random order. */
import { Draws } from './draws.ts'
import type { Key } from './key.ts'

/** The numbers 0 … count − 1 in an order that the key decides (Fisher–Yates). */
export const permutation = (key: Key, count: number): Uint32Array => {
  const draws = new Draws(key)
  const order = Uint32Array.from({ length: count }, (_, i) => i)
  for (let i = count - 1; i > 0; i--) {
    const j = draws.below(i + 1)
    const swapped = order[i]!
    order[i] = order[j]!
    order[j] = swapped
  }
  return order
}

/** `count` numbers below `count`, drawn with replacement. */
export const resample = (key: Key, count: number): Uint32Array => {
  const draws = new Draws(key)
  return Uint32Array.from({ length: count }, () => draws.below(count))
}
