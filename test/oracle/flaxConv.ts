/** Flax's convolutions as our layers: channels last, kernels `[…window, in, out]` turned into ours. */
import { type Tensor, range } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import { type Arguments, type Pairs, explicitPadding, perWindow } from './flaxArguments.ts'
import type { Builder } from './flaxLayers.ts'
import type { Tensors } from './torch.ts'

const layout = 'NHWC'

// […window, in, out] to [out, in, …window].
const oihw = (kernel: Tensor): Tensor => {
  const rank = kernel.ndim - 2
  return kernel.transpose([rank + 1, rank, ...range(rank)])
}

const withBias = (kernel: Tensor, bias: Tensor | undefined): Tensors =>
  bias === undefined ? { kernel } : { kernel, bias }

interface Padded {
  readonly padding: nn.PaddingSpec
  readonly paddingMode?: nn.functional.PaddingMode
}

const paddingOf = (a: Arguments, reach: readonly number[]): Padded => {
  const value = a.value('padding') ?? 'SAME'
  const around: Pairs = reach.map((n) => [Math.floor((n - 1) / 2), Math.floor(n / 2)])
  switch (value) {
    case 'SAME':
      return { padding: 'same' }
    case 'VALID':
      return { padding: 'valid' }
    case 'CAUSAL':
      return { padding: 'causal' }
    case 'CIRCULAR':
      return { padding: around, paddingMode: 'circular' }
    case 'REFLECT':
      return { padding: around, paddingMode: 'reflect' }
    default:
      return { padding: explicitPadding(value, reach.length) }
  }
}

export const convNames: readonly string[] = [
  'features',
  'kernel_size',
  'strides',
  'padding',
  'input_dilation',
  'kernel_dilation',
  'feature_group_count',
  'use_bias',
]

const convOptions = (a: Arguments) => {
  const window = a.numbers('kernel_size', [])
  const rank = window.length
  const dilation = perWindow(a, 'kernel_dilation', rank)
  const stride = perWindow(a, 'strides', rank)
  const reach = window.map((k, d) => (k - 1) * dilation[d]! + 1)
  const options = { ...paddingOf(a, reach), stride, dilation, layout } as const
  return { window, rank, reach, options }
}

const features = (a: Arguments): number => a.numbers('features', [])[0]!

export const convolution: Builder = (a, at) => {
  const { window, rank, options } = convOptions(a)
  const inputDilation = perWindow(a, 'input_dilation', rank)
  const grouped = { ...options, groups: a.number('feature_group_count', 1) }
  const kernel = oihw(at('kernel')!)
  const params = withBias(kernel, at('bias'))
  if (inputDilation.some((d) => d > 1)) {
    const spread = nn.lambda((x) => {
      const y = nn.functional.conv(x, kernel, { ...grouped, inputDilation })
      return params['bias'] === undefined ? y : y.add(params['bias'])
    })
    return { layer: spread, params: nn.none }
  }
  const conv = [nn.conv1d, nn.conv2d, nn.conv3d][rank - 1]!
  return { layer: conv(features(a), window, grouped), params }
}

export const local: Builder = (a, at) => {
  const { window, rank, options } = convOptions(a)
  const make = rank === 1 ? nn.locallyConnected1d : nn.locallyConnected2d
  // […positions, in · window, out] to […positions, out, in, …window].
  const flat = at('kernel')!
  const channels = flat.shape[rank]! / window.reduce((n, k) => n * k, 1)
  const places = range(rank)
  const kernel = flat
    .reshape([...flat.shape.slice(0, rank), channels, ...window, flat.shape[rank + 1]!])
    .transpose([...places, 2 * rank + 1, rank, ...places.map((d) => rank + 1 + d)])
  return { layer: make(features(a), window, options), params: withBias(kernel, at('bias')) }
}

// Flax wraps the valid result around, the input's start at a whole number of periods.
const circularShift = (
  spatial: readonly number[],
  reach: readonly number[],
  stride: readonly number[],
  isTransposed: boolean,
): Pairs =>
  spatial.map((n, d) => {
    const twice = 2 * n * stride[d]!
    const over = Math.max(reach[d]! - stride[d]!, 0)
    // The valid result is `over` longer than a period.
    const missing = (((-over % twice) + twice) % twice)
    return [-Math.floor(isTransposed ? missing / 2 : (missing + 1) / 2), 0]
  })

export const transposedNames: readonly string[] = [
  'features',
  'kernel_size',
  'strides',
  'padding',
  'kernel_dilation',
  'use_bias',
]

export const transposed: Builder = (a, at, x) => {
  const { window, rank, reach, options } = convOptions(a)
  const { stride, dilation } = options
  const isTransposed = a.flag('transpose_kernel', false)
  const value = a.value('padding') ?? 'SAME'
  const padding = ((): nn.ConvTransposeLayerOptions => {
    switch (value) {
      case 'SAME':
        return { padding: 'same' }
      case 'VALID':
        return { padding: 'valid' }
      case 'CIRCULAR': {
        const shift = circularShift(x.shape.slice(1, -1), reach, stride, isTransposed)
        return { padding: shift, paddingMode: 'circular' }
      }
      default:
        // Given around the spread input; ours is what is removed from the whole result.
        return {
          padding: explicitPadding(value, rank).map(([low, high], d): readonly [number, number] => [
            reach[d]! - 1 - low,
            reach[d]! - 1 - high,
          ]),
        }
    }
  })()
  const given = at('kernel')!
  const kernel = isTransposed
    ? given.transpose([rank + 1, rank, ...range(rank)])
    : np.flip(given, range(rank)).transpose([rank, rank + 1, ...range(rank)])
  const make = [nn.convTranspose1d, nn.convTranspose2d, nn.convTranspose3d][rank - 1]!
  const layer = make(features(a), window, { ...padding, stride, dilation, layout })
  return { layer, params: withBias(kernel, at('bias')) }
}
