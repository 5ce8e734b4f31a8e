/** The operations of `torch/losses.json` by their names there. */
import type { Tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import type { Attributes, Operation, Tensors } from './torch.ts'

const l = nn.losses

const reduction = (a: Attributes): nn.losses.Reduction => {
  const name = a.text('reduction')
  if (name === 'mean' || name === 'sum' || name === 'none') return name
  throw new Error(`unknown reduction ${name}`)
}

const pair =
  (loss: (x: Tensor, target: Tensor, a: Attributes, inputs: Tensors) => Tensor): Operation =>
  (inputs, a) => ({ y: loss(inputs['x']!, inputs['target']!, a, inputs) })

const weighted = ({ weight }: Tensors): { readonly weights?: Tensor } =>
  weight === undefined ? {} : { weights: weight }
const classes = ({ weight }: Tensors): { readonly classWeights?: Tensor } =>
  weight === undefined ? {} : { classWeights: weight }

const ignored = (a: Attributes): { readonly ignoreIndex?: number } => {
  const index = a.number('ignore_index', Number.NaN)
  return Number.isNaN(index) ? {} : { ignoreIndex: index }
}

const klReduction = (a: Attributes): nn.losses.Reduction | 'batchmean' =>
  a.text('reduction') === 'batchmean' ? 'batchmean' : reduction(a)

/** By PyTorch's name. */
export const torchLosses: Readonly<Record<string, Operation>> = {
  mse_loss: pair((x, t, a) => l.meanSquaredError(x, t, { reduction: reduction(a) })),
  l1_loss: pair((x, t, a) => l.meanAbsoluteError(x, t, { reduction: reduction(a) })),
  smooth_l1_loss: pair((x, t, a) =>
    l.smoothL1(x, t, { beta: a.number('beta', 1), reduction: reduction(a) }),
  ),
  huber_loss: pair((x, t, a) =>
    l.huber(x, t, { delta: a.number('delta', 1), reduction: reduction(a) }),
  ),
  binary_cross_entropy: pair((x, t, a, inputs) =>
    l.binaryCrossEntropy(x, t, { ...weighted(inputs), reduction: reduction(a) }),
  ),
  binary_cross_entropy_with_logits: pair((x, t, a, inputs) =>
    l.sigmoidBinaryCrossEntropy(x, t, {
      ...weighted(inputs),
      ...(inputs['pos_weight'] === undefined ? {} : { positiveWeight: inputs['pos_weight'] }),
      reduction: reduction(a),
    }),
  ),
  kl_div: pair((x, t, a) =>
    l.klDivergence(x, t, { axis: null, logTargets: a.flag('log_target'), reduction: klReduction(a) }),
  ),
  hinge: pair((x, t, a) => l.hinge(x, t, { reduction: reduction(a) })),
  squared_hinge: pair((x, t, a) => l.squaredHinge(x, t, { reduction: reduction(a) })),
  soft_margin_loss: pair((x, t, a) => l.softMargin(x, t, { reduction: reduction(a) })),
  hinge_embedding_loss: pair((x, t, a) =>
    l.hingeEmbedding(x, t, { margin: a.number('margin', 1), reduction: reduction(a) }),
  ),
  gaussian_nll_loss: pair((x, t, a, inputs) =>
    l.gaussianNegativeLogLikelihood(x, t, inputs['var']!, {
      full: a.flag('full'),
      epsilon: a.number('eps', 1e-6),
      reduction: reduction(a),
    }),
  ),
  poisson_nll_loss: pair((x, t, a) =>
    l.poissonNegativeLogLikelihood(x, t, {
      logInput: a.flag('log_input'),
      full: a.flag('full'),
      epsilon: a.number('eps', 1e-8),
      reduction: reduction(a),
    }),
  ),
  cross_entropy: pair((x, t, a, inputs) =>
    l.softmaxCrossEntropy(x, t, {
      ...classes(inputs),
      ...ignored(a),
      axis: a.number('axis', 1),
      labelSmoothing: a.number('label_smoothing', 0),
      reduction: reduction(a),
    }),
  ),
  nll_loss: pair((x, t, a, inputs) =>
    l.negativeLogLikelihood(x, t, {
      ...classes(inputs),
      ...ignored(a),
      axis: a.number('axis', 1),
      reduction: reduction(a),
    }),
  ),
  cosine_embedding_loss: ({ x1, x2, target }, a) => ({
    y: l.cosineEmbedding(x1!, x2!, target!, {
      margin: a.number('margin', 0),
      reduction: reduction(a),
    }),
  }),
  cosine_similarity: ({ x1, x2 }, a) => ({
    y: l.cosineSimilarity(x1!, x2!, {
      axis: a.number('axis', 1),
      epsilon: a.number('eps', 1e-8) ** 2,
    }),
  }),
  pairwise_distance: ({ x1, x2 }, a) => ({
    y: l.pairwiseDistance(x1!, x2!, { p: a.number('p', 2), epsilon: a.number('eps', 1e-6) }),
  }),
  margin_ranking_loss: ({ x1, x2, target }, a) => ({
    y: l.marginRanking(x1!, x2!, target!, {
      margin: a.number('margin', 0),
      reduction: reduction(a),
    }),
  }),
  triplet_margin_loss: ({ anchor, positive, negative }, a) => ({
    y: l.triplet(anchor!, positive!, negative!, {
      margin: a.number('margin', 1),
      p: a.number('p', 2),
      epsilon: a.number('eps', 1e-6),
      swap: a.flag('swap'),
      reduction: reduction(a),
    }),
  }),
  multi_margin_loss: pair((x, t, a, inputs) =>
    l.multiMargin(x, t, {
      ...classes(inputs),
      margin: a.number('margin', 1),
      p: a.number('p', 1) === 2 ? 2 : 1,
      reduction: reduction(a),
    }),
  ),
  multilabel_margin_loss: pair((x, t, a) =>
    l.multilabelMargin(x, t, { reduction: reduction(a) }),
  ),
  multilabel_soft_margin_loss: pair((x, t, a, inputs) =>
    l.multilabelSoftMargin(x, t, { ...classes(inputs), reduction: reduction(a) }),
  ),
  ctc_loss: ({ logits, targets, input_lengths, target_lengths }, a) => ({
    y: l.ctc(logits!.transpose([1, 0, 2]), targets!, {
      logitLengths: input_lengths!,
      labelLengths: target_lengths!,
      blank: a.number('blank', 0),
      impossible: a.flag('zero_infinity') ? 'zero' : 'infinity',
      reduction: reduction(a),
    }),
  }),
}
