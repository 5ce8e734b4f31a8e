/** How surprised a model is by a text. */
import { softmaxCrossEntropy } from '../losses/softmaxCrossEntropy.ts'
import { type TotalMetric, meanOf, ofTotal, totalOf, totalWhere } from './total.ts'

export interface PerplexityOptions {
  /** Tokens with this label do not count. */
  readonly ignoreIndex?: number
}

/**
 * e^(mean cross-entropy per token): among how many equally likely tokens the model chooses. Logits
 * are `[…, tokens]`, labels integers `[…]`.
 */
export const perplexity = ({ ignoreIndex }: PerplexityOptions = {}): TotalMetric =>
  ofTotal(
    (logits, labels) => {
      if (ignoreIndex === undefined) {
        return totalOf(softmaxCrossEntropy(logits, labels, { reduction: 'none' }))
      }
      const values = softmaxCrossEntropy(logits, labels, { reduction: 'none', ignoreIndex })
      return totalWhere(values, labels.notEqual(ignoreIndex))
    },
    (total) => Math.exp(meanOf(total)),
  )
