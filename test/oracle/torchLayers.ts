/** The operations of the `torch/` layer files by their names there. */
import { type Tensor, tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import type { Attributes, Operation, Tensors } from './torch.ts'

const f = nn.functional

const withBias = (y: Tensor, b: Tensor | undefined): Tensor =>
  b === undefined ? y : y.add(b.reshape([1, b.size, ...y.shape.slice(2).map(() => 1)]))

const convolution: Operation = ({ x, w, b }, a) => ({
  y: withBias(
    f.conv(x!, w!, {
      stride: a.numbers('stride'),
      padding: a.pairs('padding'),
      dilation: a.numbers('dilation'),
      groups: a.number('groups'),
    }),
    b,
  ),
})

const transposed: Operation = ({ x, w, b }, a) => ({
  y: withBias(
    f.convTranspose(x!, w!, {
      stride: a.numbers('stride'),
      padding: a.pairs('padding'),
      outputPadding: a.numbers('output_padding'),
      dilation: a.numbers('dilation'),
      groups: a.number('groups'),
    }),
    b,
  ),
})

const maxPool: Operation = ({ x }, a) => ({
  y: f.maxPool(x!, {
    window: a.numbers('kernel'),
    stride: a.numbers('stride'),
    padding: a.pairs('padding'),
    dilation: a.numbers('dilation'),
    ceilMode: a.flag('ceil_mode'),
  }),
})

const avgPool: Operation = ({ x }, a) => ({
  y: f.avgPool(x!, {
    window: a.numbers('kernel'),
    stride: a.numbers('stride'),
    padding: a.pairs('padding'),
    ceilMode: a.flag('ceil_mode'),
    countIncludePad: a.flag('count_include_pad'),
  }),
})

const batchNorm: Operation = (inputs, a) => {
  const { x, weight: scale, bias, running_mean: mean, running_var: variance } = inputs
  const options = { axis: a.number('axis'), epsilon: a.number('eps') }
  const old = { mean: mean!, variance: variance! }
  if (!a.flag('training')) return { y: f.batchNormInference(x!, old, { scale, bias }, options) }
  const result = f.batchNormTraining(x!, { scale, bias }, options)
  const next = f.updateStatistics(old, result, a.number('momentum'))
  return { y: result.y, running_mean: next.mean, running_var: next.variance }
}

const layerNorm: Operation = ({ x, weight: scale, bias }, a) => {
  const rank = a.numbers('normalized_shape').length
  const axis = a.numbers('normalized_shape').map((_, d) => d - rank)
  return { y: f.layerNorm(x!, { scale, bias }, { axis, epsilon: a.number('eps') }) }
}

type Kind = 'rnn' | 'lstm' | 'gru'

const cellWeights = (inputs: Tensors, suffix: string): nn.functional.CellWeights =>
  f.fromTorchCell({
    weightIh: inputs[`weight_ih${suffix}`]!,
    weightHh: inputs[`weight_hh${suffix}`]!,
    biasIh: inputs[`bias_ih${suffix}`],
    biasHh: inputs[`bias_hh${suffix}`],
    weightHr: inputs[`weight_hr${suffix}`],
  })

const stackWeights = (inputs: Tensors, a: Attributes): nn.functional.StackWeights =>
  Array.from({ length: a.number('num_layers') }, (_, layer) => {
    const forward = cellWeights(inputs, `_l${layer}`)
    return a.flag('bidirectional')
      ? [forward, cellWeights(inputs, `_l${layer}_reverse`)]
      : [forward]
  })

const rows = (x: Tensor | undefined): readonly Tensor[] | undefined =>
  x === undefined ? undefined : Array.from({ length: x.shape[0]! }, (_, i) => x.at(i))

const sequences =
  (kind: Kind): Operation =>
  (inputs, a) => {
    const { x, h0, c0 } = inputs
    const steps = a.flag('batch_first') ? f.swapBatchAndTime(x!) : x!
    const order = (y: Tensor): Tensor => (a.flag('batch_first') ? f.swapBatchAndTime(y) : y)
    const weights = stackWeights(inputs, a)
    if (kind === 'lstm') {
      const cs = rows(c0)
      const carries = rows(h0)?.map((h, i) => ({ h, c: cs![i]! }))
      const run = f.runStack(f.lstmCell, steps, weights, { carries })
      return {
        y: order(run.outputs),
        hn: np.stack(run.carries.map((c) => c.h)),
        cn: np.stack(run.carries.map((c) => c.c)),
      }
    }
    const relu = kind === 'rnn' && a.text('nonlinearity', 'tanh') === 'relu'
    const cell = kind === 'gru' ? f.gruCell : relu ? f.rnnCell(nn.relu) : f.rnnCell()
    const carries = rows(h0)?.map((h) => ({ h }))
    const run = f.runStack(cell, steps, weights, { carries })
    return { y: order(run.outputs), hn: np.stack(run.carries.map((c) => c.h)) }
  }

const cell =
  (kind: Kind): Operation =>
  (inputs, a) => {
    const { x, h0: h, c0: c } = inputs
    const weights = cellWeights(inputs, '')
    if (kind === 'lstm') return { ...f.cellStep(f.lstmCell, x!, { h: h!, c: c! }, weights) }
    const plain = a.text('nonlinearity', 'tanh') === 'relu' ? f.rnnCell(nn.relu) : f.rnnCell()
    return { ...f.cellStep(kind === 'gru' ? f.gruCell : plain, x!, { h: h! }, weights) }
  }

const adaptiveMean: Operation = ({ x }, a) => ({
  y: f.adaptiveAvgPool(x!, a.numbers('output_size')),
})
const adaptiveMaximum: Operation = ({ x }, a) => ({
  y: f.adaptiveMaxPool(x!, a.numbers('output_size')),
})
const normPool: Operation = ({ x }, a) => ({
  y: f.lpPool(x!, {
    p: a.number('p'),
    window: a.numbers('kernel'),
    stride: a.numbers('stride'),
    ceilMode: a.flag('ceil_mode'),
  }),
})

export const layerOperations: Readonly<Record<string, Operation>> = {
  conv1d: convolution,
  conv2d: convolution,
  conv3d: convolution,
  conv_transpose1d: transposed,
  conv_transpose2d: transposed,
  conv_transpose3d: transposed,
  max_pool1d: maxPool,
  max_pool2d: maxPool,
  max_pool3d: maxPool,
  avg_pool1d: avgPool,
  avg_pool2d: avgPool,
  avg_pool3d: avgPool,
  adaptive_avg_pool1d: adaptiveMean,
  adaptive_avg_pool2d: adaptiveMean,
  adaptive_avg_pool3d: adaptiveMean,
  adaptive_max_pool1d: adaptiveMaximum,
  adaptive_max_pool2d: adaptiveMaximum,
  adaptive_max_pool3d: adaptiveMaximum,
  lp_pool1d: normPool,
  lp_pool2d: normPool,
  lp_pool3d: normPool,
  batch_norm: batchNorm,
  layer_norm: layerNorm,
  group_norm: ({ x, weight: scale, bias }, a) => ({
    y: f.groupNorm(x!, { scale, bias }, { groups: a.number('num_groups'), epsilon: a.number('eps') }),
  }),
  instance_norm: ({ x, weight: scale, bias }, a) => ({
    y: f.instanceNorm(x!, { scale, bias }, { epsilon: a.number('eps') }),
  }),
  local_response_norm: ({ x }, a) => ({
    y: f.localResponseNorm(x!, {
      size: a.number('size'),
      alpha: a.number('alpha'),
      beta: a.number('beta'),
      k: a.number('k'),
    }),
  }),
  normalize: ({ x }, a) => ({
    y: f.normalize(x!, { p: a.number('p'), axis: a.number('axis'), epsilon: a.number('eps') }),
  }),
  rnn: sequences('rnn'),
  lstm: sequences('lstm'),
  gru: sequences('gru'),
  rnn_cell: cell('rnn'),
  lstm_cell: cell('lstm'),
  gru_cell: cell('gru'),
}

/** An index vector, for formulas that write one. */
export const indices = (...values: readonly number[]): Tensor =>
  tensor(Int32Array.from(values), { shape: [values.length] })
