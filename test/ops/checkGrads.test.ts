import {
  type Tensor,
  NumericsError,
  UnsupportedError,
  customJvp,
  customVjp,
  stopGradient,
  tensor,
} from '@cotangent/core'
import { checkGrads, costOf, cond, foriLoop, lax, np, scan, whileLoop } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const x = tensor([0.3, -1.2, 0.8])
const rowsOf = (v: Tensor): Tensor => v.mul(tensor([[1], [2]]))

describe('checkGrads', () => {
  test('accepts what is right, to the third order', () => {
    checkGrads((v: Tensor) => v.sin().mul(v).exp(), [x])
    checkGrads((v: Tensor) => v.sin().mul(v), [x], { order: 3 })
    checkGrads(
      (a: Tensor, t: { readonly b: Tensor; readonly n: Tensor }) => ({
        y: a.mul(t.b),
        n: t.n,
        z: a.sum(),
      }),
      [x, { b: tensor([1, 2, 3]), n: tensor(2, { dtype: 'int32' }) }],
    )
    checkGrads((v: Tensor) => scan((s, u) => [s.mul(u).sin(), s.add(u)], 1, v), [x])
    checkGrads((v: Tensor) => lax.associativeScan((a, b) => a.mul(b), v), [x])
    checkGrads(
      (v: Tensor) =>
        cond(
          v.at(0).greater(0),
          (u) => u.exp(),
          (u) => u,
          v,
        ),
      [x],
    )
    checkGrads((v: Tensor) => foriLoop(0, 3, (_, s) => s.sin().mul(v), v), [x])
    checkGrads(
      (v: Tensor) =>
        whileLoop(
          (s) => s.sum().less(4),
          (s) => s.mul(1.5).add(v.mul(v)),
          v,
        ),
      [x],
      { modes: ['fwd'] },
    )
    checkGrads((v: Tensor) => v.astype('float32').tanh(), [x])
  })
  test('names the worst element of what is wrong', () => {
    const bent = customJvp(
      (v: Tensor) => v.sin(),
      ([v], [dv]) => [
        v.sin(),
        v
          .cos()
          .mul(dv)
          .mul(tensor([1, 1.5, 1])),
      ],
    )
    expect(() => checkGrads(bent, [x], { modes: ['fwd'] })).toThrow(NumericsError)
    expect(() => checkGrads(bent, [x], { modes: ['fwd'] })).toThrow(/forward mode[\s\S]*element 1/)
    const wrong = customVjp(
      (a: Tensor, b: Tensor) => a.mul(b),
      (a: Tensor, b: Tensor): readonly [Tensor, readonly [Tensor, Tensor]] => [a.mul(b), [a, b]],
      ([a, b]: readonly [Tensor, Tensor], ct: Tensor) => [ct.mul(b), ct.mul(a).neg()],
    )
    expect(() => checkGrads(wrong, [x, x.add(2)], { modes: ['rev'] })).toThrow(
      /reverse mode[\s\S]*argument \[1\]/,
    )
    // Right values, wrong second derivative.
    const second = customJvp(
      (v: Tensor) => v.sin(),
      ([v], [dv]) => [v.sin(), stopGradient(v.cos()).mul(dv)],
    )
    checkGrads(second, [x], { order: 1 })
    expect(() => checkGrads(second, [x])).toThrow(/derivative of the derivative/)
    expect(() => checkGrads((v: Tensor) => v.sum(), [tensor(1, { dtype: 'int32' })])).toThrow(
      UnsupportedError,
    )
  })
})

describe('costOf', () => {
  const f32 = (...shape: readonly number[]) => ({ shape, dtype: 'float32' as const })
  test('products, sums and loops', () => {
    expect(costOf((w: Tensor, v: Tensor) => w.matmul(v))(f32(8, 4), f32(4, 2))).toEqual({
      multiplyAdds: 8 * 4 * 2,
      flops: 2 * 8 * 4 * 2,
      bytes: 4 * (32 + 8 + 16),
      parameters: 32,
    })
    expect(costOf((v: Tensor) => v.add(v))(f32(10)).flops).toBe(10)
    expect(costOf((v: Tensor) => v.sum())(f32(10)).flops).toBe(10)
    expect(costOf((v: Tensor) => v.reshape(2, 5).T)(f32(10)).flops).toBe(0)
    const loop = (v: Tensor): Tensor => scan((s, u) => [s.add(u), null], np.zeros([3]), v)[0]
    expect(costOf(loop)(f32(7, 3)).flops).toBe(7 * 3)
    expect(
      costOf((v: Tensor) =>
        cond(
          v.at(0).greater(0),
          (u) => u.mul(u).mul(u),
          (u) => u,
          v,
        ),
      )(f32(10)).flops,
    ).toBe(20)
  })
  test('convolutions, and a tree of parameters', () => {
    const conv = costOf((p: { readonly w: Tensor; readonly b: Tensor }, v: Tensor) =>
      lax.conv(v, p.w, [1, 1], 'VALID').add(p.b),
    )
    const cost = conv({ w: np.zeros([4, 3, 3, 3]), b: np.zeros([4, 1, 1]) }, f32(2, 3, 8, 8))
    const outputs = 2 * 4 * 6 * 6
    expect(cost.parameters).toBe(4 * 27 + 4)
    expect(cost.flops).toBe(outputs * 2 * 27 + outputs)
    expect(cost.multiplyAdds).toBe(outputs * 27)
    // As defined, though minimal filtering gets by with fewer.
    const wide = costOf((v: Tensor, k: Tensor) => lax.conv(v, k, [1, 1], 'SAME'))
    expect(wide(f32(8, 64, 56, 56), f32(64, 64, 3, 3)).flops).toBe(2 * 8 * 64 * 56 * 56 * 576)
  })
  test('every operation has a cost', () => {
    const many = (v: Tensor): Tensor =>
      np
        .sort(v)
        .cumsum()
        .add(np.argsort(v))
        .add(rowsOf(v).max({ axis: 0 }))
    expect(costOf(many)(x).flops).toBeGreaterThan(0)
  })
})
