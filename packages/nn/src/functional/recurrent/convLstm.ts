/** The LSTM whose products are convolutions. */
import { type Tensor, range } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { conv } from '../conv.ts'
import type { Layout } from '../window.ts'
import type { LstmCarry } from './cells.ts'

export interface ConvLstmWeights {
  /** `[4 · channels, inputs, …window]`, gates in the order i, f, g, o. */
  readonly kernel: Tensor
  /** `[4 · channels, channels, …window]`. */
  readonly recurrentKernel: Tensor
  /** `[4 · channels]`. */
  readonly bias?: Tensor | undefined
}

const channelAxisOf = (x: Tensor, layout: Layout): number => (layout === 'NCHW' ? 1 : x.ndim - 1)

/** The input's part of all gates: `x: [batch, inputs, …spatial]`, "same" padding. */
export const convLstmInput = (x: Tensor, w: ConvLstmWeights, layout: Layout = 'NCHW'): Tensor => {
  const z = conv(x, w.kernel, { padding: 'same', layout })
  const axis = channelAxisOf(z, layout)
  const shape = range(z.ndim).map((d) => (d === axis ? w.kernel.shape[0]! : 1))
  return w.bias === undefined ? z : z.add(w.bias.reshape(shape))
}

/**
 * One step from `projected`, what `convLstmInput` gives: c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c').
 * @see Shi et al. 2015, convolutional LSTM network (without peepholes)
 */
export const convLstmStep = (
  projected: Tensor,
  { h, c }: LstmCarry,
  { recurrentKernel }: ConvLstmWeights,
  layout: Layout = 'NCHW',
): LstmCarry => {
  const z = projected.add(conv(h, recurrentKernel, { padding: 'same', layout }))
  const axis = channelAxisOf(z, layout)
  const channels = c.shape[axis]!
  const [i, f, g, o] = range(4).map((n) => {
    const start = z.shape.map((_, d) => (d === axis ? n * channels : 0))
    const end = z.shape.map((extent, d) => (d === axis ? (n + 1) * channels : extent))
    return prims.slice(z, start, end)
  })
  const memory = prims.logistic(f!).mul(c).add(prims.logistic(i!).mul(g!.tanh()))
  return { h: prims.logistic(o!).mul(memory.tanh()), c: memory }
}
