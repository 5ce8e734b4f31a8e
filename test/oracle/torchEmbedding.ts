/** The operations of `torch/embedding.json` by their names there. */
import { nn } from '@cotangent/nn'
import type { Attributes, Operation } from './torch.ts'

const f = nn.functional

const modeOf = (a: Attributes): nn.functional.BagMode => {
  const name = a.text('mode')
  if (name === 'sum' || name === 'mean' || name === 'max') return name
  throw new Error(`unknown mode ${name}`)
}

const options = (a: Attributes): nn.functional.EmbedOptions => {
  const [padding, norm] = ['padding_idx', 'max_norm'].map((name) => a.number(name, Number.NaN))
  return {
    ...(Number.isNaN(padding) ? {} : { paddingIndex: padding! }),
    ...(Number.isNaN(norm) ? {} : { maxNorm: norm! }),
    normDegree: a.number('norm_type', 2),
  }
}

/** By PyTorch's name. */
export const torchEmbeddings: Readonly<Record<string, Operation>> = {
  embedding: ({ ids, weight }, a) => ({ y: f.embed(weight!, ids!, options(a)) }),
  embedding_bag: ({ ids, offsets, weight, per_sample_weights }, a) => ({
    y: f.embeddingBag(weight!, ids!, {
      ...options(a),
      mode: modeOf(a),
      includeLastOffset: a.flag('include_last_offset'),
      ...(offsets === undefined ? {} : { offsets }),
      ...(per_sample_weights === undefined ? {} : { weights: per_sample_weights }),
    }),
  }),
  linear: ({ x, w, b }) => {
    const y = x!.matmul(w!.T)
    return { y: b === undefined ? y : y.add(b) }
  },
  bilinear: ({ x1, x2, w, b }) => ({ y: f.bilinear(x1!, x2!, w!, b) }),
}
