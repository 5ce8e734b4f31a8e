/** Convolutional layers: one generic layer, for one, two and three spatial axes. */
import { type Shape, ShapeError, type Tensor, erase, reshape, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireRank, requireSize } from '../errors.ts'
import { type ConvOptions, conv } from '../functional/conv.ts'
import {
  type PerAxis,
  channelAxis,
  imageShape,
  perAxis,
  resolvePadding,
  spatialOf,
  windowCounts,
} from '../functional/window.ts'
import { convAxes, lecunNormal, zeros } from '../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'
import type { Kernel, KernelAndBias, KernelOptions, MaybeBias } from './dense.ts'

/** Kernels are `[outputs, inputs / groups, …window]` in either layout. */
export interface ConvLayerOptions extends KernelOptions, Omit<ConvOptions, 'inputDilation'> {}

/** Adds an offset to each slice along an axis. */
export const withBias = (y: Tensor, bias: Tensor | undefined, axis: number): Tensor => {
  if (bias === undefined) return y
  return y.add(
    reshape(
      bias,
      y.shape.map((_, d) => (d === axis ? bias.size : 1)),
    ),
  )
}

/** A layer of features and a window; without a bias where the options say so. */
export interface ConvLayer<
  Name extends string = 'conv',
  O extends KernelOptions = ConvLayerOptions,
> {
  (
    features: number,
    window: PerAxis,
    options: O & { readonly useBias: false },
  ): Layer<Kernel, None, Name>
  (
    features: number,
    window: PerAxis,
    options?: O & { readonly useBias?: true },
  ): Layer<KernelAndBias, None, Name>
  (features: number, window: PerAxis, options: O): Layer<MaybeBias, None, Name>
}

/** @throws ShapeError unless both divide into the groups. */
export const requireGroups = (
  name: string,
  channels: number,
  features: number,
  groups: number,
): void => {
  if (channels % groups === 0 && features % groups === 0) return
  throw new ShapeError({
    operation: name,
    problem: 'channels and features do not divide into groups',
    got: `${channels} channels, ${features} features, ${groups} groups`,
    want: `multiples of ${groups}`,
    fix: 'choose groups that divide both',
  })
}

/** What goes with a convolution's channels. */
interface Channels<Name extends string> {
  /** Of the layer. */
  readonly name: Name
  readonly featuresOf: (channels: number) => number
  readonly groupsOf: (features: number) => number
}

/** A convolution over so many spatial axes. */
export const convolution = <const Name extends string>(
  rank: number,
  window: PerAxis,
  options: Omit<ConvLayerOptions, 'groups'>,
  { name: kind, featuresOf, groupsOf }: Channels<Name>,
): Layer<MaybeBias, None, Name> => {
  const { useBias = true, layout = 'NCHW', padding = 'valid', paddingMode = 'zeros' } = options
  const { kernelInit = lecunNormal(convAxes), biasInit = zeros } = options
  const name = `${kind}${rank}d`
  const geometry = {
    kernel: perAxis(name, 'window', window, rank),
    stride: perAxis(name, 'stride', options.stride ?? 1, rank),
    dilation: perAxis(name, 'dilation', options.dilation ?? 1, rank),
  }
  const check = (shape: Shape): void =>
    requireRank(name, shape, (n) => n === rank + 2, `${rank + 2} axes, layout ${layout}`)
  return defineLayer<MaybeBias, None, Name>({
    name: kind,
    traits: { window: () => geometry, layout, kernelAxis: 0 },
    init: (key, inputShape) => {
      check(inputShape)
      const channels = inputShape[channelAxis(layout, inputShape.length)]!
      const features = featuresOf(channels)
      const groups = groupsOf(features)
      requireGroups(name, channels, features, groups)
      const spatial = spatialOf(layout, inputShape)
      const resolved = resolvePadding(name, padding, spatial, geometry)
      const [kernelKey, biasKey] = random.split(key)
      const kernel = kernelInit(kernelKey!, [features, channels / groups, ...geometry.kernel])
      const outputs = windowCounts(name, spatial, resolved, geometry)
      return {
        params: useBias ? { kernel, bias: biasInit(biasKey!, [features]) } : { kernel },
        state: none,
        outputShape: imageShape(layout, inputShape[0]!, features, outputs),
      }
    },
    apply: ({ params: { kernel, bias }, state }, x) => {
      check(x.shape)
      const axis = channelAxis(layout, x.ndim)
      const groups = groupsOf(kernel.shape[0]!)
      requireExtent(name, x.shape, axis, kernel.shape[1]! * groups, 'channels')
      const y = conv(x, kernel, { ...geometry, padding, paddingMode, groups, layout })
      return [withBias(y, bias, axis), state]
    },
  })
}

const build =
  (rank: number) =>
  (features: number, window: PerAxis, options: ConvLayerOptions = {}) => {
    requireSize(`conv${rank}d`, 'features', features)
    return convolution(rank, window, options, {
      name: 'conv',
      featuresOf: () => features,
      groupsOf: () => options.groups ?? 1,
    })
  }

/**
 * Convolution over one spatial axis: `[batch, channels, length]` to `[batch, features, …]`.
 * Parameters `kernel: [features, channels / groups, window]` and `bias: [features]`.
 */
export const conv1d: ConvLayer = typed(erase(build(1)))
/**
 * Convolution over images: `[batch, channels, height, width]` to `[batch, features, …]`, each extent
 * ⌊(extent + padding − dilation · (window − 1) − 1) / stride⌋ + 1. Parameters
 * `kernel: [features, channels / groups, …window]` and `bias: [features]`.
 * @throws ShapeError where the window or the groups do not fit.
 * @example
 * conv2d(6, 5, { padding: 2 }).init(random.key(0), [1, 1, 28, 28]).outputShape // [1, 6, 28, 28]
 */
export const conv2d: ConvLayer = typed(erase(build(2)))
/** Convolution over volumes: `[batch, channels, depth, height, width]`. */
export const conv3d: ConvLayer = typed(erase(build(3)))
