/** Engines that compile long modules only in the background, as the main threads of pages do. */
import { CompileError, type Tensor, UnsupportedError, grad, jit, np, tensor, tree } from 'cotangent'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'

const { Module, compile } = WebAssembly

/** What the engine takes at once: enough for the library's probes. */
const limit = 512

const refuseLong = (): void => {
  vi.spyOn(WebAssembly, 'Module').mockImplementation(function (bytes) {
    if (bytes.byteLength > limit)
      throw new RangeError('WebAssembly.Module(): Compilation is disallowed on the main thread')
    return new Module(bytes)
  })
}

// The heap needs a module of its own, as a page made it when the first tensor came.
jit((x: Tensor) => x.add(1), { backend: 'wasm' })(np.ones([4096]))

beforeEach(refuseLong)
afterEach(() => {
  vi.restoreAllMocks()
})

const x = np.linspace(-1, 1, 4096)
const chain = (y: Tensor): Tensor => np.tanh(y.mul(2)).add(1).cumsum()
const wanted = chain(x)

const expectClose = (got: Tensor, want: Tensor): void => expect(tree.allClose(got, want)).toBe(true)

/** Runs `use` with `compile` held back until the end of it. */
const whileCompiling = async (use: () => void): Promise<void> => {
  let letGo = (): void => {}
  const held = new Promise<void>((resolve) => {
    letGo = resolve
  })
  vi.spyOn(WebAssembly, 'compile').mockImplementation(async (bytes) => {
    await held
    return compile(bytes)
  })
  use()
  letGo()
  expect(WebAssembly.compile).toHaveBeenCalled()
}

describe('a module that is too long to be compiled at once', () => {
  test('is stood in for by JavaScript until it is there', async () => {
    const f = jit(chain, { backend: 'wasm' })
    await whileCompiling(() => {
      expectClose(f(x), wanted)
      expectClose(f(x), wanted)
      expect(WebAssembly.compile).toHaveBeenCalledTimes(1)
    })
    await f.precompile(x)
    const { code } = f.lower(x).compile()
    expect(code.tag === 'wasm' && code.program.start()).toBe(true)
    expectClose(f(x), wanted)
    expect(WebAssembly.compile).toHaveBeenCalledTimes(1)
  })

  test('gives donated memory away, meanwhile and afterwards', async () => {
    const step = jit(
      (state: Tensor, y: Tensor) => [np.tanh(state.mul(0.5)).add(y), state] as const,
      {
        donate: 0,
        backend: 'wasm',
      },
    )
    const use = (): void => {
      const state = np.ones([4096])
      const [next, before] = step(state, x)
      expectClose(next, x.add(Math.tanh(0.5)))
      expectClose(before, np.ones([4096]))
      expect(() => state.toArray()).toThrow(/donated/)
    }
    await whileCompiling(use)
    await step.precompile(np.ones([4096]), x)
    use()
  })

  test('is compiled ahead, without running the function', async () => {
    const given = np.ones([4096])
    const inBackground = vi.spyOn(WebAssembly, 'compile')
    const f = jit((y: Tensor) => y.exp().sum(), { donate: 0 })
    await f.precompile(given)
    expect(inBackground).toHaveBeenCalledTimes(1)
    expect(f.cacheSize).toBe(1)
    expect(given.at(0).item()).toBe(1)
    expect(f(given).item()).toBeCloseTo(4096 * Math.E, 1)
  })

  test('stands in within transforms and eager operations, too', async () => {
    const f = jit(chain, { backend: 'wasm' })
    await whileCompiling(() => {
      const slope = grad((y: Tensor) => f(y).sum())(x)
      expectClose(slope, grad((y: Tensor) => chain(y).sum())(x))
    })
  })

  test('cannot be profiled', () => {
    expect(() => jit.profile(jit(chain, { backend: 'wasm' }))(x)).toThrow(UnsupportedError)
  })

  test('that is refused altogether is an error of the next call, and of whoever waits', async () => {
    vi.spyOn(WebAssembly, 'compile').mockRejectedValue(new WebAssembly.CompileError('no room'))
    const f = jit(chain, { backend: 'wasm' })
    expectClose(f(x), wanted)
    await expect(f.precompile(x)).rejects.toThrow(CompileError)
    expect(() => f(x)).toThrow(/no room/)
  })
})

test('interpreted functions need no code ahead', async () => {
  const f = jit((y: Tensor) => y.add(1), { backend: 'interpret' })
  await f.precompile(tensor([1]))
  expect(f(tensor([1])).toArray()).toEqual([2])
})
