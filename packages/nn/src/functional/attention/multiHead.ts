/** Multi-head attention: projections around the dot product. */
import type { Tensor } from '@cotangent/core'
import { type Attention, type AttentionOptions, attend } from './dotProduct.ts'

/** A linear map to or from heads. */
export interface Projection {
  /** `[features, heads, headFeatures]`, or for the output `[heads, headFeatures, features]`. */
  readonly kernel: Tensor
  /** `[heads, headFeatures]`, or for the output `[features]`. */
  readonly bias?: Tensor | undefined
}

export interface AttentionWeights {
  readonly query: Projection
  readonly key: Projection
  readonly value: Projection
  readonly out: Projection
}

/** `x: […, features]` to `[…, heads, headFeatures]`: one matrix product. */
export const toHeads = (x: Tensor, { kernel, bias }: Projection): Tensor => {
  const [features, heads, size] = kernel.shape
  const lead = x.shape.slice(0, -1)
  const y = x.reshape([-1, features!]).matmul(kernel.reshape([features!, heads! * size!]))
  const biased = bias === undefined ? y : y.add(bias.reshape([heads! * size!]))
  return biased.reshape([...lead, heads!, size!])
}

/** `x: […, heads, headFeatures]` to `[…, features]`: one matrix product. */
export const fromHeads = (x: Tensor, { kernel, bias }: Projection): Tensor => {
  const [heads, size, features] = kernel.shape
  const lead = x.shape.slice(0, -2)
  const y = x.reshape([-1, heads! * size!]).matmul(kernel.reshape([heads! * size!, features!]))
  return (bias === undefined ? y : y.add(bias)).reshape([...lead, features!])
}

export interface MultiHeadInputs {
  /** `[batch, t, features]`. */
  readonly query: Tensor
  /** `[batch, s, features]`; the query by default. */
  readonly key?: Tensor | undefined
  /** `[batch, s, features]`; the key by default. */
  readonly value?: Tensor | undefined
}

/**
 * Multi-head attention: `[batch, t, features]` to the outputs `[batch, t, out]` and the weights
 * `[batch, heads, t, s]`.
 * @see Vaswani et al. 2017, section 3.2.2
 */
export const multiHeadAttention = (
  { query, key = query, value = key }: MultiHeadInputs,
  weights: AttentionWeights,
  options: AttentionOptions = {},
): Attention => {
  const heads = attend(
    toHeads(query, weights.query),
    toHeads(key, weights.key),
    toHeads(value, weights.value),
    options,
  )
  return { outputs: fromHeads(heads.outputs, weights.out), weights: heads.weights }
}
