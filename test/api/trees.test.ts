import { jit, jvp, np, scan, Tensor, tensor, tree, vjp, vmap } from 'cotangent'
import { describe, expect, test } from 'vitest'

const t = {
  dense: { kernel: np.ones([2, 3]), bias: np.zeros([3]) },
  list: [tensor(1), tensor(2)],
  pair: [tensor(3), { deep: tensor(4) }] as const,
  nothing: null,
}

class Point {
  readonly x: Tensor
  readonly y: Tensor
  readonly label: string
  constructor(x: Tensor, y: Tensor, label: string) {
    this.x = x
    this.y = y
    this.label = label
  }
}

const leaf = (value: unknown): Tensor => {
  if (value instanceof Tensor) return value
  throw new Error('not a tensor')
}

describe('tree functions', () => {
  test('map keeps the structure, null included', () => {
    const doubled = tree.map((x: Tensor) => x.mul(2), t)
    expect(doubled.dense.kernel.toArray()).toEqual([
      [2, 2, 2],
      [2, 2, 2],
    ])
    expect(doubled.list.map((x) => x.item())).toEqual([2, 4])
    expect(doubled.pair[1].deep.item()).toBe(8)
    expect(doubled.nothing).toBe(null)
    expect(Object.keys(doubled).sort()).toEqual(Object.keys(t).sort())
  })

  test('map over several trees', () => {
    const sum = tree.map(
      (x: Tensor, y: Tensor, z: Tensor) => x.add(y).add(z),
      t.list,
      t.list,
      t.list,
    )
    expect(sum.map((x) => x.item())).toEqual([3, 6])
    expect(() => tree.map((x: Tensor, y: Tensor) => x.add(y), t.list, [tensor(1)])).toThrow(
      /TreeError|structure|length/,
    )
  })

  test('mapWithPath tells where a leaf is', () => {
    const paths: string[] = []
    tree.mapWithPath((path, leaf) => {
      paths.push(path)
      return leaf
    }, t)
    expect([...paths].sort()).toEqual(
      ['dense.kernel', 'dense.bias', 'list[0]', 'list[1]', 'pair[0]', 'pair[1].deep'].sort(),
    )
  })

  test('leaves, flatten and unflatten', () => {
    expect(tree.leaves(t)).toHaveLength(6)
    const [leaves, structure] = tree.flatten(t)
    expect(leaves).toHaveLength(6)
    const back = tree.unflatten(structure, leaves)
    expect(tree.equals(back, t)).toBe(true)
    expect(() => tree.unflatten(structure, leaves.slice(1))).toThrow(/TreeError|leaves/)
    expect(tree.leaves(null)).toEqual([])
    expect(tree.leaves(3)).toEqual([3])
  })

  test('the order of leaves does not depend on the order of keys', () => {
    const a = tree.leaves({ b: 2, a: 1 })
    const b = tree.leaves({ a: 1, b: 2 })
    expect(a).toEqual(b)
    expect(tree.equals({ b: 2, a: 1 }, { a: 1, b: 2 })).toBe(true)
  })

  test('structures compare', () => {
    expect(tree.structure(t)).toEqual(tree.structure(tree.map((x) => x, t)))
    expect(tree.structure([1, 2])).not.toEqual(tree.structure([1, [2]]))
  })

  test('reduce and all', () => {
    expect(tree.reduce((sum, x) => sum + x, { a: 1, b: [2, 3] }, 0)).toBe(6)
    expect(tree.all((x) => x > 0, { a: 1, b: [2, 3] })).toBe(true)
    expect(tree.all((x) => x > 1, { a: 1, b: [2, 3] })).toBe(false)
  })

  test('zip pairs the leaves', () => {
    const zipped = tree.zip({ a: 1, b: 2 }, { a: 10, b: 20 })
    expect(zipped.a).toEqual([1, 10])
    expect(zipped.b).toEqual([2, 20])
  })

  test('transpose turns a list of trees into a tree of lists', () => {
    const outer = tree.structure([0, 0, 0])
    const inner = tree.structure({ a: 0, b: 0 })
    const trees = [
      { a: 1, b: 2 },
      { a: 3, b: 4 },
      { a: 5, b: 6 },
    ]
    expect(tree.transpose(trees)).toEqual({ a: [1, 3, 5], b: [2, 4, 6] })
    expect(tree.transpose(outer, inner, trees)).toEqual({ a: [1, 3, 5], b: [2, 4, 6] })
    const back = tree.transpose(inner, outer, { a: [1, 3, 5], b: [2, 4, 6] })
    expect(back).toEqual(trees)
    expect(() => tree.transpose(outer, inner, trees.slice(1))).toThrow(/transpose/)
    expect(() => tree.transpose([])).toThrow(/transpose/)
  })

  test('partition and combine undo each other', () => {
    const [big, small] = tree.partition((x: Tensor) => x.size > 1, t)
    expect(tree.leaves(big)).toHaveLength(2)
    expect(tree.leaves(small)).toHaveLength(4)
    expect(tree.equals(tree.combine(big, small), t)).toBe(true)
  })

  test('partition may ask for the path', () => {
    const [kernels, rest] = tree.partition((_, path) => path.endsWith('kernel'), t)
    expect(tree.leaves(kernels)).toHaveLength(1)
    expect(tree.leaves(rest)).toHaveLength(5)
  })

  test('at reads by path', () => {
    expect(tree.at(t, ['dense', 'bias'])).toBe(t.dense.bias)
    expect(tree.at(t, ['pair', 1, 'deep'])).toBe(t.pair[1].deep)
    expect(() => tree.at(t, ['dense', 'biass'])).toThrow(/biass/)
  })

  test('equals and allClose', () => {
    const other = tree.map((x: Tensor) => x.add(1e-9), t)
    expect(
      tree.equals(
        t,
        tree.map((x: Tensor) => x.add(0), t),
      ),
    ).toBe(true)
    expect(
      tree.equals(
        t,
        tree.map((x: Tensor) => x.add(1), t),
      ),
    ).toBe(false)
    expect(tree.allClose(t, other)).toBe(true)
    expect(
      tree.allClose(
        t,
        tree.map((x: Tensor) => x.add(0.1), t),
      ),
    ).toBe(false)
    expect(tree.equals({ a: tensor(1) }, [tensor(1)])).toBe(false)
    expect(tree.equals({ a: tensor([1]) }, { a: tensor(1) })).toBe(false)
  })

  test('size counts elements and bytes their storage', () => {
    expect(tree.size(t)).toBe(13)
    expect(tree.bytes(t)).toBe(52)
    expect(
      tree.bytes({ a: np.zeros([3], { dtype: 'uint8' }), b: np.zeros([2], { dtype: 'float64' }) }),
    ).toBe(19)
  })

  test('toString is a table of path, shape and dtype', () => {
    const text = tree.toString(t)
    expect(text).toMatch(/dense\.kernel\s+f32\[2,3\]/)
    expect(text.split('\n').length).toBeGreaterThanOrEqual(6)
  })
})

describe('tree.update', () => {
  test('copies what changes, shares the rest, leaves the original alone', () => {
    const next = tree.update(t, (draft) => {
      draft.dense.bias = np.ones([3])
    })
    expect(next.dense.bias.toArray()).toEqual([1, 1, 1])
    expect(t.dense.bias.toArray()).toEqual([0, 0, 0])
    expect(next.dense.kernel).toBe(t.dense.kernel)
    expect(next.pair).toBe(t.pair)
    expect(next === t).toBe(false)
    expect(Object.isFrozen(next)).toBe(true)
    expect(Object.isFrozen(next.dense)).toBe(true)
  })

  test('a recipe that changes nothing gives the same tree', () => {
    const same = tree.update(t, () => undefined)
    expect(same).toBe(t)
  })

  test('works on arrays and under a transform', () => {
    const next = tree.update(t, (draft) => {
      draft.list.push(tensor(9))
    })
    expect(next.list).toHaveLength(3)
    expect(t.list).toHaveLength(2)
  })
})

describe('registered classes', () => {
  test('are branches once registered', () => {
    tree.register(Point, {
      name: 'Point',
      flatten: (p: Point) => ({ children: [p.x, p.y], data: p.label }),
      unflatten: ([x, y], label) => new Point(leaf(x), leaf(y), String(label)),
    })
    const p = new Point(tensor(1), tensor(2), 'p')
    const q = tree.map((x: Tensor) => x.mul(10), { p }).p
    expect(q).toBeInstanceOf(Point)
    expect([q.x.item(), q.y.item(), q.label]).toEqual([10, 20, 'p'])
  })

  test('what is not registered is named in the error', () => {
    class Other {
      readonly z = 1
    }
    expect(() => tree.leaves({ deep: { o: new Other() } })).toThrow(/Other/)
    expect(() => tree.map((x) => x, { m: new Map() })).toThrow(/Map/)
  })
})

describe('what the library returns is frozen', () => {
  test('by map, unflatten and the rest', () => {
    const mapped = tree.map((x) => x, t)
    expect(Object.isFrozen(mapped)).toBe(true)
    expect(Object.isFrozen(mapped.dense)).toBe(true)
    expect(Object.isFrozen(mapped.list)).toBe(true)
  })

  test('by transforms: outputs, and the pairs they come in', () => {
    const x = tensor([1, 2])
    const f = (y: Tensor): { readonly y: Tensor } => ({ y })
    const results: readonly unknown[] = [
      jit(f)(x),
      vmap(f)(x),
      jvp(f, [x], [x]),
      jvp(f, [x], [x])[0],
      vjp(f, x),
      scan((c: Tensor, y: Tensor) => [c, { y }], x, x),
      scan((c: Tensor, y: Tensor) => [c, { y }], x, x)[1],
      tree.partition(() => true, { a: 1 }),
      tree.leaves({ a: 1 }),
      tree.flatten({ a: 1 }),
      x.shape,
    ]
    expect(results.map((result) => Object.isFrozen(result))).toEqual(results.map(() => true))
  })
})
