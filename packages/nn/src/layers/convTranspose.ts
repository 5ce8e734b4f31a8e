/** Transposed convolutions as layers, for one, two and three spatial axes. */
import { type Shape, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireRank, requireSize } from '../errors.ts'
import {
  type ConvTransposeOptions,
  type TransposeGeometry,
  convTranspose,
  transposeGeometry,
  transposedExtents,
} from '../functional/convTranspose.ts'
import {
  type PerAxis,
  type WindowGeometry,
  channelAxis,
  imageShape,
  perAxis,
  reachOf,
  spatialOf,
} from '../functional/window.ts'
import { lecunNormal, zeros } from '../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'
import { type ConvLayer, requireGroups, withBias } from './conv.ts'
import type { KernelOptions, MaybeBias } from './dense.ts'

/** Kernels are `[inputs, outputs / groups, …window]` in either layout. */
export interface ConvTransposeLayerOptions extends KernelOptions, ConvTransposeOptions {}

// Seen from the output: the inputs that reach one element, a fraction of a step apart.
const seen = ({ kernel, stride, dilation }: TransposeGeometry): WindowGeometry => ({
  kernel: kernel.map((k, d) => Math.ceil(reachOf(k, dilation[d]!) / stride[d]!)),
  stride: stride.map((s) => 1 / s),
  dilation: kernel.map(() => 1),
})

const transposed =
  (rank: number) =>
  (
    features: number,
    window: PerAxis,
    options: ConvTransposeLayerOptions = {},
  ): Layer<MaybeBias, None, 'convTranspose'> => {
    const { useBias = true, groups = 1, layout = 'NCHW' } = options
    const { kernelInit = lecunNormal({ inAxis: 0, outAxis: 1 }), biasInit = zeros } = options
    const name = `convTranspose${rank}d`
    requireSize(name, 'features', features)
    const extents = perAxis(name, 'window', window, rank)
    const geometry = transposeGeometry(name, extents, options)
    const check = (shape: Shape): void =>
      requireRank(name, shape, (n) => n === rank + 2, `${rank + 2} axes, layout ${layout}`)
    return defineLayer({
      name: 'convTranspose',
      traits: {
        window: () => seen(geometry),
        layout,
        ...(groups === 1 ? { kernelAxis: 1 } : { groupedKernel: { axis: 1, groups } }),
      },
      init: (key, inputShape) => {
        check(inputShape)
        const channels = inputShape[channelAxis(layout, inputShape.length)]!
        requireGroups(name, channels, features, groups)
        const [kernelKey, biasKey] = random.split(key)
        const kernel = kernelInit(kernelKey!, [channels, features / groups, ...extents])
        const outputs = transposedExtents(name, spatialOf(layout, inputShape), geometry)
        return {
          params: useBias ? { kernel, bias: biasInit(biasKey!, [features]) } : { kernel },
          state: none,
          outputShape: imageShape(layout, inputShape[0]!, features, outputs),
        }
      },
      apply: ({ params: { kernel, bias }, state }, x) => {
        check(x.shape)
        const axis = channelAxis(layout, x.ndim)
        requireExtent(name, x.shape, axis, kernel.shape[0]!, 'channels')
        return [withBias(convTranspose(x, kernel, options), bias, axis), state]
      },
    })
  }

type ConvTransposeLayer = ConvLayer<'convTranspose', ConvTransposeLayerOptions>

/** The transposed convolution over one spatial axis; see `convTranspose2d`. */
export const convTranspose1d: ConvTransposeLayer = typed(erase(transposed(1)))
/**
 * The transposed convolution over images ("deconvolution"): `[batch, channels, height, width]` to
 * `[batch, features, …]`, each extent (extent − 1) · stride − low − high + dilation · (window − 1) +
 * outputPadding + 1. Parameters `kernel: [channels, features / groups, …window]` and
 * `bias: [features]`.
 * @throws ShapeError where the groups do not fit or nothing is left.
 * @see Zeiler, Krishnan, Taylor & Fergus 2010
 * @example
 * convTranspose2d(8, 4, { stride: 2, padding: 1 }).init(random.key(0), [1, 16, 7, 7]).outputShape // [1, 8, 14, 14]
 */
export const convTranspose2d: ConvTransposeLayer = typed(erase(transposed(2)))
/** The transposed convolution over volumes; see `convTranspose2d`. */
export const convTranspose3d: ConvTransposeLayer = typed(erase(transposed(3)))
