/** Flax's layers by the formulas of `jax/nn_optax.json`: channels last, kernels `[…window, in, out]`. */
import { type Tensor, range } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import type { Operation, Tensors } from './torch.ts'

const f = nn.functional

// [… window, in / groups, out] to [out, in / groups, …window].
const oihw = (kernel: Tensor): Tensor => {
  const rank = kernel.ndim - 2
  return kernel.transpose([rank + 1, rank, ...range(rank)])
}

const convolution =
  (options: nn.functional.ConvOptions): Operation =>
  (inputs) => {
    const y = f.conv(inputs['x']!, oihw(inputs['params/kernel']!), { ...options, layout: 'NHWC' })
    const bias = inputs['params/bias']
    return { y: bias === undefined ? y : y.add(bias) }
  }

// lax.conv_transpose: the transpose of a convolution whose padding is split as JAX splits it.
const transposed =
  (stride: readonly number[], padding: 'same' | 'valid', dilation: readonly number[]): Operation =>
  (inputs) => {
    const kernel = inputs['params/kernel']!
    const window = kernel.shape.slice(0, -2)
    const flipped = np.flip(kernel, range(window.length))
    const rank = window.length
    const amounts = window.map((k, d) => {
      const reach = (k - 1) * dilation[d]! + 1
      const s = stride[d]!
      const total =
        padding === 'same' ? reach + s - 2 : reach + s - 2 + Math.max(reach - s, 0)
      const low =
        padding === 'same'
          ? s > reach - 1
            ? reach - 1
            : Math.ceil(total / 2)
          : reach - 1
      return { cut: reach - 1 - low, extra: total - low - (reach - 1) }
    })
    const y = f.convTranspose(inputs['x']!, flipped.transpose([rank, rank + 1, ...range(rank)]), {
      stride,
      dilation,
      padding: amounts.map(({ cut, extra }): readonly [number, number] => [cut, -Math.min(0, extra)]),
      outputPadding: amounts.map(({ extra }) => Math.max(0, extra)),
      layout: 'NHWC',
    })
    return { y: y.add(inputs['params/bias']!) }
  }

const dense: Operation = ({ x, ...inputs }) => {
  const y = x!.matmul(inputs['params/kernel']!)
  const bias = inputs['params/bias']
  return { y: bias === undefined ? y : y.add(bias) }
}

const affine = (inputs: Tensors): { readonly scale?: Tensor; readonly bias?: Tensor } => {
  const [scale, bias] = [inputs['params/scale'], inputs['params/bias']]
  return { ...(scale === undefined ? {} : { scale }), ...(bias === undefined ? {} : { bias }) }
}

const batchNorm =
  (train: boolean, axis: number, momentum: number): Operation =>
  (inputs) => {
    const mean = inputs['state/batch_stats/mean']!
    const variance = inputs['state/batch_stats/var']!
    if (!train) {
      return { y: f.batchNormInference(inputs['x']!, { mean, variance }, affine(inputs), { axis }) }
    }
    const result = f.batchNormTraining(inputs['x']!, affine(inputs), { axis })
    // Flax keeps the biased variance, which is what a count of one leaves as it is.
    const next = f.updateStatistics({ mean, variance }, { ...result, count: 1 }, 1 - momentum)
    return {
      y: result.y,
      'state/batch_stats/mean': next.mean,
      'state/batch_stats/var': next.variance,
    }
  }

const layerNorm =
  (options: nn.functional.LayerNormOptions = {}): Operation =>
  (inputs) => ({
    y: f.layerNorm(inputs['x']!, affine(inputs), { epsilon: 1e-6, ...options }),
  })

const groupNorm =
  (groups: number): Operation =>
  (inputs) => ({
    y: f.groupNorm(inputs['x']!, affine(inputs), { groups, axis: -1, epsilon: 1e-6 }),
  })

const rmsNorm: Operation = (inputs) => ({ y: f.rmsNorm(inputs['x']!, affine(inputs)) })

const joined = (inputs: Tensors, names: readonly string[]): Tensor =>
  np.concatenate(
    names.map((name) => inputs[name]!),
    { axis: -1 },
  )

const gates = (inputs: Tensors, prefix: string, order: readonly string[]) => {
  const kernels = (side: 'i' | 'h'): readonly string[] =>
    order.map((gate) => `${prefix}${side}${gate}/kernel`)
  return {
    kernel: joined(inputs, kernels('i')),
    recurrentKernel: joined(inputs, kernels('h')),
  }
}

const gruWeights = (inputs: Tensors, prefix: string): nn.functional.CellWeights => {
  const inner = inputs[`${prefix}hn/bias`]!
  const zero = np.zerosLike(inner)
  return {
    ...gates(inputs, prefix, ['r', 'z', 'n']),
    bias: joined(inputs, ['ir', 'iz', 'in'].map((gate) => `${prefix}${gate}/bias`)),
    recurrentBias: np.concatenate([zero, zero, inner]),
  }
}

const lstmWeights = (inputs: Tensors, prefix: string): nn.functional.CellWeights => ({
  ...gates(inputs, prefix, ['i', 'f', 'g', 'o']),
  bias: joined(inputs, ['hi', 'hf', 'hg', 'ho'].map((gate) => `${prefix}${gate}/bias`)),
})

const simpleWeights = (inputs: Tensors, prefix: string): nn.functional.CellWeights => ({
  kernel: inputs[`${prefix}i/kernel`]!,
  recurrentKernel: inputs[`${prefix}h/kernel`]!,
  bias: inputs[`${prefix}i/bias`]!,
})

const lstmStep: Operation = (inputs) => {
  const carry = { c: inputs['carry/0']!, h: inputs['carry/1']! }
  const next = f.cellStep(f.lstmCell, inputs['x']!, carry, lstmWeights(inputs, 'params/'))
  return { '0/0': next.c, '0/1': next.h, 1: next.h }
}

const hiddenStep =
  (
    cell: nn.functional.Cell<nn.functional.HiddenCarry>,
    weights: (inputs: Tensors, prefix: string) => nn.functional.CellWeights,
  ): Operation =>
  (inputs) => {
    const { h } = f.cellStep(cell, inputs['x']!, { h: inputs['carry']! }, weights(inputs, 'params/'))
    return { 0: h, 1: h }
  }

const overTime = (
  cell: nn.functional.Cell<nn.functional.HiddenCarry>,
  x: Tensor,
  weights: nn.functional.CellWeights,
  reverse = false,
): Tensor => f.swapBatchAndTime(f.runCell(cell, f.swapBatchAndTime(x), weights, { reverse }).outputs)

const bidirectional: Operation = (inputs) => {
  const [forward, backward] = ['forward', 'backward'].map((side, i) =>
    overTime(f.gruCell, inputs['x']!, gruWeights(inputs, `params/${side}_rnn/cell/`), i === 1),
  )
  return { y: np.concatenate([forward!, backward!], { axis: -1 }) }
}

const pool = (
  p: (x: Tensor, options: nn.functional.AvgPoolOptions) => Tensor,
  options: nn.functional.AvgPoolOptions,
): Operation => ({ x }) => ({ y: p(x!, { ...options, layout: 'NHWC' }) })

const embed: Operation = ({ x, ...inputs }) => {
  const table = inputs['params/embedding']!
  const [y] = nn
    .embedding(table.shape[0]!, table.shape[1]!)
    .apply({ params: { table }, state: nn.none }, x!)
  return { y }
}

/** By case name without `flax/`. */
export const flaxOperations: Readonly<Record<string, Operation>> = {
  dense,
  dense_no_bias: dense,
  conv: convolution({ padding: 'same' }),
  conv_valid_stride: convolution({ stride: [2, 1] }),
  conv_same_stride: convolution({ stride: 2, padding: 'same' }),
  conv_dilation: convolution({ dilation: 2, padding: 'same' }),
  conv_groups: convolution({ groups: 3, padding: 'same' }),
  conv_depthwise: convolution({ groups: 3, padding: 'same' }),
  conv_1d: convolution({ padding: 'same' }),
  conv_causal: convolution({ padding: [[2, 0]] }),
  conv_no_bias: convolution({ padding: 'same' }),
  conv_transpose_same: transposed([2, 2], 'same', [1, 1]),
  conv_transpose_valid: transposed([2, 2], 'valid', [1, 1]),
  conv_transpose_stride_1: transposed([1, 1], 'same', [1, 1]),
  conv_transpose_dilation: transposed([2, 1], 'valid', [1, 2]),
  embed,
  embed_out_of_range: embed,
  batch_norm_train: batchNorm(true, -1, 0.9),
  batch_norm_eval: batchNorm(false, -1, 0.99),
  batch_norm_axis: batchNorm(true, 1, 0.99),
  batch_norm_one_sample: batchNorm(true, -1, 0.99),
  layer_norm: layerNorm(),
  layer_norm_axes: layerNorm({ axis: [1, 2], epsilon: 1e-3 }),
  layer_norm_plain: layerNorm(),
  layer_norm_constant: layerNorm(),
  layer_norm_slow_variance: layerNorm(),
  group_norm: groupNorm(3),
  group_norm_size: groupNorm(3),
  instance_norm: (inputs) => ({
    y: f.instanceNorm(inputs['x']!, affine(inputs), { axis: -1, epsilon: 1e-6 }),
  }),
  rms_norm: rmsNorm,
  rms_norm_zero: rmsNorm,
  LSTMCell: lstmStep,
  OptimizedLSTMCell: lstmStep,
  GRUCell: hiddenStep(f.gruCell, gruWeights),
  SimpleCell: hiddenStep(f.rnnCell(), simpleWeights),
  rnn_gru: (inputs) => ({
    y: overTime(f.gruCell, inputs['x']!, gruWeights(inputs, 'params/cell/')),
  }),
  rnn_reverse: (inputs) => ({
    y: overTime(f.rnnCell(), inputs['x']!, simpleWeights(inputs, 'params/cell/'), true),
  }),
  bidirectional,
  'max_pool_{window_shape:[2,2],strides:[2,2]}': pool(f.maxPool, { window: 2 }),
  'max_pool_{window_shape:[3,3],strides:[1,1],padding:SAME}': pool(f.maxPool, {
    window: 3,
    stride: 1,
    padding: 'same',
  }),
  'avg_pool_{window_shape:[2,2],strides:[2,2]}': pool(f.avgPool, { window: 2 }),
  'avg_pool_{window_shape:[3,3],strides:[2,2],padding:SAME}': pool(f.avgPool, {
    window: 3,
    stride: 2,
    padding: 'same',
  }),
  'avg_pool_{window_shape:[3,3],strides:[2,2],padding:SAME,count_include_pad:false}': pool(
    f.avgPool,
    { window: 3, stride: 2, padding: 'same', countIncludePad: false },
  ),
  'pool_min_{window_shape:[2,2],strides:[1,1]}': pool(f.minPool, { window: 2, stride: 1 }),
}
