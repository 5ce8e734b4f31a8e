import {
  CompileError,
  CotangentError,
  DTypeError,
  grad,
  IndexError,
  jit,
  np,
  NumericsError,
  ShapeError,
  type Tensor,
  TracerError,
  TreeError,
  tensor,
  tree,
  UnsupportedError,
  vmap,
} from 'cotangent'
import { describe, expect, test } from 'vitest'
import { lineHere, thrownBy } from './support.ts'

const v = tensor([1, 2, 3])

describe('the classes', () => {
  test('are errors, each of its own name', () => {
    for (const E of [
      ShapeError,
      DTypeError,
      TreeError,
      TracerError,
      IndexError,
      UnsupportedError,
      CompileError,
      NumericsError,
    ]) {
      expect(E.prototype).toBeInstanceOf(CotangentError)
      expect(E.prototype).toBeInstanceOf(Error)
    }
  })
})

describe('the message', () => {
  test('says the operation, what it got, the fix and the user’s line', () => {
    const error = thrownBy(() => np.ones([2, 3]).add(np.ones([4])))
    expect(error).toBeInstanceOf(ShapeError)
    expect(error.name).toBe('ShapeError')
    expect(error.message).toMatch(/^np\.add: /)
    expect(error.message).toContain('[2,3]')
    expect(error.message).toContain('[4]')
    expect(error.message).toMatch(/^ {2}got /m)
    expect(error.message).toMatch(/^ {2}fix /m)
    expect(error.message).toContain('errors.test.ts:')
  })

  test('is fields too', () => {
    const error = thrownBy(() => np.ones([2, 3]).matmul(np.ones([4, 5])))
    expect(error.operation).toBe('np.matmul')
    expect(error.got).toContain('[2,3]')
    expect(error.fix?.length).toBeGreaterThan(5)
    expect(error.location).toContain('errors.test.ts')
  })

  test('names the leaf of a tree', () => {
    const params = { w: v, deep: { step: np.arange(2) } }
    const error = thrownBy(() => grad((p: typeof params) => p.w.sum())(params))
    expect(error.message).toContain('deep.step')
  })

  test('names the line of the call inside a traced function', () => {
    let line = 0
    const f = (x: Tensor): Tensor => {
      const y = x.mul(2)
      line = lineHere(1)
      return y.add(np.ones([7]))
    }
    for (const run of [
      () => jit(f)(v),
      () => grad((x: Tensor) => f(x).sum())(v),
      () => vmap(f)(np.ones([2, 3])),
    ]) {
      const error = thrownBy(run)
      expect(error).toBeInstanceOf(ShapeError)
      expect(error.message).toMatch(/^np\.add: /)
      expect(error.message).toContain(`errors.test.ts:${line}`)
    }
  })
})

describe('each kind', () => {
  const kinds: readonly (readonly [
    string,
    () => unknown,
    new (...args: never[]) => CotangentError,
    RegExp,
  ])[] = [
    ['broadcast', () => v.add([1, 2]), ShapeError, /add/],
    ['matmul', () => v.matmul(np.ones([2, 2])), ShapeError, /matmul/],
    ['reshape', () => v.reshape([2, 2]), ShapeError, /reshape/],
    ['reshape with two unknowns', () => v.reshape([-1, -1]), ShapeError, /-1/],
    [
      'concatenate',
      () => np.concatenate([np.ones([2, 3]), np.ones([2, 4])]),
      ShapeError,
      /concatenate/,
    ],
    ['stack', () => np.stack([v, np.ones([2])]), ShapeError, /stack/],
    ['an axis that is not there', () => v.sum(1), IndexError, /axis/],
    ['an axis twice', () => np.ones([2, 3]).sum([0, 0]), IndexError, /axis|axes/],
    [
      'a transpose that is no permutation',
      () => np.ones([2, 3]).transpose([0, 0]),
      ShapeError,
      /transpose/,
    ],
    [
      'einsum',
      () => np.einsum('ij,jk->ik', np.ones([2, 3]), np.ones([4, 5])),
      ShapeError,
      /einsum/,
    ],
    ['tensor and shape', () => tensor([1, 2, 3], { shape: [2, 2] }), ShapeError, /shape/],
    ['a ragged array', () => tensor([[1, 2], [3]]), ShapeError, /ragged/],
    ['a negative size', () => np.zeros([-1]), ShapeError, /-1/],
    ['a fractional size', () => np.zeros([1.5]), ShapeError, /1\.5/],
    ['bits of floats', () => np.bitwiseAnd(v, v), DTypeError, /float32/],
    [
      'the gradient of integers',
      () => grad((x: Tensor) => x.sum())(np.arange(3)),
      DTypeError,
      /int32/,
    ],
    [
      'trees of another structure',
      () => tree.map((x: Tensor, y: Tensor) => x.add(y), { a: v }, { b: v }),
      TreeError,
      /\ba\b/,
    ],
    ['too many indices', () => v.at(0, 0), IndexError, /index/],
    ['a step of zero', () => v.at('::0'), IndexError, /step/],
    ['item of many', () => v.item(), ShapeError, /item/],
    ['a max over nothing', () => np.zeros([0]).max(), ShapeError, /max/],
  ]
  test.each(kinds)('%s', (_, run, kind, message) => {
    const error = thrownBy(run)
    expect(error).toBeInstanceOf(kind)
    expect(error.message).toMatch(message)
    expect(error.message).toMatch(/^ {2}got /m)
    expect(error.message).toMatch(/^ {2}fix /m)
    expect(error.message).toContain('errors.test.ts:')
    expect(error.message.length).toBeLessThan(1200)
  })
})

describe('tracers', () => {
  const refused: readonly (readonly [string, (x: Tensor) => unknown])[] = [
    ['item', (x) => x.sum().item()],
    ['toArray', (x) => x.toArray()],
    ['data', (x) => x.data()],
    ['Number', (x) => Number(x)],
    ['unary plus', (x) => +x],
    ['a comparison', (x) => Number(x) > 0],
    ['JSON.stringify', (x) => JSON.stringify({ x })],
    ['valueOf', (x) => x.valueOf()],
    ['an array index', (x) => [1, 2, 3][Number(x)]],
    ['Math', (x) => Math.exp(Number(x))],
  ]
  test.each(refused)('%s of a traced value throws under jit and vmap', (_, use) => {
    const f = (x: Tensor): Tensor => {
      use(x)
      return x
    }
    for (const run of [() => jit(f)(v), () => vmap(f)(np.stack([v, v]))]) {
      const error = thrownBy(run)
      expect(error).toBeInstanceOf(TracerError)
      expect(error.message).toContain('errors.test.ts')
      expect(error.message).toMatch(/^ {2}fix /m)
    }
  })

  test('a leaked tracer is named as such, by the operation that meets it', () => {
    let leaked: Tensor = v
    jit((x: Tensor) => {
      leaked = x.sum()
      return x
    })(v)
    for (const run of [
      () => leaked.add(1),
      () => leaked.item(),
      () => leaked.toArray(),
      () => jit((x: Tensor) => x.add(leaked))(v),
    ]) {
      const error = thrownBy(run)
      expect(error).toBeInstanceOf(TracerError)
      expect(error.message).toMatch(/leak|outlive|transform|finished|ended/)
    }
  })

  test('a leaked tracer of vmap and grad too', () => {
    for (const transform of [
      (f: (x: Tensor) => Tensor) => vmap(f)(v),
      (f: (x: Tensor) => Tensor) => jit(grad(f))(tensor(1)),
    ]) {
      let leaked: Tensor = v
      transform((x) => {
        leaked = x
        return x.mul(2)
      })
      expect(() => leaked.mul(2).toArray()).toThrow(TracerError)
    }
  })

  test('console.log of a tracer shows its type and does not throw', async () => {
    const { inspect } = await import('node:util')
    let text = ''
    jit((x: Tensor) => {
      text = inspect(x)
      return x
    })(v)
    expect(text).toMatch(/f(loat)?32\[3\]/)
  })

  test('concrete tensors do convert', () => {
    expect(Number(tensor(3))).toBe(3)
    expect(JSON.parse(JSON.stringify({ x: v }))).toEqual({ x: [1, 2, 3] })
  })
})
