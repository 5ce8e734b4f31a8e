/** The training step of GoogLeNet's inception block 3a. */
import { nn, optim } from 'cotangent'
import type { Case, Context, TimedWorkload } from '../workload.ts'
import { layerTrainingCase } from './training.ts'

const inputs = 192

/** Outputs of each convolution, as table 1 of the paper says them. */
const widths = { one: 64, three: [96, 128], five: [16, 32], pool: 32 } as const

const unit = (features: number, window: number) =>
  nn.serial({ conv: nn.conv2d(features, window, { padding: 'same' }), relu: nn.relu })

const block = nn.serial({
  branches: nn.branches({
    one: unit(widths.one, 1),
    three: nn.serial({ reduce: unit(widths.three[0], 1), conv: unit(widths.three[1], 3) }),
    five: nn.serial({ reduce: unit(widths.five[0], 1), conv: unit(widths.five[1], 5) }),
    pool: nn.serial({
      pool: nn.maxPool2d(3, { stride: 1, padding: 1 }),
      project: unit(widths.pool, 1),
    }),
  }),
  concat: nn.concat(),
})

/** Consecutive seeds for kernels and biases, branch by branch. */
const initial = ({ normal }: Context): nn.ParamsOf<typeof block> => {
  let seed = 700
  const conv = (features: number, channels: number, window: number) => {
    const scale = Math.sqrt(2 / (channels * window ** 2))
    const kernel = normal([features, channels, window, window], seed++, scale)
    return { conv: { kernel, bias: normal([features], seed++, 0.1) } }
  }
  const one = conv(widths.one, inputs, 1)
  const three = {
    reduce: conv(widths.three[0], inputs, 1),
    conv: conv(widths.three[1], widths.three[0], 3),
  }
  const five = {
    reduce: conv(widths.five[0], inputs, 1),
    conv: conv(widths.five[1], widths.five[0], 5),
  }
  const pool = { project: conv(widths.pool, inputs, 1) }
  return { branches: { one, three, five, pool } }
}

export const inceptionCase = (context: Context, batch = 8, side = 28): Case => {
  const outputs = widths.one + widths.three[1] + widths.five[1] + widths.pool
  return layerTrainingCase(context, {
    layer: block,
    params: initial(context),
    optimizer: optim.sgd(0.1, { momentum: 0.9 }),
    batch: [
      context.normal([batch, inputs, side, side], 93),
      context.normal([batch, outputs, side, side], 94),
    ],
  })
}

/** Products of one pixel: those with the input, and those behind them. */
const first = inputs * (widths.one + widths.three[0] + widths.five[0] + widths.pool)
const second = 9 * widths.three[0] * widths.three[1] + 25 * widths.five[0] * widths.five[1]

export const inceptionStep: TimedWorkload = {
  id: 'inception_step',
  group: 'blocks',
  title: 'inception block 3a step, 8×192×28×28, momentum',
  unit: 'ms',
  // Nothing asks for the gradient of the input.
  flops: 2 * 8 * 28 * 28 * (2 * first + 3 * second),
  prepare: (context) => inceptionCase(context),
}
