/** Which results may take the memory of what is read for them: kernels over rows, run element by element. */
import { type Index, type Stmt, type Tensor, interpret, scalars, vjp } from '@cotangent/core'
import { type Kernel, jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { lax, np } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mayOverwrite } from '../../packages/jit/src/plan/inPlace.ts'

const { affine, binaryOp, constant, counter, load } = scalars

/** Elements of x and y that a kernel touches, in order. */
interface Touched {
  readonly isStore: boolean
  readonly at: number
}

const valueOf = (i: Index, counters: ReadonlyMap<string, number>): number => {
  if (i.tag === 'constant') return i.value
  if (i.tag === 'counter') return counters.get(i.name)!
  if (i.tag !== 'affine') throw new Error(`no ${i.tag} here`)
  return i.terms.reduce((n, t) => n + t.coefficient * valueOf(t.term, counters), i.constant)
}

const touched = (
  body: readonly Stmt[],
  counters: ReadonlyMap<string, number>,
): readonly Touched[] =>
  body.flatMap((s): readonly Touched[] => {
    if (s.tag === 'for') {
      return Array.from({ length: s.extent }, (_, n) =>
        touched(s.body, new Map([...counters, [s.counter, n]])),
      ).flat()
    }
    const value = s.tag === 'let' || s.tag === 'store' ? s.value : null
    const read = value?.tag === 'binary' ? value.x : value
    const reads = read?.tag === 'load' ? [{ isStore: false, at: valueOf(read.at, counters) }] : []
    return s.tag === 'store' ? [...reads, { isStore: true, at: valueOf(s.at, counters) }] : reads
  })

/** Whether no element is read after it was written, and none written twice. */
const isRight = (steps: readonly Touched[]): boolean => {
  const written = new Set<number>()
  return steps.every(({ isStore, at }) => {
    if (written.has(at)) return false
    if (isStore) written.add(at)
    return true
  })
}

/** Loops of `read` and of `written` elements in a loop over rows. */
const kernelOf = (
  rows: number,
  loops: readonly { extent: number; body: (k: Index, n: number) => Stmt }[],
): Kernel => ({
  name: 'kernel',
  buffers: [
    { name: 'x', dtype: 'float32', size: 1000, access: 'read' },
    { name: 'y', dtype: 'float32', size: 1000, access: 'write' },
  ],
  scratch: [],
  body: [
    {
      tag: 'for',
      counter: 'i',
      extent: rows,
      parallel: true,
      body: loops.map(({ extent, body }, n) => {
        const k = `k${n}`
        return { tag: 'for', counter: k, extent, body: [body(counter(k, extent), n)] }
      }),
    },
  ],
})

test('what may be overwritten is never read again, whatever the strides', () => {
  const place = fc.record({
    extent: fc.integer({ min: 1, max: 5 }),
    row: fc.integer({ min: 0, max: 8 }),
    stride: fc.integer({ min: 0, max: 9 }),
    from: fc.integer({ min: 0, max: 4 }),
    kind: fc.constantFrom('read', 'write', 'both'),
  })
  let allowed = 0
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 4 }),
      fc.array(place, { minLength: 1, maxLength: 3 }),
      (rows, places) => {
        const kernel = kernelOf(
          rows,
          places.map(({ extent, row, stride, from, kind }) => ({
            extent,
            body: (k, n) => {
              const at = affine(
                [
                  [row, counter('i', rows)],
                  [stride, k],
                ],
                from,
              )
              const value = load('x', 'float32', at)
              if (kind === 'read') return { tag: 'let', name: `v${n}`, value }
              const made =
                kind === 'both'
                  ? binaryOp('add', value, scalars.literal('float32', 1))
                  : scalars.literal('float32', 1)
              return { tag: 'store', buffer: 'y', at, value: made }
            },
          })),
        )
        const steps = touched(kernel.body, new Map())
        const writes = steps.filter((s) => s.isStore).map((s) => s.at)
        // Kernels that write an element twice are not asked about.
        fc.pre(new Set(writes).size === writes.length)
        if (!mayOverwrite(kernel, 'x', 'y')) return
        allowed++
        expect(isRight(steps)).toBe(true)
      },
    ),
    { numRuns: 3000 },
  )
  expect(allowed).toBeGreaterThan(50)
})

describe('rows', () => {
  const at = (k: Index): Index =>
    affine([
      [10, counter('i', 4)],
      [1, k],
    ])
  const read = {
    extent: 10,
    body: (k: Index): Stmt => ({ tag: 'let', name: 'v', value: load('x', 'float32', at(k)) }),
  }
  const write = {
    extent: 10,
    body: (k: Index): Stmt => ({
      tag: 'store',
      buffer: 'y',
      at: at(k),
      value: scalars.literal('float32', 1),
    }),
  }

  test('that are read before any of it is written', () => {
    expect(mayOverwrite(kernelOf(4, [read, read, write]), 'x', 'y')).toBe(true)
  })
  test('that are read again', () => {
    expect(mayOverwrite(kernelOf(4, [read, write, read]), 'x', 'y')).toBe(false)
  })
  test('beyond whose end is read', () => {
    const beyond = { ...read, extent: 11 }
    expect(mayOverwrite(kernelOf(4, [beyond, write]), 'x', 'y')).toBe(false)
  })
  test('of which one element is read for all', () => {
    const first = {
      extent: 1,
      body: (): Stmt => ({ tag: 'let', name: 'v', value: load('x', 'float32', constant(0)) }),
    } as const
    expect(mayOverwrite(kernelOf(4, [first, write]), 'x', 'y')).toBe(false)
  })
})

const wave = (shape: readonly number[]): Tensor => {
  const count = shape.reduce((a, b) => a * b, 1)
  return np
    .array(Float32Array.from({ length: count }, (_, i) => 3 * Math.sin(i * 1.7)))
    .reshape([...shape])
}

const programs: Readonly<Record<string, (x: Tensor) => Tensor>> = {
  softmax: (x) => nn.softmax(x, { axis: -1 }),
  'the mean taken off rows': (x) => x.sub(x.mean({ axis: 1, keepdims: true })),
  'the mean taken off columns': (x) => x.sub(x.mean({ axis: 0, keepdims: true })),
  'the largest taken off, and then the least': (x) => {
    const y = x.sub(x.max({ axis: 1, keepdims: true }))
    return y.sub(y.min({ axis: 1, keepdims: true }))
  },
  'rows backwards': (x) => np.flip(x, 1).sub(x.mean({ axis: 1, keepdims: true })),
  'the first of the row': (x) =>
    x.sub(x.mean({ axis: 1, keepdims: true })).add(lax.slice(x, [0, 0], [x.shape[0]!, 1])),
}

for (const backend of ['wasm', 'js'] as const) {
  test.each(Object.keys(programs))(`%s in donated memory: ${backend}`, (name) => {
    const f = programs[name]!
    for (const shape of [
      [7, 10],
      [33, 64],
      [40, 203],
    ] as const) {
      const want = interpret(f)(wave(shape)).data()
      const got = jit(f, { backend, donate: [0] })(wave(shape)).data()
      for (let i = 0; i < want.length; i++) expect(got[i]).toBeCloseTo(want[i]!, 4)
    }
  })
}

test('what the backward pass of a normalisation keeps of a channel lies in its result', () => {
  const f = (ct: Tensor, x: Tensor): readonly Tensor[] => {
    const [y, pullback] = vjp((v: Tensor) => nn.relu(nn.functional.batchNormTraining(v, {}).y), x)
    return [y, ...pullback(ct)]
  }
  const args = [wave([4, 6, 30, 10]).add(0.25), wave([4, 6, 30, 10])] as const
  const { kernels } = jit(f, { backend: 'wasm' }).lower(...args)
  expect(kernels).toHaveLength(1)
  // Two are read and two written.
  expect(kernels[0]!.source.match(/\w+: float32\[7200\]/g)).toHaveLength(4)
  const got = jit(f, { backend: 'wasm' })(...args)
  interpret(f)(...args).forEach((y, n) => {
    const [a, b] = [got[n]!.data(), y.data()]
    for (let i = 0; i < b.length; i++) expect(a[i]).toBeCloseTo(b[i]!, 4)
  })
})
