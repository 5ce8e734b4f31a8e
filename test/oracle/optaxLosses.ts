/** Optax's losses by their names there. */
import type { Tensor } from '@cotangent/core'
import { nn, optim } from '@cotangent/nn'
import { nnFunctions } from '@cotangent/ops'
import type { Attributes, Operation, Tensors } from './torch.ts'

const l = nn.losses
const none = { reduction: 'none' } as const

const pair =
  (loss: (predictions: Tensor, targets: Tensor | 0, a: Attributes) => Tensor): Operation =>
  ({ predictions, targets }, a) => ({ y: loss(predictions!, targets ?? 0, a) })

const logits =
  (loss: (logits: Tensor, labels: Tensor, a: Attributes) => Tensor): Operation =>
  ({ logits: x, labels }, a) => ({ y: loss(x!, labels!, a) })

const scores =
  (loss: (scores: Tensor, labels: Tensor) => Tensor): Operation =>
  ({ scores: x, labels }) => ({ y: loss(x!, labels!) })

const outputs =
  (loss: (scores: Tensor, targets: Tensor) => Tensor): Operation =>
  ({ predictor_outputs, targets }) => ({ y: loss(predictor_outputs!, targets!) })

const divergence =
  (loss: (logPredictions: Tensor, targets: Tensor, axis: number) => Tensor): Operation =>
  ({ log_predictions, targets, log_targets }, a) => ({
    y: loss(log_predictions!, (targets ?? log_targets)!, a.number('axis', -1)),
  })

const cosine = (a: Attributes): nn.losses.CosineOptions => ({
  axis: a.number('axis', -1),
  epsilon: a.number('epsilon', 0),
})

const optional = (a: Attributes, name: string): number | null => {
  const value = a.number(name, Number.NaN)
  return Number.isNaN(value) ? null : value
}

// From 1 where a frame or label is padding, at the end.
const lengths = (paddings: Tensor): Tensor =>
  paddings.neg().add(1).sum({ axis: 1 }).astype('int32')

const ctc = ({ logits: x, logit_paddings, labels, label_paddings }: Tensors, a: Attributes): Tensor =>
  l.ctc(x!, labels!, {
    ...none,
    logitLengths: lengths(logit_paddings!),
    labelLengths: lengths(label_paddings!),
    blank: a.number('blank_id', 0),
  })

const dice: Operation = ({ predictions, targets, class_weights }, a) => ({
  y: l.dice(predictions!, targets!, {
    ...none,
    smooth: a.number('smooth', 1),
    alpha: a.number('alpha', 0.5),
    beta: a.number('beta', 0.5),
    ignoreBackground: a.flag('ignore_background'),
    ...(class_weights === undefined ? {} : { classWeights: class_weights }),
  }),
})

const reductionOf = (a: Attributes): 'none' | 'mean' =>
  a.flag('reduce_fn_none') ? 'none' : 'mean'

/** By Optax's name, without the module. */
const operations: Readonly<Record<string, Operation>> = {
  squared_error: pair((x, t) => l.squaredError(x, t)),
  l2_loss: pair((x, t) => l.l2Loss(x, t)),
  huber_loss: pair((x, t, a) => l.huber(x, t, { ...none, delta: a.number('delta', 1) })),
  log_cosh: pair((x, t) => l.logCosh(x, t, none)),
  cosine_similarity: pair((x, t, a) => l.cosineSimilarity(x, t === 0 ? x : t, cosine(a))),
  cosine_distance: pair((x, t, a) => l.cosineDistance(x, t === 0 ? x : t, cosine(a))),
  sigmoid_binary_cross_entropy: logits((x, t) => l.sigmoidBinaryCrossEntropy(x, t, none)),
  softmax_cross_entropy: logits((x, t, a) =>
    l.softmaxCrossEntropy(x, t, { ...none, axis: a.number('axis', -1) }),
  ),
  safe_softmax_cross_entropy: logits((x, t) => l.safeSoftmaxCrossEntropy(x, t, none)),
  softmax_cross_entropy_with_integer_labels: logits((x, t, a) =>
    l.softmaxCrossEntropy(x, t, { ...none, axis: a.number('axis', -1) }),
  ),
  poly_loss_cross_entropy: logits((x, t, a) =>
    l.polyCrossEntropy(x, t, { ...none, epsilon: a.number('epsilon', 2), axis: a.number('axis', -1) }),
  ),
  kl_divergence: divergence((x, t, axis) => l.klDivergence(x, t, { ...none, axis })),
  kl_divergence_with_log_targets: divergence((x, t, axis) =>
    l.klDivergenceWithLogTargets(x, t, { ...none, axis }),
  ),
  generalized_kl_divergence: divergence((x, t) => l.generalizedKlDivergence(x, t, none)),
  convex_kl_divergence: divergence((x, t, axis) => l.convexKlDivergence(x, t, { ...none, axis })),
  hinge_loss: outputs((x, t) => l.hinge(x, t, none)),
  perceptron_loss: outputs((x, t) => l.perceptron(x, t, none)),
  sparsemax_loss: logits((x, t) => l.sparsemax(x, t, none)),
  multiclass_sparsemax_loss: scores((x, t) => l.multiclassSparsemax(x, t, none)),
  multiclass_hinge_loss: scores((x, t) => l.multiclassHinge(x, t, none)),
  multiclass_perceptron_loss: scores((x, t) => l.multiclassPerceptron(x, t, none)),
  multiclass_logistic_loss: scores((x, t) => l.softmaxCrossEntropy(x, t, none)),
  sigmoid_focal_loss: logits((x, t, a) => {
    const alpha = optional(a, 'alpha')
    const gamma = a.number('gamma', 2)
    return l.sigmoidFocal(x, t, { ...none, gamma, ...(alpha === null ? {} : { alpha }) })
  }),
  ctc_loss: (inputs, a) => ({ y: ctc(inputs, a) }),
  ntxent: ({ embeddings, labels }, a) => ({
    y: l.ntXent(embeddings!, labels!, { temperature: a.number('temperature', 0.07) }),
  }),
  triplet_margin_loss: ({ anchors, positives, negatives }, a) => ({
    y: l.triplet(anchors!, positives!, negatives!, {
      ...none,
      margin: a.number('margin', 1),
      p: a.number('norm_degree', 2),
      axis: a.number('axis', -1),
      epsilon: 0,
      smoothing: a.number('eps', 1e-6),
    }),
  }),
  ranking_softmax_loss: ({ logits: x, labels, where, weights }, a) => ({
    y: l.rankingSoftmax(x!, labels!, {
      reduction: reductionOf(a),
      ...(where === undefined ? {} : { where }),
      ...(weights === undefined ? {} : { weights }),
    }),
  }),
  dice_loss: dice,
  binary_dice_loss: dice,
  smooth_labels: ({ labels }, a) => ({ y: l.smoothLabels(labels!, a.number('alpha')) }),
  global_norm: (inputs) => ({ y: optim.globalNorm(inputs) }),
  safe_norm: ({ x }, a) => ({ y: l.safeNorm(x!, a.number('min_norm')) }),
  make_fenchel_young_loss: ({ scores: x, targets }) => ({
    y: l.fenchelYoung((s) => nnFunctions.logsumexp(s, { axis: -1 }))(x!, targets!, none),
  }),
}

/** By Optax's full name. */
export const optaxLosses: Readonly<Record<string, Operation>> = Object.fromEntries(
  Object.entries(operations).flatMap(([name, operation]) => [
    [`optax.${name}`, operation],
    [`optax.losses.${name}`, operation],
  ]),
)
