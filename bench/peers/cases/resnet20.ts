/** The training step of ResNet-20 for 32×32 images. */
import { type Tensor, nn, np, optim } from 'cotangent'
import type { Case, Context, TimedWorkload } from '../workload.ts'
import { trainingCase } from './training.ts'

const { batchNormTraining, conv } = nn.functional

/** A convolution without bias, and the batch normalisation after it. */
interface ConvNorm {
  readonly kernel: Tensor
  readonly scale: Tensor
  readonly bias: Tensor
}

interface Block {
  readonly first: ConvNorm
  readonly second: ConvNorm
  /** Brings the input to the shape of the output, where they differ. */
  readonly shortcut: ConvNorm | null
}

interface Params {
  readonly stem: ConvNorm
  readonly blocks: readonly Block[]
  readonly dense: Tensor
  readonly denseBias: Tensor
}

const widths: readonly number[] = [16, 32, 64]
const blocksPerWidth = 3

/** Kernels take consecutive seeds in the order in which they are used. */
const initial = ({ normal }: Context): Params => {
  let seed = 500
  const convNorm = (outputs: number, inputs: number, window: number): ConvNorm => ({
    kernel: normal(
      [outputs, inputs, window, window],
      seed++,
      Math.sqrt(2 / (inputs * window * window)),
    ),
    scale: np.ones([outputs]),
    bias: np.zeros([outputs]),
  })
  const stem = convNorm(16, 3, 3)
  let inputs = 16
  const blocks = widths.flatMap((width) =>
    Array.from({ length: blocksPerWidth }, (): Block => {
      const first = convNorm(width, inputs, 3)
      const second = convNorm(width, width, 3)
      const shortcut = inputs === width ? null : convNorm(width, inputs, 1)
      inputs = width
      return { first, second, shortcut }
    }),
  )
  return { stem, blocks, dense: normal([10, 64], seed, 1 / 8), denseBias: np.zeros([10]) }
}

const apply = (x: Tensor, { kernel, scale, bias }: ConvNorm, stride: number): Tensor => {
  const padding = kernel.shape[2]! >> 1
  return batchNormTraining(conv(x, kernel, { stride, padding }), { scale, bias }).y
}

const residual = (x: Tensor, { first, second, shortcut }: Block): Tensor => {
  // Where the width changes, the resolution is halved.
  const stride = shortcut === null ? 1 : 2
  const inner = apply(nn.relu(apply(x, first, stride)), second, 1)
  return nn.relu(inner.add(shortcut === null ? x : apply(x, shortcut, stride)))
}

const loss = ({ stem, blocks, dense, denseBias }: Params, x: Tensor, y: Tensor): Tensor => {
  const features = blocks.reduce(residual, nn.relu(apply(x, stem, 1)))
  const pooled = np.mean(features, { axis: [2, 3] })
  return nn.losses.softmaxCrossEntropy(pooled.matmul(dense.T).add(denseBias), y)
}

export const resnet20Case = (context: Context, batch = 32): Case =>
  trainingCase(context, {
    params: initial(context),
    loss,
    optimizer: optim.sgd(0.01, { momentum: 0.9 }),
    batch: [context.normal([batch, 3, 32, 32], 67), context.integers([batch], 68, 10)],
  })

export const resnet20: TimedWorkload = {
  id: 'resnet20_step',
  group: 'train2',
  title: 'ResNet-20 step, batch 32, momentum',
  unit: 'ms',
  prepare: (context) => resnet20Case(context),
}
