/** The attention operations of the `torch/` files, through the layers where there is one. */
import type { Tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import type { Attributes, Operation, Tensors } from './torch.ts'

const f = nn.functional

// PyTorch's bool masks say what is not attended.
const seen = (mask: Tensor | undefined): Tensor | undefined => mask?.logicalNot()

// Of keys alone: [batch, s] spreads over heads and queries.
const ofKeys = (mask: Tensor | undefined): Tensor | undefined => seen(mask)?.expandDims([1, 2])

const weightsOf = (inputs: Tensors, prefix: string, heads: number) => {
  const dotted = prefix === '' ? 'out_proj_' : `${prefix}out_proj.`
  const apart = ['q', 'k', 'v'].map((side) => inputs[`${prefix}${side}_proj_weight`]!)
  return f.fromTorchAttention(
    {
      inProjWeight: inputs[`${prefix}in_proj_weight`] ?? [apart[0]!, apart[1]!, apart[2]!],
      inProjBias: inputs[`${prefix}in_proj_bias`],
      outProjWeight: inputs[`${dotted}weight`]!,
      outProjBias: inputs[`${dotted}bias`],
    },
    heads,
  )
}

const multiHead: Operation = (inputs, a) => {
  const heads = a.number('num_heads')
  const mask = f.combineMasks(seen(inputs['attn_mask_bool']), ofKeys(inputs['key_padding_mask']))
  const { q, k, v, attn_mask_add: bias } = inputs
  const weights = weightsOf(inputs, '', heads)
  const { outputs, weights: looks } = f.multiHeadAttention({ query: q!, key: k, value: v }, weights, {
    mask,
    bias,
    causal: a.flag('causal') || a.flag('is_causal'),
  })
  return { y: outputs, weights: looks }
}

const heads = (x: Tensor): Tensor => np.moveaxis(x, -3, -2)

const dotProduct: Operation = (inputs, a) => {
  const { outputs, weights } = f.attend(heads(inputs['q']!), heads(inputs['k']!), heads(inputs['v']!), {
    causal: a.flag('causal'),
    mask: seen(inputs['attn_mask_bool'] ?? inputs['mask']),
    bias: inputs['attn_mask_add'],
  })
  return { y: heads(outputs), weights }
}

const activationOf = (a: Attributes): ((x: Tensor) => Tensor) => {
  if (a.text('activation') === 'gelu') return (x) => nn.gelu(x, { approximate: false })
  return (x) => nn.relu(x)
}

const norm = (inputs: Tensors, name: string) => ({
  scale: inputs[`${name}.weight`]!,
  bias: inputs[`${name}.bias`] ?? np.zerosLike(inputs[`${name}.weight`]!),
})
const linear = (inputs: Tensors, name: string) => {
  const kernel = inputs[`${name}.weight`]!.T
  return { kernel, bias: inputs[`${name}.bias`] ?? np.zeros([kernel.shape[1]!]) }
}

// The layers have biases; a missing one is zero.
const attention = (inputs: Tensors, prefix: string, count: number) => {
  const { query, key, value, out } = weightsOf(inputs, prefix, count)
  const withBias = ({ kernel, bias }: nn.functional.Projection, shape: readonly number[]) => ({
    kernel,
    bias: bias ?? np.zeros(shape),
  })
  const [, n, size] = query.kernel.shape
  return {
    query: withBias(query, [n!, size!]),
    key: withBias(key, [n!, size!]),
    value: withBias(value, [n!, size!]),
    out: withBias(out, [out.kernel.shape[2]!]),
  }
}

const blockOptions = (a: Attributes) => ({
  activation: activationOf(a),
  normFirst: a.flag('norm_first'),
  epsilon: a.number('layer_norm_eps', 1e-5),
})

const encoderLayer: Operation = (inputs, a) => {
  const count = a.number('num_heads')
  const params = {
    attention: attention(inputs, 'self_attn.', count),
    norm1: norm(inputs, 'norm1'),
    norm2: norm(inputs, 'norm2'),
    dense1: linear(inputs, 'linear1'),
    dense2: linear(inputs, 'linear2'),
  }
  const mask = f.combineMasks(seen(inputs['mask']), ofKeys(inputs['key_padding_mask']))
  const layer = nn.transformerEncoderLayer(count, blockOptions(a))
  const [y] = layer.apply({ params, state: nn.none }, { inputs: inputs['x']!, mask })
  return { y }
}

const decoderLayer: Operation = (inputs, a) => {
  const count = a.number('num_heads')
  const params = {
    attention: attention(inputs, 'self_attn.', count),
    crossAttention: attention(inputs, 'multihead_attn.', count),
    norm1: norm(inputs, 'norm1'),
    norm2: norm(inputs, 'norm2'),
    norm3: norm(inputs, 'norm3'),
    dense1: linear(inputs, 'linear1'),
    dense2: linear(inputs, 'linear2'),
  }
  const layer = nn.transformerDecoderLayer(count, { ...blockOptions(a), causal: false })
  const mask = f.combineMasks(seen(inputs['mask']), ofKeys(inputs['key_padding_mask']))
  const memoryVisibility = {
    mask: f.combineMasks(seen(inputs['memory_mask']), ofKeys(inputs['memory_key_padding_mask'])),
  }
  const [y] = layer.apply(
    { params, state: nn.none },
    { inputs: inputs['x']!, memory: inputs['memory']!, mask, memoryVisibility },
  )
  return { y }
}

export const attentionOperations: Readonly<Record<string, Operation>> = {
  multi_head_attention: multiHead,
  scaled_dot_product_attention: dotProduct,
  transformer_encoder_layer: encoderLayer,
  transformer_decoder_layer: decoderLayer,
}
