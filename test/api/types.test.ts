import {
  cond,
  evalShape,
  grad,
  hessian,
  jit,
  jvp,
  models,
  nn,
  optim,
  random,
  scan,
  type Tensor,
  tensor,
  tree,
  valueAndGrad,
  vjp,
  vmap,
} from 'cotangent'
import { describe, expect, expectTypeOf, test } from 'vitest'

const v = tensor([1, 2, 3])

interface Params {
  readonly w: Tensor
  readonly deep: { readonly b: Tensor; readonly none: null }
  readonly list: readonly Tensor[]
  readonly pair: readonly [Tensor, { readonly c: Tensor }]
}
const params: Params = {
  w: v,
  deep: { b: tensor(1), none: null },
  list: [tensor(1)],
  pair: [tensor(2), { c: tensor(3) }],
}
const loss = (p: Params, x: Tensor): Tensor =>
  p.w.mul(x).sum().add(p.deep.b).add(p.list[0]!).add(p.pair[0]).add(p.pair[1].c)

describe('types', () => {
  test('grad gives the tree type of its argument', () => {
    expectTypeOf(grad(loss)(params, v)).toEqualTypeOf<Params>()
    expectTypeOf(grad(loss)).parameters.toEqualTypeOf<[p: Params, x: Tensor]>()
    expectTypeOf(grad(loss, { argnums: 1 })(params, v)).toEqualTypeOf<Tensor>()
    expectTypeOf(grad(loss, { argnums: [0, 1] })(params, v)).toEqualTypeOf<
      readonly [Params, Tensor]
    >()
    expectTypeOf(valueAndGrad(loss)(params, v)).toEqualTypeOf<readonly [Tensor, Params]>()
    const aux = (x: Tensor): readonly [Tensor, { readonly n: Tensor }] => [x.sum(), { n: x }]
    expectTypeOf(grad(aux, { hasAux: true })(v)).toEqualTypeOf<
      readonly [Tensor, { readonly n: Tensor }]
    >()
    expectTypeOf(valueAndGrad(aux, { hasAux: true })(v)).toEqualTypeOf<
      readonly [readonly [Tensor, { readonly n: Tensor }], Tensor]
    >()
    expect(grad(loss)(params, v).pair[1].c.item()).toBe(1)
  })

  test('the other transforms keep the types too', () => {
    const f = (x: Tensor, o: { readonly a: Tensor }): { readonly y: Tensor } => ({ y: x.mul(o.a) })
    const o = { a: v }
    expectTypeOf(jit(f)(v, o)).toEqualTypeOf<{ readonly y: Tensor }>()
    expectTypeOf(vmap(f)(v, o)).toEqualTypeOf<{ readonly y: Tensor }>()
    const [out, dot] = jvp(f, [v, o], [v, o])
    expectTypeOf(out).toEqualTypeOf<{ readonly y: Tensor }>()
    expectTypeOf(dot).toEqualTypeOf<{ readonly y: Tensor }>()
    const [, pullback] = vjp(f, v, o)
    expectTypeOf(pullback({ y: v })[1]).toEqualTypeOf<{ readonly a: Tensor }>()
    expectTypeOf(hessian((x: Tensor) => x.sum())(v)).toEqualTypeOf<Tensor>()
    const [carry, ys] = scan(
      (c: { readonly s: Tensor }, x: Tensor) => [{ s: c.s.add(x) }, { out: x }] as const,
      { s: tensor(0) },
      v,
    )
    expectTypeOf(carry.s).toEqualTypeOf<Tensor>()
    expectTypeOf(ys.out).toEqualTypeOf<Tensor>()
    expectTypeOf(
      cond(
        true,
        (x: Tensor) => ({ y: x }),
        (x: Tensor) => ({ y: x.neg() }),
        v,
      ).y,
    ).toEqualTypeOf<Tensor>()
    expectTypeOf(evalShape(f, v, o).y.shape).toEqualTypeOf<readonly number[]>()
    expectTypeOf(tree.map((x: Tensor) => x.shape.length, params).deep.b).toEqualTypeOf<number>()
    expectTypeOf(tree.map((x: Tensor) => x.neg(), params).pair[1].c).toEqualTypeOf<Tensor>()
  })

  test('parameters of a network are typed from its layers', () => {
    const { params: p, state } = models.lenet5().init(random.key(0), [1, 1, 28, 28])
    expectTypeOf(p.conv1.kernel).toEqualTypeOf<Tensor>()
    expect(p.conv1.kernel.shape).toEqual([6, 1, 5, 5])
    // @ts-expect-error: lenet5 has no such layer
    expect(p.conv9).toBe(undefined)
    const net = nn.serial(nn.dense(2), nn.dense(3))
    const made = net.init(random.key(0), [1, 4])
    const g = grad((q: typeof made.params) =>
      net
        .apply(
          { params: q, state: made.state },
          v.reshape([1, 3]).matmul(new Array(3).fill([1, 0, 0, 0])),
          { train: false },
        )[0]
        .sum(),
    )(made.params)
    expectTypeOf(g).toEqualTypeOf<typeof made.params>()
    const adam = optim.adam(1e-3)
    const [updates] = adam.update(p, adam.init(p), p)
    expectTypeOf(updates).toEqualTypeOf<typeof p>()
    expect(state).toBeDefined()
  })

  test('mistakes do not compile', () => {
    const mistakes = [
      // @ts-expect-error: the second argument is missing
      () => grad(loss)(params),
      // @ts-expect-error: a string is no leaf
      () => grad(loss)({ ...params, w: 'text' }, v),
      // @ts-expect-error: no such method
      () => v.plus(1),
      // @ts-expect-error: no such dtype
      () => v.astype('float99'),
      // @ts-expect-error: no such option
      () => grad(loss, { argNum: 0 })(params, v),
      // @ts-expect-error: shapes are read-only
      () => v.shape.push(3),
      // @ts-expect-error: gradients are read-only
      () => (grad(loss)(params, v).w = v),
      // @ts-expect-error: an operand cannot be a string
      () => v.add('1'),
    ]
    expect(mistakes).toHaveLength(8)
  })

  test('a dtype narrows the typed array that data gives', () => {
    expectTypeOf(v.dtype).toExtend<string>()
    expectTypeOf(v.sum().item()).toEqualTypeOf<number>()
    expectTypeOf([...v]).toEqualTypeOf<Tensor[]>()
  })
})
