/** Laws of every loss: derivatives, compilation, reductions, sign, and what extreme logits do. */
import { type Tensor, grad, tensor, vmap } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import { checkGrads, nnFunctions, np, random } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const l = nn.losses
const none = { reduction: 'none' } as const
const key = random.key(11)

const draw = (i: number, shape: readonly number[] = [3, 4]): Tensor =>
  random.normal(random.foldIn(key, i), shape, { dtype: 'float64' })
const labels = tensor([2, 0, 3], { dtype: 'int32' })
const isOne = tensor(
  [
    [0, 1, 1, 0],
    [1, 0, 0, 1],
    [1, 1, 0, 0],
  ],
  { dtype: 'float64' },
)
const signs = isOne.mul(2).sub(1)
const soft = nnFunctions.softmax(draw(50))
const like = (t: Tensor, x: Tensor): Tensor => t.astype(x.dtype)

interface Row {
  readonly name: string
  /** Of predictions, `[3, 4]` unless `x` says otherwise; one value each. */
  readonly loss: (x: Tensor) => Tensor
  readonly x?: Tensor
  /** Never below 0. */
  readonly isDistance?: boolean
  /** Finite, and so its gradient, for logits of ±10⁴. */
  readonly takesLogits?: boolean
  /** Predictions at which it is 0. */
  readonly zeroAt?: Tensor
  /** How many derivatives are checked; 2 unless that takes too long. */
  readonly order?: number
}

const distance = { isDistance: true } as const
const logit = { isDistance: true, takesLogits: true } as const
const sure = nnFunctions.oneHot(labels, 4, { dtype: 'float64' }).mul(200)

const rows: readonly Row[] = [
  {
    name: 'squaredError',
    loss: (x) => l.squaredError(x, like(isOne, x)),
    zeroAt: isOne,
    ...distance,
  },
  { name: 'l2Loss', loss: (x) => l.l2Loss(x, like(isOne, x)), zeroAt: isOne, ...distance },
  {
    name: 'meanSquaredError',
    loss: (x) => l.meanSquaredError(x, like(isOne, x), none),
    zeroAt: isOne,
    ...distance,
  },
  {
    name: 'meanAbsoluteError',
    loss: (x) => l.meanAbsoluteError(x, like(isOne, x), none),
    zeroAt: isOne,
    ...logit,
  },
  {
    name: 'huber',
    loss: (x) => l.huber(x, like(isOne, x), { ...none, delta: 0.7 }),
    zeroAt: isOne,
    ...logit,
  },
  {
    name: 'smoothL1',
    loss: (x) => l.smoothL1(x, like(isOne, x), { ...none, beta: 0.5 }),
    zeroAt: isOne,
    ...logit,
  },
  { name: 'logCosh', loss: (x) => l.logCosh(x, like(isOne, x), none), zeroAt: isOne, ...logit },
  {
    name: 'quantileLoss',
    loss: (x) => l.quantileLoss(x, like(isOne, x), { ...none, quantile: 0.3 }),
    zeroAt: isOne,
    ...logit,
  },
  {
    name: 'softmaxCrossEntropy, integers',
    loss: (x) => l.softmaxCrossEntropy(x, labels, none),
    zeroAt: sure,
    ...logit,
  },
  {
    name: 'softmaxCrossEntropy, probabilities',
    loss: (x) => l.softmaxCrossEntropy(x, like(soft, x), none),
    ...logit,
  },
  {
    name: 'softmaxCrossEntropy, all options',
    loss: (x) =>
      l.softmaxCrossEntropy(x, labels, {
        ...none,
        labelSmoothing: 0.1,
        classWeights: tensor([1, 2, 0.5, 3]).astype(x.dtype),
        ignoreIndex: 0,
      }),
    ...logit,
  },
  {
    name: 'safeSoftmaxCrossEntropy',
    loss: (x) => l.safeSoftmaxCrossEntropy(x, like(soft, x), none),
    ...logit,
  },
  {
    name: 'polyCrossEntropy',
    loss: (x) => l.polyCrossEntropy(x, labels, none),
    zeroAt: sure,
    ...logit,
  },
  {
    name: 'negativeLogLikelihood',
    loss: (x) => l.negativeLogLikelihood(nnFunctions.logSoftmax(x), labels, none),
    zeroAt: sure,
    ...logit,
  },
  {
    name: 'sigmoidBinaryCrossEntropy',
    loss: (x) => l.sigmoidBinaryCrossEntropy(x, isOne, { ...none, positiveWeight: 3 }),
    zeroAt: signs.mul(200),
    ...logit,
  },
  {
    name: 'binaryCrossEntropy',
    loss: (x) => l.binaryCrossEntropy(nnFunctions.sigmoid(x), isOne, none),
    ...logit,
  },
  {
    name: 'klDivergence',
    loss: (x) => l.klDivergence(nnFunctions.logSoftmax(x), like(soft, x), none),
    zeroAt: soft.log(),
    ...logit,
  },
  {
    name: 'klDivergence, log targets',
    loss: (x) => l.klDivergenceWithLogTargets(nnFunctions.logSoftmax(x), like(soft.log(), x), none),
    zeroAt: soft.log(),
    ...logit,
  },
  {
    name: 'generalizedKlDivergence',
    loss: (x) => l.generalizedKlDivergence(x, like(soft, x), none),
    zeroAt: soft.log(),
    ...distance,
  },
  {
    name: 'jensenShannon',
    loss: (x) => l.jensenShannon(nnFunctions.softmax(x), like(soft, x), none),
    zeroAt: soft.log(),
    ...logit,
  },
  { name: 'hinge', loss: (x) => l.hinge(x, signs, none), zeroAt: signs, ...logit },
  { name: 'squaredHinge', loss: (x) => l.squaredHinge(x, signs, none), zeroAt: signs, ...logit },
  { name: 'perceptron', loss: (x) => l.perceptron(x, signs, none), zeroAt: signs, ...logit },
  {
    name: 'softMargin',
    loss: (x) => l.softMargin(x, signs, none),
    zeroAt: signs.mul(200),
    ...logit,
  },
  { name: 'hingeEmbedding', loss: (x) => l.hingeEmbedding(x.abs(), signs, none), ...logit },
  {
    name: 'marginRanking',
    loss: (x) => l.marginRanking(x, like(soft, x), signs, { ...none, margin: 0.3 }),
    ...logit,
  },
  {
    name: 'multiclassHinge',
    loss: (x) => l.multiclassHinge(x, labels, none),
    zeroAt: sure,
    ...logit,
  },
  {
    name: 'multiclassPerceptron',
    loss: (x) => l.multiclassPerceptron(x, labels, none),
    zeroAt: sure,
    ...logit,
  },
  {
    name: 'multiMargin',
    loss: (x) => l.multiMargin(x, labels, { ...none, p: 2 }),
    zeroAt: sure,
    ...distance,
  },
  {
    name: 'multilabelMargin',
    loss: (x) =>
      l.multilabelMargin(
        x,
        tensor(
          [
            [1, 2, -1, 0],
            [0, -1, -1, -1],
            [3, 0, 1, -1],
          ],
          { dtype: 'int32' },
        ),
        none,
      ),
    ...logit,
  },
  {
    name: 'multilabelSoftMargin',
    loss: (x) => l.multilabelSoftMargin(x, isOne, none),
    zeroAt: signs.mul(200),
    ...logit,
  },
  { name: 'sparsemax', loss: (x) => l.sparsemax(x, isOne, none), zeroAt: signs, ...logit },
  {
    name: 'multiclassSparsemax',
    loss: (x) => l.multiclassSparsemax(x, labels, none),
    zeroAt: sure,
    ...logit,
  },
  {
    name: 'fenchelYoung',
    loss: (x) =>
      l.fenchelYoung((s) => nnFunctions.logsumexp(s, { axis: -1 }))(
        x,
        like(sure.div(200), x),
        none,
      ),
    zeroAt: sure,
    ...logit,
  },
  {
    name: 'sigmoidFocal',
    loss: (x) => l.sigmoidFocal(x, isOne, { ...none, alpha: 0.25 }),
    zeroAt: signs.mul(200),
    ...logit,
  },
  {
    name: 'sigmoidFocal, gamma ½',
    loss: (x) => l.sigmoidFocal(x, isOne, { ...none, gamma: 0.5 }),
    ...logit,
  },
  { name: 'softmaxFocal', loss: (x) => l.softmaxFocal(x, labels, none), zeroAt: sure, ...logit },
  {
    name: 'softmaxFocal, gamma ½',
    loss: (x) => l.softmaxFocal(x, labels, { ...none, gamma: 0.5 }),
    ...logit,
  },
  {
    name: 'poissonNegativeLogLikelihood',
    loss: (x) => l.poissonNegativeLogLikelihood(x, isOne.mul(3), { ...none, full: true }),
  },
  {
    name: 'gaussianNegativeLogLikelihood',
    loss: (x) => l.gaussianNegativeLogLikelihood(x, isOne, like(soft, x), { ...none, full: true }),
  },
  {
    name: 'gaussianNegativeLogLikelihood, of the variance',
    loss: (x) => l.gaussianNegativeLogLikelihood(like(isOne, x), 0.3, x.exp(), none),
  },
  {
    name: 'cosineDistance',
    loss: (x) => l.cosineDistance(x, like(soft, x)),
    zeroAt: soft,
    ...logit,
  },
  {
    name: 'cosineEmbedding',
    loss: (x) => l.cosineEmbedding(x, like(soft, x), tensor([1, -1, 1]), none),
    ...logit,
  },
  {
    name: 'triplet',
    loss: (x) => l.triplet(x, like(soft, x), like(isOne, x), { ...none, p: 3 }),
    ...logit,
  },
  {
    name: 'triplet, swapped',
    loss: (x) => l.triplet(x, like(soft, x), like(isOne, x), { ...none, swap: true }),
    ...logit,
  },
  {
    name: 'contrastive',
    loss: (x) => l.contrastive(x, like(soft, x), tensor([1, 0, 1]), { ...none, margin: 2 }),
    ...distance,
  },
  { name: 'ntXent', loss: (x) => l.ntXent(x, tensor([0, 1, 0], { dtype: 'int32' })), ...logit },
  { name: 'dice', loss: (x) => l.dice(x, isOne, none), ...logit },
  {
    name: 'dice, Tversky',
    loss: (x) =>
      l.dice(x, isOne, {
        ...none,
        alpha: 0.2,
        beta: 0.8,
        ignoreBackground: true,
        classWeights: tensor([1, 2, 3, 4]).astype(x.dtype),
      }),
    ...logit,
  },
  { name: 'generalizedDice', loss: (x) => l.generalizedDice(x, isOne, none), ...logit },
  { name: 'rankingSoftmax', loss: (x) => l.rankingSoftmax(x, isOne, none), ...logit },
  {
    name: 'rankingSoftmax, of some',
    loss: (x) => l.rankingSoftmax(x, isOne, { where: isOne.at('0:1').equal(1) }),
    takesLogits: true,
  },
  { name: 'safeNorm', loss: (x) => l.safeNorm(x, 0.1, { axis: 1 }) },
  {
    name: 'ctc',
    loss: (x) =>
      l.ctc(
        x,
        tensor(
          [
            [1, 1],
            [2, 3],
          ],
          { dtype: 'int32' },
        ),
        {
          ...none,
          impossible: 'infinity',
          logitLengths: tensor([5, 4], { dtype: 'int32' }),
          labelLengths: tensor([2, 1], { dtype: 'int32' }),
        },
      ),
    x: draw(60, [2, 5, 4]),
    order: 1,
    ...logit,
  },
]

const finite = (x: Tensor): boolean => [...x.data()].every(Number.isFinite)

describe('every loss', () => {
  test.each(rows)(
    '$name: derivatives equal differences of values',
    ({ loss, x = draw(1), order = 2 }) => {
      checkGrads((y: Tensor) => loss(y).sum(), [x], { order, tolerance: 1e-5 })
    },
  )

  test.each(rows)('$name: compiled equals eager, value and gradient', ({ loss, x = draw(1) }) => {
    const close = (a: Tensor, b: Tensor): void =>
      expect(np.allclose(a, b, { rtol: 1e-4, atol: 1e-5 }).item()).toBeTruthy()
    const y = x.astype('float32')
    close(jit(loss)(y), loss(y))
    const slope = grad((z: Tensor) => loss(z).sum())
    close(jit(slope)(y), slope(y))
  })

  test.each(rows)('$name: mapped equals one after the other', ({ loss, x = draw(1) }) => {
    const other = draw(70, x.shape)
    const mapped = vmap(loss)(np.stack([x, other]))
    expect(np.allclose(mapped, np.stack([loss(x), loss(other)])).item()).toBeTruthy()
  })

  test.each(rows.filter((row) => row.isDistance === true))(
    '$name: is not negative',
    ({ loss, x = draw(1) }) => {
      expect(loss(x).min().item()).toBeGreaterThanOrEqual(-1e-12)
    },
  )

  test.each(rows.filter((row) => row.zeroAt !== undefined))(
    '$name: is 0 where nothing is wrong',
    ({ loss, zeroAt }) => {
      expect(loss(zeroAt!).max().item()).toBeLessThan(1e-12)
    },
  )

  test.each(rows.filter((row) => row.takesLogits === true))(
    '$name: is finite, with its gradient, for logits of ±1e4',
    ({ loss, x = draw(1) }) => {
      const extreme = x.astype('float32').sign().mul(1e4)
      for (const y of [extreme, extreme.neg()]) {
        expect(finite(loss(y))).toBe(true)
        expect(finite(grad((z: Tensor) => loss(z).sum())(y))).toBe(true)
      }
    },
  )
})

describe('reductions', () => {
  const pairs: readonly (readonly [string, (options: nn.losses.LossOptions) => Tensor])[] = [
    ['huber', (o) => l.huber(draw(2), isOne, o)],
    ['softmaxCrossEntropy', (o) => l.softmaxCrossEntropy(draw(2), labels, o)],
    ['klDivergence', (o) => l.klDivergence(nnFunctions.logSoftmax(draw(2)), soft, o)],
    ['hinge', (o) => l.hinge(draw(2), signs, o)],
    ['triplet', (o) => l.triplet(draw(2), draw(3), draw(4), o)],
    ['dice', (o) => l.dice(draw(2), isOne, o)],
  ]
  test.each(pairs)('%s: the sum and the mean of the values', (_, loss) => {
    const values = loss(none)
    expect(loss({ reduction: 'sum' }).item()).toBeCloseTo(values.sum().item(), 10)
    expect(loss({}).item()).toBeCloseTo(values.mean().item(), 10)
  })

  test('weighted means divide by the weights of the labels that count', () => {
    const classWeights = tensor([1, 2, 4, 8], { dtype: 'float64' })
    const each = l.softmaxCrossEntropy(draw(2), labels, none).data()
    const weighted = (each[0]! * 4 + each[2]! * 8) / 12
    const got = l.softmaxCrossEntropy(draw(2), labels, { classWeights, ignoreIndex: 0 })
    expect(got.item()).toBeCloseTo(weighted, 10)
    const logP = nnFunctions.logSoftmax(draw(2))
    expect(
      l.negativeLogLikelihood(logP, labels, { classWeights, ignoreIndex: 0 }).item(),
    ).toBeCloseTo(weighted, 10)
  })

  test('batchmean, and divergences term by term', () => {
    const logP = nnFunctions.logSoftmax(draw(2))
    const sum = l.klDivergence(logP, soft, { axis: null, reduction: 'sum' }).item()
    expect(l.klDivergence(logP, soft, { axis: null, reduction: 'batchmean' }).item()).toBeCloseTo(
      sum / 3,
      10,
    )
    expect(l.klDivergence(logP, soft, { axis: null }).item()).toBeCloseTo(sum / 12, 10)
    expect(l.klDivergence(logP, soft, { axis: null, reduction: 'none' }).shape).toEqual([3, 4])
  })
})
