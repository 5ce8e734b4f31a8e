/** Indexing against a reference that applies NumPy's rules to nested positions, one by one. */
import { type IndexPart, type Shape, type Tensor, grad, tensor, vmap } from '@cotangent/core'
import { np } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const counted = (shape: Shape): Tensor => {
  const size = shape.reduce((n, extent) => n * extent, 1)
  return tensor(
    Float32Array.from({ length: size }, (_, i) => i),
    { shape },
  )
}

interface Selection {
  readonly shape: Shape
  /** The flat position in the operand of every element of the result. */
  readonly positions: readonly number[]
}

type Part =
  | { readonly kind: 'int'; readonly at: number }
  | {
      readonly kind: 'slice'
      readonly start: number | null
      readonly stop: number | null
      readonly step: number | null
    }
  | { readonly kind: 'new' }
  | { readonly kind: 'array'; readonly shape: Shape; readonly data: readonly number[] }

const toPart = (part: Part): IndexPart => {
  if (part.kind === 'int') return part.at
  if (part.kind === 'new') return null
  if (part.kind === 'array') return tensor(Int32Array.from(part.data), { shape: part.shape })
  const text = (x: number | null): string => (x === null ? '' : String(x))
  return `${text(part.start)}:${text(part.stop)}:${text(part.step)}`
}

const sliced = (
  extent: number,
  start: number | null,
  stop: number | null,
  step: number | null,
): readonly number[] => {
  const by = step ?? 1
  const fix = (x: number): number =>
    Math.min(by > 0 ? extent : extent - 1, Math.max(by > 0 ? 0 : -1, x < 0 ? x + extent : x))
  const from = start === null ? (by > 0 ? 0 : extent - 1) : fix(start)
  const to = stop === null ? (by > 0 ? extent : -1) : fix(stop)
  const out: number[] = []
  for (let i = from; by > 0 ? i < to : i > to; i += by) out.push(i)
  return out
}

const product = (lists: readonly (readonly number[])[]): readonly (readonly number[])[] =>
  lists.reduce<readonly (readonly number[])[]>(
    (all, list) => all.flatMap((head) => list.map((x) => [...head, x])),
    [[]],
  )

const wrapClamp = (i: number, extent: number): number =>
  Math.min(extent - 1, Math.max(0, i < 0 ? i + extent : i))

// Every result coordinate is (outer dimensions…); arrays share the batch coordinates.
const reference = (shape: Shape, parts: readonly Part[]): Selection => {
  const used = parts.filter((p) => p.kind !== 'new').length
  const all: Part[] = [
    ...parts,
    ...shape.slice(used).map((): Part => ({ kind: 'slice', start: null, stop: null, step: null })),
  ]
  const isAdvanced = all.some((p) => p.kind === 'array')
  const advanced = all.flatMap((p, i) =>
    isAdvanced && (p.kind === 'array' || p.kind === 'int') ? [i] : [],
  )
  const batch = all.reduce<Shape>(
    (s, p) => (p.kind === 'array' ? np.broadcastShapes(s, p.shape) : s),
    [],
  )
  const adjacent = advanced.every((slot, i) => i === 0 || slot === advanced[i - 1]! + 1)
  let axis = 0
  // For each slot: its own result axis (positions along an operand axis), or null.
  const slots = all.map((p) => {
    if (p.kind === 'new') return { axis: -1, own: [0] }
    const extent = shape[axis]!
    const here = axis++
    if (p.kind === 'slice') return { axis: here, own: sliced(extent, p.start, p.stop, p.step) }
    if (p.kind === 'int' && !isAdvanced)
      return { axis: here, own: null, fixed: wrapClamp(p.at, extent) }
    return { axis: here, own: null }
  })
  const ownSlots = slots.flatMap((s, i) => (s.own === null ? [] : [i]))
  const place = adjacent
    ? ownSlots.filter((i) => advanced.length > 0 && i < advanced[0]!).length
    : 0
  const ownShape = ownSlots.map((i) => slots[i]!.own!.length)
  const resultShape = [...ownShape.slice(0, place), ...batch, ...ownShape.slice(place)]
  const positions = product(resultShape.map((n) => Array.from({ length: n }, (_, i) => i))).map(
    (coordinate) => {
      const batchAt = coordinate.slice(place, place + batch.length)
      const ownAt = [...coordinate.slice(0, place), ...coordinate.slice(place + batch.length)]
      const operand = new Array<number>(shape.length).fill(0)
      slots.forEach((slot, i) => {
        const part = all[i]!
        if (slot.axis < 0) return
        if (slot.own !== null) operand[slot.axis] = slot.own[ownAt[ownSlots.indexOf(i)]!]!
        else if ('fixed' in slot && slot.fixed !== undefined) operand[slot.axis] = slot.fixed
        else if (part.kind === 'int') operand[slot.axis] = wrapClamp(part.at, shape[slot.axis]!)
        else if (part.kind === 'array') {
          let flat = 0
          part.shape.forEach((extent, d) => {
            const at = batchAt[batch.length - part.shape.length + d]!
            flat = flat * extent + (extent === 1 ? 0 : at)
          })
          operand[slot.axis] = wrapClamp(part.data[flat]!, shape[slot.axis]!)
        }
      })
      return operand.reduce((flat, at, d) => flat * shape[d]! + at, 0)
    },
  )
  return { shape: resultShape, positions }
}

const arrayShapes: readonly Shape[] = [[], [1], [3], [2, 1], [2, 3]]

const partOf = (extent: number, wild: boolean): fc.Arbitrary<Part> => {
  const index = fc.integer(
    wild ? { min: -extent - 2, max: extent + 1 } : { min: -extent, max: extent - 1 },
  )
  const bound = fc.option(fc.integer({ min: -extent - 2, max: extent + 2 }))
  return fc.oneof(
    index.map((at): Part => ({ kind: 'int', at })),
    fc
      .record({ start: bound, stop: bound, step: fc.option(fc.constantFrom(-2, -1, 1, 2, 3)) })
      .map((s): Part => ({ kind: 'slice', ...s })),
    fc.constantFrom(...arrayShapes).chain((shape) =>
      fc
        .array(index, {
          minLength: shape.reduce((n, e) => n * e, 1),
          maxLength: shape.reduce((n, e) => n * e, 1),
        })
        .map((data): Part => ({ kind: 'array', shape, data })),
    ),
  )
}

const indexed = (
  wild: boolean,
): fc.Arbitrary<{ readonly shape: Shape; readonly parts: readonly Part[] }> =>
  fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 3 }).chain((shape) =>
    fc.integer({ min: 0, max: shape.length }).chain((count) =>
      fc
        .tuple(
          fc.tuple(...shape.slice(0, count).map((extent) => partOf(extent, wild))),
          fc.array(fc.integer({ min: 0, max: count }), { maxLength: 2 }),
        )
        .map(([parts, news]) => {
          const all = [...parts]
          for (const at of news) all.splice(at, 0, { kind: 'new' })
          return { shape, parts: all }
        }),
    ),
  )

describe('at', () => {
  test('reads what NumPy’s rules say, positions outside clamped', () => {
    fc.assert(
      fc.property(indexed(true), ({ shape, parts }) => {
        const got = counted(shape).at(...parts.map(toPart))
        const expected = reference(shape, parts)
        expect([got.shape, [...got.data()]]).toEqual([expected.shape, expected.positions])
      }),
      { numRuns: 400 },
    )
  })

  test('is the same under vmap', () => {
    fc.assert(
      fc.property(indexed(true), ({ shape, parts }) => {
        const x = counted([2, ...shape])
        const index = parts.map(toPart)
        const mapped = vmap((row: Tensor) => row.at(...index))(x)
        expect(mapped.toArray()).toEqual(
          np.stack([x.at(0).at(...index), x.at(1).at(...index)]).toArray(),
        )
      }),
      { numRuns: 60 },
    )
  })

  test('masks select in row-major order, beside slices and integers', () => {
    const x = counted([2, 3])
    expect(x.at([true, false]).toArray()).toEqual([[0, 1, 2]])
    expect(x.at(':', [false, true, true]).toArray()).toEqual([
      [1, 2],
      [4, 5],
    ])
    expect(x.at(x.greater(2)).toArray()).toEqual([3, 4, 5])
    expect(x.at(1, [true, false, true]).toArray()).toEqual([3, 5])
    expect(x.at(true).shape).toEqual([1, 2, 3])
    expect(x.at(false).shape).toEqual([0, 2, 3])
  })

  test('text, ellipsis and slices as objects', () => {
    const x = counted([2, 3, 4])
    expect(x.at('...', 0).shape).toEqual([2, 3])
    expect(x.at(0, '...').shape).toEqual([3, 4])
    expect(x.at(null, '...', '::2').shape).toEqual([1, 2, 3, 2])
    expect(x.at({ start: 1 }, { step: -1 }).toArray()).toEqual(x.at('1:', '::-1').toArray())
  })

  test('refuses what is no index, by name', () => {
    const x = counted([2, 3])
    expect(() => x.at(0, 0, 0)).toThrow(/more parts than axes/)
    expect(() => x.at('...', '...')).toThrow(/at most one/)
    expect(() => x.at('a:b')).toThrow(/no slice/)
    expect(() => x.at('::0')).toThrow(/other than 0/)
    expect(() => x.at(0.5)).toThrow(/an integer/)
    expect(() => x.at(tensor([0.5]))).toThrow(/positions are integers/)
    expect(() => x.at([true, false, true])).toThrow(/shape of the axes/)
    expect(() => x.at([0, 1], [0, 1, 2])).toThrow(/broadcast/)
  })
})

// What a loop over the selected positions would have done.
const updatedByLoop = (
  size: number,
  positions: readonly number[],
  values: readonly number[],
  combine: (old: number, value: number) => number,
): readonly number[] => {
  const out = Array.from({ length: size }, (_, i) => i)
  positions.forEach((p, i) => {
    out[p] = combine(out[p]!, values[i]!)
  })
  return out
}

const kinds = {
  set: (_: number, v: number) => v,
  add: (x: number, v: number) => x + v,
  mul: (x: number, v: number) => x * v,
  min: (x: number, v: number) => Math.min(x, v),
  max: (x: number, v: number) => Math.max(x, v),
} as const

describe('updateAt', () => {
  test('is a loop over the positions, repeated ones included', () => {
    fc.assert(
      fc.property(
        indexed(false),
        fc.constantFrom('set', 'add', 'mul', 'min', 'max'),
        ({ shape, parts }, kind) => {
          const x = counted(shape)
          const selection = reference(shape, parts)
          const values = selection.positions.map((_, i) => (i % 5) - 2)
          const value = tensor(Float32Array.from(values), { shape: selection.shape })
          const got = np.updateAt(x, parts.map(toPart), kind, value)
          expect([...got.data()].map((v) => v + 0)).toEqual(
            updatedByLoop(x.size, selection.positions, values, kinds[kind]).map((v) => v + 0),
          )
        },
      ),
      { numRuns: 400 },
    )
  })

  test('writes outside are dropped, also by static positions', () => {
    const x = counted([3])
    expect(x.set([5], 9).toArray()).toEqual([0, 1, 2])
    expect(x.set([-4], 9).toArray()).toEqual([0, 1, 2])
    expect(x.addAt([[0, 3, -1, -7]], 10).toArray()).toEqual([10, 1, 12])
    expect(np.updateAt(x, [[3]], 'set', 9, { mode: 'clip' }).toArray()).toEqual([0, 1, 9])
  })

  test('masks take scalars and rows, traced too, and one value for each true', () => {
    const x = counted([2, 3])
    expect(x.set([x.greater(3)], 0).toArray()).toEqual([
      [0, 1, 2],
      [3, 0, 0],
    ])
    expect(x.set([[true, false]], [7, 8, 9]).toArray()).toEqual([
      [7, 8, 9],
      [3, 4, 5],
    ])
    expect(x.set([x.greater(3)], [10, 20]).toArray()).toEqual([
      [0, 1, 2],
      [3, 10, 20],
    ])
    const zeroed = vmap((row: Tensor) => row.set([row.greater(1)], 0))
    expect(zeroed(x).toArray()).toEqual([
      [0, 1, 0],
      [0, 0, 0],
    ])
  })

  test('values that do not fit are refused', () => {
    expect(() => counted([3]).set(['0:2'], [1, 2, 3])).toThrow(/broadcast/)
  })

  test('reading and adding are each other’s transposes', () => {
    fc.assert(
      fc.property(indexed(false), ({ shape, parts }) => {
        const selection = reference(shape, parts)
        const weights = selection.positions.map((_, i) => i + 1)
        const loss = (x: Tensor): Tensor =>
          x
            .at(...parts.map(toPart))
            .mul(tensor(Float32Array.from(weights), { shape: selection.shape }))
            .sum()
        const expected = counted(shape).mul(0)
        const sums = [...expected.data()].map(() => 0)
        selection.positions.forEach((p, i) => {
          sums[p]! += weights[i]!
        })
        expect([...grad(loss)(counted(shape)).data()]).toEqual(sums)
      }),
      { numRuns: 100 },
    )
  })
})
