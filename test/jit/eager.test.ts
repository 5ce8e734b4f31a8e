/** Eager operations: what is compiled, when, and what is remembered of it. */
import {
  DTypeError,
  ShapeError,
  type Tensor,
  TracerError,
  grad,
  interpret,
  sealed,
  tensor,
  typeId,
} from '@cotangent/core'
import { compilingAtOnce, eagerCache, jit } from '@cotangent/jit'
import { cond, foriLoop, np, scan, whileLoop } from '@cotangent/ops'
import fc from 'fast-check'
import { beforeEach, describe, expect, test } from 'vitest'
import { copyParams, hashParams, sameParams } from '../../packages/jit/src/eager/params.ts'
import { expectClose } from './support.ts'

beforeEach(() => eagerCache.clear())

const ramp = (...shape: readonly number[]): Tensor => {
  const size = shape.reduce((n, extent) => n * extent, 1)
  return tensor(
    Float32Array.from({ length: size }, (_, i) => (i % 17) / 8 - 1),
    { shape },
  )
}

describe('what is remembered', () => {
  test('is one entry for equal types and parameters', () => {
    const [x, y] = [ramp(3, 4), ramp(3, 4).mul(2)]
    eagerCache.clear()
    for (let i = 0; i < 5; i++) x.sum(0)
    y.sum(0)
    y.sum({ axis: [0] })
    expect(eagerCache.size).toBe(1)
    x.sum(1)
    expect(eagerCache.size).toBe(2)
    x.astype('float64').sum(1)
    expect(eagerCache.size).toBe(4)
  })

  test('is bounded', () => {
    for (let n = 1; n <= 3000; n++) np.ones([n]).add(1)
    expect(eagerCache.size).toBeLessThanOrEqual(2048 + 256)
    expect(np.ones([5]).add(1).toArray()).toEqual([2, 2, 2, 2, 2])
  })

  test('is not confused by parameters that their owner changes', () => {
    const axes = [0]
    const x = ramp(2, 3)
    const first = x.sum({ axis: axes })
    axes[0] = 1
    expect(x.sum({ axis: axes }).shape).toEqual([2])
    expect(x.sum({ axis: [0] }).toArray()).toEqual(first.toArray())
  })

  test('does not depend on how often it was used', () => {
    const x = ramp(7, 5)
    const f = (): readonly Tensor[] => [x.tanh(), x.sum(1), x.exp().mean(), x.matmul(x.T), x.sort()]
    const first = f().map((y) => y.data())
    for (let i = 0; i < 3000; i++) f()
    expect(f().map((y) => y.data())).toEqual(first)
    expect(compilingAtOnce(f).map((y) => y.data())).toEqual(first)
  })

  test('is nothing of what is wrong', () => {
    const size = eagerCache.size
    expect(() => ramp(2, 3).matmul(ramp(2, 3))).toThrow(ShapeError)
    expect(() => tensor([true]).neg()).toThrow(DTypeError)
    expect(eagerCache.size).toBe(size)
    for (let i = 0; i < 3; i++) {
      expect(() => compilingAtOnce(() => ramp(2, 3).add(ramp(3, 2)))).toThrow('np.add')
    }
  })
})

describe('loops and branches', () => {
  const weights = ramp(6, 6).mul(0.3)
  const programs: Readonly<Record<string, (x: Tensor) => unknown>> = {
    scan: (x) =>
      scan((c: Tensor, row: Tensor) => [c.matmul(weights).add(row).tanh(), c], x.at(0), x),
    whileLoop: (x) =>
      whileLoop(
        (c: Tensor) => c.abs().max().less(4),
        (c: Tensor) => c.mul(1.5).add(0.01),
        x,
      ),
    foriLoop: (x) => foriLoop(0, 5, (i: Tensor, c: Tensor) => c.add(i.astype('float32')), x),
    cond: (x) =>
      cond(
        x.sum().greater(0),
        (y: Tensor) => y.sin(),
        (y: Tensor) => y.cos(),
        x,
      ),
    'the gradient of a compiled function': (x) =>
      grad((y: Tensor) => jit((z: Tensor) => z.tanh().mul(z).sum())(y))(x),
  }

  test.each(Object.entries(programs))('%s gives what the reference gives', (_, f) => {
    const x = ramp(8, 6)
    const want = interpret((y: Tensor) => f(y))(x)
    expectClose(f(x), want)
    expectClose(
      compilingAtOnce(() => f(x)),
      want,
    )
    // Of a view, too: of every other row, backwards.
    const wide = np.flip(np.repeat(x, 2, 0), 0)
    expectClose(
      compilingAtOnce(() => f(wide.at('::-2'))),
      want,
    )
  })

  test('are found again when they are traced anew', () => {
    const x = ramp(8, 6)
    const run = (): unknown =>
      compilingAtOnce(() =>
        scan((c: Tensor, row: Tensor) => [c.matmul(weights).add(row), c.sum()], x.at(0), x),
      )
    run()
    const { size } = eagerCache
    for (let i = 0; i < 5; i++) run()
    expect(eagerCache.size).toBe(size)
  })

  test('are told apart by their constants', () => {
    const x = ramp(4)
    const steps = [1, 2, 3].map((k) =>
      compilingAtOnce(() => foriLoop(0, 3, (_: Tensor, c: Tensor) => c.add(k), x)),
    )
    steps.forEach((y, k) => expectClose(y, x.add(3 * (k + 1))))
    const tables = [ramp(4), ramp(4).mul(2)]
    const sums = tables.map((table) =>
      compilingAtOnce(() => foriLoop(0, 2, (_: Tensor, c: Tensor) => c.add(table), x)),
    )
    sums.forEach((y, k) => expectClose(y, x.add(tables[k]!.mul(2))))
  })

  test('do not keep large constants', () => {
    const x = ramp(100, 60)
    const run = (k: number): void => {
      const table = ramp(100, 60).mul(k)
      const sum = compilingAtOnce(() => foriLoop(0, 2, (_: Tensor, c: Tensor) => c.add(table), x))
      expectClose(sum, x.add(table.mul(2)))
    }
    run(2)
    const { size } = eagerCache
    for (let k = 3; k < 6; k++) run(k)
    expect(eagerCache.size).toBe(size)
  })
})

test('interpret runs nothing compiled, whatever was compiled before', () => {
  const f = (x: Tensor): Tensor =>
    scan((c: Tensor, row: Tensor) => [c.add(row.tanh()), c], np.zeros([6]), x.T.at('::-1').T)[0]
  const x = ramp(400, 6)
  const eager = f(x)
  const { size } = eagerCache
  const reference = interpret(f)(x)
  const jitted = interpret((y: Tensor) => jit(f)(y))(x)
  expect(eagerCache.size).toBe(size)
  expect(jitted.data()).toEqual(reference.data())
  expectClose(eager, reference)
  // Nothing of the reference is a view.
  expect(interpret((y: Tensor) => y.T)(x).concrete('test').layout).toBeNull()
})

test('a tracer that leaked is refused, also where a kernel is known', () => {
  const leaks: Tensor[] = []
  grad((x: Tensor) => {
    leaks.push(x)
    return x.sum()
  })(ramp(3))
  ramp(3).add(ramp(3))
  expect(() => leaks[0]!.add(ramp(3))).toThrow(TracerError)
})

describe('keys', () => {
  const params = fc.letrec<{ value: unknown }>((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.oneof(
        fc.integer(),
        fc.double(),
        fc.boolean(),
        fc.string(),
        fc.constantFrom(null, undefined, 0, -0, NaN),
      ),
      fc.array(tie('value'), { maxLength: 3 }),
      fc.dictionary(fc.constantFrom('a', 'b', 'shape'), tie('value'), { noNullPrototype: true }),
    ),
  })).value

  test('of equal parameters are equal, of copies too', () =>
    fc.assert(
      fc.property(params, (value) => {
        const copy = copyParams(value)
        expect(sameParams(value, copy)).toBe(true)
        expect(hashParams(7, copy)).toBe(hashParams(7, value))
      }),
    ))

  test('of different parameters differ', () =>
    fc.assert(
      fc.property(params, params, (a, b) => {
        const equal = (() => {
          try {
            expect(a).toStrictEqual(b)
            return true
          } catch {
            return false
          }
        })()
        expect(sameParams(a, b)).toBe(equal)
      }),
    ))

  test('functions and instances count by identity', () => {
    const [f, g] = [(): number => 1, (): number => 1]
    expect(sameParams({ f }, { f })).toBe(true)
    expect(sameParams({ f }, { f: g })).toBe(false)
    expect(sameParams([new Date(0)], [new Date(0)])).toBe(false)
  })

  test('types that were forgotten are made anew, and nothing else changes', () => {
    const f = jit((x: Tensor) => x.mul(2).sum(0))
    const x = ramp(3, 4)
    const before = [f(x), x.sum(0), x.add(1)].map((y) => y.data())
    for (let n = 1; n < 40_000; n++) sealed({ shape: [n, 7], dtype: 'int8', weak: false })
    const fresh = ramp(3, 4)
    expect(fresh.aval).not.toBe(x.aval)
    for (const y of [x, fresh, x]) {
      expect([f(y), y.sum(0), y.add(1)].map((z) => z.data())).toEqual(before)
    }
    expect(x.add(fresh).toArray()).toEqual(x.mul(2).toArray())
    expect(f.cacheSize).toBe(1)
  })

  test('equal types are one object, others are not', () => {
    const shape = [2, 3]
    const a = sealed({ shape, dtype: 'float32', weak: false })
    shape[0] = 9
    expect(a.shape).toEqual([2, 3])
    expect(sealed({ shape: [2, 3], dtype: 'float32', weak: false })).toBe(a)
    const others = [
      sealed({ shape: [2, 3], dtype: 'float32', weak: true }),
      sealed({ shape: [2, 3], dtype: 'int32', weak: false }),
      sealed({ shape: [2, 3, 1], dtype: 'float32', weak: false }),
      sealed({ shape: [2], dtype: 'float32', weak: false }),
    ]
    expect(new Set([a, ...others].map(typeId)).size).toBe(5)
    expect({ ...a }).toEqual({ shape: [2, 3], dtype: 'float32', weak: false })
  })
})
