/** Attention weights as PyTorch keeps them. */
import type { Tensor } from '@cotangent/core'
import type { AttentionWeights, Projection } from './multiHead.ts'

/** Of `torch.nn.MultiheadAttention`: `[3 E, E]`, `[3 E]`, `[E, E]`, `[E]`. */
export interface TorchAttentionWeights {
  readonly inProjWeight: Tensor
  readonly inProjBias?: Tensor | undefined
  readonly outProjWeight: Tensor
  readonly outProjBias?: Tensor | undefined
}

const withBias = (kernel: Tensor, bias: Tensor | undefined): Projection =>
  bias === undefined ? { kernel } : { kernel, bias }

/** PyTorch's stacked projections as ours, a kernel for each of query, key and value. */
export const fromTorchAttention = (w: TorchAttentionWeights, heads: number): AttentionWeights => {
  const size = w.outProjWeight.shape[0]!
  const features = size / heads
  const [query, key, value] = [0, 1, 2].map((n) => {
    const rows = `${n * size}:${(n + 1) * size}`
    const kernel = w.inProjWeight.at(rows).T.reshape([size, heads, features])
    return withBias(kernel, w.inProjBias?.at(rows).reshape([heads, features]))
  })
  const out = withBias(w.outProjWeight.T.reshape([heads, features, size]), w.outProjBias)
  return { query: query!, key: key!, value: value!, out }
}
