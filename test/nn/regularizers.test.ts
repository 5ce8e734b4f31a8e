/** Penalties: what they count, on which leaves, and what they do to a loss. */
import { type Tensor, grad, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn, optim, train } from '@cotangent/nn'
import { checkGrads, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const r = nn.regularizers
const params = {
  conv: { kernel: tensor([1, 0, -2]), bias: tensor([3]) },
  dense: [tensor([[0.5, 0]]), tensor(4)],
  steps: tensor(7, { dtype: 'int32' }),
}

describe('regularizers', () => {
  test('all floats by default', () => {
    expect(r.l0()(params).item()).toBe(5)
    expect(r.l1()(params).item()).toBe(10.5)
    expect(r.l2(2)(params).item()).toBe(2 * 30.25)
    expect(r.elasticNet({ l1: 2, l2: 0.5 })(params).item()).toBe(21 + 15.125)
    expect(r.l1()({}).item()).toBe(0)
  })

  test('a part, by path, by leaf, or by a mask', () => {
    expect(
      r
        .l1(1, { on: (_, path) => path.endsWith('kernel') })(params)
        .item(),
    ).toBe(3)
    expect(
      r
        .l2(1, { on: (w) => w.ndim === 2 })(params)
        .item(),
    ).toBe(0.25)
    const on = { conv: { kernel: true, bias: false }, dense: [false, true], steps: false }
    expect(r.l1(1, { on })(params).item()).toBe(7)
    expect(r.elasticNet({ on })(params).item()).toBe(7 + 21)
    expect(() => r.l1(1, { on: { conv: true } })(params)).toThrow('regularizers.l1')
  })

  test('differentiate and compile', () => {
    const w = { a: tensor([0.5, -2], { dtype: 'float64' }) }
    checkGrads((p: typeof w) => r.elasticNet({ l1: 0.3, l2: 0.7 })(p), [w])
    expect(grad((p: typeof w) => r.l2(0.5)(p))(w).a.toArray()).toEqual([0.5, -2])
    expect(grad((p: typeof w) => r.l0()(p).add(p.a.sum()))(w).a.toArray()).toEqual([1, 1])
    const penalty = (p: typeof w): Tensor => r.l1(0.1)(p)
    expect(jit(penalty)(w).item()).toBeCloseTo(0.25, 6)
  })

  test('in training: what is penalised shrinks', async () => {
    const model = nn.dense(1)
    const key = random.key(2)
    const data = [[random.normal(key, [8, 2]), random.normal(key, [8, 1])] as const]
    const last = async (regularizer: nn.regularizers.Regularizer): Promise<number> => {
      let size = Number.NaN
      for await (const { params: p } of train.fit({
        model,
        data,
        key,
        epochs: 30,
        regularizer,
        loss: nn.losses.meanSquaredError,
        optimizer: optim.sgd(0.1),
      })) {
        size = p.kernel.abs().sum().item()
      }
      return size
    }
    const onKernel = { on: (_: Tensor, path: string) => path === 'kernel' }
    expect(await last(r.l2(1, onKernel))).toBeLessThan(await last(r.l2(0, onKernel)))
  })
})
