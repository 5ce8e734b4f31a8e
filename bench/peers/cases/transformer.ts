/** The training step of a transformer's encoder block. */
import { type Shape, nn, optim } from 'cotangent'
import type { Case, Context, TimedWorkload } from '../workload.ts'
import { layerTrainingCase } from './training.ts'

const [width, heads, feedForward] = [128, 4, 512]
const headWidth = width / heads

/** Pre-norm, without a mask, and with the exact gelu, x Φ(x). */
const block = nn.transformerEncoderLayer(heads, {
  normFirst: true,
  feedForward,
  activation: (x) => nn.gelu(x, { approximate: false }),
})

/** Consecutive seeds, in the order in which the block uses its parameters. */
const initial = ({ normal }: Context): nn.EncoderLayerParams => {
  let seed = 600
  const bias = (shape: Shape) => normal(shape, seed++, 0.1)
  const norm = (): nn.NormParams => ({
    scale: normal([width], seed++, 0.1, 1),
    bias: bias([width]),
  })
  const linear = (inputs: number, kernel: Shape, outputs: Shape): nn.KernelAndBias => ({
    kernel: normal(kernel, seed++, 1 / Math.sqrt(inputs)),
    bias: bias(outputs),
  })
  const toHeads = () => linear(width, [width, heads, headWidth], [heads, headWidth])
  const norm1 = norm()
  const attention = {
    query: toHeads(),
    key: toHeads(),
    value: toHeads(),
    out: linear(width, [heads, headWidth, width], [width]),
  }
  const norm2 = norm()
  const dense1 = linear(width, [width, feedForward], [feedForward])
  const dense2 = linear(feedForward, [feedForward, width], [width])
  return { norm1, attention, norm2, dense1, dense2 }
}

export const transformerCase = (context: Context, batch = 16, time = 64): Case => {
  const shape = [batch, time, width]
  return layerTrainingCase(context, {
    layer: block,
    params: initial(context),
    optimizer: optim.adam(1e-3),
    batch: [context.normal(shape, 91), context.normal(shape, 92)],
  })
}

/** Of one step in one sequence: four projections, the two products of attention, two dense layers. */
const products = (time: number): number =>
  4 * width ** 2 + 2 * time * width + 2 * width * feedForward

export const transformerStep: TimedWorkload = {
  id: 'transformer_step',
  group: 'blocks',
  title: 'transformer block step, 16 × 64 × 128, Adam',
  unit: 'ms',
  // Each product is made once forward and twice backward.
  flops: 3 * 2 * 16 * 64 * products(64),
  prepare: (context) => transformerCase(context),
}
