/** Networks that read one thing and write another: parameters, learning, compiled writing. */
import { type Tensor, tensor, tree } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { models, nn } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { describe, expect, expectTypeOf, test } from 'vitest'
import { learn, parametersOf } from './learning.ts'

const key = random.key(0)
const { softmaxCrossEntropy } = nn.losses
const int32 = { dtype: 'int32' } as const

/** Parameters after steps that halve the loss at least. */
const learned = <P, X>(
  net: nn.Layer<P, nn.None, string, Tensor, X>,
  shape: nn.Shapes,
  x: X,
  wanted: Tensor,
  steps: number,
): P => {
  const { params, losses } = learn(net, shape, x, (y) => softmaxCrossEntropy(y, wanted), steps)
  expect(losses.at(-1)!).toBeLessThan(0.5 * losses[0]!)
  return params
}

describe('seq2seq', () => {
  const [V, E, u] = [13, 16, 24]
  const size = { sourceVocabulary: V, embedding: E, units: u }
  const gru = (x: number): number => 3 * u * (x + u + 2)
  const lstm = (x: number): number => 4 * u * (x + u + 1)
  const outer = 2 * V * E
  test.each([
    [
      size,
      outer + 2 * gru(E) + u * (2 * u + 1) + u * (3 * u + 2) + gru(E + 2 * u) + V * (3 * u + 1),
    ],
    [
      { ...size, attention: 'luong', cell: 'lstm' } as const,
      outer +
        2 * lstm(E) +
        2 * u * (2 * u + 1) +
        2 * u ** 2 +
        lstm(E + u) +
        u * (3 * u + 1) +
        V * (u + 1),
    ],
  ])('%j has the parameters of the formula', (options, count) => {
    expect(parametersOf(models.seq2seq(options), [2, 7])).toBe(count)
  })

  const source = tensor(
    [
      [1, 2, 3, 4],
      [4, 3, 0, 0],
      [2, 4, 1, 0],
    ],
    int32,
  )
  const lengths = tensor([4, 2, 3], int32)
  const wanted = tensor(
    [
      [4, 3, 2, 1],
      [3, 4, 0, 0],
      [1, 4, 2, 0],
    ],
    int32,
  )
  const start = 5
  const target = np.concatenate([np.full([3, 1], start, int32), wanted.at(':', ':-1')], { axis: 1 })

  test.each([
    ['bahdanau', 'gru'],
    ['bahdanau', 'lstm'],
    ['luong', 'gru'],
    ['luong', 'lstm'],
  ] as const)('with attention of %s and %s cells learns and then writes', (attention, cell) => {
    const net = models.seq2seq({ sourceVocabulary: 6, embedding: 8, units: 16, attention, cell })
    const params = learned(net, [3, 4], { source, target, lengths }, wanted, 40)
    const translate = jit((p: typeof params, x: Tensor, ends: Tensor) =>
      net.translate(p, x, { length: 4, start, lengths: ends }),
    )
    const { codes, weights } = translate(params, source, lengths)
    expect(codes.toArray()).toEqual(wanted.toArray())
    // Each symbol looks at what is there, and at nothing else.
    expect(weights.shape).toEqual([3, 4, 4])
    expect(tree.allClose(weights.sum({ axis: -1 }), np.ones([3, 4]), { atol: 1e-5 })).toBe(true)
    expect(weights.at(1, ':', '2:').max().item()).toBe(0)
    // What stands past a source's end does not matter.
    const other = source.set([1, '2:'], 5)
    expect(translate(params, other, lengths).codes.toArray()).toEqual(wanted.toArray())
    // Reading what was written gives back the same choices.
    const [logits] = net.apply({ params, state: nn.none }, { source, target, lengths })
    expect(logits.argmax({ axis: -1 }).toArray()).toEqual(wanted.toArray())
  })

  test('drops in training alone, and draws by a key', () => {
    const net = models.seq2seq({ sourceVocabulary: 6, embedding: 4, units: 4, dropout: 0.5 })
    const { params, state } = net.init(key, [
      [3, 4],
      [3, 5],
    ])
    const apply = (mode: nn.Mode): unknown =>
      net.apply({ params, state }, { source, target }, mode)[0].toArray()
    expect(apply({})).toEqual(apply({}))
    expect(apply({ train: true, key })).not.toEqual(apply({}))
    expect(() => apply({ train: true })).toThrow(/got no key/)
    const draw = (n: number): Tensor =>
      net.translate(params, source, { length: 9, start, key: random.key(n), temperature: 3 }).codes
    expect(draw(1).toArray()).toEqual(draw(1).toArray())
    expect(draw(1).toArray()).not.toEqual(draw(2).toArray())
  })

  test('is typed by its options', () => {
    const plain = models.seq2seq({ sourceVocabulary: 6 })
    const other = models.seq2seq({ sourceVocabulary: 6, attention: 'luong', cell: 'lstm' })
    type Plain = nn.ParamsOf<typeof plain>
    type Other = nn.ParamsOf<typeof other>
    expectTypeOf<Plain['attention']['scale']>().toEqualTypeOf<Tensor>()
    expectTypeOf<Plain['decoder']['recurrentBias']>().toEqualTypeOf<Tensor>()
    expectTypeOf<Other['attention']['kernel']>().toEqualTypeOf<Tensor>()
    expectTypeOf<Other['join']['kernel']>().toEqualTypeOf<Tensor>()
    expect(() => plain.init(key, [3, 4, 5])).toThrow(/\[batch, time\] integers/)
  })
})

describe('imageCaptioner', () => {
  test('has the parameters of the formula', () => {
    const net = models.imageCaptioner({ vocabulary: 20 })
    const convolutions = 16 * (9 * 3 + 1) + 32 * (9 * 16 + 1) + 64 * (9 * 32 + 1)
    const rest = 64 * (4 * 4 * 64 + 1) + 20 * 64 + 4 * 128 * (64 + 128 + 1) + 20 * 129
    const shapes = [
      [2, 3, 32, 32],
      [2, 9],
    ]
    expect(parametersOf(net, shapes)).toBe(convolutions + rest)
  })

  const image = random.normal(random.key(3), [3, 1, 8, 8])
  const wanted = tensor(
    [
      [1, 2, 3],
      [3, 1, 1],
      [2, 2, 1],
    ],
    int32,
  )
  const caption = np.concatenate([np.zeros([3, 1], int32), wanted.at(':', ':-1')], { axis: 1 })
  const shapes = [image.shape, caption.shape]
  const size = { vocabulary: 4, channels: [4, 6], embedding: 8, units: 12 } as const

  test.each([
    ['NCHW', image],
    ['NHWC', image.transpose([0, 2, 3, 1])],
  ] as const)('in %s learns and then tells, compiled', (layout, x) => {
    const net = models.imageCaptioner({ ...size, layout })
    const params = learned(
      net,
      { image: x.shape, caption: caption.shape },
      { image: x, caption },
      wanted,
      90,
    )
    const told = jit((p: typeof params) => net.describe(p, x, { length: 3, start: 0 }))(params)
    expect(told.toArray()).toEqual(wanted.toArray())
    expect(params.encoder.conv2!.kernel.shape).toEqual([6, 4, 3, 3])
    expect(params.encoder.dense1.kernel.shape).toEqual([2 * 2 * 6, 8])
  })

  test('drops in training alone', () => {
    const net = models.imageCaptioner({ ...size, dropout: 0.5 })
    const { params, state } = net.init(key, shapes)
    const apply = (mode: nn.Mode): unknown =>
      net.apply({ params, state }, { image, caption }, mode)[0].toArray()
    expect(apply({})).toEqual(apply({}))
    expect(apply({ train: true, key })).not.toEqual(apply({}))
  })

  test('wants both shapes', () => {
    expect(() => models.imageCaptioner(size).init(key, image.shape)).toThrow(/give both shapes/)
  })
})
