/** Looking at a trained model: confusion, worst mistakes, filters. */
import { type Tensor, leafPaths, flatten, leafTensor } from '@cotangent/core'
import type { Dataset, LabelledImage } from '@cotangent/data'
import { jit } from '@cotangent/jit'
import type { nn } from '@cotangent/nn'
import type { Confusion, FilterBank, Mistake } from '../report/data.ts'
import { testBatches } from './batches.ts'

const classes = 10
const batchSize = 250
const shownMistakes = 24
/** Beyond this a bank of filters is a texture, not a picture. */
const mostFilters = 64

export interface Judged {
  readonly confusion: Confusion
  readonly mistakes: readonly Mistake[]
}

interface Wrong {
  readonly index: number
  readonly truth: number
  readonly predicted: number
  readonly probability: number
  readonly truthProbability: number
}

/** Predicts the whole set: how often each digit is taken for each, and the surest wrong answers. */
export const judge = <P, S>(
  model: nn.Layer<P, S, string, Tensor, Tensor>,
  params: P,
  state: S,
  set: Dataset<LabelledImage>,
): Judged => {
  const probabilities = jit((p: P, x: Tensor): Tensor => {
    const logits = model.apply({ params: p, state }, x)[0]
    const shifted = logits.sub(logits.max({ axis: -1, keepdims: true })).exp()
    return shifted.div(shifted.sum({ axis: -1, keepdims: true }))
  })
  const counts = Array.from({ length: classes }, () => new Int32Array(classes))
  const wrong: Wrong[] = []
  let index = 0
  for (const { x, y } of testBatches(set, batchSize)) {
    const rows = probabilities(params, x).data()
    for (const truth of y.data()) {
      const row = rows.subarray((index % batchSize) * classes, ((index % batchSize) + 1) * classes)
      const predicted = row.indexOf(Math.max(...row))
      counts[truth]![predicted]! += 1
      if (predicted !== truth) {
        wrong.push({
          index,
          truth,
          predicted,
          probability: row[predicted]!,
          truthProbability: row[truth]!,
        })
      }
      index++
    }
  }
  wrong.sort((a, b) => b.probability - a.probability)
  return {
    confusion: { labels: Array.from({ length: classes }, (_, digit) => String(digit)), counts },
    mistakes: wrong.slice(0, shownMistakes).map((w) => ({
      ...w,
      truth: String(w.truth),
      predicted: String(w.predicted),
      pixels: set.get(w.index).image.data(),
      width: 28,
      height: 28,
    })),
  }
}

/** The convolution kernels among the parameters, small enough to show. */
export const filterBanks = (params: unknown): readonly FilterBank[] => {
  const { leaves, structure } = flatten(params)
  const paths = leafPaths(structure)
  return leaves.flatMap((leaf, i) => {
    const kernel = leafTensor(leaf)
    const [outputs, inputs, height, width] = kernel.shape
    if (kernel.ndim !== 4 || outputs! * inputs! > mostFilters) return []
    return [
      {
        name: paths[i]!,
        shape: [outputs!, inputs!, height!, width!] as const,
        weights: kernel.data(),
      },
    ]
  })
}
