/** Training steps of a convolutional network, a perceptron and a recurrent language model. */
import { type Shape, type Tensor, nn, optim } from 'cotangent'
import type { Case, Context, TimedWorkload } from '../workload.ts'
import { lstm } from './recurrent.ts'
import { trainingCase } from './training.ts'

const { conv, maxPool } = nn.functional
const { softmaxCrossEntropy } = nn.losses

/** Tensors of these shapes, from consecutive seeds; each scaled by the root of its fan-in. */
const parameters = <Name extends string>(
  { normal }: Context,
  firstSeed: number,
  spec: readonly (readonly [name: Name, shape: Shape, fanIn: number])[],
): Readonly<Record<Name, Tensor>> => {
  const entries = spec.map(
    ([name, shape, fanIn], i) =>
      [name, normal(shape, firstSeed + i, 1 / Math.sqrt(fanIn))] as const,
  )
  // Object.fromEntries forgets which names it was given.
  return Object.fromEntries(entries) as Record<Name, Tensor>
}

const dense = (x: Tensor, weight: Tensor, bias: Tensor): Tensor => x.matmul(weight.T).add(bias)

const convolved = (x: Tensor, kernel: Tensor, bias: Tensor, padding: number): Tensor =>
  conv(x, kernel, { padding }).add(bias.reshape([1, bias.size, 1, 1]))

export const lenetCase = (context: Context, batch = 64): Case =>
  trainingCase(context, {
    params: parameters(context, 100, [
      ['conv1', [6, 1, 5, 5], 25],
      ['conv1Bias', [6], 25],
      ['conv2', [16, 6, 5, 5], 150],
      ['conv2Bias', [16], 150],
      ['dense1', [120, 400], 400],
      ['dense1Bias', [120], 400],
      ['dense2', [84, 120], 120],
      ['dense2Bias', [84], 120],
      ['dense3', [10, 84], 84],
      ['dense3Bias', [10], 84],
    ]),
    loss: (p, x, y) => {
      const first = maxPool(nn.sigmoid(convolved(x, p.conv1, p.conv1Bias, 2)), { window: 2 })
      const second = maxPool(nn.sigmoid(convolved(first, p.conv2, p.conv2Bias, 0)), { window: 2 })
      const flat = second.reshape([batch, 400])
      const hidden = nn.sigmoid(dense(flat, p.dense1, p.dense1Bias))
      const last = nn.sigmoid(dense(hidden, p.dense2, p.dense2Bias))
      return softmaxCrossEntropy(dense(last, p.dense3, p.dense3Bias), y)
    },
    optimizer: optim.sgd(0.05, { momentum: 0.9 }),
    batch: [context.normal([batch, 1, 28, 28], 61), context.integers([batch], 62, 10)],
  })

const mlpCase = (context: Context): Case =>
  trainingCase(context, {
    params: parameters(context, 200, [
      ['dense1', [512, 784], 784],
      ['dense1Bias', [512], 784],
      ['dense2', [256, 512], 512],
      ['dense2Bias', [256], 512],
      ['dense3', [10, 256], 256],
      ['dense3Bias', [10], 256],
    ]),
    loss: (p, x, y) => {
      const first = nn.relu(dense(x, p.dense1, p.dense1Bias))
      const second = nn.relu(dense(first, p.dense2, p.dense2Bias))
      return softmaxCrossEntropy(dense(second, p.dense3, p.dense3Bias), y)
    },
    optimizer: optim.adam(1e-3),
    batch: [context.normal([128, 784], 63), context.integers([128], 64, 10)],
  })

const characters = 65

export const charLstmCase = (context: Context, time = 64, batch = 32): Case =>
  trainingCase(context, {
    params: parameters(context, 300, [
      ['weightIh', [1024, characters], 256],
      ['weightHh', [1024, 256], 256],
      ['biasIh', [1024], 256],
      ['biasHh', [1024], 256],
      ['dense', [characters, 256], 256],
      ['denseBias', [characters], 256],
    ]),
    loss: (p, x, y) => {
      const hidden = lstm(nn.oneHot(x, characters), p.weightIh, p.weightHh, p.biasIh, p.biasHh)
      const logits = dense(hidden.reshape([time * batch, 256]), p.dense, p.denseBias)
      return softmaxCrossEntropy(logits, y)
    },
    optimizer: optim.adam(1e-3),
    batch: [
      context.integers([time, batch], 65, characters),
      context.integers([time * batch], 66, characters),
    ],
  })

export const trainingSteps: readonly TimedWorkload[] = [
  {
    id: 'lenet_step',
    group: 'train',
    title: 'LeNet-5 step, batch 64, momentum',
    unit: 'ms',
    prepare: (context) => lenetCase(context),
  },
  {
    id: 'mlp_step',
    group: 'train',
    title: 'MLP 784-512-256-10 step, batch 128, Adam',
    unit: 'ms',
    // Three products for each of the layers but the first, which needs no gradient of its input.
    flops: 2 * 128 * (3 * (784 * 512 + 512 * 256 + 256 * 10) - 784 * 512),
    prepare: mlpCase,
  },
  {
    id: 'charlstm_step',
    group: 'train2',
    title: 'character LSTM step, 64 steps, batch 32, Adam',
    unit: 'ms',
    prepare: (context) => charLstmCase(context),
  },
]
