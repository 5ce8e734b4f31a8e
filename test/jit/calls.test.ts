/** Calls of compiled functions: which are alike, and what recognising them must not confuse. */
import {
  type Leaf,
  type Structure,
  type Tensor,
  TracerError,
  TreeError,
  flatten,
  flattenAs,
  grad,
  tensor,
  tree,
  unflatten,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { np } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const leaf = fc.oneof(
  fc.integer({ min: -9, max: 9 }),
  fc.boolean(),
  fc.constantFrom(tensor(1), tensor([1, 2])),
)

const anyTree = fc.letrec<{ tree: unknown }>((tie) => ({
  tree: fc.oneof(
    { maxDepth: 4 },
    leaf,
    fc.constant(null),
    fc.array(tie('tree'), { maxLength: 3 }),
    fc.dictionary(fc.constantFrom('a', 'b', 'c', '__proto__', '0'), tie('tree'), {
      noNullPrototype: true,
    }),
  ),
})).tree

describe('a tree of a known structure', () => {
  test('has the leaves that flattening finds', () =>
    fc.assert(
      fc.property(anyTree, (value) => {
        const { leaves, structure } = flatten(value)
        const found: Leaf[] = []
        expect(flattenAs(structure, value, found)).toBe(true)
        expect(found.length).toBe(leaves.length)
        expect(found.every((x, i) => Object.is(x, leaves[i]))).toBe(true)
        expect(flatten(unflatten(structure, leaves)).structure.key).toBe(structure.key)
      }),
    ))

  test('is told apart exactly as by its key', () =>
    fc.assert(
      fc.property(anyTree, anyTree, (a, b) => {
        const structure: Structure = flatten(a).structure
        expect(flattenAs(structure, b, [])).toBe(flatten(b).structure.key === structure.key)
      }),
    ))

  test('is none of what flattening refuses', () => {
    const { structure } = flatten({ a: 1, b: [2] })
    for (const wrong of [
      { a: 1, b: undefined },
      { a: 1 },
      { a: 1, b: [2], c: 3 },
      new Map(),
      'a',
    ]) {
      expect(flattenAs(structure, wrong, [])).toBe(false)
    }
    class Point {
      readonly x: Tensor
      readonly kind: string
      constructor(x: Tensor, kind: string) {
        this.x = x
        this.kind = kind
      }
    }
    tree.register(Point, {
      name: 'Point',
      flatten: ({ x, kind }) => ({ children: [x], data: kind }),
      unflatten: ([x], kind) => new Point(x as Tensor, String(kind)),
    })
    const point = flatten(new Point(tensor(1), 'a')).structure
    expect(flattenAs(point, new Point(tensor(2), 'a'), [])).toBe(true)
    expect(flattenAs(point, new Point(tensor(2), 'b'), [])).toBe(false)
    expect(flattenAs(point, { x: tensor(1), kind: 'a' }, [])).toBe(false)
  })
})

describe('a call like an earlier one', () => {
  test('is not traced again, nor found where anything differs', () => {
    let traces = 0
    const f = jit(
      (x: { readonly a: Tensor | number }, mode: unknown, y?: Tensor) => {
        traces += 1
        const sum = tensor(0)
          .add(x.a)
          .add(mode === 'twice' ? x.a : 0)
        return y === undefined ? sum : sum.add(y)
      },
      { staticArgs: 1 },
    )
    const calls: readonly (readonly [() => Tensor, unknown])[] = [
      [() => f({ a: tensor([1, 2]) }, 'once'), [1, 2]],
      [() => f({ a: tensor([1, 2]) }, 'twice'), [2, 4]],
      [() => f({ a: tensor([1, 2]) }, 'once', tensor(1)), [2, 3]],
      [() => f({ a: 3 }, 'once'), 3],
      [() => f({ a: 3.5 }, 'twice'), 7],
      [() => f({ a: tensor([1, 2], { dtype: 'int32' }) }, 'once'), [1, 2]],
      [() => f({ a: tensor([[1, 2]]) }, 'once'), [[1, 2]]],
      [() => f({ a: tensor(1) }, Number.NaN), 1],
      [() => f({ a: tensor(1) }, -0), 1],
      [() => f({ a: tensor(1) }, 0), 1],
    ]
    for (const [call, want] of calls) expect(call().toArray()).toEqual(want)
    expect([traces, f.cacheSize]).toEqual([calls.length, calls.length])
    // More kinds of calls than are remembered without a key, in both orders.
    for (const [call, want] of [...calls, ...[...calls].reverse()]) {
      expect(call().toArray()).toEqual(want)
    }
    expect(traces).toBe(calls.length)
    f.clearCache()
    calls[0]![0]()
    expect([traces, f.cacheSize]).toEqual([calls.length + 1, 1])
  })

  test('keeps every check of its arguments', () => {
    const f = jit((x: Tensor) => x.mul(2), { donate: 0 })
    const x = np.ones([4])
    expect(f(x).toArray()).toEqual([2, 2, 2, 2])
    expect(() => f(x)).toThrow(TracerError)
    const wrong: unknown = 'text'
    expect(() => f(wrong as Tensor)).toThrow(TreeError)
    const leaks: Tensor[] = []
    grad((y: Tensor) => {
      leaks.push(y)
      return y.sum()
    })(np.ones([4]))
    expect(() => f(leaks[0]!)).toThrow(TracerError)
    expect(grad((y: Tensor) => f(y).sum())(np.ones([4])).toArray()).toEqual([2, 2, 2, 2])
  })
})
