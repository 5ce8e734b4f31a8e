import {
  type Tensor,
  check,
  customJvp,
  customVjp,
  checkpoint,
  grad,
  jvp,
  tensor,
  vmap,
  TracerError,
} from '@cotangent/core'
import { jit, optimize } from '@cotangent/jit'
import { np, prims, random } from '@cotangent/ops'
import { spawnSync } from 'node:child_process'
import { describe, expect, test } from 'vitest'
import { theHeap } from '../../packages/jit/src/wasm/runtime.ts'
import { expectClose, expectCompiled } from './support.ts'

const normal = (seed: number, shape: readonly number[]): Tensor =>
  random.normal(random.key(seed), shape)
const softmax = (x: Tensor): Tensor => {
  const e = x.sub(x.max({ axis: -1, keepdims: true })).exp()
  return e.div(e.sum({ axis: -1, keepdims: true }))
}
const layerNorm = (x: Tensor): Tensor => {
  const centred = x.sub(x.mean({ axis: -1, keepdims: true }))
  return centred.div(centred.mul(centred).mean({ axis: -1, keepdims: true }).add(1e-5).sqrt())
}

describe('jit gives what the interpreter gives', () => {
  test('elementwise chains', () =>
    expectCompiled((x: Tensor) => x.mul(2).add(1).tanh(), normal(0, [4, 5])))
  test('matrix products with an epilogue', () =>
    expectCompiled(
      (x: Tensor, w: Tensor) => x.matmul(w).add(1).maximum(0),
      normal(0, [9, 7]),
      normal(1, [7, 11]),
    ))
  test('reductions over every axis', () =>
    expectCompiled(
      (x: Tensor) => [x.sum(), x.sum({ axis: 0 }), x.mean({ axis: 1 }), x.max({ axis: [0, 2] })],
      normal(0, [6, 10, 12]),
    ))
  test('softmax, and its gradient', () => {
    expectCompiled(softmax, normal(0, [16, 32]))
    expectCompiled(
      (x: Tensor) => grad((y: Tensor) => softmax(y).log().at(':', 3).mean())(x),
      normal(0, [16, 32]),
    )
  })
  test('layer normalisation, and its gradient', () => {
    expectCompiled(layerNorm, normal(0, [16, 32]))
    expectCompiled(
      (x: Tensor) => grad((y: Tensor) => layerNorm(y).mul(y).sum())(x),
      normal(0, [16, 32]),
    )
  })
  test('movement: transpose, reshape, pad, flip, concatenate', () =>
    expectCompiled(
      (x: Tensor) => {
        const y = x.T.reshape(-1)
        return np
          .concatenate([np.pad(y, 2), np.flip(y)])
          .reshape(4, -1)
          .sum({ axis: 0 })
      },
      normal(0, [6, 4]),
    ))
  test('sorting and gathering', () =>
    expectCompiled(
      (x: Tensor) => [
        x.sort(),
        x.argsort(),
        np.take(x.ravel(), np.array([3, 1, 1]).astype('int32')),
      ],
      normal(0, [5, 9]),
    ))
  test('random numbers, bit for bit', () => {
    const draw = (k: Tensor): Tensor => random.uniform(k, [33])
    expect(jit(draw)(random.key(7)).data()).toEqual(draw(random.key(7)).data())
  })
  test('convolution and pooling with gradients', () => {
    const params = {
      strides: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
      inputDilation: [1, 1],
      kernelDilation: [1, 1],
      groups: 1,
    } as const
    const loss = (w: Tensor, x: Tensor): Tensor => prims.conv(x, w, params).maximum(0).sum()
    expectCompiled(
      (w: Tensor, x: Tensor) => grad(loss, { argnums: [0, 1] })(w, x),
      normal(1, [4, 3, 3, 3]),
      normal(2, [2, 3, 8, 8]),
    )
  })
})

describe('jit composes', () => {
  const f = (x: Tensor): Tensor => x.sin().mul(x).sum()
  const x = normal(3, [5])
  test('grad of jit = jit of grad', () => {
    expectClose(grad(jit(f))(x), grad(f)(x))
    expectClose(jit(grad(f))(x), grad(f)(x))
    expectClose(
      jit(grad(jit(grad((s: Tensor) => f(s.mul(x))))))(tensor(0.3)),
      grad(grad((s: Tensor) => f(s.mul(x))))(tensor(0.3)),
    )
  })
  test('vmap of grad of jit', () =>
    expectClose(vmap(grad(jit(f)))(normal(4, [3, 5])), vmap(grad(f))(normal(4, [3, 5]))))
  test('forward over compiled reverse', () =>
    expectClose(jvp(jit(grad(f)), [x], [x])[1], jvp(grad(f), [x], [x])[1]))
  test('jit in jit in jit', () => expectClose(jit(jit(jit(f)))(x), f(x)))
  test('closures over outer tracers are not cached', () => {
    const outer = (w: Tensor): Tensor => jit((y: Tensor) => y.mul(w).sum())(x)
    expectClose(grad(outer)(x), x)
    expectClose(grad(outer)(x.mul(2)), x)
  })
  test('custom rules and recomputation', () => {
    const clipped = customVjp(
      (y: Tensor) => y,
      (y) => [y, null],
      (_, ct) => [ct.clip(-0.1, 0.1)],
    )
    const doubled = customJvp(
      (y: Tensor) => y.mul(y),
      ([y], [dy]) => [y.mul(y), dy.mul(100)],
    )
    const g = (y: Tensor): Tensor => checkpoint((z: Tensor) => doubled(clipped(z.sin())))(y).sum()
    expectClose(jit(grad(g))(x), grad(g)(x))
  })
})

describe('variants', () => {
  test('one for each type, reused', () => {
    let traces = 0
    const f = jit((x: Tensor) => {
      traces++
      return x.add(1)
    })
    f(np.ones([2]))
    f(np.zeros([2]))
    expect(traces).toBe(1)
    f(np.ones([3]))
    f(np.ones([2]).astype('int32'))
    expect([traces, f.cacheSize]).toEqual([3, 3])
    f.clearCache()
    expect(f.cacheSize).toBe(0)
  })
  test('static arguments by value, functions by identity, -0 apart from 0', () => {
    let traces = 0
    const f = jit(
      (x: Tensor, n: number | string | ((y: Tensor) => Tensor)) => {
        traces++
        return typeof n === 'function' ? n(x) : x.add(Number(n))
      },
      { staticArgs: [1] },
    )
    const x = np.ones([2])
    expect(f(x, 3).data()[0]).toBe(4)
    expect(f(x, 3).data()[0]).toBe(4)
    expect(traces).toBe(1)
    f(x, '3')
    f(x, 0)
    f(x, -0)
    f(x, (y) => y)
    f(x, (y) => y.neg())
    expect(traces).toBe(6)
  })
  test('the cache is bounded', () => {
    const f = jit((x: Tensor, n: number) => x.add(n), { staticArgs: [1] })
    for (let n = 0; n < 300; n++) f(np.ones([1]), n)
    expect(f.cacheSize).toBeLessThanOrEqual(128)
  })
  test('a value that is not known is a TracerError with the user’s line', () => {
    const f = jit((x: Tensor) => (x.item() > 0 ? x : x.neg()))
    expect(() => f(tensor(1))).toThrow(TracerError)
    expect(() => f(tensor(1))).toThrow(/jit\.test\.ts/)
  })
})

describe('donation', () => {
  test('the result takes over the memory', () => {
    const step = jit((p: Tensor, g: Tensor) => p.sub(g.mul(0.1)), { donate: [0], backend: 'js' })
    const p = np.ones([64])
    const before = p.concrete('test').storage.read()
    const q = step(p, np.ones([64]))
    expect(q.concrete('test').storage.read()).toBe(before)
    expect(() => p.data()).toThrow(/donated/)
    expect(q.data()[0]).toBeCloseTo(0.9, 6)
  })
  test('the result takes over the block of the heap', () => {
    const heap = theHeap()
    const address = (x: Tensor): number => heap.pointer(x.concrete('test').storage)
    const make = jit((x: Tensor) => x.add(1), { backend: 'wasm' })
    const step = jit((p: Tensor, g: Tensor) => p.sub(g.mul(0.1)), { donate: [0], backend: 'wasm' })
    let p = make(np.zeros([1000]))
    const before = address(p)
    for (let i = 0; i < 3; i++) {
      const old = p
      p = step(old, np.ones([1000]))
      expect(address(p)).toBe(before)
      expect(() => old.data()).toThrow(/donated/)
    }
    expect(p.data()[999]).toBeCloseTo(0.7, 6)
  })
  test.each(['js', 'wasm'] as const)('not where the old value is still needed: %s', (backend) => {
    for (const n of [8, 24]) {
      const turned = (p: Tensor): Tensor => p.reshape(n, n).T.reshape(n * n)
      const f = jit((p: Tensor) => [p.add(1), turned(p)], { donate: [0], backend })
      const p = np.arange(n * n).astype('float32')
      expectClose(f(p.add(0)), [p.add(1), turned(p)])
    }
  })
})

describe('what the compiler made', () => {
  const mlp = (w: Tensor, x: Tensor): Tensor => x.matmul(w).add(1).tanh().sum()
  test('every pass keeps the graph valid', () => {
    const { ir } = jit(grad(mlp)).lower(normal(0, [7, 5]), normal(1, [3, 7]))
    for (const stage of optimize(ir.graph)) check(stage.graph, stage.pass)
  })
  test('an epilogue is fused into its matrix product', () => {
    for (const backend of ['js', 'wasm'] as const) {
      const f = (w: Tensor, x: Tensor): Tensor => x.matmul(w).add(1).tanh()
      const lowered = jit(f, { backend }).lower(normal(0, [7, 5]), normal(1, [3, 7]))
      expect(lowered.kernels.map((k) => k.name)).toEqual(['dotGeneral_tanh_f32_3x5'])
      expect(lowered.memory.arenaBytes).toBe(0)
    }
  })
  test('softmax over long rows is one kernel', () => {
    for (const backend of ['js', 'wasm'] as const)
      expect(jit(softmax, { backend }).lower(normal(0, [16, 64])).kernels).toHaveLength(1)
  })
  test('layer normalisation over long rows is one kernel', () => {
    for (const backend of ['js', 'wasm'] as const)
      expect(jit(layerNorm, { backend }).lower(normal(0, [16, 64])).kernels).toHaveLength(1)
  })
  test('temporaries share memory', () => {
    const chain = (x: Tensor): Tensor => {
      let y = x
      for (let i = 0; i < 6; i++) y = y.matmul(x).tanh()
      return y
    }
    const { memory } = jit(chain).lower(normal(0, [16, 16]))
    expect(memory.arenaBytes).toBeLessThan(memory.temporaryBytes)
  })
})

/** Runs a script where `new Function` is forbidden, as a content security policy does. */
const withoutEval = (before: string): { readonly stdout: string; readonly notices: number } => {
  const script = `
    ${before}
    const { jit } = await import('@cotangent/jit')
    const { np } = await import('@cotangent/ops')
    const f = jit((x) => x.add(1).sum())
    console.log(f(np.ones([3])).item(), f(np.ones([4])).item(), np.ones([300, 300]).sum().item())`
  const { stdout, stderr, status } = spawnSync(
    process.execPath,
    ['--disallow-code-generation-from-strings', '--input-type=module', '-e', script],
    { encoding: 'utf8', cwd: new URL('..', import.meta.url).pathname },
  )
  expect([status, stderr.includes('Error')]).toEqual([0, false])
  return { stdout: stdout.trim(), notices: stderr.split('content security policy').length - 1 }
}

test('without generated JavaScript everything runs in WebAssembly', () => {
  expect(withoutEval('')).toEqual({ stdout: '6 8 90000', notices: 0 })
})

test('without any generated code everything runs, interpreted, and says so once', () => {
  const none = "Reflect.deleteProperty(globalThis, 'WebAssembly')"
  expect(withoutEval(none)).toEqual({ stdout: '6 8 90000', notices: 1 })
})
