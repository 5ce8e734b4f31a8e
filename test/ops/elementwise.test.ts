/** Elementwise primitives where libraries differ: edges, integers, and derivatives at kinks. */
import {
  type DType,
  type Tensor,
  DTypeError,
  ShapeError,
  jvpGraph,
  tensor,
  trace,
} from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const of = (values: readonly number[], dtype: DType = 'float32'): Tensor =>
  tensor(Float64Array.from(values), { dtype })
const list = (x: Tensor): readonly number[] => Array.from(x.data())

/** The derivative along ones in input `k`. */
const derivative = (
  f: (...xs: readonly Tensor[]) => Tensor,
  xs: readonly Tensor[],
  k = 0,
): readonly number[] => {
  const traced = trace(
    'test',
    (...inputs) => [f(...inputs)],
    xs.map((x) => x.aval),
  )
  const tangents = xs.map((x, i) =>
    i === k
      ? of(
          list(x).map(() => 1),
          x.dtype,
        )
      : null,
  )
  const [dy] = jvpGraph(traced.graph, xs, tangents).tangents
  return dy === null || dy === undefined ? [] : list(dy)
}

const int32 = [2147483647, -2147483648, 7, 0, 1, 1073741824, -7, -1, -7, 5]

describe('floats at the edges', () => {
  test('sign and round keep the sign of zero', () => {
    expect(list(prims.sign(of([-0, 0, -3, 2, NaN, -Infinity])))).toEqual([-0, 0, -1, 1, NaN, -1])
    expect(list(prims.round(of([0.5, 1.5, 2.5, -0.5, -1.5, -0, 0.49999997, 8388609])))).toEqual([
      0, 2, 2, -0, -2, -0, 0, 8388609,
    ])
    expect(list(prims.round(of([Infinity, -Infinity, NaN])))).toEqual([Infinity, -Infinity, NaN])
  })
  test('max and min propagate NaN', () => {
    const [x, y] = [of([NaN, 1, NaN, -0]), of([1, NaN, NaN, 0])]
    expect(list(prims.max(x, y))).toEqual([NaN, NaN, NaN, 0])
    expect(list(prims.min(x, y))).toEqual([NaN, NaN, NaN, -0])
  })
  test('pow follows IEEE 754', () => {
    const x = of([1, -1, 0, 0, -0, -8, NaN, Infinity])
    const y = of([NaN, Infinity, 0, -1, -1, 1 / 3, 0, -2])
    expect(list(prims.pow(x, y))).toEqual([1, 1, 1, Infinity, -Infinity, NaN, 1, 0])
  })
  test('logistic, tanh and expm1 saturate', () => {
    const x = of([-Infinity, -1000, 1000, Infinity, NaN])
    expect(list(prims.logistic(x))).toEqual([0, 0, 1, 1, NaN])
    expect(list(prims.tanh(x))).toEqual([-1, -1, 1, 1, NaN])
    expect(list(prims.expm1(x))).toEqual([-1, -1, Infinity, Infinity, NaN])
  })
  test('comparisons with NaN', () => {
    const [x, y] = [of([NaN, NaN, 1]), of([NaN, 1, 1])]
    expect(list(prims.eq(x, y))).toEqual([0, 0, 1])
    expect(list(prims.ne(x, y))).toEqual([1, 1, 0])
    expect(list(prims.ge(x, y))).toEqual([0, 0, 1])
  })
  test('nextAfter steps by one unit in the last place of its own dtype', () => {
    expect(list(prims.nextAfter(of([1, -1, 2, Infinity, 0]), of([2, 0, 2, 0, -1])))).toEqual([
      1 + 2 ** -23,
      -1 + 2 ** -24,
      2,
      3.4028234663852886e38,
      -(2 ** -149),
    ])
    const half = (v: number): Tensor => of([v], 'float16')
    expect(list(prims.nextAfter(half(1), half(2)))).toEqual([1 + 2 ** -10])
    expect(list(prims.nextAfter(half(1), half(0)))).toEqual([1 - 2 ** -11])
    expect(list(prims.nextAfter(half(65504), half(Infinity)))).toEqual([Infinity])
    expect(list(prims.nextAfter(of([1], 'bfloat16'), of([2], 'bfloat16')))).toEqual([1 + 2 ** -7])
    expect(list(prims.nextAfter(of([1], 'float64'), of([2], 'float64')))).toEqual([1 + 2 ** -52])
  })
})

describe('integers', () => {
  test('products are exact modulo the width', () => {
    expect(list(prims.mul(of([123456789, -5], 'int32'), of([987654321, 7], 'int32')))).toEqual([
      Number(BigInt.asIntN(32, 123456789n * 987654321n)),
      -35,
    ])
    expect(list(prims.mul(of([4294967295], 'uint32'), of([4294967295], 'uint32')))).toEqual([1])
    expect(list(prims.mul(of([100], 'int8'), of([3], 'int8')))).toEqual([44])
  })
  test('division by zero is all ones, the remainder the dividend; −2³¹ / −1 wraps', () => {
    const [x, y] = [of([7, -7, -2147483648, 7, -7], 'int32'), of([0, 0, -1, 2, 2], 'int32')]
    expect(list(prims.div(x, y))).toEqual([-1, -1, -2147483648, 3, -3])
    expect(list(prims.rem(x, y))).toEqual([7, -7, 0, 1, -1])
    expect(list(prims.div(of([7], 'uint8'), of([0], 'uint8')))).toEqual([255])
    expect(list(prims.neg(of([-128], 'int8')))).toEqual([-128])
    expect(list(prims.abs(of([-2147483648], 'int32')))).toEqual([-2147483648])
  })
  test('shifts by the width or more, or by a negative count', () => {
    const x = of(int32, 'int32')
    const by = of([0, 1, 31, 32, 35, 100, 2, 1, 3, 4], 'int32')
    expect(list(prims.shiftLeft(x, by))).toEqual([
      2147483647, 0, -2147483648, 0, 0, 0, -28, -2, -56, 80,
    ])
    expect(list(prims.shiftRightArithmetic(x, by))).toEqual([
      2147483647, -1073741824, 0, 0, 0, 0, -2, -1, -1, 0,
    ])
    expect(list(prims.shiftRightLogical(x, by))).toEqual([
      2147483647, 1073741824, 0, 0, 0, 0, 1073741822, 2147483647, 536870911, 0,
    ])
    const [one, minus] = [of([1, -1], 'int32'), of([-1, -3], 'int32')]
    expect(list(prims.shiftLeft(one, minus))).toEqual([0, 0])
    expect(list(prims.shiftRightArithmetic(one, minus))).toEqual([0, -1])
    expect(list(prims.shiftRightArithmetic(of([128, 200], 'uint8'), of([9, 1], 'uint8')))).toEqual([
      255, 228,
    ])
    expect(list(prims.shiftRightLogical(of([-7], 'int8'), of([2], 'int8')))).toEqual([62])
  })
  test('bits are counted in the width of the dtype', () => {
    expect(list(prims.populationCount(of([-1, 7, -128], 'int8')))).toEqual([8, 3, 1])
    expect(list(prims.countLeadingZeros(of([1, 0, -1], 'int8')))).toEqual([7, 8, 0])
    expect(list(prims.countLeadingZeros(of([0, 1, 4294967295], 'uint32')))).toEqual([32, 31, 0])
    expect(list(prims.not(of([0, 5], 'uint16')))).toEqual([65535, 65530])
    expect(list(prims.not(of([0, 1], 'bool')))).toEqual([1, 0])
  })
  test('powers', () => {
    expect(
      list(prims.pow(of([3, 2, 2, -1, 1, 0], 'int32'), of([21, 33, -1, -3, -9, 0], 'int32'))),
    ).toEqual([Number(BigInt.asIntN(32, 3n ** 21n)), 0, 0, -1, 1, 1])
    expect(list(prims.integerPow(of([3, -2], 'int8'), 5))).toEqual([-13, -32])
  })
})

describe('conversions', () => {
  test('floats truncate and saturate, NaN is 0', () => {
    const x = of([1.9, -1.9, 3e10, -3e10, NaN, Infinity, -0.5])
    expect(list(prims.convert(x, 'int32'))).toEqual([
      1, -1, 2147483647, -2147483648, 0, 2147483647, 0,
    ])
    expect(list(prims.convert(x, 'uint8'))).toEqual([1, 0, 255, 0, 0, 255, 0])
    expect(list(prims.convert(x, 'bool'))).toEqual([1, 1, 1, 1, 1, 1, 1])
  })
  test('integers wrap', () => {
    const x = of([300, -1, 65536, -2147483648], 'int32')
    expect(list(prims.convert(x, 'uint8'))).toEqual([44, 255, 0, 0])
    expect(list(prims.convert(x, 'int16'))).toEqual([300, -1, 0, 0])
    expect(list(prims.convert(x, 'uint32'))).toEqual([300, 4294967295, 65536, 2147483648])
  })
  test('bitcast keeps the bits', () => {
    expect(list(prims.bitcast(of([1, -0, Infinity]), 'uint32'))).toEqual([
      0x3f800000, 0x80000000, 0x7f800000,
    ])
    expect(list(prims.bitcast(of([0x3c00, 0x7bff], 'uint16'), 'float16'))).toEqual([1, 65504])
    expect(list(prims.bitcast(of([1], 'bfloat16'), 'int16'))).toEqual([0x3f80])
  })
})

describe('derivatives at kinks and zeros', () => {
  test('abs is 1 at 0 and −0', () => {
    expect(derivative((x) => prims.abs(x!), [of([0, -0, -2, 2])])).toEqual([1, 1, -1, 1])
  })
  test('max shares ties evenly', () => {
    const xs = [of([1, 1, 0, 2]), of([1, 2, -0, 1])]
    expect(derivative((x, y) => prims.max(x!, y!), xs)).toEqual([0.5, 0, 0.5, 1])
    expect(derivative((x, y) => prims.max(x!, y!), xs, 1)).toEqual([0.5, 1, 0.5, 0])
  })
  test('reduceMax shares ties evenly', () => {
    const x = tensor([1, 3, 3, 3])
    expect(derivative((v) => prims.reduceMax(v!, [0]), [x])).toEqual([1])
    const select = (v: Tensor | undefined): Tensor =>
      prims.reduceMax(prims.mul(v!, tensor([1, 3, 3, 3])), [0])
    expect(derivative(select, [tensor([1, 1, 1, 1])])[0]).toBeCloseTo(3, 6)
  })
  test('integerPow is a polynomial, also at 0', () => {
    const at = of([0, -0, 2])
    expect(derivative((x) => prims.integerPow(x!, 2), [at])).toEqual([0, -0, 4])
    expect(derivative((x) => prims.integerPow(x!, 1), [at])).toEqual([1, 1, 1])
    expect(derivative((x) => prims.integerPow(x!, 0), [at])).toEqual([0, 0, 0])
  })
  test('pow by its base and by its exponent at base 0', () => {
    const xs = [of([0, 0, 0, 0]), of([0, 1, 2, 3])]
    expect(derivative((x, y) => prims.pow(x!, y!), xs)).toEqual([NaN, 1, 0, 0])
    expect(derivative((x, y) => prims.pow(x!, y!), xs, 1)).toEqual([0, 0, 0, 0])
  })
  test('products with one zero and with two', () => {
    const product = (x: Tensor | undefined): Tensor => prims.reduceProd(x!, [0])
    expect(derivative(product, [of([2, 0, 3])])).toEqual([6])
    expect(derivative(product, [of([0, 5, 0])])).toEqual([0])
    expect(derivative((x) => prims.cumprod(x!, 0), [of([2, 0, 3])])).toEqual([1, 2, 6])
  })
})

describe('reductions', () => {
  test('float32 sums and products are formed in float64', () => {
    const tenth = of(Array.from({ length: 100000 }, () => 0.1))
    expect(list(prims.cumsum(tenth, 0)).at(-1)).toBe(Math.fround(100000 * Math.fround(0.1)))
    expect(list(prims.reduceProd(of([1e30, 1e30, 1e-30]), [0]))[0]).toBeCloseTo(1e30, -24)
  })
  test('extrema of nothing are the neutral elements', () => {
    expect(list(prims.reduceMax(of([]), [0]))).toEqual([-Infinity])
    expect(list(prims.reduceMin(of([], 'int8'), [0]))).toEqual([127])
    expect(list(prims.reduceAnd(of([], 'bool'), [0]))).toEqual([1])
  })
  test('argmax and argmin take the first, and the first NaN before all', () => {
    expect(list(prims.argmax(of([3, 1, 3, 2]), 0))).toEqual([0])
    expect(list(prims.argmin(of([3, NaN, -Infinity, NaN]), 0))).toEqual([1])
    expect(list(prims.argmax(of([-Infinity, -Infinity]), 0))).toEqual([0])
    expect(() => prims.argmax(of([]), 0)).toThrow(ShapeError)
  })
  test('running reductions carry NaN on and do not overflow', () => {
    expect(list(prims.cummax(of([1, 3, NaN, 9]), 0))).toEqual([1, 3, NaN, NaN])
    expect(list(prims.cumlogsumexp(of([-Infinity, 0, 1000, 1]), 0))).toEqual([
      -Infinity,
      0,
      1000,
      1000,
    ])
    expect(list(prims.cumsum(of([2147483647, 1], 'int32'), 0, false))).toEqual([
      2147483647, -2147483648,
    ])
  })
})

describe('refusals', () => {
  test('say what was got and what to do', () => {
    expect(() => prims.sin(of([1], 'int32'))).toThrow(DTypeError)
    expect(() => prims.and(of([1]), of([1]))).toThrow(/and: it does not work on float32/)
    expect(() => prims.mul(of([1]), of([1, 2]))).toThrow(ShapeError)
    expect(() => prims.mul(of([1]), of([1], 'float64'))).toThrow(DTypeError)
    expect(() => prims.select(of([1]), of([1]), of([1]))).toThrow(/must be bool/)
    expect(() => prims.bitcast(of([1]), 'int8')).toThrow(/differ in width/)
    expect(() => prims.integerPow(of([2], 'int32'), -1)).toThrow(DTypeError)
    expect(() => prims.slice(of([1, 2]), [0], [3])).toThrow(/slice: the bounds do not fit/)
    expect(() => prims.pad(of([1, 2]), of([0]), [[0, 0, 0]])).toThrow(ShapeError)
    expect(() => prims.pad(of([1, 2]), tensor(0), [[-2, -1, 0]])).toThrow(ShapeError)
    expect(() => prims.concatenate([of([1]), of([1], 'int32')], 0)).toThrow(DTypeError)
    expect(() => prims.reverse(of([1]), [1])).toThrow(ShapeError)
    expect(() => prims.iota('bool', [2], 0)).toThrow(DTypeError)
    expect(() => prims.reduceMax(of([1]), [0, 0])).toThrow(ShapeError)
  })
})
