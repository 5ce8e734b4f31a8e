/** Losses against other ways to compute them: by definition, by enumeration, by each other. */
import {
  DTypeError,
  ShapeError,
  type Tensor,
  UnsupportedError,
  grad,
  tensor,
} from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { nnFunctions, np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const l = nn.losses
const none = { reduction: 'none' } as const
const integers = (values: readonly number[] | readonly (readonly number[])[]): Tensor =>
  tensor(values, { dtype: 'int32' })
const draw = (i: number, shape: readonly number[]): Tensor =>
  random.normal(random.foldIn(random.key(5), i), shape, { dtype: 'float64' })

describe('ctc', () => {
  // What a path of classes says: repetitions merged, blanks dropped.
  const said = (path: readonly number[]): string =>
    path.filter((c, t) => c !== 0 && c !== path[t - 1]).join()

  const paths = (frames: number, classes: number): readonly (readonly number[])[] =>
    frames === 0
      ? [[]]
      : paths(frames - 1, classes).flatMap((path) =>
          Array.from({ length: classes }, (_, c) => [...path, c]),
        )

  const byEnumeration = (logits: Tensor, labels: readonly number[]): number => {
    const [frames, classes] = [logits.shape[0]!, logits.shape[1]!]
    const logP = nnFunctions.logSoftmax(logits).data()
    const total = paths(frames, classes)
      .filter((path) => said(path) === labels.join())
      .reduce(
        (sum, path) => sum + Math.exp(path.reduce((s, c, t) => s + logP[t * classes + c]!, 0)),
        0,
      )
    return -Math.log(total)
  }

  test('equals the sum over all paths', () => {
    const label = fc.integer({ min: 1, max: 2 })
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.array(label, { maxLength: 3 }),
        fc.nat(1000),
        (frames, labels, seed) => {
          const logits = draw(seed, [frames, 3])
          const padded = integers([[...labels, 1, 2]])
          const got = l
            .ctc(logits.expandDims(0), padded, {
              ...none,
              impossible: 'infinity',
              labelLengths: integers([labels.length]),
            })
            .at(0)
            .item()
          const expected = byEnumeration(logits, labels)
          if (expected === Infinity) expect(got).toBe(Infinity)
          else expect(got).toBeCloseTo(expected, 8)
        },
      ),
      { numRuns: 40 },
    )
  })

  test('frames beyond a length do not count, wherever the blank is', () => {
    const logits = draw(1, [1, 6, 3])
    const short = l.ctc(logits.at(':', ':4'), integers([[1, 2]]))
    const options = { logitLengths: integers([4]) }
    expect(l.ctc(logits, integers([[1, 2]]), options).item()).toBeCloseTo(short.item(), 10)
    const turned = np.roll(logits, -1, 2)
    const last = l.ctc(turned, integers([[0, 1]]), { ...options, blank: 2 })
    expect(last.item()).toBeCloseTo(short.item(), 10)
    const negative = l.ctc(turned, integers([[0, 1]]), { ...options, blank: -1 })
    expect(negative.item()).toBe(last.item())
  })

  test('what stands for the logarithm of 0 is as given', () => {
    // Two labels that are alike want three frames; with two the loss is about −logEpsilon.
    const [logits, labels] = [np.zeros([1, 2, 3], { dtype: 'float64' }), integers([[1, 1]])]
    const of = (logEpsilon: number): number => l.ctc(logits, labels, { ...none, logEpsilon }).item()
    expect(of(-1e5)).toBe(l.ctc(logits, labels, none).item())
    expect(of(-50)).toBeCloseTo(50, 4)
    expect(of(-10)).toBeCloseTo(9.99996, 4)
    for (const wrong of [-Infinity, 0, 5, NaN]) {
      expect(() => of(wrong)).toThrow(/logarithm of 0[^]*finite negative/)
    }
  })

  test('too few frames: large, infinite or zero', () => {
    const [logits, labels] = [draw(2, [1, 2, 3]), integers([[1, 1]])]
    expect(l.ctc(logits, labels, none).at(0).item()).toBeGreaterThan(9e4)
    expect(
      l
        .ctc(logits, labels, { ...none, impossible: 'infinity' })
        .at(0)
        .item(),
    ).toBe(Infinity)
    expect(
      l
        .ctc(logits, labels, { ...none, impossible: 'zero' })
        .at(0)
        .item(),
    ).toBe(0)
    const slope = grad((x: Tensor) => l.ctc(x, labels, { impossible: 'zero' }))(logits)
    expect(slope.abs().max().item()).toBe(0)
  })

  test('no labels: all frames are silent', () => {
    const logits = draw(3, [1, 3, 2])
    const silence = nnFunctions.logSoftmax(logits).at(0, ':', 0).sum().neg().item()
    const empty = tensor([], { shape: [1, 0], dtype: 'int32' })
    expect(l.ctc(logits, empty).item()).toBeCloseTo(silence, 10)
  })

  test('what does not fit is refused', () => {
    expect(() => l.ctc(draw(1, [2, 3]), integers([[1]]))).toThrow(ShapeError)
    expect(() =>
      l.ctc(draw(1, [2, 3, 4]), integers([[1], [1]]), { labelLengths: integers([1]) }),
    ).toThrow('lengths [batch]')
  })
})

describe('cross-entropy', () => {
  const logits = draw(4, [3, 4])
  const labels = integers([1, -1, 2])

  test('does not change when all logits of an example shift', () => {
    fc.assert(
      fc.property(fc.double({ min: -50, max: 50, noNaN: true }), (shift) => {
        const moved = l.softmaxCrossEntropy(logits.add(shift), labels).item()
        expect(moved).toBeCloseTo(l.softmaxCrossEntropy(logits, labels).item(), 8)
      }),
    )
  })

  test('integers are one-hot probabilities, smoothed or not, on any axis', () => {
    const hot = nnFunctions.oneHot(integers([1, 3, 2]), 4, { dtype: 'float64' })
    for (const labelSmoothing of [0, 0.2]) {
      const got = l.softmaxCrossEntropy(logits, labels, { labelSmoothing }).item()
      const soft = l.softmaxCrossEntropy(logits, hot, { labelSmoothing }).item()
      expect(got).toBeCloseTo(soft, 10)
      const across = l.softmaxCrossEntropy(logits.T, labels, { labelSmoothing, axis: 0 }).item()
      expect(across).toBeCloseTo(got, 10)
    }
    const log = l.negativeLogLikelihood(nnFunctions.logSoftmax(logits), labels)
    expect(log.item()).toBeCloseTo(l.softmaxCrossEntropy(logits, labels).item(), 10)
    expect(l.softmaxFocal(logits, labels, { gamma: 0 }).item()).toBeCloseTo(log.item(), 10)
    expect(l.polyCrossEntropy(logits, labels, { epsilon: 0 }).item()).toBeCloseTo(log.item(), 10)
    const beyond = integers([1, 4, 2])
    for (const loss of [l.softmaxCrossEntropy, l.softmaxFocal, l.polyCrossEntropy]) {
      expect(loss(logits, beyond, none).at(1).item()).toBeNaN()
    }
  })

  test('classes that take no part are as if they were not there', () => {
    const where = tensor([true, true, true, false])
    const got = l.softmaxCrossEntropy(logits, integers([1, 0, 2]), { where }).item()
    expect(got).toBeCloseTo(
      l.softmaxCrossEntropy(logits.at(':', ':3'), integers([1, 0, 2])).item(),
      10,
    )
    const hot = nnFunctions.oneHot(integers([1, 0, 2]), 4, { dtype: 'float64' })
    expect(l.softmaxCrossEntropy(logits, hot, { where }).item()).toBeCloseTo(got, 10)
    expect(() => l.softmaxCrossEntropy(logits, labels, { where, labelSmoothing: 0.1 })).toThrow(
      UnsupportedError,
    )
  })

  test('an ignored label gives no gradient, and none of all is NaN', () => {
    const ignored = integers([1, -100, 2])
    const slope = grad((x: Tensor) => l.softmaxCrossEntropy(x, ignored, { ignoreIndex: -100 }))(
      logits,
    )
    expect(slope.at(1).abs().max().item()).toBe(0)
    const rest = l.softmaxCrossEntropy(
      logits.at(tensor([0, 2], { dtype: 'int32' })),
      integers([1, 2]),
    )
    expect(l.softmaxCrossEntropy(logits, ignored, { ignoreIndex: -100 }).item()).toBeCloseTo(
      rest.item(),
      10,
    )
    const all = integers([-100, -100, -100])
    expect(l.softmaxCrossEntropy(logits, all, { ignoreIndex: -100 }).item()).toBeNaN()
  })

  test('labels that do not fit are refused', () => {
    expect(() => l.softmaxCrossEntropy(logits, integers([1, 2]))).toThrow(ShapeError)
    expect(() => l.softmaxCrossEntropy(logits, tensor([1, 2, 3]))).toThrow('astype("int32")')
    expect(() => l.negativeLogLikelihood(logits, tensor([1, 2, 3]))).toThrow(DTypeError)
    expect(() => l.multiclassHinge(logits, integers([1]))).toThrow('multiclassHinge')
    expect(() => l.multilabelMargin(logits, integers([[1]]))).toThrow(ShapeError)
    expect(() => l.ntXent(logits, integers([1]))).toThrow('one label')
    expect(() => l.smoothL1(logits, 0, { beta: -1 })).toThrow('beta')
  })
})

describe('binary cross-entropy', () => {
  test('on logits and on their probabilities', () => {
    const [x, y] = [draw(6, [8]), tensor([0, 1, 1, 0, 0.3, 1, 0, 0.5], { dtype: 'float64' })]
    const p = nnFunctions.sigmoid(x)
    const onLogits = l.sigmoidBinaryCrossEntropy(x, y).item()
    expect(l.binaryCrossEntropy(p, y).item()).toBeCloseTo(onLogits, 10)
    expect(l.sigmoidFocal(x, y, { gamma: 0 }).item()).toBeCloseTo(onLogits, 10)
    expect(l.softMargin(x, y.mul(0).add(1)).item()).toBeCloseTo(
      l.sigmoidBinaryCrossEntropy(x, y.mul(0).add(1)).item(),
      10,
    )
  })

  test('certain mistakes on probabilities are finite, as are their gradients', () => {
    const p = tensor([0, 1, 0, 1])
    const y = tensor([0, 1, 1, 0])
    expect(l.binaryCrossEntropy(p, y, none).abs().toArray()).toEqual([0, 0, 100, 100])
    const slope = grad((q: Tensor) => l.binaryCrossEntropy(q, y, { reduction: 'sum' }))(p)
    expect([...slope.data()].every(Number.isFinite)).toBe(true)
    expect(l.binaryCrossEntropy(p, y, { weights: tensor([1, 1, 0.5, 0]) }).item()).toBe(12.5)
  })
})

describe('targets', () => {
  const column = draw(9, [3, 1])
  const losses: readonly ((x: Tensor, t: Tensor) => Tensor)[] = [
    l.squaredError,
    l.meanSquaredError,
    l.huber,
    l.logCosh,
    l.quantileLoss,
    l.hinge,
    l.perceptron,
    l.softMargin,
    l.sigmoidBinaryCrossEntropy,
    l.binaryCrossEntropy,
    l.sigmoidFocal,
    l.poissonNegativeLogLikelihood,
    l.klDivergence,
  ]
  test.each(losses)('%o refuses what would enlarge the predictions', (loss) => {
    expect(() => loss(column, draw(9, [3]))).toThrow(ShapeError)
    expect(() => loss(draw(9, [3]), column)).toThrow('broadcasts to it')
  })

  test('may be numbers, or rows for all', () => {
    expect(l.meanSquaredError(tensor([1, 3]), 2).item()).toBe(1)
    expect(
      l
        .huber(
          tensor([
            [1, 2],
            [1, 2],
          ]),
          tensor([1, 2]),
        )
        .item(),
    ).toBe(0)
    expect(l.hinge(tensor([0.5, 2]), [1, 1]).item()).toBe(0.25)
  })
})

describe('distances', () => {
  test('divergences: symmetric or not, bounded or not', () => {
    const [p, q] = [1, 2].map((i) => nnFunctions.softmax(draw(i, [5, 3])))
    const js = l.jensenShannon(p!, q!).item()
    expect(l.jensenShannon(q!, p!).item()).toBeCloseTo(js, 12)
    expect(js).toBeLessThan(Math.LN2)
    const [here, there] = [tensor([[1, 0, 0]]), tensor([[0, 0.5, 0.5]])]
    expect(l.jensenShannon(here, there).item()).toBeCloseTo(Math.LN2, 6)
    const slope = grad((x: Tensor) => l.jensenShannon(x, there))(here)
    expect([...slope.data()].every(Number.isFinite)).toBe(true)
  })

  test('pairwise distances of any degree, and their derivative at 0', () => {
    const [x, y] = [tensor([[3, -4]]), tensor([[0, 0]])]
    const d = (p: number): number => l.pairwiseDistance(x, y, { p, epsilon: 0 }).at(0).item()
    expect([d(1), d(2), d(Infinity)]).toEqual([7, 5, 4])
    expect(d(3)).toBeCloseTo(91 ** (1 / 3), 5)
    for (const p of [1, 2, 3]) {
      const slope = grad((v: Tensor) => l.pairwiseDistance(v, y, { p, epsilon: 0 }).sum())(y)
      expect([...slope.data()].every(Number.isFinite)).toBe(true)
    }
    expect(l.safeNorm(x, 0).item()).toBe(5)
    expect(grad((v: Tensor) => l.safeNorm(v, 0))(y).toArray()).toEqual([[0, 0]])
  })

  test('triplets: the nearer negative, and distances of one choice', () => {
    const [a, p, n] = [tensor([[0, 0]]), tensor([[2, 0]]), tensor([[3, 0]])]
    expect(l.triplet(a, p, n, { margin: 0.5 }).item()).toBe(0)
    expect(l.triplet(a, p, n, { margin: 0.5, swap: true }).item()).toBeCloseTo(1.5, 5)
    const squared = (x: Tensor, y: Tensor): Tensor => x.sub(y).square().sum({ axis: -1 })
    expect(l.triplet(a, p, n, { margin: 6, distance: squared }).item()).toBe(1)
  })

  test('the simplex: nearest points, and what stays in it', () => {
    fc.assert(
      fc.property(fc.nat(1000), (seed) => {
        const x = draw(seed, [2, 5])
        const p = l.projectToSimplex(x)
        expect(np.allclose(p.sum({ axis: 1 }), 1).item()).toBeTruthy()
        expect(p.min().item()).toBeGreaterThanOrEqual(0)
        expect(np.allclose(l.projectToSimplex(p), p).item()).toBeTruthy()
        // Its gap from x makes no acute angle with any vertex seen from p.
        const angles = x
          .sub(p)
          .expandDims(1)
          .mul(np.eye(5).sub(p.expandDims(1)))
          .sum({ axis: 2 })
        expect(angles.max().item()).toBeLessThan(1e-6)
      }),
      { numRuns: 20 },
    )
  })

  test('dice of probabilities: perfect, none, and by hand', () => {
    const truth = tensor([[[1], [1], [0], [0]]])
    const options = { fromLogits: false, smooth: 0 }
    expect(l.dice(truth, truth, options).item()).toBe(0)
    expect(l.dice(tensor([[[0], [0], [1], [1]]]), truth, options).item()).toBe(1)
    expect(l.dice(tensor([[[1], [0], [1], [0]]]), truth, options).item()).toBe(0.5)
    expect(l.generalizedDice(truth, truth, { fromLogits: false }).item()).toBeCloseTo(0, 6)
    expect(l.binaryDice(truth.mul(200).sub(100), truth).item()).toBeCloseTo(0, 6)
  })

  test('ranking: lists without items do not count', () => {
    const [x, y] = [
      draw(8, [2, 3]),
      tensor([
        [2, 1, 0],
        [5, 5, 5],
      ]),
    ]
    const where = tensor([
      [true, true, false],
      [false, false, false],
    ])
    const only = l.rankingSoftmax(x.at('0:1', ':2'), y.at('0:1', ':2')).item()
    expect(l.rankingSoftmax(x, y, { where }).item()).toBeCloseTo(only, 10)
    expect(l.rankingSoftmax(x, y, { where: where.logicalAnd(false) }).item()).toBe(0)
    const doubled = l.rankingSoftmax(x, y, { where, weights: 2 })
    expect(doubled.item()).toBeCloseTo(2 * only, 10)
  })
})
