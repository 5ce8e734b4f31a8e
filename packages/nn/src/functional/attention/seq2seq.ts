/** Attention of a decoder's state to the encoder's outputs, as in translation before transformers. */
import type { Tensor } from '@cotangent/core'
import { nnFunctions, np } from '@cotangent/ops'

/** What was read, `[batch, features]`, and how much of it came from each step, `[batch, s]`. */
export interface Context {
  readonly context: Tensor
  readonly weights: Tensor
}

/** The weights of scores `[batch, s]` over what is not masked, and the values they pick. */
export const readMemory = (scores: Tensor, values: Tensor, mask?: Tensor): Context => {
  const lowest = Number(np.finfo(scores.dtype).min)
  const weights = nnFunctions.softmax(mask === undefined ? scores : scores.where(mask, lowest))
  return { context: np.einsum('bs,bsf->bf', weights, values), weights }
}

export interface AdditiveWeights {
  /** Of the query: `[query features, units]`. */
  readonly query: Tensor
  /** Of the memory: `[memory features, units]`. */
  readonly memory: Tensor
  /** `[units]`. */
  readonly bias: Tensor
  /** `[units]`. */
  readonly scale: Tensor
}

/**
 * Scores v · tanh(q W + m U + b) of `query: [batch, …]` against `memory: [batch, s, …]`: `[batch, s]`.
 * @see Bahdanau, Cho & Bengio 2015
 */
export const additiveScores = (
  query: Tensor,
  memory: Tensor,
  w: Omit<AdditiveWeights, 'bias'> & { readonly bias?: Tensor },
): Tensor => {
  const product = query.matmul(w.query)
  const asked = (w.bias === undefined ? product : product.add(w.bias)).expandDims(1)
  const known = np.einsum('bsf,fu->bsu', memory, w.memory)
  return np.einsum('bsu,u->bs', known.add(asked).tanh(), w.scale)
}

export interface ConcatWeights {
  /** Of query and memory side by side: `[query features + memory features, units]`. */
  readonly kernel: Tensor
  /** `[units]`. */
  readonly scale: Tensor
}

/**
 * Scores v · tanh([q; m] W) of `query: [batch, f]` against `memory: [batch, s, g]`: `[batch, s]`. The
 * two are never put side by side: the kernel is taken apart.
 * @see Luong, Pham & Manning 2015, "concat"
 */
export const concatScores = (
  query: Tensor,
  memory: Tensor,
  { kernel, scale }: ConcatWeights,
): Tensor => {
  const features = query.shape[1]!
  const parts = { query: kernel.at(`:${features}`), memory: kernel.at(`${features}:`) }
  return additiveScores(query, memory, { ...parts, scale })
}

/** Scores q · m: `query: [batch, f]`, `memory: [batch, s, f]` to `[batch, s]`. @see Luong et al. 2015 */
export const dotScores = (query: Tensor, memory: Tensor): Tensor =>
  np.einsum('bf,bsf->bs', query, memory)

/** Scores q W m, with `kernel: [query features, memory features]`. @see Luong et al. 2015 */
export const generalScores = (query: Tensor, memory: Tensor, kernel: Tensor): Tensor =>
  dotScores(query.matmul(kernel), memory)
