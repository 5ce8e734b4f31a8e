import { np, tensor, UnsupportedError } from 'cotangent'
import { describe, expect, test } from 'vitest'

type Name = 'b' | 'u8' | 'u16' | 'u32' | 'i8' | 'i16' | 'i32' | 'bf' | 'f16' | 'f32' | 'f64'
const dtypes = {
  b: 'bool',
  u8: 'uint8',
  u16: 'uint16',
  u32: 'uint32',
  i8: 'int8',
  i16: 'int16',
  i32: 'int32',
  bf: 'bfloat16',
  f16: 'float16',
  f32: 'float32',
  f64: 'float64',
} as const

// JAX's table, with its int64 left out: u32 with a signed integer has nowhere to go but the next
// lattice point that exists, a float.
const table = `
     b   u8  u16 u32 i8  i16 i32 bf  f16 f32 f64
b    b   u8  u16 u32 i8  i16 i32 bf  f16 f32 f64
u8   u8  u8  u16 u32 i16 i16 i32 bf  f16 f32 f64
u16  u16 u16 u16 u32 i32 i32 i32 bf  f16 f32 f64
i8   i8  i16 i32 ?   i8  i16 i32 bf  f16 f32 f64
i16  i16 i16 i32 ?   i16 i16 i32 bf  f16 f32 f64
i32  i32 i32 i32 ?   i32 i32 i32 bf  f16 f32 f64
bf   bf  bf  bf  bf  bf  bf  bf  bf  f32 f32 f64
f16  f16 f16 f16 f16 f16 f16 f16 f32 f16 f32 f64
f32  f32 f32 f32 f32 f32 f32 f32 f32 f32 f32 f64
f64  f64 f64 f64 f64 f64 f64 f64 f64 f64 f64 f64
`
const isName = (text: string): text is Name => text in dtypes
const rows = table
  .trim()
  .split('\n')
  .map((line) => line.trim().split(/\s+/))
const columns = rows[0]!
const cases = rows
  .slice(1)
  .flatMap(([left, ...cells]) => cells.map((cell, k) => [left!, columns[k]!, cell] as const))
  .filter(([, , cell]) => cell !== '?')

describe('promotion', () => {
  test('of two tensors is JAX’s table, and commutes', () => {
    for (const [left, right, result] of cases) {
      if (!isName(left) || !isName(right) || !isName(result)) throw new Error('a bad table')
      const a = tensor([1], { dtype: dtypes[left] })
      const b = tensor([1], { dtype: dtypes[right] })
      expect([left, right, a.mul(b).dtype]).toEqual([left, right, dtypes[result]])
      expect([right, left, b.mul(a).dtype]).toEqual([right, left, dtypes[result]])
    }
  })

  test('of a tensor and a JavaScript number keeps the tensor’s dtype: numbers are weak', () => {
    for (const dtype of ['float16', 'bfloat16', 'float32', 'float64'] as const) {
      expect(tensor([1], { dtype }).add(1).dtype).toBe(dtype)
      expect(tensor([1], { dtype }).add(0.5).dtype).toBe(dtype)
      expect(np.multiply(2.5, tensor([1], { dtype })).dtype).toBe(dtype)
    }
    for (const dtype of ['int8', 'uint8', 'int16', 'uint16', 'int32', 'uint32'] as const) {
      expect(tensor([1], { dtype }).add(1).dtype).toBe(dtype)
      expect(tensor([1], { dtype }).mul(true).dtype).toBe(dtype)
      expect(tensor([1], { dtype }).mul(0.5).dtype).toBe('float32')
    }
    expect(tensor([true]).add(1).dtype).toBe('int32')
    expect(tensor([true]).mul(0.5).dtype).toBe('float32')
  })

  test('comparisons and tests give booleans', () => {
    expect(tensor([1]).less(2).dtype).toBe('bool')
    expect(np.isnan(tensor([1])).dtype).toBe('bool')
    expect(np.logicalNot(tensor([1, 0])).toArray()).toEqual([false, true])
  })

  test('functions of floats take integers to float32', () => {
    expect(np.sin(np.arange(2)).dtype).toBe('float32')
    expect(np.sqrt(tensor([4], { dtype: 'uint8' })).dtype).toBe('float32')
    expect(np.mean(tensor([true, false])).item()).toBe(0.5)
  })
})

describe('arithmetic in a dtype', () => {
  test('float32 rounds every operation', () => {
    expect(tensor(0.1).add(0.2).item()).toBe(Math.fround(Math.fround(0.1) + Math.fround(0.2)))
    expect(tensor(16777216).add(1).item()).toBe(16777216)
    expect(tensor(16777216, { dtype: 'float64' }).add(1).item()).toBe(16777217)
  })

  test('integers wrap', () => {
    expect(tensor([127], { dtype: 'int8' }).add(1).item()).toBe(-128)
    expect(tensor([255], { dtype: 'uint8' }).add(1).item()).toBe(0)
    expect(tensor([2147483647], { dtype: 'int32' }).add(1).item()).toBe(-2147483648)
    expect(tensor([0], { dtype: 'uint32' }).sub(1).item()).toBe(4294967295)
    expect(tensor([65537], { dtype: 'int32' }).mul(65537).item()).toBe(131073)
    expect(tensor([123456789], { dtype: 'int32' }).mul(987654321).item()).toBe(
      Math.imul(123456789, 987654321),
    )
  })

  test('conversions truncate toward zero and booleans are 0 and 1', () => {
    expect(tensor([1.9, -1.9]).astype('int32').toArray()).toEqual([1, -1])
    expect(tensor([0, 0.5, NaN]).astype('bool').toArray()).toEqual([false, true, true])
    expect(tensor([true, false]).astype('float32').toArray()).toEqual([1, 0])
    expect(tensor([300], { dtype: 'int32' }).astype('uint8').item()).toBe(44)
  })

  test('complex64 takes part in promotion, and is refused clearly as an array', () => {
    expect(np.promoteTypes('complex64', 'float32')).toBe('complex64')
    expect(() => np.zeros([2], { dtype: 'complex64' })).toThrow(UnsupportedError)
  })

  test('an unknown dtype is refused by name', () => {
    // @ts-expect-error: no such dtype
    expect(() => tensor([1], { dtype: 'float128' })).toThrow(/float128/)
    // @ts-expect-error: no such dtype
    expect(() => tensor([1]).astype('int64')).toThrow(/int64/)
  })
})
