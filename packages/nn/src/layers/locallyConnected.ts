/** Convolutional layers whose weights are not shared between positions. */
import { type Shape, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireRank, requireSize } from '../errors.ts'
import { locallyConnected } from '../functional/locallyConnected.ts'
import {
  type PerAxis,
  channelAxis,
  imageShape,
  perAxis,
  resolvePadding,
  spatialOf,
  windowCounts,
} from '../functional/window.ts'
import { lecunNormal, zeros } from '../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'
import type { ConvLayer, ConvLayerOptions } from './conv.ts'
import type { MaybeBias } from './dense.ts'

export type LocallyConnectedLayerOptions = Omit<ConvLayerOptions, 'groups'>

const local =
  (rank: number) =>
  (
    features: number,
    window: PerAxis,
    options: LocallyConnectedLayerOptions = {},
  ): Layer<MaybeBias, None, 'locallyConnected'> => {
    const { useBias = true, layout = 'NCHW', padding = 'valid', paddingMode = 'zeros' } = options
    const name = `locallyConnected${rank}d`
    requireSize(name, 'features', features)
    const geometry = {
      kernel: perAxis(name, 'window', window, rank),
      stride: perAxis(name, 'stride', options.stride ?? 1, rank),
      dilation: perAxis(name, 'dilation', options.dilation ?? 1, rank),
    }
    // Kernels […positions, features, channels, …window]: positions are independent layers.
    const axes = {
      inAxis: rank + 1,
      outAxis: rank,
      batchAxis: Array.from({ length: rank }, (_, d) => d),
    }
    const { kernelInit = lecunNormal(axes), biasInit = zeros } = options
    const check = (shape: Shape): void =>
      requireRank(name, shape, (n) => n === rank + 2, `${rank + 2} axes, layout ${layout}`)
    return defineLayer({
      name: 'locallyConnected',
      traits: { window: () => geometry, layout },
      init: (key, inputShape) => {
        check(inputShape)
        const channels = inputShape[channelAxis(layout, inputShape.length)]!
        const spatial = spatialOf(layout, inputShape)
        const resolved = resolvePadding(name, padding, spatial, geometry)
        const places = windowCounts(name, spatial, resolved, geometry)
        const [kernelKey, biasKey] = random.split(key)
        const kernel = kernelInit(kernelKey!, [...places, features, channels, ...geometry.kernel])
        const bias = biasInit(biasKey!, imageShape(layout, 1, features, places).slice(1))
        return {
          params: useBias ? { kernel, bias } : { kernel },
          state: none,
          outputShape: imageShape(layout, inputShape[0]!, features, places),
        }
      },
      apply: ({ params: { kernel, bias }, state }, x) => {
        check(x.shape)
        requireExtent(
          name,
          x.shape,
          channelAxis(layout, x.ndim),
          kernel.shape[rank + 1]!,
          'channels',
        )
        const y = locallyConnected(x, kernel, { ...geometry, padding, paddingMode, layout })
        return [bias === undefined ? y : y.add(bias), state]
      },
    })
  }

type LocallyConnectedLayer = ConvLayer<'locallyConnected', LocallyConnectedLayerOptions>

/** `locallyConnected2d` over one spatial axis. */
export const locallyConnected1d: LocallyConnectedLayer = typed(erase(local(1)))
/**
 * As `conv2d`, but every position has a kernel and a bias of its own: parameters `kernel: […positions,
 * features, channels, …window]` and `bias: [features, …positions]`, positions times those of the
 * convolution. For inputs of one size.
 * @throws ShapeError for an input of another size than the layer was initialised for.
 * @see Taigman, Yang, Ranzato & Wolf 2014
 * @example
 * locallyConnected2d(4, 3).init(key, [1, 2, 6, 6]).params.kernel.shape // [4, 4, 4, 2, 3, 3]
 */
export const locallyConnected2d: LocallyConnectedLayer = typed(erase(local(2)))
