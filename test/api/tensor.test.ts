import { inspect } from 'node:util'
import { jacrev, np, type Tensor, tensor } from 'cotangent'
import { describe, expect, test } from 'vitest'

describe('a tensor is made', () => {
  test('from a number', () => {
    const x = tensor(3)
    expect(x.shape).toEqual([])
    expect(x.dtype).toBe('float32')
    expect(x.ndim).toBe(0)
    expect(x.size).toBe(1)
    expect(x.item()).toBe(3)
    expect(x.toArray()).toBe(3)
  })

  test('from a boolean', () => {
    expect(tensor(true).dtype).toBe('bool')
    expect(tensor(true).item()).toBe(1)
    expect(tensor(true).toArray()).toBe(true)
    expect(tensor([true, false]).dtype).toBe('bool')
    expect(tensor([true, false]).toArray()).toEqual([true, false])
  })

  test('from nested arrays', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(x.shape).toEqual([2, 3])
    expect(x.dtype).toBe('float32')
    expect(x.ndim).toBe(2)
    expect(x.size).toBe(6)
    expect(x.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
  })

  test('from empty arrays', () => {
    expect(tensor([]).shape).toEqual([0])
    expect(tensor([]).dtype).toBe('float32')
    expect(tensor([[], []]).shape).toEqual([2, 0])
    expect(tensor([[], []]).toArray()).toEqual([[], []])
    expect(np.zeros([0, 3]).toArray()).toEqual([])
    expect(np.zeros([0, 3]).sum().item()).toBe(0)
  })

  test('from typed arrays, each with its dtype', () => {
    const cases = [
      [new Float32Array([1.5, 2]), 'float32'],
      [new Float64Array([1.5, 2]), 'float64'],
      [new Int32Array([1, -2]), 'int32'],
      [new Uint32Array([1, 4294967295]), 'uint32'],
      [new Int8Array([1, -128]), 'int8'],
      [new Uint8Array([1, 255]), 'uint8'],
      [new Int16Array([1, -32768]), 'int16'],
      [new Uint16Array([1, 65535]), 'uint16'],
    ] as const
    for (const [values, dtype] of cases) {
      const x = tensor(values)
      expect(x.dtype).toBe(dtype)
      expect(x.shape).toEqual([2])
      expect(x.toArray()).toEqual([...values])
      expect(x.data().constructor).toBe(values.constructor)
    }
  })

  test('with a shape and a dtype', () => {
    const x = tensor(new Float32Array([1, 2, 3, 4, 5, 6]), { shape: [2, 3] })
    expect(x.toArray()).toEqual([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect(tensor([1, 2], { dtype: 'int32' }).dtype).toBe('int32')
    expect(tensor([1, 2], { dtype: 'int32' }).data()).toBeInstanceOf(Int32Array)
    expect(tensor([1, 2, 3, 4], { shape: [2, 2], dtype: 'uint8' }).toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
    expect(tensor(new Float64Array([0.1]), { dtype: 'float32' }).item()).toBe(Math.fround(0.1))
  })

  test('in every dtype', () => {
    const dtypes = [
      'float32',
      'float64',
      'int32',
      'uint32',
      'int8',
      'uint8',
      'int16',
      'uint16',
      'float16',
      'bfloat16',
    ] as const
    for (const dtype of dtypes) {
      const x = tensor([0, 1, 2], { dtype })
      expect(x.dtype).toBe(dtype)
      expect(x.toArray()).toEqual([0, 1, 2])
      expect(x.add(x).toArray()).toEqual([0, 2, 4])
      expect(x.astype('float32').dtype).toBe('float32')
    }
    expect(tensor([0, 1, 2], { dtype: 'bool' }).toArray()).toEqual([false, true, true])
  })

  test('in the half precisions, rounded to them', () => {
    expect(tensor(1 / 3, { dtype: 'float16' }).item()).toBe(0.333251953125)
    expect(tensor(1 / 3, { dtype: 'bfloat16' }).item()).toBe(0.333984375)
    expect(tensor(70000, { dtype: 'float16' }).item()).toBe(Infinity)
    expect(
      tensor([1], { dtype: 'float16' })
        .add(2 ** -11)
        .item(),
    ).toBe(1)
  })

  test('from an existing tensor and from nested tensors', () => {
    const x = tensor([1, 2])
    expect(np.array(x).toArray()).toEqual([1, 2])
    expect(np.stack([x, x]).toArray()).toEqual([
      [1, 2],
      [1, 2],
    ])
  })

  test('from nested arrays with tensors in them, traced ones too', () => {
    const x = tensor([1, 2])
    expect(
      np
        .array([
          [x.sum(), 5],
          [0, x.at(1)],
        ])
        .toArray(),
    ).toEqual([
      [3, 5],
      [0, 2],
    ])
    const f = (t: Tensor): Tensor => np.array([t.sum(), 1, t.prod()])
    expect(jacrev(f)(x).toArray()).toEqual([
      [1, 1],
      [0, 0],
      [2, 1],
    ])
    expect(() => np.array([x, 1])).toThrow(/stack/)
  })

  test('by the functions that create', () => {
    expect(np.zeros([2, 2]).toArray()).toEqual([
      [0, 0],
      [0, 0],
    ])
    expect(np.ones([3]).toArray()).toEqual([1, 1, 1])
    expect(np.full([2], 7).toArray()).toEqual([7, 7])
    expect(np.arange(4).toArray()).toEqual([0, 1, 2, 3])
    expect(np.arange(4).dtype).toBe('int32')
    expect(np.arange(1, 7, 2).toArray()).toEqual([1, 3, 5])
    expect(np.arange(0, 1, 0.25).toArray()).toEqual([0, 0.25, 0.5, 0.75])
    expect(np.linspace(0, 1, 5).toArray()).toEqual([0, 0.25, 0.5, 0.75, 1])
    expect(np.eye(2).toArray()).toEqual([
      [1, 0],
      [0, 1],
    ])
  })
})

describe('a tensor is immutable', () => {
  test('it copies the typed array it is made from', () => {
    const values = new Float32Array([1, 2, 3])
    const x = tensor(values)
    values[0] = 99
    expect(x.toArray()).toEqual([1, 2, 3])
  })

  test('it copies the nested array it is made from', () => {
    const values = [
      [1, 2],
      [3, 4],
    ]
    const x = tensor(values)
    values[0]![0] = 99
    expect(x.toArray()).toEqual([
      [1, 2],
      [3, 4],
    ])
  })

  test('what it gives is a copy too', () => {
    const x = tensor([1, 2, 3])
    x.data()[0] = 99
    expect(x.toArray()).toEqual([1, 2, 3])
    const y = x.reshape([3, 1])
    y.data().fill(0)
    expect(x.toArray()).toEqual([1, 2, 3])
    expect(x.data()).not.toBe(x.data())
  })

  test('its shape cannot be changed', () => {
    const x = tensor([1, 2, 3])
    expect(Object.isFrozen(x.shape)).toBe(true)
  })

  test('the view of a transpose is read in row-major order', () => {
    const x = tensor([
      [1, 2, 3],
      [4, 5, 6],
    ])
    expect([...x.T.data()]).toEqual([1, 4, 2, 5, 3, 6])
    expect(x.T.shape).toEqual([3, 2])
  })

  test('a typed array that is a window of a buffer is read from its start', () => {
    const buffer = new Float32Array([1, 2, 3, 4])
    expect(tensor(buffer.subarray(1, 3)).toArray()).toEqual([2, 3])
  })
})

describe('a tensor is read', () => {
  test('item wants one element', () => {
    expect(tensor([[5]]).item()).toBe(5)
    expect(() => tensor([1, 2]).item()).toThrow(/item/)
    expect(() => tensor([]).item()).toThrow(/item/)
  })

  test('iteration goes over the first axis', () => {
    const rows = [
      ...tensor([
        [1, 2],
        [3, 4],
      ]),
    ]
    expect(rows.map((row) => row.toArray())).toEqual([
      [1, 2],
      [3, 4],
    ])
    const [a, b] = tensor([7, 8])
    expect([a!.item(), b!.item()]).toEqual([7, 8])
    expect([...np.zeros([0, 2])]).toEqual([])
    expect(() => [...tensor(3)]).toThrow(/iterat/i)
  })

  test('a finite scalar prints as its number', () => {
    expect(String(tensor(3))).toContain('3')
    expect(String(tensor(2.5))).toContain('2.5')
    expect(String(tensor(true))).toContain('true')
  })

  test('it prints like NumPy does: aligned, nested', () => {
    const text = String(
      tensor([
        [1, 2],
        [30, 4.5],
      ]),
    )
    expect(text).toContain('[[')
    expect(text).toContain(']]')
    expect(text.split('\n')).toHaveLength(2)
    expect(text).toContain('4.5')
  })

  test('it prints a large tensor truncated', () => {
    const text = String(np.zeros([1000, 1000]))
    expect(text).toContain('...')
    expect(text.length).toBeLessThan(1500)
    expect(String(np.arange(2000))).toMatch(/0,?\s+1,?\s+2,?\s+\.\.\.,?\s+1997,?\s+1998,?\s+1999/)
  })

  test('console.log shows it, not its insides', () => {
    expect(inspect(tensor([1, 2, 3]))).toContain('1')
    expect(inspect(tensor([1, 2, 3]))).not.toMatch(/Float32Array|storage|buffer/i)
    expect(inspect({ w: np.zeros([500, 500]) }).length).toBeLessThan(2000)
  })

  test('it prints NaN, infinities and empty tensors', () => {
    const text = String(tensor([NaN, Infinity, -Infinity]))
    expect(text).toMatch(/nan/i)
    expect(text).toMatch(/-inf/i)
    expect(String(tensor([]))).toContain('[]')
  })

  test('toString and String agree', () => {
    expect(tensor([1, 2]).toString()).toBe(String(tensor([1, 2])))
  })
})

describe('memory', () => {
  test('thousands of eager operations on big tensors stay bounded', () => {
    let x: Tensor = np.ones([256, 1024])
    const rss = (): number => process.memoryUsage().rss / 2 ** 20
    const before = rss()
    let peak = before
    for (let i = 0; i < 3000; i++) {
      x = x.add(1)
      if (i % 50 === 0) peak = Math.max(peak, rss())
    }
    expect(x.at(0, 0).item()).toBe(3001)
    expect(peak - before).toBeLessThan(600)
  })
})
