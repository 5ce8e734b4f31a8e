/** What the examples of a named vmap tell each other, against the same thing written out. */
import { type Tensor, TracerError, checkpoint, grad, jvp, tensor, vmap } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { cond, lax, np, scan } from '@cotangent/ops'
import { expect, test } from 'vitest'
import { type Law, expectClose, expectSame } from './agreement.ts'

const x = tensor([
  [1, 2],
  [3, 5],
  [-1, 0.5],
])
const over =
  (f: (x: Tensor) => unknown): Law =>
  (v) =>
    vmap(f, { axisName: 'i' })(v!)
const everywhere = (y: Tensor): Tensor => np.broadcastTo(y, [3, ...y.shape])

test('sums, means, extremes and gathers', () => {
  expectSame(
    over((v) => lax.psum(v.sin(), 'i')),
    (v) => everywhere(v!.sin().sum({ axis: 0 })),
    [x],
  )
  expectSame(
    over((v) => lax.pmean(v.mul(v), 'i')),
    (v) => everywhere(v!.mul(v!).mean({ axis: 0 })),
    [x],
  )
  expectSame(
    over((v) => lax.pmax(v, 'i')),
    (v) => everywhere(v!.max({ axis: 0 })),
    [x],
  )
  expectSame(
    over((v) => lax.pmin(v, 'i')),
    (v) => everywhere(v!.min({ axis: 0 })),
    [x],
  )
  expectSame(
    over((v) => lax.allGather(v, 'i')),
    (v) => everywhere(v!),
    [x],
  )
  expectSame(
    over((v) => lax.allGather(v, 'i', { axis: -1 })),
    (v) => everywhere(v!.T),
    [x],
  )
  expectSame(
    over((v) => v.mul(lax.axisIndex('i'))),
    (v) => v!.mul(tensor([[0], [1], [2]])),
    [x],
  )
  expectSame(
    over((v) => lax.psumScatter(lax.allGather(v, 'i'), 'i')),
    (v) => v!.mul(3),
    [x],
  )
  expectSame(
    over((v) =>
      lax.ppermute(v, 'i', [
        [0, 1],
        [1, 2],
      ]),
    ),
    (v) => np.concatenate([np.zeros([1, 2]), v!.at(':2')]),
    [x],
  )
})

test('values that are the same for the whole batch', () => {
  const both = vmap((v: Tensor) => ({ v, n: lax.psum(1, 'i'), i: lax.axisIndex('i') }), {
    axisName: 'i',
  })(x)
  expect(both.n.toArray()).toEqual([3, 3, 3])
  expect(both.i.toArray()).toEqual([0, 1, 2])
  expectSame(
    (v, w) => vmap((u: Tensor) => lax.pmean(u.mul(w!), 'i'), { axisName: 'i' })(v!),
    (v, w) => everywhere(v!.mul(w!).mean({ axis: 0 })),
    [x, tensor(2)],
  )
})

test('inside loops, branches, checkpoints and compiled functions', () => {
  const normalised = (v: Tensor): Tensor => v.sub(lax.pmean(v, 'i'))
  const plain = (v: Tensor): Tensor => v.sub(v.mean({ axis: 0 }))
  const twice =
    (f: (v: Tensor) => Tensor) =>
    (v: Tensor): Tensor =>
      f(f(v).sin())
  expectSame(
    over((v) => scan((c) => [normalised(c).sin(), c], v, null, { length: 2 })[0]),
    (v) => plain(plain(v!).sin()).sin(),
    [x],
  )
  expectSame(over(checkpoint(twice(normalised))), (v) => twice(plain)(v!), [x])
  expectSame(over(jit(twice(normalised))), (v) => twice(plain)(v!), [x])
  expectSame(
    over((v) => cond(lax.psum(v, 'i').at(0).greater(0), normalised, (u) => u, v)),
    (v) => np.where(v!.sum({ axis: 0 }).at(0).greater(0), plain(v!), v!),
    [x],
  )
})

test('several axes', () => {
  const both =
    (f: (v: Tensor) => unknown): Law =>
    (v) =>
      vmap(vmap(f, { axisName: 'inner' }), { axisName: 'outer' })(v!)
  const total = (v: Tensor): Tensor => np.broadcastTo(v.sum(), v.shape)
  expectSame(
    both((v) => lax.psum(v, ['inner', 'outer'])),
    (v) => total(v!),
    [x],
  )
  expectSame(
    both((v) => lax.psum(lax.psum(v, 'outer'), 'inner')),
    (v) => total(v!),
    [x],
  )
  expectSame(
    both((v) => lax.psum(v, 'outer')),
    (v) => np.broadcastTo(v!.sum({ axis: 0, keepdims: true }), v!.shape),
    [x],
  )
  // An inner axis of the same name hides the outer one.
  const hidden = (v: Tensor): Tensor =>
    vmap(
      vmap((u: Tensor) => lax.psum(u, 'i'), { axisName: 'i' }),
      { axisName: 'i' },
    )(v)
  expectClose(hidden(x), np.broadcastTo(x.sum({ axis: 1, keepdims: true }), x.shape))
})

test('derivatives inside the batch see the other examples', () => {
  const loss = (v: Tensor): Tensor => lax.psum(v.mul(v), 'i')
  const g = vmap(grad(loss), { axisName: 'i' })(tensor([1, 2, 3]))
  // Every example's loss holds every x²: their gradients add up.
  expectClose(g, tensor([6, 12, 18]))
  expectClose(
    vmap((v: Tensor) => jvp(loss, [v], [tensor(1)])[1], { axisName: 'i' })(tensor([1, 2, 3])),
    tensor([12, 12, 12]),
  )
})

test('an axis that is not there is named', () => {
  expect(() => lax.psum(x, 'i')).toThrow(TracerError)
  expect(() => vmap((v: Tensor) => lax.psum(v, 'j'), { axisName: 'i' })(x)).toThrow(
    /"j"[\s\S]*axes i/,
  )
  expect(() =>
    vmap(
      (v: Tensor) =>
        lax.ppermute(v, 'i', [
          [0, 1],
          [2, 1],
        ]),
      { axisName: 'i' },
    )(x),
  ).toThrow(/twice/)
  expect(() => vmap((v: Tensor) => lax.psumScatter(v, 'i'), { axisName: 'i' })(x)).toThrow(
    /first axis/,
  )
})
