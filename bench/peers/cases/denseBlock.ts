/** The training step of a dense block, in which every layer sees what all layers before it made. */
import { nn, optim } from 'cotangent'
import type { Case, Context, TimedWorkload } from '../workload.ts'
import { layerTrainingCase } from './training.ts'

// Any number, so that layers are typed as such and not one by one.
const layers: number = 6
const [inputs, growth] = [64, 32]
const bottleneck = 4 * growth

const grown = nn.serial({
  norm1: nn.batchNorm(),
  relu1: nn.relu,
  conv1: nn.conv2d(bottleneck, 1, { useBias: false }),
  norm2: nn.batchNorm(),
  relu2: nn.relu,
  conv2: nn.conv2d(growth, 3, { padding: 1, useBias: false }),
})

const layer = nn.serial({
  branches: nn.branches({ before: nn.identity, grown }),
  concat: nn.concat(),
})

const block = nn.repeat(layers, nn.named('layer', layer))

const channelsAt = (i: number): number => inputs + i * growth
const positions = Array.from({ length: layers }, (_, i) => i)

/** Consecutive seeds, in the order in which the block uses its parameters. */
const initial = ({ normal }: Context): nn.ParamsOf<typeof block> => {
  let seed = 800
  const norm = (channels: number): nn.ScaleAndBias => ({
    scale: normal([channels], seed++, 0.1, 1),
    bias: normal([channels], seed++, 0.1),
  })
  const conv = (features: number, channels: number, window: number): nn.Kernel => {
    const scale = Math.sqrt(2 / (channels * window ** 2))
    return { kernel: normal([features, channels, window, window], seed++, scale) }
  }
  const layerAt = (i: number): nn.ParamsOf<typeof layer> => {
    const norm1 = norm(channelsAt(i))
    const conv1 = conv(bottleneck, channelsAt(i), 1)
    const norm2 = norm(bottleneck)
    return { branches: { grown: { norm1, conv1, norm2, conv2: conv(growth, bottleneck, 3) } } }
  }
  return Object.fromEntries(positions.map((i) => [`layer${i + 1}`, layerAt(i)]))
}

export const denseBlockCase = (context: Context, batch = 8, side = 28): Case =>
  layerTrainingCase(context, {
    layer: block,
    params: initial(context),
    optimizer: optim.sgd(0.1, { momentum: 0.9 }),
    batch: [
      context.normal([batch, inputs, side, side], 95),
      context.normal([batch, channelsAt(layers), side, side], 96),
    ],
  })

/** Of one pixel in all layers. */
const products = positions.reduce((n, i) => n + bottleneck * (channelsAt(i) + 9 * growth), 0)

export const denseBlockStep: TimedWorkload = {
  id: 'dense_step',
  group: 'blocks',
  title: 'dense block step, 6 layers, 8×64×28×28, momentum',
  unit: 'ms',
  // Each product is made once forward and twice backward.
  flops: 3 * 2 * 8 * 28 * 28 * products,
  prepare: (context) => denseBlockCase(context),
}
