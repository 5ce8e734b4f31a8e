/** Scaled dot-product attention. */
import { ShapeError, type Tensor, showAval } from '@cotangent/core'
import { nnFunctions, np, random } from '@cotangent/ops'
import { causalMask } from './masks.ts'

export interface AttentionOptions {
  /** Bool, broadcast to `[…, heads, t, s]`: true where a query may see a key. */
  readonly mask?: Tensor | undefined
  /** Added to the scaled products, broadcast to `[…, heads, t, s]`. */
  readonly bias?: Tensor | undefined
  /** Query t sees the keys 0 … t alone. */
  readonly causal?: boolean
  /** Of the products; 1 / √features by default. */
  readonly scale?: number
  /** Drops weights, and scales the others up: the share, and the key of this call. */
  readonly dropout?: { readonly rate: number; readonly key: Tensor } | undefined
}

/** The outputs `[…, t, heads, e]`, and how much each query looked at each key, `[…, heads, t, s]`. */
export interface Attention {
  readonly outputs: Tensor
  readonly weights: Tensor
}

// Queries come in groups that share a key head: [2 heads of 6, …] as 6 heads.
const spreadHeads = (x: Tensor, heads: number): Tensor => {
  const shared = x.shape[x.ndim - 2]!
  if (shared === heads) return x
  const lead = x.shape.slice(0, -1)
  const features = x.shape[x.ndim - 1]!
  const repeated = np.broadcastTo(x.expandDims(-2), [...lead, heads / shared, features])
  return repeated.reshape([...lead.slice(0, -1), heads, features])
}

const requireHeads = (q: Tensor, k: Tensor, v: Tensor): void => {
  const [a, b, c] = [q.shape, k.shape, v.shape]
  const fits =
    q.ndim >= 3 &&
    k.ndim === q.ndim &&
    v.ndim === q.ndim &&
    a.at(-1) === b.at(-1) &&
    b.at(-2) === c.at(-2) &&
    b.at(-3) === c.at(-3) &&
    a.at(-2)! % b.at(-2)! === 0
  if (fits) return
  throw new ShapeError({
    operation: 'dotProductAttention',
    problem: 'queries, keys and values do not fit',
    got: `queries: ${showAval(q.aval)}, keys: ${showAval(k.aval)}, values: ${showAval(v.aval)}`,
    want: 'queries […, t, heads, d], keys […, s, heads, d], values […, s, heads, e]; the heads of the keys divide those of the queries',
    fix: 'put time before heads, and split the features into heads',
  })
}

const lowest = (x: Tensor): number => Number(np.finfo(x.dtype).min)

/**
 * The weights of attention, `[…, heads, t, s]`: softmax(q kᵀ · scale + bias) over the keys. A masked
 * product becomes the most negative number, so a query that sees no key looks at all of them evenly.
 */
export const attentionWeights = (q: Tensor, k: Tensor, options: AttentionOptions = {}): Tensor => {
  const { mask, bias, causal = false, dropout } = options
  const { scale = 1 / Math.sqrt(q.shape[q.ndim - 1]!) } = options
  const keys = spreadHeads(k, q.shape[q.ndim - 2]!)
  const products = np.einsum('...thd,...shd->...hts', q.mul(scale), keys)
  const biased = bias === undefined ? products : products.add(bias)
  const seen = causal ? causalMask(q.shape[q.ndim - 3]!, k.shape[k.ndim - 3]!) : undefined
  const both = seen === undefined || mask === undefined ? (seen ?? mask) : seen.logicalAnd(mask)
  const logits = both === undefined ? biased : biased.where(both, lowest(biased))
  const weights = nnFunctions.softmax(logits)
  if (dropout === undefined || dropout.rate === 0) return weights
  const kept = random.bernoulli(dropout.key, 1 - dropout.rate, { shape: weights.shape })
  return weights.div(1 - dropout.rate).where(kept, 0)
}

/** As `dotProductAttention`, with the weights. */
export const attend = (
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Attention => {
  requireHeads(q, k, v)
  const weights = attentionWeights(q, k, options)
  const values = spreadHeads(v, q.shape[q.ndim - 2]!)
  return { outputs: np.einsum('...hts,...she->...the', weights, values), weights }
}

/**
 * Scaled dot-product attention: `q: […, t, heads, d]`, `k: […, s, heads, d]`, `v: […, s, heads, e]` to
 * `[…, t, heads, e]`. Keys and values may have fewer heads, which groups of queries then share.
 * @throws ShapeError where features, keys or heads do not fit.
 * @see Vaswani et al. 2017, eq. 1; Ainslie et al. 2023 for grouped queries
 * @example
 * functional.dotProductAttention(q, k, v, { causal: true }) // each step sees those before it
 */
export const dotProductAttention = (
  q: Tensor,
  k: Tensor,
  v: Tensor,
  options: AttentionOptions = {},
): Tensor => attend(q, k, v, options).outputs
