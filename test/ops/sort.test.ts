/** Sorting and the random block function: references, laws. */
import { type Tensor, grad, tensor, vmap } from '@cotangent/core'
import '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { sort } from '../../packages/ops/src/prims/sort.ts'
import { iota } from '../../packages/ops/src/prims/structural.ts'
import { threefry2x32 } from '../../packages/ops/src/prims/threefry.ts'
import { checkBatching, checkCompiled, checkDerivatives, integers, noise, varied } from './laws.ts'

const shapes = fc.array(fc.integer({ min: 1, max: 6 }), { minLength: 1, maxLength: 3 })
const shapeAndAxis = shapes.chain((shape) =>
  fc.tuple(fc.constant(shape), fc.integer({ min: 0, max: shape.length - 1 })),
)

describe('sort', () => {
  test('laws of values', () => {
    fc.assert(
      fc.property(shapeAndAxis, ([shape, axis]) => {
        const f = (x: Tensor): Tensor => sort([x], axis)[0]!
        const x = noise(shape, 1)
        checkDerivatives(f, [x])
        checkBatching(f, [x], varied)
        checkCompiled(f, [x])
      }),
      { numRuns: 30 },
    )
  })

  test('the last few: those that a whole sort ends with, whatever is not kept', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 40 }),
        fc.integer({ min: 0, max: 6 }),
        fc.boolean(),
        fc.boolean(),
        (extent, few, isFirst, isEven) => {
          const keep = Math.min(few, extent)
          const shape = isFirst ? [extent, 3] : [3, extent]
          const axis = isFirst ? 0 : 1
          const x = isEven ? integers(shape, 0, 4, extent) : noise(shape, extent)
          const places = iota('int32', shape, axis)
          const f = (x: Tensor): readonly Tensor[] => sort([x, places], axis, 1, keep)
          const kept = isFirst ? [`${extent - keep}:`] : [':', `${extent - keep}:`]
          const whole = sort([x, places], axis).map((y) => y.at(...kept).toArray())
          expect(f(x).map((y) => y.toArray())).toEqual(whole)
          checkCompiled((x: Tensor) => f(x)[1]!, [x])
          checkBatching((x: Tensor) => f(x)[1]!, [x], varied)
          if (!isEven && keep > 0) checkDerivatives((x: Tensor) => f(x)[0]!, [x])
        },
      ),
      { numRuns: 40 },
    )
  })

  test('two keys and a payload: stable, lexicographic, the payload’s derivative follows', () => {
    fc.assert(
      fc.property(shapeAndAxis, ([shape, axis]) => {
        const [a, b, payload] = [
          integers(shape, 0, 3, 1),
          integers(shape, 0, 2, 2),
          noise(shape, 3),
        ]
        const f = (x: Tensor, y: Tensor, z: Tensor): Tensor => sort([x, y, z], axis, 2)[2]!
        checkDerivatives((z) => f(a, b, z!), [payload])
        checkBatching(f, [a, b, payload], varied)
        checkCompiled(f, [a, b, payload])
      }),
      { numRuns: 20 },
    )
  })

  test('agrees with a stable sort of pairs', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 4 }), fc.integer({ min: 0, max: 3 })), {
          minLength: 1,
          maxLength: 70,
        }),
        (pairs) => {
          const [a, b] = [0, 1].map((k) => tensor(Int32Array.from(pairs, (p) => p[k]!)))
          const order = sort([a!, b!, iota('int32', [pairs.length], 0)], 0, 2)[2]!
          const wanted = pairs
            .map((p, i) => [...p, i] as const)
            .toSorted((x, y) => x[0] - y[0] || x[1] - y[1])
            .map((p) => p[2])
          expect(order.toArray()).toEqual(wanted)
          checkCompiled(
            (x, y) => sort([x, y, iota('int32', [pairs.length], 0)], 0, 2)[2]!,
            [a!, b!],
          )
        },
      ),
      { numRuns: 40 },
    )
  })

  test('NaN last, zeros equal, infinities at the ends', () => {
    const x = tensor([NaN, 0, 1, -0, -Infinity, NaN, Infinity, -1])
    const f = (v: Tensor): Tensor => sort([v, iota('int32', v.shape, 0)], 0)[1]!
    expect(f(x).toArray()).toEqual([4, 7, 1, 3, 2, 6, 0, 5])
    checkCompiled(f, [x])
    checkCompiled((v) => sort([v], 0)[0]!, [x])
  })

  test('booleans and unsigned integers', () => {
    expect(sort([tensor([true, false, true])], 0)[0]!.toArray()).toEqual([false, true, true])
    checkCompiled((v) => sort([v], 0)[0]!, [tensor([true, false, true])])
    const big = tensor(Uint32Array.of(4294967295, 1, 2147483648))
    expect(sort([big], 0)[0]!.toArray()).toEqual([1, 2147483648, 4294967295])
    checkCompiled((v) => sort([v], 0)[0]!, [big])
  })

  test('the gradient goes back to where each value came from', () => {
    const f = (x: Tensor): Tensor =>
      sort([x], 0)[0]!
        .mul(tensor([1, 2, 3]))
        .sum()
    expect(grad(f)(tensor([3, 1, 2])).toArray()).toEqual([3, 1, 2])
  })

  test('empty lanes, and refusals', () => {
    expect(sort([noise([2, 0], 1)], 1)[0]!.shape).toEqual([2, 0])
    expect(() => sort([noise([2], 1), noise([3], 1)], 0)).toThrow(/one shape/)
    expect(() => sort([noise([2], 1)], 1)).toThrow(/no such axis/)
    expect(() => sort([noise([2], 1)], 0, 2)).toThrow(/not that many keys/)
  })
})

describe('threefry2x32', () => {
  const words = (seed: number): Tensor =>
    tensor(Uint32Array.from(noise([5], seed).data(), (v) => (v + 1) * 2 ** 31))

  test('vmap and compiled code give the same bits', () => {
    const inputs = [1, 2, 3, 4].map(words)
    const f = (...k: Tensor[]): Tensor => {
      const [a, b] = threefry2x32(k[0]!, k[1]!, k[2]!, k[3]!)
      return sort([a, b], 0)[1]!
    }
    checkCompiled(f, inputs)
    const g = (...k: Tensor[]): Tensor => threefry2x32(k[0]!, k[1]!, k[2]!, k[3]!)[1]
    checkCompiled(g, inputs)
    expect(vmap(g)(...inputs).toArray()).toEqual(g(...inputs).toArray())
  })

  test('takes uint32 only', () => {
    const x = integers([2], 0, 3, 1)
    expect(() => threefry2x32(x, x, x, x)).toThrow(/does not work on int32/)
  })
})
