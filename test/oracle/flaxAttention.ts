/** Flax's attention, through the layers. */
import type { Tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import type { GoldenCase } from './cases.ts'
import { type Module, parseModule } from './flaxFormula.ts'
import type { Operation, Tensors } from './torch.ts'

const f = nn.functional

const projection = (inputs: Tensors, name: string) => {
  const kernel = inputs[`params/${name}/kernel`]!
  const bias = inputs[`params/${name}/bias`]
  return bias === undefined ? { kernel } : { kernel, bias }
}

const multiHead =
  ({ args, options }: Module): Operation =>
  (inputs) => {
    const heads = Number(options['num_heads'] ?? args[0])
    const normalizeQk = options['normalize_qk'] === true
    const [query, key, value, out] = ['query', 'key', 'value', 'out'].map((n) => projection(inputs, n))
    const projections = { query: query!, key: key!, value: value!, out: out! }
    const scales = {
      queryNorm: { scale: inputs['params/query_ln/scale']! },
      keyNorm: { scale: inputs['params/key_ln/scale']! },
    }
    const layer: nn.Layer<unknown, nn.None, string, Tensor, nn.AttentionInput> =
      nn.multiHeadAttention(heads, { normalizeQk })
    const params = normalizeQk ? { ...projections, ...scales } : projections
    const { inputs_q: q, inputs_k: k, inputs_v: v, mask, bias } = inputs
    const input = { inputs: (q ?? inputs['x'])!, key: k, value: v, mask, bias }
    return { y: layer.apply({ params, state: nn.none }, input)[0] }
  }

const dotProduct: Operation = ({ query, key, value, mask, bias }) => ({
  y: f.dotProductAttention(query!, key!, value!, { mask: mask?.astype('bool'), bias }),
})

const causal: Operation = ({ x }) => {
  const [batch, length] = [x!.shape.slice(0, -1), x!.shape[x!.ndim - 1]!]
  const shape = [...batch, 1, length, length]
  return { y: np.broadcastTo(f.causalMask(length), shape).astype('float32') }
}

const pairwise: Operation = ({ query_input: q, key_input: k }) => ({
  y: f.attentionMask(q!, k!).astype('float32'),
})

const combined: Operation = (inputs) => ({
  y: f.combineMasks(...Object.values(inputs).map((m) => m.astype('bool')))!.astype('float32'),
})

const functions: Readonly<Record<string, Operation>> = {
  dot_product_attention: dotProduct,
  make_causal_mask: causal,
  make_attention_mask: pairwise,
  combine_masks: combined,
}
const modules = /^nn\.(MultiHeadDotProductAttention|MultiHeadAttention|SelfAttention)\(/

/** The operation of a case on attention; null for another case. */
export const flaxAttention = (c: GoldenCase): Operation | null => {
  if (c.formula !== undefined && modules.test(c.formula)) return multiHead(parseModule(c.formula))
  return functions[c.op.slice(c.op.lastIndexOf('.') + 1)] ?? null
}
