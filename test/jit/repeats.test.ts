/** Repeated layers are compiled once: equal kernels are one object and one function. */
import { type Index, type Scalar, type Stmt, type Tensor, grad, scalars } from '@cotangent/core'
import { type CodeBackend, type Lowered, jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { sameBody } from '../../packages/jit/src/loops/equal.ts'
import type { Kernel } from '../../packages/jit/src/kernel.ts'
import { Repeats } from '../../packages/jit/src/repeats.ts'

const { affine, binaryOp, counter, dataIndex, fromIndex, guard, literal, load, local, within } =
  scalars

const i = counter('i', 8)
const at = affine([[2, i]], 3)

/** Each differs from all the others in one thing. */
const values: readonly (() => Scalar)[] = [
  () => load('in0', 'float32', i),
  () => load('in1', 'float32', i),
  () => load('in0', 'float32', counter('i', 9)),
  () => load('in0', 'float32', affine([[2, i]], 3)),
  () => load('in0', 'float32', affine([[2, i]], 4)),
  () => load('in0', 'float32', affine([[3, i]], 3)),
  () => load('in0', 'float32', scalars.floorDivide(affine([[1, i]], 1), 3)),
  () => load('in0', 'float32', scalars.modulo(affine([[1, i]], 1), 3)),
  () => load('in0', 'float32', dataIndex(local('int32', 'k'), 0, 7)),
  () => load('in0', 'float32', dataIndex(local('int32', 'k'), 0, 6)),
  () => literal('float32', 0),
  () => literal('float32', -0),
  () => literal('float64', 0),
  () => literal('float32', Number.NaN),
  () => local('float32', 'x'),
  () => local('float32', 'y'),
  () => binaryOp('add', local('float32', 'x'), local('float32', 'y')),
  () => binaryOp('add', local('float32', 'y'), local('float32', 'x')),
  () => binaryOp('multiply', local('float32', 'x'), local('float32', 'y')),
  () => scalars.convertTo('float32', local('int32', 'k')),
  () => scalars.bitcastTo('float32', local('int32', 'k')),
  () => fromIndex('float32', at),
  () => guard(within(at, 0, 5), local('float32', 'x'), literal('float32', 0)),
  () => guard(within(at, 0, 6), local('float32', 'x'), literal('float32', 0)),
  () => scalars.selectOp(within(at, 0, 5), local('float32', 'x'), literal('float32', 0)),
]

const storing = (value: Scalar, index: Index = i): readonly Stmt[] => [
  {
    tag: 'for',
    counter: 'i',
    extent: 8,
    body: [{ tag: 'store', buffer: 'out', at: index, value }],
  },
]

describe('statements are compared by what they are', () => {
  test('each is equal to another copy of itself alone', () => {
    values.forEach((a, n) => {
      values.forEach((b, m) => {
        expect(sameBody(storing(a()), storing(b())), `${n} and ${m}`).toBe(n === m)
      })
    })
  })

  test('what surrounds them counts', () => {
    const body = storing(values[0]!())
    const loop = body[0]!
    if (loop.tag !== 'for') throw new Error('it is a loop')
    expect(sameBody(body, [{ ...loop, parallel: true }])).toBe(false)
    expect(sameBody(body, [{ ...loop, lanes: 4 }])).toBe(false)
    expect(sameBody(body, [...body, ...body])).toBe(false)
    expect(sameBody(body, storing(values[0]!(), at))).toBe(false)
  })

  test('values that are shared hundreds of times over take no time', () => {
    const deep = (): Scalar => {
      let x: Scalar = local('float32', 'x')
      for (let n = 0; n < 200; n++) x = binaryOp('add', x, x)
      return x
    }
    expect(sameBody(storing(deep()), storing(deep()))).toBe(true)
  })
})

test('kernels are one object only where their arrays are alike, too', () => {
  const kernel = (size: number): Kernel => ({
    name: 'k',
    buffers: [{ name: 'out', dtype: 'float32', size, access: 'write' }],
    body: storing(values[10]!()),
  })
  const repeats = new Repeats()
  const first = repeats.of(kernel(8))
  expect(repeats.of(kernel(8))).toBe(first)
  expect(repeats.of(kernel(16))).not.toBe(first)
  expect(repeats.of({ ...kernel(8), name: 'other' })).not.toBe(first)
})

const normal = (seed: number, shape: readonly number[]): Tensor =>
  random.normal(random.key(seed), shape)

/** The gradient of so many equal convolutions, one after the other. */
const tower = (blocks: number, backend: CodeBackend): Lowered => {
  const loss = (kernels: readonly Tensor[], x: Tensor): Tensor => {
    const block = (y: Tensor, kernel: Tensor): Tensor =>
      nn.relu(nn.functional.conv(y, kernel, { padding: 1 }))
    const y = kernels.reduce(block, x)
    return y.mul(y).sum()
  }
  const kernels = Array.from({ length: blocks }, (_, n) => normal(n, [8, 8, 3, 3]))
  return jit(grad(loss), { backend }).lower(kernels, normal(99, [4, 8, 10, 10]))
}

describe.each(['wasm', 'js'] as const)('a network of equal blocks (%s)', (backend) => {
  const kernelsOf = (lowered: Lowered): ReadonlySet<Kernel> => {
    const { steps } = lowered.compile().program
    return new Set(steps.flatMap((s) => (s.tag === 'kernel' ? [s.kernel] : [])))
  }

  test('has as many functions when it is deeper', () => {
    const [shallow, deep] = [tower(4, backend), tower(9, backend)]
    expect(deep.kernels).toHaveLength(shallow.kernels.length)
  })

  test('has a kernel for each function, however often it is called', () => {
    const deep = tower(9, backend)
    expect(kernelsOf(deep).size).toBe(deep.kernels.length)
    expect(deep.compile().program.steps.length).toBeGreaterThan(2 * deep.kernels.length)
  })
})
