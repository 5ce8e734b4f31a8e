/** Fused multiply-add: only where it exists, only when asked for, and then nearly the same sums. */
import { canFuseMultiplyAdd, jit, np, random, setFusedMultiplyAdd } from 'cotangent'
import { afterEach, expect, test } from 'vitest'

afterEach(() => setFusedMultiplyAdd(false))

test.runIf(!canFuseMultiplyAdd())('an engine without it says so', () => {
  expect(() => setFusedMultiplyAdd(true)).toThrow(/relaxed SIMD/)
})

test.runIf(canFuseMultiplyAdd())('sums of products differ in the last bits only', () => {
  const x = random.normal(random.key(0), [64, 96])
  const y = random.normal(random.key(1), [96, 80])
  const product = (): typeof x =>
    jit((a: typeof x, b: typeof x) => a.matmul(b), { backend: 'wasm' })(x, y)
  const separate = product()
  setFusedMultiplyAdd(true)
  const fused = product()
  expect(np.allclose(separate, fused, { rtol: 1e-5, atol: 1e-5 }).item()).toBe(1)
})
