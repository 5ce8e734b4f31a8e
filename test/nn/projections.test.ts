/** Projections: in the set, the same for what lies in it, and nearer than any other point of it. */
import { type Tensor, grad, tensor, tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

type Tree = { readonly a: Tensor; readonly b: readonly [Tensor] }
const drawn = (seed: number, scale = 2): Tree => ({
  a: random.normal(random.key(seed), [2, 2]).mul(scale),
  b: [random.normal(random.key(seed + 1), [3]).mul(scale)],
})
const { projections: p } = optim
const direction = drawn(77)
const sum = (x: Tree): number => x.a.sum().add(x.b[0].sum()).item()
const magnitude = (x: Tree): number => x.a.abs().sum().add(x.b[0].abs().sum()).item()
const norm = (x: Tree): number => optim.globalNorm(x).item()
const least = (x: Tree): number => Math.min(x.a.min().item(), x.b[0].min().item())
const most = (x: Tree): number => Math.max(x.a.max().item(), x.b[0].max().item())
const along = (x: Tree): number =>
  x.a.mul(direction.a).sum().add(x.b[0].mul(direction.b[0]).sum()).item()
const distance = (x: Tree, y: Tree): number =>
  Math.sqrt(x.a.sub(y.a).square().sum().add(x.b[0].sub(y.b[0]).square().sum()).item())

const near = 1e-4
const sets: Readonly<
  Record<string, readonly [project: (x: Tree) => Tree, isIn: (x: Tree) => boolean]>
> = {
  nonNegative: [p.nonNegative, (x) => least(x) >= 0],
  hypercube: [(x) => p.hypercube(x, 0.7), (x) => least(x) >= 0 && most(x) <= 0.7 + near],
  box: [(x) => p.box(x, -0.2, 1), (x) => least(x) >= -0.2 - near && most(x) <= 1],
  linfBall: [(x) => p.linfBall(x, 0.5), (x) => Math.max(-least(x), most(x)) <= 0.5],
  simplex: [(x) => p.simplex(x, 3), (x) => least(x) >= 0 && Math.abs(sum(x) - 3) < near],
  l1Sphere: [(x) => p.l1Sphere(x, 2), (x) => Math.abs(magnitude(x) - 2) < near],
  l1Ball: [(x) => p.l1Ball(x, 4), (x) => magnitude(x) <= 4 + near],
  l2Sphere: [(x) => p.l2Sphere(x, 2), (x) => Math.abs(norm(x) - 2) < near],
  l2Ball: [(x) => p.l2Ball(x, 4), (x) => norm(x) <= 4 + near],
  hyperplane: [(x) => p.hyperplane(x, direction, 1.5), (x) => Math.abs(along(x) - 1.5) < 1e-3],
  halfspace: [(x) => p.halfspace(x, direction, -1), (x) => along(x) <= -1 + 1e-3],
  vector: [
    (x) => p.vector(x, direction),
    (x) => Math.abs(Math.abs(along(x)) - norm(x) * norm(direction)) < 1e-2,
  ],
}

describe('projections', () => {
  test.each(Object.entries(sets))('%s', (_, [project, isIn]) => {
    const compiled = jit(project)
    fc.assert(
      fc.property(fc.nat(1000), fc.constantFrom(0.3, 3), (seed, scale) => {
        const x = drawn(seed, scale)
        const y = compiled(x)
        expect(isIn(y)).toBe(true)
        expect(tree.allClose(compiled(y), y, { atol: 1e-4 })).toBe(true)
        // Any other point of the set lies at least as far away.
        const other = compiled(drawn(seed + 5000, scale))
        expect(distance(x, y)).toBeLessThan(distance(x, other) + 1e-3)
      }),
      { numRuns: 20 },
    )
  })

  test('bounds may be trees, and zeros are of either sign', () => {
    const x = { a: tensor([-3, 0.5]), b: tensor([9]) }
    const low = { a: tensor([-1, 1]), b: tensor([0]) }
    expect(tree.map((t: Tensor) => t.toArray(), p.box(x, low, 4))).toEqual({ a: [-1, 1], b: [4] })
    expect(
      p
        .l1Sphere(tensor([0, 0.5]), 2)
        .abs()
        .sum()
        .item(),
    ).toBeCloseTo(2, 6)
    expect(p.l2Ball({ a: np.zeros([2]) }).a.toArray()).toEqual([0, 0])
  })

  test('descent within a ball ends where the gradient points out of it', () => {
    const target = tensor([3, 4])
    const loss = (x: Tensor): Tensor => x.sub(target).square().sum()
    let x = np.zeros([2])
    for (let i = 0; i < 50; i++) x = p.l2Ball(x.sub(grad(loss)(x).mul(0.2)), 1)
    expect(x.at(0).item()).toBeCloseTo(0.6, 4)
    expect(x.at(1).item()).toBeCloseTo(0.8, 4)
  })
})
