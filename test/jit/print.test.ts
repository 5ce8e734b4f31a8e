import { type Scalar, type Stmt, scalars } from '@cotangent/core'
import {
  type Kernel,
  codeGenerationAllowed,
  compileKernel,
  emitReduction,
  printKernel,
} from '@cotangent/jit'
import { describe, expect, test } from 'vitest'

const { affine, binaryOp, bitcastTo, compareOp, convertTo, counter, dataIndex, guard } = scalars
const { literal, load, local, plus, selectOp, unaryOp, within } = scalars

const buffer = (
  name: string,
  size: number,
  dtype: Kernel['buffers'][number]['dtype'] = 'float32',
): Kernel['buffers'][number] => ({
  name,
  dtype,
  size,
  access: name === 'out' ? 'write' : 'read',
})

const loop = (name: string, extent: number, body: readonly Stmt[]): Stmt => ({
  tag: 'for',
  counter: name,
  extent,
  body,
})

describe('sources', () => {
  test('a fused elementwise kernel is one flat loop', () => {
    const at = affine([
      [64, counter('i0', 32)],
      [1, counter('i1', 64)],
    ])
    const x = load('x', 'float32', at)
    const sum = binaryOp('add', binaryOp('multiply', x, x), load('y', 'float32', at))
    const value = binaryOp('maximum', sum, literal('float32', 0))
    const body = [loop('i0', 32, [loop('i1', 64, [{ tag: 'store', buffer: 'out', at, value }])])]
    expect(
      printKernel({
        name: 'square_add_relu',
        buffers: [buffer('x', 2048), buffer('y', 2048), buffer('out', 2048)],
        body,
      }),
    ).toMatchInlineSnapshot(`
      "function square_add_relu(x, y, out) {
        for (let i1 = 0; i1 < 2048; i1++) {
          const x_0 = x[i1]
          const v0 = Math.fround(Math.fround(x_0 * x_0) + y[i1])
          pick0[0] = 0
          pick0[1] = v0
          out[i1] = pick0[+!(v0 <= 0)]
        }
      }
      //# sourceURL=cotangent/square_add_relu.js
      "
    `)
  })

  test('a matrix product is tiled', () => {
    const [m, n, k] = [6, 8, 64]
    const body = emitReduction({
      outputs: [
        { name: 'i0', extent: m },
        { name: 'i1', extent: n },
      ],
      extents: [k],
      accumulators: [{ dtype: 'float64', initial: 0 }],
      step: ([acc], [i, j], [r]) => {
        const a = load(
          'a',
          'float32',
          affine([
            [k, i!],
            [1, r!],
          ]),
        )
        const b = load(
          'b',
          'float32',
          affine([
            [n, r!],
            [1, j!],
          ]),
        )
        const product = binaryOp('multiply', convertTo('float64', a), convertTo('float64', b))
        return [binaryOp('add', acc!, product)]
      },
      finish: ([acc], [i, j]) => [
        {
          tag: 'store',
          buffer: 'out',
          at: affine([
            [n, i!],
            [1, j!],
          ]),
          value: convertTo('float32', acc!),
        },
      ],
    })
    const buffers = [buffer('a', m * k), buffer('b', k * n), buffer('out', m * n)]
    expect(printKernel({ name: 'matmul_6x8x64', buffers, body })).toMatchInlineSnapshot(`
      "function matmul_6x8x64(a, b, out) {
        for (let i0 = 0; i0 < 6; i0 += 3) {
          const b0 = i0 * 64
          const b1 = i0 * 8
          for (let i1 = 0; i1 < 8; i1 += 4) {
            let acc00 = 0
            let acc01 = 0
            let acc02 = 0
            let acc03 = 0
            let acc10 = 0
            let acc11 = 0
            let acc12 = 0
            let acc13 = 0
            let acc20 = 0
            let acc21 = 0
            let acc22 = 0
            let acc23 = 0
            for (let k0 = 0; k0 < 64; k0 += 2) {
              const p0 = b0 + k0
              const a_0 = a[p0]
              const p1 = i1 + k0 * 8
              const b_0 = b[p1]
              acc00 += a_0 * b_0
              const b_1 = b[p1 + 1]
              acc01 += a_0 * b_1
              const b_2 = b[p1 + 2]
              acc02 += a_0 * b_2
              const b_3 = b[p1 + 3]
              acc03 += a_0 * b_3
              const a_1 = a[p0 + 64]
              acc10 += a_1 * b_0
              acc11 += a_1 * b_1
              acc12 += a_1 * b_2
              acc13 += a_1 * b_3
              const a_2 = a[p0 + 128]
              acc20 += a_2 * b_0
              acc21 += a_2 * b_1
              acc22 += a_2 * b_2
              acc23 += a_2 * b_3
              const a_3 = a[p0 + 1]
              const b_4 = b[p1 + 8]
              acc00 += a_3 * b_4
              const b_5 = b[p1 + 9]
              acc01 += a_3 * b_5
              const b_6 = b[p1 + 10]
              acc02 += a_3 * b_6
              const b_7 = b[p1 + 11]
              acc03 += a_3 * b_7
              const a_4 = a[p0 + 65]
              acc10 += a_4 * b_4
              acc11 += a_4 * b_5
              acc12 += a_4 * b_6
              acc13 += a_4 * b_7
              const a_5 = a[p0 + 129]
              acc20 += a_5 * b_4
              acc21 += a_5 * b_5
              acc22 += a_5 * b_6
              acc23 += a_5 * b_7
            }
            const p2 = b1 + i1
            out[p2] = acc00
            out[p2 + 1] = acc01
            out[p2 + 2] = acc02
            out[p2 + 3] = acc03
            out[p2 + 8] = acc10
            out[p2 + 9] = acc11
            out[p2 + 10] = acc12
            out[p2 + 11] = acc13
            out[p2 + 16] = acc20
            out[p2 + 17] = acc21
            out[p2 + 18] = acc22
            out[p2 + 19] = acc23
          }
        }
      }
      //# sourceURL=cotangent/matmul_6x8x64.js
      "
    `)
  })

  test('a row softmax shares, splits and hoists', () => {
    const [rows, columns] = [16, 128]
    const i = counter('i', rows)
    const element = (j: Parameters<typeof plus>[0]): Scalar =>
      load(
        'x',
        'float32',
        affine([
          [columns, i],
          [1, j],
        ]),
      )
    const shifted = (j: Parameters<typeof plus>[0]): Scalar =>
      unaryOp('exp', binaryOp('subtract', element(j), local('float32', 'top')))
    const j = counter('j', columns)
    const body = [
      loop('i', rows, [
        ...emitReduction({
          name: 'm',
          outputs: [],
          extents: [columns],
          accumulators: [{ dtype: 'float32', initial: -Infinity }],
          step: ([acc], _, [k]) => [binaryOp('maximum', acc!, element(k!))],
          finish: ([acc]) => [{ tag: 'let', name: 'top', value: acc! }],
        }),
        ...emitReduction({
          name: 's',
          outputs: [],
          extents: [columns],
          accumulators: [{ dtype: 'float64', initial: 0 }],
          step: ([acc], _, [k]) => [binaryOp('add', acc!, convertTo('float64', shifted(k!)))],
          finish: ([acc]) => [{ tag: 'let', name: 'total', value: convertTo('float32', acc!) }],
        }),
        loop('j', columns, [
          {
            tag: 'store',
            buffer: 'out',
            at: affine([
              [columns, i],
              [1, j],
            ]),
            value: binaryOp('divide', shifted(j), local('float32', 'total')),
          },
        ]),
      ]),
    ]
    const buffers = [buffer('x', rows * columns), buffer('out', rows * columns)]
    expect(printKernel({ name: 'softmax_16x128', buffers, body })).toMatchInlineSnapshot(`
      "function softmax_16x128(x, out) {
        for (let i = 0; i < 16; i++) {
          let macc_0 = -Infinity
          let macc_1 = -Infinity
          let macc_2 = -Infinity
          let macc_3 = -Infinity
          const b0 = i * 128
          for (let mk0 = 0; mk0 < 128; mk0 += 8) {
            const p0 = b0 + mk0
            macc_0 = Math.max(macc_0, x[p0])
            macc_1 = Math.max(macc_1, x[p0 + 1])
            macc_2 = Math.max(macc_2, x[p0 + 2])
            macc_3 = Math.max(macc_3, x[p0 + 3])
            macc_0 = Math.max(macc_0, x[p0 + 4])
            macc_1 = Math.max(macc_1, x[p0 + 5])
            macc_2 = Math.max(macc_2, x[p0 + 6])
            macc_3 = Math.max(macc_3, x[p0 + 7])
          }
          pick0[0] = macc_0
          pick0[1] = macc_1
          pick0[2] = (macc_0 + macc_1) * 0.5
          const v0 = pick0[+!(macc_1 <= macc_0) & +(macc_0 === macc_0) | +(macc_0 === macc_1) << 1]
          pick0[3] = macc_2
          pick0[4] = macc_3
          pick0[5] = (macc_2 + macc_3) * 0.5
          const v1 = pick0[(+!(macc_3 <= macc_2) & +(macc_2 === macc_2) | +(macc_2 === macc_3) << 1) + 3]
          pick0[6] = v0
          pick0[7] = v1
          pick0[8] = (v0 + v1) * 0.5
          macc_0 = pick0[(+!(v1 <= v0) & +(v0 === v0) | +(v0 === v1) << 1) + 6]
          const top = macc_0
          let sacc_0 = 0
          let sacc_1 = 0
          let sacc_2 = 0
          let sacc_3 = 0
          for (let sk0 = 0; sk0 < 128; sk0 += 4) {
            const p1 = b0 + sk0
            sacc_0 += Math.fround($exp32(Math.fround(x[p1] - top)))
            sacc_1 += Math.fround($exp32(Math.fround(x[p1 + 1] - top)))
            sacc_2 += Math.fround($exp32(Math.fround(x[p1 + 2] - top)))
            sacc_3 += Math.fround($exp32(Math.fround(x[p1 + 3] - top)))
          }
          sacc_0 = sacc_0 + sacc_1 + (sacc_2 + sacc_3)
          const total = Math.fround(sacc_0)
          for (let j = 0; j < 128; j++) {
            const p2 = b0 + j
            out[p2] = Math.fround($exp32(Math.fround(x[p2] - top))) / total
          }
        }
      }
      //# sourceURL=cotangent/softmax_16x128.js
      "
    `)
  })

  test('padding and gathering: guards become branches only where they need locals', () => {
    const i = counter('i', 100)
    const inside = within(plus(i, -2), 0, 96)
    const x = load('x', 'float32', plus(i, -2))
    const picked = load('x', 'float32', dataIndex(load('at', 'int32', i), 0, 95))
    const body = [
      loop('i', 100, [
        {
          tag: 'store',
          buffer: 'out',
          at: i,
          value: binaryOp(
            'add',
            guard(inside, x, literal('float32', 0)),
            binaryOp('multiply', guard(inside, binaryOp('multiply', x, x), picked), picked),
          ),
        },
      ]),
    ]
    const buffers = [buffer('x', 96), buffer('at', 100, 'int32'), buffer('out', 100)]
    expect(printKernel({ name: 'pad_gather', buffers, body })).toMatchInlineSnapshot(`
      "function pad_gather(x, at, out) {
        const x_0 = x[at[0]]
        out[0] = 0 + Math.fround(x_0 * x_0)
        const x_1 = x[at[1]]
        out[1] = 0 + Math.fround(x_1 * x_1)
        for (let i = 0; i < 96; i++) {
          const x_2 = x[i]
          out[i + 2] = x_2 + Math.fround(Math.fround(x_2 * x_2) * x[at[i + 2]])
        }
        const x_3 = x[at[98]]
        out[98] = 0 + Math.fround(x_3 * x_3)
        const x_4 = x[at[99]]
        out[99] = 0 + Math.fround(x_4 * x_4)
      }
      //# sourceURL=cotangent/pad_gather.js
      "
    `)
  })

  test('every dtype as it is stored', () => {
    const i = counter('i', 10)
    const put = (name: string, value: Scalar): Stmt => ({
      tag: 'store',
      buffer: name,
      at: i,
      value,
    })
    const n = load('n', 'int32', i)
    const f = load('f', 'float32', i)
    const h = load('h', 'bfloat16', i)
    const body = [
      loop('i', 10, [
        put('bool', compareOp('less', f, literal('float32', -0))),
        put('int8', convertTo('int8', n)),
        put('uint32', binaryOp('multiply', convertTo('uint32', n), literal('uint32', 2654435761))),
        put('int32', convertTo('int32', f)),
        put('int16', binaryOp('shiftLeft', convertTo('int16', n), literal('int16', 3))),
        put('bfloat16', binaryOp('add', h, convertTo('bfloat16', f))),
        put('float16', convertTo('float16', literal('float64', Infinity))),
        put('float32', selectOp(load('b', 'bool', i), f, literal('float32', 0.1))),
        put('float64', binaryOp('divide', convertTo('float64', f), literal('float64', 0.1))),
        put('bits', bitcastTo('uint32', f)),
      ]),
    ]
    const stored = ['bool', 'int8', 'uint32', 'int32', 'int16', 'bfloat16', 'float16'] as const
    const buffers: Kernel['buffers'] = [
      buffer('n', 10, 'int32'),
      buffer('f', 10),
      buffer('h', 10, 'bfloat16'),
      buffer('b', 10, 'bool'),
      ...[...stored, 'float32' as const, 'float64' as const].map((d) => buffer(d, 10, d)),
      buffer('bits', 10, 'uint32'),
    ]
    expect(printKernel({ name: 'every dtype', buffers, body })).toMatchInlineSnapshot(`
      "function every_dtype(n, f, h, b, bool, int8, uint32, int32, int16, bfloat16, float16, float32, float64, bits) {
        for (let i = 0; i < 10; i++) {
          const f_0 = f[i]
          bool[i] = +(f_0 < -0)
          const n_0 = n[i]
          int8[i] = n_0 << 24 >> 24
          uint32[i] = Math.imul(n_0 >>> 0, 2654435761) >>> 0
          int32[i] = $saturate_int32(f_0)
          int16[i] = $shiftLeft_int16(n_0 << 16 >> 16, 3)
          bfloat16[i] = $encode_bfloat16($decode_bfloat16(h[i]) + $round_bfloat16(f_0))
          float16[i] = $encode_float16($round_float16(Infinity))
          pick0[0] = 0.10000000149011612
          pick0[1] = f_0
          float32[i] = pick0[+(b[i] !== 0)]
          float64[i] = f_0 / 0.1
          bits[i] = $float32_bits(f_0) >>> 0
        }
      }
      //# sourceURL=cotangent/every_dtype.js
      "
    `)
  })
})

describe('literals', () => {
  test('NaN, infinities, -0 and float32 rounding', () => {
    const values = [NaN, Infinity, -Infinity, -0, 0, 0.1, -1.5, 1e-45, 16777217]
    const body = values.map((v, n): Stmt => {
      const at = scalars.constant(n)
      return { tag: 'store', buffer: 'out', at, value: literal('float32', v) }
    })
    const out = new Float32Array(values.length)
    compileKernel({ name: 'literals', buffers: [buffer('out', values.length)], body }).run(out)
    expect(Array.from(out)).toEqual(values.map(Math.fround))
  })

  test('a sign is never doubled', () => {
    const x = load('x', 'float64', scalars.constant(0))
    const negate = (s: Scalar): Scalar => unaryOp('negate', s)
    const value = binaryOp('subtract', negate(negate(x)), literal('float64', -2))
    const body: readonly Stmt[] = [{ tag: 'store', buffer: 'out', at: scalars.constant(0), value }]
    const buffers = [buffer('x', 1, 'float64'), buffer('out', 1, 'float64')]
    const out = new Float64Array(1)
    compileKernel({ name: 'signs', buffers, body }).run(Float64Array.of(5), out)
    expect(out[0]).toBe(7)
  })
})

describe('evaluation', () => {
  test('code generation is allowed here, and reserved words are no obstacle', () => {
    expect(codeGenerationAllowed()).toBe(true)
    const at = scalars.constant(0)
    const value = load('new', 'float32', at)
    const kernel: Kernel = {
      name: 'class of 2',
      buffers: [buffer('new', 1), buffer('out', 1)],
      body: [{ tag: 'store', buffer: 'out', at, value }],
    }
    const out = new Float32Array(1)
    const { run, source } = compileKernel(kernel)
    run(Float32Array.of(3), out)
    expect(out[0]).toBe(3)
    expect(source).toContain('//# sourceURL=cotangent/class_of_2.js')
  })
})
