import { afterEach, beforeEach, expect, test, vi } from 'vitest'

beforeEach(() => {
  vi.resetModules()
})
afterEach(() => {
  vi.restoreAllMocks()
})

/** The library as an engine without vectors loads it, and what it says. */
const load = async () => {
  vi.spyOn(WebAssembly, 'validate').mockReturnValue(false)
  const warn = vi.spyOn(console, 'warn').mockReturnValue()
  return { warn, ...(await import('cotangent')) }
}

test('without vectors functions are compiled to JavaScript, and that is said once', async () => {
  const { warn, jit, np } = await load()
  const x = np.ones([4096])
  const f = jit((y: typeof x) => y.mul(3).sum())
  expect(warn).not.toHaveBeenCalled()
  expect(f(x).item()).toBe(3 * 4096)
  expect(f.lower(x).wasm).toBe(null)
  expect(f.lower(x).source).toMatch(/function/)
  expect(jit((y: typeof x) => y.add(1).sum(), { backend: 'wasm' })(x).item()).toBe(2 * 4096)
  expect(warn.mock.calls).toEqual([
    [expect.stringMatching(/^cotangent: the WebAssembly of this engine has no vectors/)],
  ])
})

test('JavaScript that was asked for needs no word', async () => {
  const { warn, jit, np } = await load()
  const f = jit((y: ReturnType<typeof np.ones>) => y.mul(3).sum(), { backend: 'js' })
  expect(f(np.ones([10])).item()).toBe(30)
  expect(warn).not.toHaveBeenCalled()
})
