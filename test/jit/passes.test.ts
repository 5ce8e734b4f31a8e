import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { type Kernel, compileKernel } from '@cotangent/jit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkedArray, walkKernel } from './walk.ts'

const { affine, binaryOp, both, constant, counter, floorDivide, fromIndex, guard } = scalars
const { literal, load, modulo, plus, selectOp, compareOp, within } = scalars

const loop = (name: string, extent: number, body: readonly Stmt[]): Stmt => ({
  tag: 'for',
  counter: name,
  extent,
  body,
})
const store = (at: Index, value: Scalar): Stmt => ({ tag: 'store', buffer: 'out', at, value })

/** Runs `body` on `x` both ways, and gives the source. */
const agree = (body: readonly Stmt[], inputs: number, outputs: number): string => {
  const kernel: Kernel = {
    name: 'pass',
    buffers: [
      { name: 'x', dtype: 'float32', size: inputs, access: 'read' },
      { name: 'out', dtype: 'float32', size: outputs, access: 'write' },
    ],
    body,
  }
  const x = Float32Array.from({ length: inputs }, (_, i) => ((i * 13) % 29) - 14)
  const [got, want] = [new Float32Array(outputs), new Float32Array(outputs)]
  walkKernel(kernel, [x, want])
  const { run, source } = compileKernel(kernel)
  run(checkedArray(x), checkedArray(got))
  expect(Array.from(got), source).toEqual(Array.from(want))
  return source
}

describe('jam transposed reads', () => {
  const transpose = (rows: number, columns: number): string => {
    const [i, j] = [counter('i', rows), counter('j', columns)]
    const at = affine([
      [columns, i],
      [1, j],
    ])
    const from = affine([
      [1, i],
      [rows, j],
    ])
    const body = [loop('i', rows, [loop('j', columns, [store(at, load('x', 'float32', from))])])]
    return agree(body, rows * columns, rows * columns)
  }

  test('a transposition reads eight neighbours at a time', () => {
    expect(transpose(64, 32)).toContain('i += 8')
  })
  test('of any shape', () => {
    const extent = fc.integer({ min: 1, max: 40 })
    fc.assert(
      fc.property(extent, extent, (m, n) => void transpose(m, n)),
      { numRuns: 80 },
    )
  })
})

describe('divisions', () => {
  test('a quotient of a row-major position leaves the inner loop', () => {
    const [i, j] = [counter('i', 28), counter('j', 28)]
    const position = affine([
      [28, i],
      [1, j],
    ])
    const from = affine([
      [14, floorDivide(position, 56)],
      [1, floorDivide(j, 2)],
    ])
    const body = [loop('i', 28, [loop('j', 28, [store(position, load('x', 'float32', from))])])]
    expect(agree(body, 196, 784)).not.toMatch(/ [/] /)
  })

  test('narrowed quotients and remainders are equal', () => {
    const small = fc.integer({ min: 1, max: 12 })
    fc.assert(
      fc.property(
        fc.array(fc.tuple(small, small), { minLength: 1, maxLength: 3 }),
        fc.integer({ min: 0, max: 40 }),
        fc.integer({ min: 2, max: 48 }),
        (terms, offset, by) => {
          const counters = terms.map(([, extent], n) => counter(`i${n}`, extent))
          const value = affine(
            terms.map(([coefficient], n) => [coefficient, counters[n]!]),
            offset,
          )
          const result = binaryOp(
            'add',
            fromIndex('float32', floorDivide(value, by)),
            fromIndex('float32', affine([[100, modulo(value, by)]])),
          )
          const extents = terms.map(([, extent]) => extent)
          const size = extents.reduce((a, b) => a * b, 1)
          const at = scalars.flatten(extents, counters)
          const body = extents.reduceRight<readonly Stmt[]>(
            (inner, extent, n) => [loop(`i${n}`, extent, inner)],
            [store(at, result)],
          )
          agree(body, 1, size)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('peel borders', () => {
  test('the interior of a padded image tests nothing', () => {
    const [h, w] = [20, 30]
    const [i, j] = [counter('i', h + 2), counter('j', w + 2)]
    const [y, x] = [plus(i, -1), plus(j, -1)]
    const inside = both(within(y, 0, h), within(x, 0, w))
    const at = affine([
      [w, y],
      [1, x],
    ])
    const value = guard(inside, load('x', 'float32', at), literal('float32', 0))
    const to = affine([
      [w + 2, i],
      [1, j],
    ])
    const source = agree(
      [loop('i', h + 2, [loop('j', w + 2, [store(to, value)])])],
      h * w,
      (h + 2) * (w + 2),
    )
    expect(source).not.toMatch(/[?]|if/)
  })

  test('pieces of every padding, stride and window are right', () => {
    const small = fc.integer({ min: 1, max: 4 })
    fc.assert(
      fc.property(
        small,
        small,
        small,
        fc.integer({ min: 5, max: 30 }),
        (pad, stride, window, n) => {
          const count = Math.max(1, Math.floor((n + 2 * pad - window) / stride) + 1)
          const [i, k] = [counter('i', count), counter('k', window)]
          const at = affine(
            [
              [stride, i],
              [1, k],
            ],
            -pad,
          )
          const value = guard(within(at, 0, n), load('x', 'float32', at), literal('float32', 0.5))
          const total = scalars.local('float32', 'total')
          const body: readonly Stmt[] = [
            loop('i', count, [
              { tag: 'variable', name: 'total', value: literal('float32', 0) },
              loop('k', window, [
                { tag: 'assign', name: 'total', value: binaryOp('add', total, value) },
              ]),
              store(i, total),
            ]),
          ]
          agree(body, n, count)
        },
      ),
      { numRuns: 300 },
    )
  })
})

describe('choose without branches', () => {
  const edges = [0, -0, 1, -1, 2.5, NaN, Infinity, -Infinity, 1e-45, -3.4e38]
  const n = edges.length

  const run = (value: (x: Scalar, y: Scalar) => Scalar): readonly number[] => {
    const [i, j] = [counter('i', n), counter('j', n)]
    const at = affine([
      [n, i],
      [1, j],
    ])
    const kernel: Kernel = {
      name: 'choices',
      buffers: [
        { name: 'x', dtype: 'float32', size: n, access: 'read' },
        { name: 'out', dtype: 'float32', size: n * n, access: 'write' },
      ],
      body: [
        loop('i', n, [
          loop('j', n, [store(at, value(load('x', 'float32', i), load('x', 'float32', j)))]),
        ]),
      ],
    }
    const out = new Float32Array(n * n)
    const { run: compiled, source } = compileKernel(kernel)
    expect(source).toContain('pick0[')
    compiled(Float32Array.from(edges), out)
    return Array.from(out)
  }
  const table = (f: (x: number, y: number) => number): readonly number[] =>
    edges.flatMap((x) => edges.map((y) => Math.fround(f(Math.fround(x), Math.fround(y)))))

  test('maximum and minimum keep NaN and the sign of zero', () => {
    expect(run((x, y) => binaryOp('maximum', x, y))).toEqual(table(Math.max))
    expect(run((x, y) => binaryOp('minimum', x, y))).toEqual(table(Math.min))
    const relu = run((x) => binaryOp('maximum', x, literal('float32', 0)))
    expect(relu).toEqual(table((x) => Math.max(x, 0)))
  })
  test('select', () => {
    const chosen = run((x, y) => selectOp(compareOp('less', x, y), x, literal('float32', -0)))
    expect(chosen).toEqual(table((x, y) => (x < y ? x : -0)))
  })
})

test('loops of no rounds and constants vanish', () => {
  const source = agree(
    [
      loop('i', 0, [store(constant(0), literal('float32', 7))]),
      store(constant(1), literal('float32', 3)),
    ],
    1,
    2,
  )
  expect(source).not.toContain('for')
})
