/** Attention weights as PyTorch keeps them. */
import { Tensor } from '@cotangent/core'
import type { AttentionWeights, Projection } from './multiHead.ts'

/** Of `torch.nn.MultiheadAttention`: `[3 E, E]` or three of them, `[3 E]`, `[E, E]`, `[E]`. */
export interface TorchAttentionWeights {
  /** Of query, key and value, stacked, or apart where their features differ (`kdim`, `vdim`). */
  readonly inProjWeight: Tensor | readonly [query: Tensor, key: Tensor, value: Tensor]
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
  const { inProjWeight } = w
  const [query, key, value] = [0, 1, 2].map((n) => {
    const rows = `${n * size}:${(n + 1) * size}`
    const matrix = inProjWeight instanceof Tensor ? inProjWeight.at(rows) : inProjWeight[n]!
    const kernel = matrix.T.reshape([matrix.shape[1]!, heads, features])
    return withBias(kernel, w.inProjBias?.at(rows).reshape([heads, features]))
  })
  const out = withBias(w.outProjWeight.T.reshape([heads, features, size]), w.outProjBias)
  return { query: query!, key: key!, value: value!, out }
}
