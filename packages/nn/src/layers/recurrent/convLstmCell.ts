/** The convolutional LSTM cell: states that are images. */
import { type Shape, type Tensor, fill, range } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireRank, requireSize } from '../../errors.ts'
import { type LstmCarry, convLstmInput, convLstmStep } from '../../functional/recurrent/index.ts'
import { type Layout, type PerAxis, perAxis } from '../../functional/window.ts'
import { convAxes, lecunNormal, zeros } from '../../initializers.ts'
import type { CellOptions } from './cells.ts'
import { type RecurrentCell, defineCell } from './cell.ts'

export interface ConvLstmParams {
  /** `[4 · channels, inputs, …window]`. */
  readonly kernel: Tensor
  /** `[4 · channels, channels, …window]`. */
  readonly recurrentKernel: Tensor
  /** `[4 · channels]`. */
  readonly bias: Tensor
}
export interface ConvLstmOptions extends CellOptions {
  /** `'NCHW'` by default. */
  readonly layout?: Layout
}

/**
 * An LSTM over images `[batch, inputs, …spatial]`, whose products are "same" convolutions; the carry
 * is `{ h, c }`, `[batch, channels, …spatial]` each. Any number of spatial axes.
 * @see Shi et al. 2015
 * @example
 * recurrent(convLstmCell(16, 3)).init(random.key(0), [1, 10, 3, 32, 32]) // ten frames
 */
export const convLstmCell = (
  channels: number,
  window: PerAxis = 3,
  options: ConvLstmOptions = {},
): RecurrentCell<ConvLstmParams, LstmCarry, 'convLstmCell'> => {
  const { layout = 'NCHW', kernelInit = lecunNormal(convAxes), biasInit = zeros } = options
  const { recurrentInit = kernelInit } = options
  const name = 'convLstmCell'
  requireSize(name, 'channels', channels)
  const axisOf = (shape: Shape): number => (layout === 'NCHW' ? 1 : shape.length - 1)
  const checkRank = (shape: Shape): void =>
    requireRank(name, shape, (rank) => rank >= 3, '[batch, channels, …spatial]')
  const stateShape = (shape: Shape): Shape =>
    range(shape.length).map((d) => (d === axisOf(shape) ? channels : shape[d]!))
  return defineCell<ConvLstmParams, LstmCarry, 'convLstmCell'>({
    name,
    init: (key, inputShape) => {
      checkRank(inputShape)
      const [kernelKey, recurrentKey, biasKey] = random.split(key, 3)
      const extents = perAxis(name, 'window', window, inputShape.length - 2)
      const inputs = inputShape[axisOf(inputShape)]!
      return {
        params: {
          kernel: kernelInit(kernelKey!, [4 * channels, inputs, ...extents]),
          recurrentKernel: recurrentInit(recurrentKey!, [4 * channels, channels, ...extents]),
          bias: biasInit(biasKey!, [4 * channels]),
        },
        outputShape: stateShape(inputShape),
      }
    },
    initCarry: (_, inputShape, dtype) => {
      const zero = fill(stateShape(inputShape), 0, dtype)
      return { h: zero, c: zero }
    },
    project: (params, x) => {
      const image = params.kernel.ndim
      const lead = x.shape.slice(0, x.ndim - image + 1)
      const z = convLstmInput(x.reshape([-1, ...x.shape.slice(lead.length)]), params, layout)
      return z.reshape([...lead, ...z.shape.slice(1)])
    },
    step: (params, carry, projected) => {
      const next = convLstmStep(projected, carry, params, layout)
      return [next, next.h]
    },
    output: ({ h }) => h,
    featureAxis: layout === 'NCHW' ? 1 : -1,
    check: ({ kernel }, shape, { layer, leading }) => {
      const rank = kernel.ndim - 1 + leading
      const lead = leading === 1 ? 'batch' : 'batch, time'
      requireRank(layer, shape, (n) => n === rank, `${rank} axes, [${lead}, channels, …spatial]`)
      const axis = layout === 'NCHW' ? leading : shape.length - 1
      requireExtent(layer, shape, axis, kernel.shape[1]!, 'channels')
    },
  })
}
