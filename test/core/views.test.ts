/** Views: reading in place gives what copying gives, whatever happens to the memory below. */
import {
  Concrete,
  type Tensor,
  type TypedArray,
  gatherLayout,
  grad,
  interpret,
  isContiguous,
  reshapeLayout,
  rowMajor,
  sizeOf,
  stopGradient,
  tensor,
  vmap,
} from '@cotangent/core'
import { compilingAtOnce, jit } from '@cotangent/jit'
import { np } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const counting = (shape: readonly number[]): Tensor =>
  tensor(
    Float32Array.from({ length: sizeOf(shape) }, (_, i) => i),
    { shape },
  )

const numbers = (x: Tensor): TypedArray => x.data()

/** Movements of a tensor of rank 3, each to another of rank 3. */
type Movement = (x: Tensor) => Tensor

const movement: fc.Arbitrary<Movement> = fc.oneof(
  fc.constantFrom([0, 2, 1], [1, 0, 2], [2, 1, 0], [1, 2, 0]).map(
    (order): Movement =>
      (x) =>
        x.transpose(order),
  ),
  fc.constantFrom(0, 1, 2).map(
    (axis): Movement =>
      (x) =>
        np.flip(x, axis),
  ),
  fc.tuple(fc.nat(2), fc.constantFrom('1:', ':-1', '::2', '1::3', '::-1', '-1:0:-2')).map(
    ([axis, slice]): Movement =>
      (x) =>
        x.shape[axis]! < 4 ? x : x.at(...[0, 1, 2].map((d) => (d === axis ? slice : ':'))),
  ),
  fc.constantFrom<Movement>(
    (x) => x.reshape(x.shape[1]!, -1, 1),
    (x) => x.reshape(-1).reshape(x.shape[0]!, x.shape[1]!, x.shape[2]!),
    (x) => x.expandDims(1).squeeze(1),
    (x) => np.broadcastTo(x.at(0), x.shape),
    (x) => np.broadcastTo(x.at(':', '0:1'), [x.shape[0]!, 3, x.shape[2]!]),
  ),
)

const movements: fc.Arbitrary<Movement> = fc
  .array(movement, { minLength: 1, maxLength: 5 })
  .map((steps) => (x) => steps.reduce((y, step) => step(y), x))

const shape = fc.tuple(
  fc.integer({ min: 1, max: 12 }),
  fc.integer({ min: 4, max: 12 }),
  fc.integer({ min: 8, max: 20 }),
)

describe('chains of movements', () => {
  test('read what copies hold', () =>
    fc.assert(
      fc.property(movements, shape, (move, extents) => {
        const x = counting(extents)
        const [got, want] = [move(x), interpret(move)(x)]
        expect(got.shape).toEqual(want.shape)
        expect(numbers(got)).toEqual(numbers(want))
      }),
    ))

  test('and so do operations on them, compiled for their layouts', () =>
    fc.assert(
      fc.property(movements, shape, fc.boolean(), (move, extents, isLarge) => {
        const x = counting(isLarge ? [extents[0], 24, 24] : extents)
        const f = (y: Tensor): readonly Tensor[] => {
          const z = move(y)
          return [z.add(z.T.T), z.mul(2), z.sum(1), z.max(), z.cumsum(0), z.at(0), z.argmax(2)]
        }
        const want = interpret(f)(x).map(numbers)
        expect(compilingAtOnce(() => f(x)).map(numbers)).toEqual(want)
        expect(f(x).map(numbers)).toEqual(want)
      }),
      { numRuns: 40 },
    ))

  test('under every transform', () =>
    fc.assert(
      fc.property(movements, shape, (move, extents) => {
        const x = counting(extents).mul(0.25)
        // The weights are a view themselves, of memory that outlives the call.
        const weights = np.flip(counting(interpret(move)(x).shape))
        const f = (y: Tensor): Tensor => move(y).mul(weights).sum()
        const batch = np.stack([x, x.mul(2)])
        const wanted = {
          gradient: interpret(grad(f))(x),
          batched: interpret(vmap(move))(batch),
          second: interpret(grad((y: Tensor) => f(y.mul(y))))(x),
        }
        expect(numbers(grad(f)(x))).toEqual(numbers(wanted.gradient))
        expect(numbers(jit(grad(f))(x))).toEqual(numbers(wanted.gradient))
        expect(numbers(vmap(move)(batch))).toEqual(numbers(wanted.batched))
        expect(numbers(jit(move)(x))).toEqual(numbers(interpret(move)(x)))
        expect(numbers(grad((y: Tensor) => f(y.mul(y)))(x))).toEqual(numbers(wanted.second))
        // An argument of a compiled function that is a view, and a constant that is one.
        const view = move(x)
        const held = jit((y: Tensor) => y.add(view))
        expect(numbers(held(view))).toEqual(numbers(view.mul(2)))
      }),
      { numRuns: 25 },
    ))
})

describe('memory below a view', () => {
  const large = (): Tensor => counting([40, 50])
  const step = jit((x: Tensor) => x.mul(2), { donate: 0 })

  test('stays when what it was made for is given away', () => {
    const x = large()
    const views = [x.T, np.flip(x), x.at('::2'), x.reshape(50, 40), x.at(3), x.at(':', 7)]
    const before = views.map(numbers)
    const doubled = step(x)
    expect(() => x.sum()).toThrow('donated')
    expect(views.map(numbers)).toEqual(before)
    expect(numbers(doubled)).toEqual(numbers(large().mul(2)))
    expect(views.map((v) => v.sum().item())).toEqual(
      before.map((v) => Array.from(v).reduce((a, b) => a + b)),
    )
  })

  test('stays when a view is given away', () => {
    const x = large()
    const view = x.T
    const other = view.at('1:')
    const doubled = step(view)
    expect(() => view.sum()).toThrow('donated')
    expect(() => view.toArray()).toThrow('donated')
    expect(numbers(x)).toEqual(numbers(large()))
    expect(numbers(other)).toEqual(numbers(large().T.at('1:')))
    expect(numbers(doubled)).toEqual(numbers(large().T.mul(2)))
  })

  test('is not touched by updates', () => {
    const x = large()
    const rows = x.at('5:30')
    const before = numbers(rows)
    const updated = rows.set([0], 0)
    expect(numbers(rows)).toEqual(before)
    expect(numbers(x)).toEqual(numbers(large()))
    expect(updated.at(0).sum().item()).toBe(0)
  })

  test('is not mistaken for the part that a view reads', () => {
    const x = large()
    for (const part of [x.at(':20'), x.at(':', ':30'), x.at('20:'), x.at('::3')]) {
      const same = compilingAtOnce(() => stopGradient(part))
      expect(numbers(same)).toEqual(numbers(part))
      expect(numbers(step(same))).toEqual(numbers(part.mul(2)))
    }
    expect(numbers(x)).toEqual(numbers(large()))
  })

  test('is shared by views and left alone by small results', () => {
    const x = large()
    const base = x.concrete('test').base.elements
    const elementsOf = (y: Tensor): unknown => y.concrete('test').base.elements
    for (const view of [x.T, x.reshape(-1), x.at('3:'), np.flip(x, 0), x.expandDims(0)]) {
      expect(elementsOf(view)).toBe(base)
    }
    // A row of 200 bytes does not keep 8 kB alive.
    for (const part of [x.at(0), x.at(2, 3), x.at(':5', 1)]) expect(elementsOf(part)).not.toBe(base)
  })

  test('is copied once by whoever needs it in order', () => {
    const view = large().T
    const c = view.concrete('test')
    expect(c.layout).not.toBeNull()
    const { storage } = c
    expect(c.storage).toBe(storage)
    expect(c.layout).toBeNull()
    expect(numbers(view)).toEqual(numbers(interpret((y: Tensor) => y.T)(large())))
  })

  test('of a constant is one element', () => {
    const zeros = np.zeros([1000, 1000])
    expect(zeros.concrete('test').base.read().length).toBe(1)
    expect(numbers(zeros.at('::500', '::500'))).toEqual(new Float32Array(4))
    expect(zeros.add(1).sum().item()).toBe(1e6)
    expect(np.full([2, 3], 7, { dtype: 'int32' }).toArray()).toEqual([
      [7, 7, 7],
      [7, 7, 7],
    ])
    expect(np.full([2], -0).div(1).toArray()).toEqual([-0, -0])
  })
})

describe('layouts', () => {
  const layoutOf = fc
    .tuple(shape, fc.constantFrom([0, 1, 2], [0, 2, 1], [2, 0, 1], [2, 1, 0]), fc.nat(2))
    .map(([extents, order, turned]) => {
      const { strides } = rowMajor(extents)
      const permuted = order.map((d) => (d === turned ? -strides[d]! : strides[d]!))
      const offset = (extents[turned]! - 1) * strides[turned]!
      const to = order.map((d) => extents[d]!)
      return { size: sizeOf(extents), shape: to, layout: { offset, strides: permuted } }
    })

  const gathered = (
    size: number,
    to: readonly number[],
    layout: Parameters<typeof gatherLayout>[2],
  ) => {
    const out = new Float64Array(sizeOf(to))
    gatherLayout(
      Float64Array.from({ length: size }, (_, i) => i),
      to,
      layout,
      out,
    )
    return out
  }

  test('under another shape name the same elements in the same order, or none', () =>
    fc.assert(
      fc.property(layoutOf, fc.nat(3), ({ size, shape: from, layout }, kind) => {
        const [a, b, c] = [from[0]!, from[1]!, from[2]!]
        const to = [[a * b, c], [a, b * c], [a, 1, b, c, 1], [size]][kind]!
        const found = reshapeLayout(from, layout, to)
        if (found === null) {
          expect(isContiguous(from, layout)).toBe(false)
          return
        }
        expect(gathered(size, to, found)).toEqual(gathered(size, from, layout))
      }),
    ))

  test('of every width are copied bit for bit', () => {
    const x = new Float32Array(4096)
    new Int32Array(x.buffer).forEach((_, i, bits) => {
      bits[i] = 0x7f800000 + i * 7
    })
    const view = new Concrete(
      { shape: [64, 64], dtype: 'float32', weak: false },
      tensor(x).concrete('test').storage,
      { offset: 0, strides: [1, 64] },
    )
    const bits = new Int32Array(view.storage.read().buffer)
    expect(bits[1]).toBe(0x7f800000 + 64 * 7)
    expect(bits[64]).toBe(0x7f800000 + 7)
  })
})
