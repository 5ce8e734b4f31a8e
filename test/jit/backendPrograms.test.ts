/** Programs of several hundred elements, in every dtype: all back ends and one to three threads. */
import {
  type DType,
  type Tensor,
  checkpoint,
  flatten,
  grad,
  interpret,
  isHalf,
  leafTensor,
  sizeOf,
  vmap,
} from '@cotangent/core'
import { getThreads, jit, setThreads, threads } from '@cotangent/jit'
import { cond, foriLoop, lax, np, scan, whileLoop } from '@cotangent/ops'
import { afterAll, describe, expect, test } from 'vitest'
import { expectClose } from './support.ts'

const wave = (...shape: readonly number[]): Tensor =>
  np.sin(np.arange(sizeOf(shape)).astype('float32').mul(1.7)).reshape([...shape])

const threadsBefore = getThreads()
afterAll(() => setThreads(threadsBefore))

/** Sums of at most a few hundred terms near 1, and functions within 2 units, some in a row. */
const tolerance = 3e-5

const bitsOf = (tree: unknown): readonly unknown[] =>
  flatten(tree).leaves.map((x) => leafTensor(x).data())

const agree = (f: (...xs: readonly Tensor[]) => unknown, ...xs: readonly Tensor[]): void => {
  const want = interpret(f)(...xs)
  expectClose(jit(f, { backend: 'js' })(...xs), want, tolerance)
  threads.setForksAlways(true)
  try {
    const compiled = jit(f, { backend: 'wasm' })
    setThreads(1)
    const single = compiled(...xs)
    expectClose(single, want, tolerance)
    const alone = bitsOf(single)
    for (const count of [2, 3]) {
      setThreads(count)
      expect(bitsOf(compiled(...xs))).toEqual(alone)
    }
  } finally {
    threads.setForksAlways(false)
  }
}

const dtypes: readonly DType[] = [
  'float32',
  'float64',
  'float16',
  'bfloat16',
  'int32',
  'uint32',
  'int16',
  'uint16',
  'int8',
  'uint8',
  'bool',
]

describe.each(dtypes)('%s', (dtype) => {
  const x = wave(37, 53).mul(50).astype(dtype)
  test('movement', () =>
    agree(
      (a) => [
        np.flip(a, 1),
        a.T.at('2:', '::3'),
        a.at('::-1', '::2'),
        np.pad(a, 3),
        np.concatenate([a, a.at('5:9')], 0),
        np.roll(a, 5, { axis: 1 }),
        np.tril(a),
        np.take(a, np.array([3, 0, 7, 3]).astype('int32'), { axis: 1 }),
      ],
      x,
    ))
  test('arithmetic, choices and conversions', () =>
    agree(
      (a) => [
        a.add(a),
        a.mul(3),
        a.maximum(np.flip(a, 0)),
        np.where(a.greater(3), a, a.mul(2)),
        a.astype('float32').add(0.5),
        a.astype('int32'),
        a.astype('uint8'),
        a.greater(np.roll(a, 1, { axis: 0 })),
      ],
      x,
    ))
  test('reductions and order', () =>
    agree(
      (a) => [
        a.sum({ axis: 0 }),
        a.max({ axis: 1 }),
        a.min(),
        a.cumsum({ axis: 1 }),
        a.argmax({ axis: 1 }),
        a.argmin({ axis: 0 }),
        a.sort({ axis: 1 }),
        a.argsort({ axis: 0 }),
      ],
      isHalf(dtype) ? x.div(64) : x,
    ))
  // Half floats are rounded at stores only: a carry that feeds back would amplify the difference.
  if (isHalf(dtype)) return
  test('a scan', () =>
    agree(
      (a) =>
        scan(
          (c: Tensor, row: Tensor) => [c.add(row).maximum(np.flip(row, 0)), c.mul(2)],
          a.at(0),
          a.at(':11'),
        ),
      x,
    ))
})

describe('control flow', () => {
  test('a recurrent layer and its gradient', () =>
    agree(
      grad((w: Tensor, xs: Tensor) => {
        const step = (h: Tensor, x: Tensor): readonly [Tensor, Tensor] => {
          const next = np.tanh(x.matmul(w).add(h))
          return [next, next.sum()]
        }
        return scan(step, np.zeros([5, 33]), xs)[1].sum()
      }),
      wave(33, 33).mul(0.1),
      wave(11, 5, 33),
    ))
  test('a loop of unknown length', () =>
    agree(
      (x) =>
        whileLoop(
          (c: Tensor) => c.abs().sum().greater(10),
          (c: Tensor) => c.mul(0.7).add(np.roll(c, 1).mul(0.1)),
          x,
        ),
      wave(1003),
    ))
  test('branches in a loop', () =>
    agree(
      (x) =>
        foriLoop(
          0,
          7,
          (i, c: Tensor) =>
            cond(
              i.mod(2).equal(0),
              (y: Tensor) => y.add(x),
              (y: Tensor) => np.flip(y, 0).mul(0.5),
              c,
            ),
          x,
        ),
      wave(13, 77),
    ))
})

describe('derivatives', () => {
  test('in a batch', () =>
    agree(vmap(grad((x: Tensor) => np.logaddexp(x, x.mul(2)).mul(x).sum())), wave(9, 131)))
  test('of a softmax with cross-entropy', () =>
    agree(
      grad((x: Tensor) => {
        const centred = x.sub(x.max({ axis: -1, keepdims: true }))
        const logits = centred.sub(centred.exp().sum({ axis: -1, keepdims: true }).log())
        return logits.at(':', 3).mean().neg()
      }),
      wave(61, 10),
    ))
  test('of batch normalisation', () =>
    agree(
      grad((x: Tensor) => {
        const over = { axis: [0, 2, 3], keepdims: true }
        const centred = x.sub(x.mean(over))
        const variance = centred.square().mean(over)
        return centred
          .mul(lax.rsqrt(variance.add(0.1)))
          .maximum(0)
          .mul(x)
          .sum()
      }),
      wave(5, 7, 9, 11),
    ))
  test('with recomputation', () =>
    agree(
      grad((x: Tensor) => checkpoint((y: Tensor) => np.sin(y.matmul(y.T)).exp())(x).sum()),
      wave(19, 23).mul(0.3),
    ))
})
