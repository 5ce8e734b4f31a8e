/** What is computed in the tile of a product where its elements are finished, and what is not. */
import type { Tensor } from '@cotangent/core'
import { isAvailable, jit } from '@cotangent/jit'
import { lax, nnFunctions, np, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectClose } from '../support.ts'

const a = random.normal(random.key(0), [64, 48])
const b = random.normal(random.key(1), [48, 64]).mul(0.2)

type Elementwise = (x: Tensor) => Tensor

/** Vectors of float32 hold these. */
const inTile: Readonly<Record<string, Elementwise>> = {
  tanh: (x) => np.tanh(x),
  erf: (x) => lax.erf(x),
  relu: (x) => nnFunctions.relu(x),
  'gelu by tanh': (x) => nnFunctions.gelu(x),
}
/** In float32 these take their steps in float64, or one number at a time. */
const afterTile: Readonly<Record<string, Elementwise>> = {
  erfc: (x) => lax.erfc(x),
  'exact gelu, in which erfc is inlined': (x) => nnFunctions.gelu(x, { approximate: false }),
  power: (x) => np.power(np.abs(x), 2.5),
}

describe.runIf(isAvailable('wasm'))('after a product', () => {
  const compiled = (f: Elementwise) => {
    const g = jit((x: Tensor, y: Tensor) => f(x.matmul(y)), { backend: 'wasm' })
    expectClose(g(a, b), f(a.matmul(b)))
    const kernels = g.lower(a, b).kernels.filter(({ name }) => !name.startsWith('pack_'))
    const product = kernels.find(({ name }) => name.startsWith('dotGeneral'))
    // Otherwise lanes run along the terms, and what follows is computed one number at a time.
    expect(product?.source).not.toContain('across_add')
    return kernels.length
  }
  for (const [name, f] of Object.entries(inTile)) {
    test(`${name} is computed in the tile`, () => expect(compiled(f)).toBe(1))
  }
  for (const [name, f] of Object.entries(afterTile)) {
    test(`${name} is a kernel of its own, and the tile keeps its vectors`, () =>
      expect(compiled(f)).toBe(2))
  }
  test('where the terms come in chunks, it follows the last one', () => {
    const [x, y] = [
      random.normal(random.key(3), [37, 1100]),
      random.normal(random.key(4), [1100, 41]),
    ]
    const product = jit((x: Tensor, y: Tensor) => x.matmul(y), { backend: 'wasm' })
    const both = jit((x: Tensor, y: Tensor) => x.matmul(y).mul(0.5).add(1), { backend: 'wasm' })
    expect(both(x, y).data()).toEqual(product(x, y).mul(0.5).add(1).data())
    const names = both.lower(x, y).kernels.map(({ name }) => name)
    expect(names.filter((name) => !name.startsWith('pack_')).length).toBe(1)
  })
})

test('JavaScript computes all of them where an element is finished', () => {
  for (const f of [...Object.values(inTile), ...Object.values(afterTile)]) {
    const g = jit((x: Tensor, y: Tensor) => f(x.matmul(y)), { backend: 'js' })
    expect(g.lower(a, b).kernels.length).toBe(1)
  }
})
