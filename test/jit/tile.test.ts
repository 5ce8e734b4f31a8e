import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import {
  type Kernel,
  type KernelScratch,
  type ReductionSpec,
  compileKernel,
  emitReduction,
} from '@cotangent/jit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { checkedArray, walkKernel } from './walk.ts'

const { affine, binaryOp, compareOp, convertTo, flatten, fromIndex, guard, literal, load, plus } =
  scalars
const { selectOp, unaryOp, within } = scalars

const input = (name: string, shape: readonly number[], at: readonly Index[]): Scalar =>
  load(name, 'float32', flatten(shape, at))
const wide = (x: Scalar): Scalar => convertTo('float64', x)
const add = (x: Scalar, y: Scalar): Scalar => binaryOp('add', x, y)
const multiply = (x: Scalar, y: Scalar): Scalar => binaryOp('multiply', x, y)
const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)

/** The reduction as plain loops: what every tile must agree with. */
const plainLoops = (spec: ReductionSpec): readonly Stmt[] => {
  const names = spec.accumulators.map((_, a) => `total${a}`)
  const accs = spec.accumulators.map((a, n) => scalars.local(a.dtype, names[n]!))
  const out = spec.outputs.map((o) => scalars.counter(o.name, o.extent))
  const reduced = spec.extents.map((extent, d) => scalars.counter(`r${d}`, extent))
  const next = spec.step(accs, out, reduced)
  const computed = next.map((value, a): Stmt => ({ tag: 'let', name: `next${a}`, value }))
  const assigned = names.map((name, a): Stmt => {
    return { tag: 'assign', name, value: scalars.local(accs[a]!.dtype, `next${a}`) }
  })
  const loop = (counter: string, extent: number, body: readonly Stmt[]): readonly Stmt[] => [
    { tag: 'for', counter, extent, body },
  ]
  const inner = spec.extents.reduceRight<readonly Stmt[]>(
    (body, extent, d) => loop(`r${d}`, extent, body),
    [...computed, ...assigned],
  )
  const declared = spec.accumulators.map(({ dtype, initial }, a): Stmt => {
    return { tag: 'variable', name: names[a]!, value: literal(dtype, initial) }
  })
  return spec.outputs.reduceRight<readonly Stmt[]>(
    (body, o) => loop(o.name, o.extent, body),
    [...declared, ...inner, ...spec.finish(accs, out)],
  )
}

interface Case {
  readonly spec: ReductionSpec
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly output: readonly number[]
  readonly dtype?: 'float32' | 'int32'
}

/** Compiled, run on arrays that check their bounds, and compared with the walked plain loops. */
const agree = ({ spec, inputs, output, dtype = 'float32' }: Case): string => {
  const buffers: Kernel['buffers'] = [
    ...Object.entries(inputs).map(([name, shape]) => {
      return { name, dtype: 'float32' as const, size: size(shape), access: 'read' as const }
    }),
    { name: 'out', dtype, size: size(output), access: 'write' },
  ]
  // Small integers: every sum is exact, so its order cannot matter.
  const data = Object.values(inputs).map((shape, n) =>
    Float32Array.from({ length: size(shape) }, (_, i) => ((i * 7 + n * 3) % 11) - 5),
  )
  const make = (): Float32Array | Int32Array =>
    dtype === 'int32' ? new Int32Array(size(output)) : new Float32Array(size(output))
  const [got, want] = [make(), make()]
  walkKernel({ name: 'plain', buffers, body: plainLoops(spec) }, [...data, want])
  const check = (scratch: Kernel['scratch'], body: readonly Stmt[]): string => {
    const { run, source } = compileKernel({ name: 'tiled', buffers, scratch: scratch ?? [], body })
    got.fill(77)
    run(...data.map((d) => checkedArray(d)), checkedArray(got))
    expect(Array.from(got), source).toEqual(Array.from(want))
    expect(source.length).toBeLessThan(20_000)
    return source
  }
  const made: KernelScratch[] = []
  const scratch = (elements: number): string => {
    made.push({ name: `scratch${made.length}`, dtype: 'float64', size: elements })
    return `scratch${made.length - 1}`
  }
  const packed = emitReduction({ ...spec, scratch })
  if (made.length > 0) return check(made, packed)
  return check([], emitReduction(spec))
}

const outputs = (shape: readonly number[]): ReductionSpec['outputs'] =>
  shape.map((extent, d) => ({ name: `i${d}`, extent }))
const storeAt =
  (shape: readonly number[]): ReductionSpec['finish'] =>
  ([acc], at) => [
    { tag: 'store', buffer: 'out', at: flatten(shape, at), value: convertTo('float32', acc!) },
  ]
const sum = [{ dtype: 'float64', initial: 0 }] as const

const matmul = (m: number, n: number, k: number): Case => ({
  inputs: { a: [m, k], b: [k, n] },
  output: [m, n],
  spec: {
    outputs: outputs([m, n]),
    extents: [k],
    accumulators: sum,
    step: ([acc], [i, j], [r]) => [
      add(acc!, multiply(wide(input('a', [m, k], [i!, r!])), wide(input('b', [k, n], [r!, j!])))),
    ],
    finish: storeAt([m, n]),
  },
})

describe('register tiles', () => {
  test('matmul of every remainder', () => {
    const extent = fc.integer({ min: 1, max: 13 })
    fc.assert(
      fc.property(extent, extent, extent, (m, n, k) => void agree(matmul(m, n, k))),
      { numRuns: 120 },
    )
  })

  test('operands used often are packed, in tiles of every remainder', () => {
    const extent = fc.integer({ min: 16, max: 37 })
    fc.assert(
      fc.property(extent, extent, fc.integer({ min: 1, max: 19 }), (m, n, k) => {
        const source = agree(matmul(m, n, k))
        expect(source).toContain('scratch0[')
        expect(source).toContain('scratch1[')
      }),
      { numRuns: 60 },
    )
  })

  test('convolution with taps, strides and dilation', () => {
    const small = fc.integer({ min: 1, max: 6 })
    const factor = fc.integer({ min: 1, max: 3 })
    fc.assert(
      fc.property(small, small, small, small, factor, factor, (c, o, y, x, stride, dilation) => {
        const [h, w] = [(y - 1) * stride + 2 * dilation + 1, (x - 1) * stride + 2 * dilation + 1]
        const along = (i: Index, k: Index): Index =>
          affine([
            [stride, i],
            [dilation, k],
          ])
        return void agree({
          inputs: { x: [c, h, w], w: [o, c, 3, 3] },
          output: [o, y, x],
          spec: {
            outputs: outputs([o, y, x]),
            extents: [c, 3, 3],
            accumulators: sum,
            step: ([acc], [i, j, l], [r, ky, kx]) => [
              add(
                acc!,
                multiply(
                  wide(input('x', [c, h, w], [r!, along(j!, ky!), along(l!, kx!)])),
                  wide(input('w', [o, c, 3, 3], [i!, r!, ky!, kx!])),
                ),
              ),
            ],
            finish: storeAt([o, y, x]),
          },
        })
      }),
      { numRuns: 60 },
    )
  })

  test('convolution forward and weight gradient with packed operands', () => {
    const [n, c, o, h, w] = [2, 3, 18, 17, 19]
    const [image, kernel] = [
      [n, c, h + 2, w + 2],
      [o, c, 3, 3],
    ]
    const result = [n, o, h, w]
    const product = (x: Scalar, y: Scalar): Scalar => multiply(wide(x), wide(y))
    const forward = agree({
      inputs: { x: image, w: kernel },
      output: result,
      spec: {
        outputs: outputs(result),
        extents: [c, 3, 3],
        accumulators: sum,
        step: ([acc], [b, f, y, x], [r, ky, kx]) => {
          const pixel = input('x', image, [b!, r!, plus(y!, ky!), plus(x!, kx!)])
          return [add(acc!, product(pixel, input('w', kernel, [f!, r!, ky!, kx!])))]
        },
        finish: storeAt(result),
      },
    })
    expect(forward).toContain('scratch1[')
    const backward = agree({
      inputs: { x: image, dy: result },
      output: kernel,
      spec: {
        outputs: outputs(kernel),
        extents: [n, h, w],
        accumulators: sum,
        step: ([acc], [f, r, ky, kx], [b, y, x]) => {
          const pixel = input('x', image, [b!, r!, plus(y!, ky!), plus(x!, kx!)])
          return [add(acc!, product(pixel, input('dy', result, [b!, f!, y!, x!])))]
        },
        finish: storeAt(kernel),
      },
    })
    expect(backward).toContain('scratch0[')
  })

  test('a padded convolution never reads outside its image', () => {
    const [c, o, h] = [3, 5, 7]
    agree({
      inputs: { x: [c, h, h], w: [o, c, 3, 3] },
      output: [o, h, h],
      spec: {
        outputs: outputs([o, h, h]),
        extents: [c, 3, 3],
        accumulators: sum,
        step: ([acc], [i, j, l], [r, ky, kx]) => {
          const [y, x] = [plus(plus(j!, ky!), -1), plus(plus(l!, kx!), -1)]
          const inside = scalars.both(within(y, 0, h), within(x, 0, h))
          const pixel = guard(inside, input('x', [c, h, h], [r!, y, x]), literal('float32', 0))
          const weight = input('w', [o, c, 3, 3], [i!, r!, ky!, kx!])
          return [add(acc!, multiply(wide(pixel), wide(weight)))]
        },
        finish: storeAt([o, h, h]),
      },
    })
  })

  test('every output of a tile has the same bits wherever it lies', () => {
    const [m, n, k] = [7, 9, 33]
    const { spec } = matmul(m, n, k)
    const body = emitReduction(spec)
    const buffers: Kernel['buffers'] = [
      { name: 'a', dtype: 'float32', size: m * k, access: 'read' },
      { name: 'b', dtype: 'float32', size: k * n, access: 'read' },
      { name: 'out', dtype: 'float32', size: m * n, access: 'write' },
    ]
    const row = Float32Array.from({ length: k }, (_, i) => Math.sin(i) * 1e3)
    const a = Float32Array.from({ length: m * k }, (_, i) => row[i % k]!)
    const b = Float32Array.from({ length: k * n }, (_, i) => row[Math.floor(i / n)]! / 3)
    const out = new Float32Array(m * n)
    compileKernel({ name: 'same_bits', buffers, body }).run(a, b, out)
    expect(new Set(out).size).toBe(1)
  })
})

describe('reductions without reuse', () => {
  const extent = fc.integer({ min: 1, max: 19 })

  test('row sums split, column sums unroll', () => {
    fc.assert(
      fc.property(extent, extent, (m, n) => {
        const reduce = (rows: boolean): Case => ({
          inputs: { x: [m, n] },
          output: [rows ? m : n],
          spec: {
            outputs: outputs([rows ? m : n]),
            extents: [rows ? n : m],
            accumulators: sum,
            step: ([acc], [i], [k]) => [
              add(acc!, wide(input('x', [m, n], rows ? [i!, k!] : [k!, i!]))),
            ],
            finish: storeAt([rows ? m : n]),
          },
        })
        agree(reduce(true))
        agree(reduce(false))
      }),
      { numRuns: 60 },
    )
  })

  test('maximum, minimum and product', () => {
    for (const [op, initial] of [
      ['maximum', -Infinity],
      ['minimum', Infinity],
      ['multiply', 1],
    ] as const) {
      const source = agree({
        inputs: { x: [2, 67] },
        output: [2],
        spec: {
          outputs: outputs([2]),
          extents: [67],
          accumulators: [{ dtype: 'float64', initial }],
          step: ([acc], [i], [k]) => [binaryOp(op, acc!, wide(input('x', [2, 67], [i!, k!])))],
          finish: storeAt([2]),
        },
      })
      expect(source).toMatch(/acc\w*_3/)
    }
  })

  test('argmax keeps the first of equals', () => {
    const [m, n] = [6, 37]
    const source = agree({
      inputs: { x: [m, n] },
      output: [m],
      dtype: 'int32',
      spec: {
        outputs: outputs([m]),
        extents: [n],
        accumulators: [
          { dtype: 'float32', initial: -Infinity },
          { dtype: 'int32', initial: 0 },
        ],
        step: ([best, at], [i], [k]) => {
          const x = input('x', [m, n], [i!, k!])
          const higher = compareOp('greater', x, best!)
          return [selectOp(higher, x, best!), selectOp(higher, fromIndex('int32', k!), at!)]
        },
        finish: ([, at], [i]) => [{ tag: 'store', buffer: 'out', at: i!, value: at! }],
      },
    })
    expect(source).toMatch(/if \(/)
  })

  test('two sums at once, several loops, an epilogue with locals', () => {
    const shape = [3, 2, 9, 5]
    agree({
      inputs: { x: shape },
      output: [2, 2],
      spec: {
        outputs: outputs([2]),
        extents: [3, 9, 5],
        accumulators: [...sum, ...sum],
        step: ([total, squares], [c], [n, y, x]) => {
          const value = wide(input('x', shape, [n!, c!, y!, x!]))
          return [add(total!, value), add(squares!, multiply(value, value))]
        },
        finish: ([total, squares], [c]) => [
          { tag: 'let', name: 'mean', value: binaryOp('divide', total!, literal('float64', 135)) },
          store(affine([[2, c!]]), scalars.local('float64', 'mean')),
          store(affine([[2, c!]], 1), unaryOp('sqrt', squares!)),
        ],
      },
    })
  })

  test('no outputs: the statements land in the block, under names of their own', () => {
    const total = (name: string): readonly Stmt[] =>
      emitReduction({
        name,
        outputs: [],
        extents: [10],
        accumulators: sum,
        step: ([acc], _, [k]) => [add(acc!, wide(input('x', [10], [k!])))],
        finish: ([acc]) => [{ tag: 'let', name: `${name}total`, value: acc! }],
      })
    const kernel: Kernel = {
      name: 'two_totals',
      buffers: [
        { name: 'x', dtype: 'float32', size: 10, access: 'read' },
        { name: 'out', dtype: 'float32', size: 1, access: 'write' },
      ],
      body: [
        ...total('a'),
        ...total('b'),
        store(
          scalars.constant(0),
          add(scalars.local('float64', 'atotal'), scalars.local('float64', 'btotal')),
        ),
      ],
    }
    const out = new Float32Array(1)
    compileKernel(kernel).run(
      Float32Array.from({ length: 10 }, (_, i) => i),
      out,
    )
    expect(out[0]).toBe(90)
  })

  test('an empty reduction gives the initial value', () => {
    const out = new Float32Array(3).fill(9)
    const body = emitReduction({
      outputs: outputs([3]),
      extents: [0],
      accumulators: [{ dtype: 'float64', initial: -Infinity }],
      step: ([acc], [i], [k]) => [binaryOp('maximum', acc!, wide(input('x', [3, 0], [i!, k!])))],
      finish: storeAt([3]),
    })
    const buffers: Kernel['buffers'] = [
      { name: 'x', dtype: 'float32', size: 0, access: 'read' },
      { name: 'out', dtype: 'float32', size: 3, access: 'write' },
    ]
    compileKernel({ name: 'empty', buffers, body }).run(new Float32Array(0), out)
    expect(Array.from(out)).toEqual([-Infinity, -Infinity, -Infinity])
  })
})

const store = (at: Index, value: Scalar): Stmt => ({
  tag: 'store',
  buffer: 'out',
  at,
  value: convertTo('float32', value),
})
