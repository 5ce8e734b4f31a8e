/** Convolution without sharing: a kernel of its own for every position. */
import { ShapeError, type Tensor, range, showAval, showShape, sizeOf } from '@cotangent/core'
import { np, prims } from '@cotangent/ops'
import { type ConvOptions, inChannelsFirst, withPadding } from './conv.ts'
import {
  type Padding,
  type WindowGeometry,
  perAxis,
  resolvePadding,
  windowCounts,
} from './window.ts'

export type LocallyConnectedOptions = Omit<ConvOptions, 'groups' | 'inputDilation'>

// Each element of the window at all positions: [batch, channels, …positions] stacked on axis 2.
const patches = (image: Tensor, counts: readonly number[], g: WindowGeometry): Tensor => {
  const [batch, channels] = image.shape
  const offsets = g.kernel.reduce<readonly (readonly number[])[]>(
    (outer, k) => outer.flatMap((at) => range(k).map((i) => [...at, i])),
    [[]],
  )
  const parts = offsets.map((at) => {
    const start = at.map((i, d) => i * g.dilation[d]!)
    const limit = start.map((s, d) => s + (counts[d]! - 1) * g.stride[d]! + 1)
    return prims.slice(image, [0, 0, ...start], [batch!, channels!, ...limit], [1, 1, ...g.stride])
  })
  return np.stack(parts, { axis: 2 })
}

const padded = (image: Tensor, padding: Padding, options: LocallyConnectedOptions): Tensor => {
  const mode = options.paddingMode ?? 'zeros'
  const [x, rest] = withPadding('locallyConnected', image, padding, mode)
  const isWhole = rest.every(([low, high]) => low === 0 && high === 0)
  return isWhole ? x : np.pad(x, [[0, 0], [0, 0], ...rest.map(([low, high]) => [low, high])])
}

/**
 * `x: [batch, channels, …spatial]` with `kernel: […positions, outputs, channels, …window]` to `[batch, outputs,
 * …positions]`: at every position a product with the kernel of that position.
 * @throws ShapeError where the kernel has other positions than there are windows.
 * @see LeCun 1989, "Generalization and network design strategies", for local without shared weights
 */
export const locallyConnected = (
  x: Tensor,
  kernel: Tensor,
  options: LocallyConnectedOptions = {},
): Tensor => {
  const name = 'locallyConnected'
  const rank = x.ndim - 2
  const { stride = 1, padding = 'valid', dilation = 1, layout = 'NCHW' } = options
  const [outputs, channels, ...window] = kernel.shape.slice(rank)
  return inChannelsFirst(x, layout, (image) => {
    const geometry: WindowGeometry = {
      kernel: perAxis(name, 'window', window, rank),
      stride: perAxis(name, 'stride', stride, rank),
      dilation: perAxis(name, 'dilation', dilation, rank),
    }
    const spatial = image.shape.slice(2)
    const resolved = resolvePadding(name, padding, spatial, geometry)
    const counts = windowCounts(name, spatial, resolved, geometry)
    const wanted = [...counts, outputs!, image.shape[1]!, ...window]
    if (wanted.join() !== kernel.shape.join()) {
      throw new ShapeError({
        operation: name,
        problem: 'the kernel is not for these positions and channels',
        got: `x: ${showAval(image.aval)}, kernel: ${showAval(kernel.aval)}`,
        want: `a kernel of shape ${showShape(wanted)}`,
        fix: 'weights that are not shared are for one input size: initialise with that size',
      })
    }
    const places = sizeOf(counts)
    const columns = channels! * sizeOf(window)
    const rows = patches(padded(image, resolved, options), counts, geometry).reshape([
      image.shape[0]!,
      columns,
      places,
    ])
    const product = np.einsum('bcp,pfc->bfp', rows, kernel.reshape([places, outputs!, columns]))
    return product.reshape([image.shape[0]!, outputs!, ...counts])
  })
}
