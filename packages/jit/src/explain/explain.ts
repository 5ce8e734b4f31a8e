/** `jit.explain`: why a compiled function was compiled again. */
import { UnsupportedError } from '@cotangent/core'
import { insideOf } from '../inside.ts'
import { Explanation } from './explanation.ts'

/**
 * What is compiled of a function that `jit` made, and why its latest calls (up to 32) compiled:
 * each is compared with the closest one before it, leaf by leaf.
 * Calls of what is compiled already cost nothing for it.
 * @throws UnsupportedError for a function that `jit` did not make
 * @example
 * const f = jit((x: Tensor) => x.mul(2))
 * f(np.ones([32, 10]))
 * f(np.ones([16, 10]))
 * jit.explain(f).misses[1].changes[0].advice // 'batch size; pad or drop the remainder'
 */
export const explain = (f: (...args: never[]) => unknown): Explanation => {
  const inside = insideOf(f)
  if (inside === null) {
    throw new UnsupportedError({
      operation: 'jit.explain',
      problem: 'this function was not made by jit',
      got: f.name === '' ? 'a nameless function' : f.name,
      fix: 'keep what jit(f) returns, call that, and explain that',
    })
  }
  const { log, capacity, variants, name } = inside
  return new Explanation({
    name: `jit(${name === '' ? 'a nameless function' : name})`,
    variants: variants().map((variant) => log.describe(variant)),
    capacity,
    compilations: log.count,
    misses: log.misses,
  })
}
