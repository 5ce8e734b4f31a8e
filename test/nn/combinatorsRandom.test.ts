/** Random networks: what `init` says is what `apply` gives, eagerly, compiled, counted and differentiated. */
import { type Tensor, grad, sizeOf, tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

type Block = nn.Layer<unknown, unknown, string>

const features = fc.integer({ min: 1, max: 4 })
const leaf: fc.Arbitrary<Block> = fc.oneof(
  features.map((n): Block => nn.conv2d(n, 3, { padding: 'same' })),
  features.map((n): Block => nn.conv2d(n, 1, { layout: 'NCHW' })),
  features.map((n): Block => nn.separableConv2d(n, 3, { padding: 'same' })),
  features.map((n): Block => nn.convTranspose2d(n, 3, { padding: 1 })),
  fc.constantFrom<Block>(
    nn.batchNorm(),
    nn.instanceNorm(),
    nn.layerNorm(),
    nn.relu(),
    nn.tanh(),
    nn.prelu({ perChannel: true }),
    nn.dropout(0.3),
    nn.maxPool2d(3, { stride: 1, padding: 1 }),
    nn.depthwiseConv2d(3, { padding: 'same', multiplier: 2 }),
  ),
)

// Blocks keep height and width, so any may follow any, and sums meet their own shapes.
const { block } = fc.letrec<{ block: Block }>((tie) => ({
  block: fc.oneof(
    { maxDepth: 2 },
    leaf,
    fc
      .array(tie('block'), { minLength: 1, maxLength: 3 })
      .map(([first, ...rest]): Block => nn.serial(first!, ...rest)),
    fc
      .array(tie('block'), { minLength: 1, maxLength: 3 })
      .map(([first, ...rest]): Block => nn.serial(nn.branches(first!, ...rest), nn.concat())),
    tie('block').map(
      (b): Block =>
        nn.residual(nn.serial(b, nn.conv2d(2, 1)), {
          shortcut: nn.conv2d(2, 1),
          activation: nn.relu,
        }),
    ),
    fc.tuple(tie('block'), fc.integer({ min: 1, max: 2 })).map(([b, n]): Block => nn.repeat(n, b)),
  ),
}))

const key = random.key(5)
const shape = [2, 2, 4, 5] as const
const count = (params: unknown): number =>
  tree.leaves(params).reduce<number>((n, l) => n + (typeof l === 'object' ? sizeOf(l.shape) : 1), 0)

describe('random networks', () => {
  test('shapes, counts and compiled values agree', () => {
    fc.assert(
      fc.property(block, (net) => {
        const { params, state, outputShape } = net.init(key, shape)
        const x = random.normal(key, shape)
        const run = (p: unknown, input: Tensor): readonly [Tensor, unknown] =>
          net.apply({ params: p, state }, input, { train: true, key })
        const [y, next] = run(params, x)
        expect(y.shape).toEqual(outputShape)
        expect(tree.structure(next).key).toBe(tree.structure(state).key)
        const [z, after] = jit(run)(params, x)
        expect(np.allclose(y, z, { rtol: 1e-3, atol: 1e-4 }).item()).toBe(1)
        expect(tree.allClose(next, after, { rtol: 1e-3, atol: 1e-4 })).toBe(true)
        const { totals, outputShape: said } = nn.summary(net, shape)
        expect(totals.parameters).toBe(count(params))
        expect(totals.state).toBe(count(state))
        expect(said).toEqual(outputShape)
      }),
      { numRuns: 25 },
    )
  })

  test('gradients have the parameters’ structure, and none where frozen', () => {
    fc.assert(
      fc.property(block, (net) => {
        const { params, state } = net.init(key, shape)
        const x = random.normal(key, shape)
        const loss =
          (layer: Block) =>
          (p: unknown): Tensor =>
            layer.apply({ params: p, state }, x)[0].square().sum()
        const g = grad(loss(net))(params)
        expect(tree.structure(g).key).toBe(tree.structure(params).key)
        const none = grad(loss(nn.frozen(net)))(params)
        expect(
          tree.leaves(none).every((l) => typeof l === 'object' && l.abs().max().item() === 0),
        ).toBe(true)
        const mask = nn.trainable(nn.frozen(net), params)
        expect(tree.leaves(mask).every((l) => l === false)).toBe(true)
      }),
      { numRuns: 15 },
    )
  })

  test('folding keeps what they compute', () => {
    fc.assert(
      fc.property(block, (net) => {
        const { params, state } = net.init(key, shape)
        const x = random.normal(key, shape)
        const [, trained] = net.apply({ params, state }, x, { train: true, key })
        const [y] = net.apply({ params, state: trained }, x)
        const folded = nn.foldBatchNorm(net, { params, state: trained })
        const [z] = folded.layer.apply(folded, x)
        expect(tree.allClose(z, y, { rtol: 1e-3, atol: 1e-3 })).toBe(true)
      }),
      { numRuns: 15 },
    )
  })
})
