/** The networks for sequences: published parameters, one compiled step, reading piece by piece, writing. */
import { type Tensor, tensor, tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { models, nn } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { learn, parametersOf } from './learning.ts'

const key = random.key(0)
const { softmaxCrossEntropy } = nn.losses

/** Losses fall. */
const expectLearning = <P, X, Y>(
  net: nn.Layer<P, nn.None, string, Y, X>,
  x: X,
  loss: (y: Y) => Tensor,
): void => {
  const { losses } = learn(net, [2, 7], x, loss, 20)
  expect(losses.at(-1)!).toBeLessThan(losses[0]!)
}

const codes = tensor(
  [
    [0, 1, 2, 3, 4, 0, 1, 2],
    [4, 3, 2, 1, 0, 4, 3, 2],
  ],
  { dtype: 'int32' },
)
const [before, after] = [codes.at(':', ':-1'), codes.at(':', '1:')]

describe('charRnn', () => {
  test.each([
    [{ vocabulary: 65, units: 128 }, 4 * 128 * (65 + 128 + 1) + 65 * 129],
    [
      { vocabulary: 65, units: 512, layers: 3 },
      4 * 512 * (65 + 513) + 2 * 4 * 512 * 1025 + 65 * 513,
    ],
    [
      { vocabulary: 65, units: 64, embedding: 32, cell: 'gru', layers: 2 },
      65 * 32 + 3 * 64 * (32 + 66) + 3 * 64 * (2 * 64 + 2) + 65 * 65,
    ],
  ] as const)('%j has the parameters of the formula', (options, count) => {
    expect(parametersOf(models.charRnn(options), [2, 8])).toBe(count)
  })

  test.each(['lstm', 'gru'] as const)('with %s layers learns, compiled', (cell) => {
    const net = models.charRnn({ vocabulary: 5, units: 12, layers: 2, cell, dropout: 0.1 })
    expectLearning(net, before, (y) => softmaxCrossEntropy(y, after))
  })

  test('its summary lists the parts', () => {
    const net = models.charRnn({ vocabulary: 65, units: 64, embedding: 16, dropout: 0.2 })
    const { rows, totals, outputShape } = nn.summary(net, [2, 8], { dtype: 'int32' })
    expect(rows.map(({ path }) => path)).toEqual(['embedding', 'rnn', 'dropout', 'dense'])
    expect(totals.parameters).toBe(65 * 16 + 4 * 64 * (16 + 65) + 65 * 65)
    expect(outputShape).toEqual([2, 8, 65])
  })

  const net = models.charRnn({ vocabulary: 5, units: 6, layers: 2, embedding: 3 })
  const { params, state, outputShape } = net.init(key, [2, 8])

  test('is typed by its options', () => {
    expectTypeOf(params.rnn.layer2.kernel).toEqualTypeOf<Tensor>()
    expectTypeOf(params.embedding.table).toEqualTypeOf<Tensor>()
    const gru = models.charRnn({ vocabulary: 5, cell: 'gru' })
    expectTypeOf<nn.ParamsOf<typeof gru>['rnn']['recurrentBias']>().toEqualTypeOf<Tensor>()
    expect(outputShape).toEqual([2, 8, 5])
  })

  test('reads in pieces what it reads as a whole', () => {
    const [whole] = net.apply({ params, state }, codes)
    const first = net.read(params, { inputs: codes.at(':', ':3'), carry: net.initCarry(params, 2) })
    const second = net.read(params, { inputs: codes.at(':', '3:'), carry: first.carry })
    const pieces = np.concatenate([first.logits, second.logits], { axis: 1 })
    expect(tree.allClose(pieces, whole, { atol: 1e-6 })).toBe(true)
  })

  test('writes what reading again finds likeliest, compiled', () => {
    const written = jit((p: typeof params) => net.generate(p, codes, { length: 5 }))(params)
    expect(written.shape).toEqual([2, 5])
    const all = np.concatenate([codes, written], { axis: 1 })
    const [logits] = net.apply({ params, state }, all.at(':', ':-1'))
    expect(logits.at(':', '7:').argmax({ axis: -1 }).toArray()).toEqual(written.toArray())
  })

  test('draws by the key: the same for the same', () => {
    const draw = (n: number): Tensor =>
      net.generate(params, codes, { length: 30, key: random.key(n), temperature: 2 })
    expect(draw(1).toArray()).toEqual(draw(1).toArray())
    expect(draw(1).toArray()).not.toEqual(draw(2).toArray())
  })

  test('refuses an empty prompt', () => {
    expect(() => net.generate(params, codes.at(':', ':0'), { length: 3 })).toThrow(
      /nothing to go on from/,
    )
  })
})

describe('transformerLm', () => {
  test.each([
    ['GPT-2', 768, 12, 12, 124_439_808],
    ['GPT-2 medium', 1024, 24, 16, 354_823_168],
    ['GPT-2 large', 1280, 36, 20, 774_030_080],
    ['GPT-2 XL', 1600, 48, 25, 1_557_611_200],
  ])('%s has the published parameters', (_, features, layers, heads, count) => {
    const size = { vocabulary: 50_257, maxLength: 1024, features, layers, heads }
    expect(parametersOf(models.transformerLm({ ...size, tied: true }), [1, 8])).toBe(count)
  })

  test('its summary lists the parts, and a tied table twice but counts it once', () => {
    const size = { vocabulary: 50_257, maxLength: 1024, features: 768, layers: 12, heads: 12 }
    const net = models.transformerLm({ ...size, tied: true })
    const { rows, totals, outputShape } = nn.summary(net, [1, 8], { dtype: 'int32' })
    const paths = ['embedding', 'positions', 'blocks', 'embedding']
    expect(rows.map(({ path }) => path)).toEqual(paths)
    expect(rows.at(-1)!.multiplyAdds).toBe(8 * 50_257 * 768)
    expect(totals.parameters).toBe(124_439_808)
    expect(outputShape).toEqual([1, 8, 50_257])
  })

  test('rotary positions take no parameters, and a head of its own as many as the table', () => {
    const net = models.transformerLm({
      vocabulary: 65,
      features: 64,
      layers: 2,
      positions: 'rotary',
    })
    const formula = 2 * 65 * 64 + 2 * (12 * 64 ** 2 + 13 * 64) + 2 * 64
    expect(parametersOf(net, [1, 8])).toBe(formula)
  })

  const small = { vocabulary: 5, features: 8, layers: 2, heads: 2, maxLength: 12 } as const
  test.each([
    ['learned positions', { ...small, dropout: 0.1 }],
    ['rotary positions, tied', { ...small, positions: 'rotary', tied: true } as const],
  ])('with %s learns, compiled', (_, options) => {
    const net = models.transformerLm(options)
    expectLearning(net, before, (y) => softmaxCrossEntropy(y, after))
  })

  test.each(['learned', 'rotary'] as const)('with %s positions', (positions) => {
    const net = models.transformerLm({ ...small, positions })
    const { params, state } = net.init(key, [2, 8])
    const [whole] = net.apply({ params, state }, codes)
    // A step does not see those after it.
    const [part] = net.apply({ params, state }, codes.at(':', ':5'))
    expect(tree.allClose(whole.at(':', ':5'), part, { atol: 1e-5 })).toBe(true)
    // The cache gives what the whole gives.
    const [one, cache] = net.decode(params, net.initCache(params, 2), codes.at(':', ':5'))
    const [two] = net.decode(params, cache, codes.at(':', '5:'))
    const pieces = np.concatenate([one, two], { axis: 1 })
    expect(tree.allClose(pieces, whole, { atol: 1e-5 })).toBe(true)
    const written = jit((p: typeof params) => net.generate(p, codes, { length: 4 }))(params)
    const all = np.concatenate([codes, written], { axis: 1 })
    const [logits] = net.apply({ params, state }, all.at(':', ':-1'))
    expect(logits.at(':', '7:').argmax({ axis: -1 }).toArray()).toEqual(written.toArray())
  })

  test('is typed by its options, and says what is too long', () => {
    const net = models.transformerLm({ ...small, tied: true })
    const { params } = net.init(key, [2, 8])
    expectTypeOf(params.blocks.layer2.attention.query.kernel).toEqualTypeOf<Tensor>()
    expectTypeOf(params.positions.table).toEqualTypeOf<Tensor>()
    expectTypeOf(params).not.toHaveProperty('dense')
    expect(Object.keys(params).sort()).toEqual(['blocks', 'embedding', 'positions'])
    expect(() => net.generate(params, codes, { length: 5 })).toThrow(/13 steps/)
    expect(() => net.init(key, [1, 13])).toThrow(/longer than the model can see/)
  })
})
