/** The published networks: parameters, multiply-adds, shapes, trees. Nothing of full size is run. */
import { type Tensor, evalShape, sizeOf, tree } from '@cotangent/core'
import { models, nn } from '@cotangent/nn'
import { costOf, np, random } from '@cotangent/ops'
import { describe, expect, expectTypeOf, test } from 'vitest'

const key = random.key(0)
const large = [1, 3, 224, 224]
const small = [1, 3, 32, 32]
const wide = [1, 3, 299, 299]
const { alexnet, vgg, nin, inceptionV1, inceptionV2, inceptionV3, resnet, resnext, densenet } =
  models

/** Name, network, input, parameters, multiply-adds in billions (to the digits published). */
type Published = readonly [string, nn.AnyLayer, readonly number[], number, string]
const published: readonly Published[] = [
  ['LeNet-5', models.lenet5(), [1, 1, 28, 28], 61_706, '0.00042'],
  ['AlexNet', alexnet(), large, 61_100_840, '0.71'],
  ['AlexNet, two groups', alexnet({ variant: 'twoGroups' }), large, 60_965_224, '0.72'],
  ['VGG-11', vgg(11), large, 132_863_336, '7.61'],
  ['VGG-13', vgg(13), large, 133_047_848, '11.31'],
  ['VGG-16', vgg(16), large, 138_357_544, '15.47'],
  ['VGG-19', vgg(19), large, 143_667_240, '19.63'],
  ['VGG-11, normalised', vgg(11, { batchNorm: true }), large, 132_868_840, '7.61'],
  ['VGG-16, normalised', vgg(16, { batchNorm: true }), large, 138_365_992, '15.47'],
  ['NiN', nin(), small, 966_986, '0.22'],
  ['NiN for ImageNet', nin({ form: 'imageNet' }), large, 7_595_176, '1.1'],
  ['GoogLeNet', inceptionV1(), large, 6_624_904, '1.50'],
  ['GoogLeNet as published', inceptionV1({ batchNorm: false }), large, 6_998_552, '1.58'],
  ['Inception v2', inceptionV2(), large, 11_194_984, '2.02'],
  ['Inception v2 as released', inceptionV2({ variant: 'released' }), large, 11_295_240, '2.03'],
  ['Inception v3', inceptionV3(), wide, 23_834_568, '5.71'],
  ['ResNet-18', resnet(18), large, 11_689_512, '1.81'],
  ['ResNet-34', resnet(34), large, 21_797_672, '3.66'],
  ['ResNet-50', resnet(50), large, 25_557_032, '4.09'],
  ['ResNet-50 as published', resnet(50, { strideAt: 'conv1' }), large, 25_557_032, '3.9'],
  ['ResNet-101', resnet(101), large, 44_549_160, '7.80'],
  ['ResNet-152', resnet(152), large, 60_192_808, '11.51'],
  ['ResNet-20', resnet(20), small, 269_722, '0.041'],
  ['ResNet-32', resnet(32), small, 464_154, '0.069'],
  ['ResNet-44', resnet(44), small, 658_586, '0.097'],
  ['ResNet-56', resnet(56), small, 853_018, '0.125'],
  ['ResNet-110', resnet(110), small, 1_727_962, '0.253'],
  ['ResNet-20, projecting', resnet(20, { shortcut: 'B' }), small, 272_474, '0.041'],
  ['ResNeXt-50', resnext(50), large, 25_028_904, '4.23'],
  ['ResNeXt-101', resnext(101), large, 88_791_336, '16.41'],
  ['DenseNet-121', densenet(121), large, 7_978_856, '2.83'],
  ['DenseNet-161', densenet(161), large, 28_681_000, '7.73'],
  ['DenseNet-169', densenet(169), large, 14_149_480, '3.36'],
  ['DenseNet-201', densenet(201), large, 20_013_928, '4.29'],
]

const rounded = (value: number, like: string): string =>
  value.toFixed(like.split('.')[1]?.length ?? 0)

describe('parameters and multiply-adds are the published ones', () => {
  test.each(published)('%s', (_, net, input, parameters, multiplyAdds) => {
    const { totals, outputShape } = nn.summary(net, input)
    expect(totals.parameters).toBe(parameters)
    expect(rounded(totals.multiplyAdds / 1e9, multiplyAdds)).toBe(multiplyAdds)
    expect(outputShape).toEqual([1, input === small || input[1] === 1 ? 10 : 1000])
  })

  const heads: readonly (readonly [string, nn.AnyLayer, readonly number[], number])[] = [
    ['GoogLeNet', inceptionV1({ auxiliary: true }), large, 13_004_888],
    [
      'GoogLeNet as published',
      inceptionV1({ auxiliary: true, batchNorm: false }),
      large,
      13_378_280,
    ],
    ['Inception v2', inceptionV2({ auxiliary: true }), large, 17_589_304],
    ['Inception v3', inceptionV3({ auxiliary: true }), wide, 27_161_264],
  ]
  test.each(heads)('%s with auxiliary heads', (_, net, input, parameters) => {
    expect(nn.summary(net, input, { train: true }).totals.parameters).toBe(parameters)
  })

  test('what init makes is what the summary counts, without making it', () => {
    const sizes: number[] = []
    evalShape((k: Tensor) => {
      const { params } = resnet(50).init(k, large)
      tree.map((leaf) => sizes.push(sizeOf(leaf.shape)), params)
      return k
    }, key)
    expect(sizes.reduce((a, b) => a + b, 0)).toBe(25_557_032)
  })

  test('costOf counts the same parameters, and floating point operations by the billion', () => {
    const net = resnet(18)
    const params = evalShape((k: Tensor) => net.init(k, large).params, key)
    const state = evalShape((k: Tensor) => net.init(k, large).state, key)
    type Params = nn.ParamsOf<typeof net>
    type State = nn.StateOf<typeof net>
    const cost = costOf((p: Params, s: State, x: Tensor) => net.apply({ params: p, state: s }, x))
    const { parameters, flops } = cost(params, state, { shape: large, dtype: 'float32' })
    expect(parameters).toBe(11_689_512)
    expect(flops).toBeGreaterThan(1.8e9)
  })
})

test('in the other layout the figures are the same', () => {
  const last = (net: nn.AnyLayer): readonly number[] => {
    const { totals } = nn.summary(net, [1, 64, 64, 3])
    return [totals.parameters, totals.multiplyAdds]
  }
  const first = (net: nn.AnyLayer): readonly number[] => {
    const { totals } = nn.summary(net, [1, 3, 64, 64])
    return [totals.parameters, totals.multiplyAdds]
  }
  const layout = 'NHWC'
  const width = 1 / 8
  expect(last(resnet(18, { width, layout }))).toEqual(first(resnet(18, { width })))
  expect(last(resnet(8, { layout }))).toEqual(first(resnet(8)))
  expect(last(inceptionV1({ width, layout }))).toEqual(first(inceptionV1({ width })))
  expect(last(densenet(121, { width, layout }))).toEqual(first(densenet(121, { width })))
  expect(last(alexnet({ width, layout }))).toEqual(first(alexnet({ width })))
})

describe('trees and types', () => {
  test('are static where the structure is', () => {
    const { params, state } = resnet(8, { width: 0.25 }).init(key, [1, 3, 8, 8])
    expectTypeOf(params.conv1.kernel).toEqualTypeOf<Tensor>()
    expectTypeOf(state.norm1.mean).toEqualTypeOf<Tensor>()
    expectTypeOf(state).not.toHaveProperty('conv1')
    expect(params.stage2.block1?.body.conv2.kernel.shape).toEqual([8, 8, 3, 3])
    expect(params.stage2.block1?.shortcut).toBeUndefined()
    expect(state.stage3.block1?.body.norm2.mean.shape).toEqual([16])
    // @ts-expect-error: networks for small images have three stages
    expect(params.stage4).toBeUndefined()
  })

  test('inception blocks name their ways', () => {
    const { params } = inceptionV1({ width: 1 / 16, classes: 3 }).init(key, [1, 3, 32, 32])
    expect(params.inception3a.branches.three.conv.conv.kernel.shape).toEqual([8, 6, 3, 3])
    expect(Object.keys(params.inception3a.branches)).toEqual(['one', 'three', 'five', 'pool'])
  })
})

test('a shortcut without parameters skips positions and adds zeros', () => {
  const net = resnet(8, { width: 1 / 8, classes: 2 })
  const { params, state } = net.init(key, [1, 1, 4, 4])
  const still = tree.map((leaf) => np.zerosLike(leaf), params.stage2.block1)
  // A body of zeros leaves the shortcut alone: relu(padShortcut(x)).
  const x = np
    .arange(2 * 16)
    .reshape([1, 2, 4, 4])
    .astype('float32')
  const stage = net.traits!.parts!.find(([name]) => name === 'stage2')![1]
  const variables = { params: { block1: still }, state: state.stage2 }
  const [y] = stage.apply(variables, x)
  expect(String(y)).toBe(
    String(
      np.concatenate(
        [np.zeros([1, 1, 2, 2]), x.at(':', ':', '::2', '::2'), np.zeros([1, 1, 2, 2])],
        { axis: 1 },
      ),
    ),
  )
})

describe('weights start as published', () => {
  test('He, for residual networks', () => {
    const { params } = resnet(20).init(key, small)
    const { kernel } = params.stage3.block2!.body.conv1
    expect(Math.abs(kernel.std().item() / Math.sqrt(2 / (64 * 9)) - 1)).toBeLessThan(0.02)
    expect(params.norm1.scale.toArray()).toEqual(Array(16).fill(1))
  })

  test('N(0, 0.01²) and biases of one, for AlexNet', () => {
    const { params } = alexnet({ width: 1 / 8 }).init(key, [1, 3, 64, 64])
    expect(params.conv3.kernel.std().item()).toBeCloseTo(0.01, 3)
    expect([params.conv1, params.conv2, params.dense3].map((p) => p.bias.at(0).item())).toEqual([
      0, 1, 0,
    ])
  })
})
