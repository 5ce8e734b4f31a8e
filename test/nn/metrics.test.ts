/** Metrics are monoids: batches in any split and grouping say what the whole says. */
import { IndexError, type Tensor, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn, optim, train } from '@cotangent/nn'
import { nnFunctions, np, random } from '@cotangent/ops'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const m = nn.metrics

/** Outputs and targets of so many examples, from a seed. */
type Examples = (seed: number, count: number) => readonly [output: Tensor, target: Tensor]

const classes: Examples = (seed, count) => {
  const [a, b] = random.split(random.key(seed))
  return [random.normal(a!, [count, 3]), random.randint(b!, [count], 0, 3)]
}
const scores: Examples = (seed, count) => {
  const [a, b] = random.split(random.key(seed))
  // Ties occur.
  const rounded = random.uniform(a!, [count]).mul(16).floor().div(16)
  return [rounded, random.bernoulli(b!, 0.4, [count]).astype('int32')]
}
const numbers: Examples = (seed, count) => {
  const [a, b] = random.split(random.key(seed))
  const truth = random.normal(a!, [count]).add(20)
  return [truth.add(random.normal(b!, [count])), truth]
}
const texts: Examples = (seed, count) => {
  const [a, b] = random.split(random.key(seed))
  return [random.randint(a!, [count, 7], 0, 4), random.randint(b!, [count, 2, 8], 0, 4)]
}

interface Row {
  readonly name: string
  readonly metric: nn.metrics.Metric
  readonly examples: Examples
}

const rows: readonly Row[] = [
  { name: 'accuracy', metric: m.accuracy, examples: classes },
  { name: 'topK', metric: m.topK(2, { ignoreIndex: 1 }), examples: classes },
  { name: 'binaryAccuracy', metric: m.binaryAccuracy({ threshold: 0.5 }), examples: scores },
  { name: 'precision', metric: m.precision({ classes: 3 }), examples: classes },
  { name: 'recall, micro', metric: m.recall({ classes: 3, average: 'micro' }), examples: classes },
  { name: 'f1, weighted', metric: m.f1({ classes: 3, average: 'weighted' }), examples: classes },
  { name: 'f1, binary', metric: m.f1({ threshold: 0.5 }), examples: scores },
  { name: 'fBeta', metric: m.fBeta({ classes: 3, beta: 2, ignoreIndex: 0 }), examples: classes },
  { name: 'meanIoU', metric: m.meanIoU({ classes: 3 }), examples: classes },
  { name: 'balancedAccuracy', metric: m.balancedAccuracy({ classes: 3 }), examples: classes },
  { name: 'matthews', metric: m.matthews({ classes: 3 }), examples: classes },
  { name: 'cohenKappa', metric: m.cohenKappa({ classes: 3 }), examples: classes },
  { name: 'auc', metric: m.auc({ bins: 8 }), examples: scores },
  { name: 'exactAuc', metric: m.exactAuc, examples: scores },
  { name: 'averagePrecision', metric: m.averagePrecision(), examples: scores },
  { name: 'exactAveragePrecision', metric: m.exactAveragePrecision, examples: scores },
  { name: 'perplexity', metric: m.perplexity({ ignoreIndex: 2 }), examples: classes },
  { name: 'bleu', metric: m.bleu({ padding: 0, orders: 2 }), examples: texts },
  { name: 'meanSquaredError', metric: m.meanSquaredError, examples: numbers },
  { name: 'meanAbsoluteError', metric: m.meanAbsoluteError, examples: numbers },
  { name: 'rootMeanSquaredError', metric: m.rootMeanSquaredError, examples: numbers },
  { name: 'r2', metric: m.r2, examples: numbers },
  { name: 'explainedVariance', metric: m.explainedVariance, examples: numbers },
]

// Equal numbers up to rounding, in any nesting.
const flat = (value: unknown): readonly number[] => {
  if (typeof value === 'number') return [value]
  if (value === null || typeof value !== 'object') return []
  return Object.values(value).flatMap(flat)
}
const same = (a: unknown, b: unknown): void => {
  const [x, y] = [flat(a), flat(b)]
  expect(x.length).toBe(y.length)
  x.forEach((v, i) => {
    if (Number.isNaN(v)) expect(y[i]).toBeNaN()
    else expect(Math.abs(v - y[i]!)).toBeLessThanOrEqual(2e-4 * Math.max(1, Math.abs(v)))
  })
}

describe.each(rows)('$name', ({ metric, examples }) => {
  const summary = (seed: number, count: number): unknown => {
    const [output, target] = examples(seed, count)
    return metric.read(metric(output, target))
  }

  test('is a monoid', () => {
    const part = fc.tuple(fc.nat(500), fc.integer({ min: 1, max: 4 }))
    fc.assert(
      fc.property(part, part, part, (p, q, r) => {
        const [a, b, c] = [summary(...p), summary(...q), summary(...r)]
        same(metric.concat(metric.concat(a, b), c), metric.concat(a, metric.concat(b, c)))
        same(metric.concat(metric.empty, a), a)
        same(metric.concat(a, metric.empty), a)
      }),
      { numRuns: 5 },
    )
  })

  test('any split gives the value of the whole', () => {
    const [output, target] = examples(7, 12)
    const part = (from: number, to: number): unknown =>
      metric.read(metric(output.at(`${from}:${to}`), target.at(`${from}:${to}`)))
    const whole = metric.value(part(0, 12))
    fc.assert(
      fc.property(fc.subarray([1, 2, 3, 5, 6, 8, 9, 11]), (cuts) => {
        const ends = [...cuts, 12]
        const parts = ends.map((end, i) => part(ends[i - 1] ?? 0, end))
        same(metric.value(parts.reduce((a, b) => metric.concat(a, b), metric.empty)), whole)
      }),
      { numRuns: 4 },
    )
  })

  test('compiled equals eager', () => {
    const [output, target] = examples(9, 10)
    const compiled = jit((y: Tensor, t: Tensor) => metric(y, t))
    same(metric.read(compiled(output, target)), metric.read(metric(output, target)))
  })
})

const integers = (values: readonly number[] | readonly (readonly number[])[]): Tensor =>
  tensor(values, { dtype: 'int32' })
const valueOf = <A, S>(
  metric: nn.metrics.Metric<Tensor, Tensor, A, S>,
  output: Tensor,
  target: Tensor,
): number => metric.value(metric.read(metric(output, target)))

describe('known values', () => {
  const truth = integers([0, 1, 2, 0, 1, 2])
  const guess = integers([0, 2, 1, 0, 0, 1])

  test('of a confusion matrix', () => {
    const matrix = m.confusionMatrix({ classes: 3 })
    expect(matrix.read(matrix(guess, truth))).toEqual([
      [2, 0, 0],
      [1, 0, 1],
      [0, 2, 0],
    ])
    expect(valueOf(m.precision({ classes: 3 }), guess, truth)).toBeCloseTo(2 / 9, 12)
    expect(valueOf(m.recall({ classes: 3 }), guess, truth)).toBeCloseTo(1 / 3, 12)
    expect(valueOf(m.f1({ classes: 3 }), guess, truth)).toBeCloseTo(0.8 / 3, 12)
    expect(valueOf(m.f1({ classes: 3, average: 'micro' }), guess, truth)).toBeCloseTo(1 / 3, 12)
    expect(valueOf(m.meanIoU({ classes: 3 }), guess, truth)).toBeCloseTo(2 / 9, 12)
    expect(valueOf(m.balancedAccuracy({ classes: 3 }), guess, truth)).toBeCloseTo(1 / 3, 12)
    expect(valueOf(m.cohenKappa({ classes: 3 }), guess, truth)).toBeCloseTo(0, 12)
    expect(() => m.confusionMatrix({ classes: 1 })).toThrow(IndexError)
  })

  test('of two classes', () => {
    const [y, t] = [tensor([0.9, 0.4, 0.6, 0.2]), integers([1, 1, 0, 0])]
    expect(valueOf(m.precision({ threshold: 0.5 }), y, t)).toBe(0.5)
    expect(valueOf(m.recall({ threshold: 0.3 }), y, t)).toBe(1)
    expect(valueOf(m.matthews({ threshold: 0.3 }), y, t)).toBeCloseTo(1 / Math.sqrt(3), 12)
    expect(valueOf(m.matthews({ threshold: 2 }), y, t)).toBe(0)
    expect(valueOf(m.exactAuc, y, t)).toBe(0.75)
    expect(valueOf(m.auc(), y, t)).toBe(0.75)
    expect(valueOf(m.exactAveragePrecision, y, t)).toBeCloseTo(5 / 6, 12)
    expect(valueOf(m.exactAuc, y, integers([1, 1, 1, 1]))).toBeNaN()
    expect(valueOf(m.auc({ fromLogits: true }), y.sub(0.5).mul(9), t)).toBe(0.75)
    expect(() => m.auc({ bins: 0 })).toThrow('bins')
  })

  test('top k counts ties once, and 1 is accuracy', () => {
    const logits = tensor([
      [1, 1, 0],
      [0, 2, 2],
      [3, 2, 1],
    ])
    const labels = integers([1, 2, 2])
    expect(valueOf(m.topK(1), logits, labels)).toBe(valueOf(m.accuracy, logits, labels))
    expect(valueOf(m.topK(2), logits, labels)).toBeCloseTo(2 / 3, 12)
    expect(valueOf(m.topK(3), logits, labels)).toBe(1)
    expect(() => m.topK(0)).toThrow('metrics.topK')
  })

  test('of numbers', () => {
    const [y, t] = [tensor([2.5, 0, 2, 8]), tensor([3, -0.5, 2, 7])]
    expect(valueOf(m.r2, y, t)).toBeCloseTo(0.948608137, 6)
    expect(valueOf(m.explainedVariance, y, t)).toBeCloseTo(0.957173447, 6)
    expect(valueOf(m.meanSquaredError, y, t)).toBeCloseTo(0.375, 6)
    expect(valueOf(m.meanAbsoluteError, y, t)).toBeCloseTo(0.5, 6)
    expect(valueOf(m.rootMeanSquaredError, y, t)).toBeCloseTo(Math.sqrt(0.375), 6)
    expect(valueOf(m.r2, t, t)).toBe(1)
    const uniform = np.zeros([4, 5])
    expect(valueOf(m.perplexity(), uniform, integers([0, 1, 2, 3]))).toBeCloseTo(5, 4)
  })

  test('the histogram is off by no more than it says', () => {
    fc.assert(
      fc.property(fc.nat(1000), fc.integer({ min: 1, max: 40 }), (seed, bins) => {
        const [a, b] = random.split(random.key(seed))
        const y = random.uniform(a!, [50])
        const t = random.bernoulli(b!, y).astype('int32')
        const metric = m.auc({ bins })
        const histogram = metric.read(metric(y, t))
        const gap = Math.abs(metric.value(histogram) - valueOf(m.exactAuc, y, t))
        expect(gap).toBeLessThanOrEqual(m.aucError(histogram) + 1e-12)
      }),
      { numRuns: 15 },
    )
  })
})

describe('bleu', () => {
  const words = (text: string): readonly string[] => text.split(' ')

  test('the papers’ examples', () => {
    const references = [words('the cat is on the mat'), words('there is a cat on the mat')]
    const counts = m.bleuCounts([words('the the the the the the the')], [references])
    expect([counts.matches[0], counts.totals[0], counts.referenceLength]).toEqual([2, 7, 7])
    expect(m.bleuScore(counts)).toBe(0)
    expect(m.bleuScore(counts, { smooth: true })).toBeGreaterThan(0)
    const same = m.bleuCounts([references[0]!], [references])
    expect(m.bleuScore(same)).toBe(1)
    const short = m.bleuCounts([words('the cat')], [references], { orders: 2 })
    expect(m.bleuScore(short)).toBeCloseTo(Math.exp(1 - 6 / 2), 12)
    expect(m.bleuScore(m.bleuCounts([], []))).toBe(0)
  })

  test('of tensors as of lists', () => {
    const trim = (row: readonly number[]): readonly number[] =>
      row.includes(0) ? row.slice(0, row.indexOf(0)) : row
    const rowsOf = (x: Tensor): readonly (readonly number[])[] => {
      const [width, values] = [x.shape[x.ndim - 1]!, [...x.data()]]
      return Array.from({ length: values.length / width }, (_, i) =>
        trim(values.slice(i * width, (i + 1) * width)),
      )
    }
    fc.assert(
      fc.property(fc.nat(10_000), fc.integer({ min: 1, max: 4 }), (seed, orders) => {
        const [output, target] = texts(seed, 3)
        const metric = m.bleu({ padding: 0, orders })
        const references = rowsOf(target)
        const expected = m.bleuCounts(
          rowsOf(output),
          [0, 1, 2].map((i) => references.slice(2 * i, 2 * i + 2)),
          { orders },
        )
        expect(metric.read(metric(output, target))).toEqual(expected)
      }),
      { numRuns: 15 },
    )
    const one = m.bleu({ padding: 0, orders: 4 })
    const short = integers([[1, 2, 0]])
    expect(one.read(one(short, short)).matches).toEqual([2, 1, 0, 0])
    const logits = nnFunctions.oneHot(short, 3)
    expect(one.read(one(logits, short)).matches).toEqual([2, 1, 0, 0])
  })
})

describe('training with them', () => {
  const model = nn.serial(nn.dense(3))
  const key = random.key(1)
  const data = [4, 4, 3].map((count, i) => {
    const [, labels] = classes(i, count)
    return [nnFunctions.oneHot(labels, 3).add(0.1), labels] as const
  })
  const metrics = {
    accuracy: m.accuracy,
    f1: m.f1({ classes: 3 }),
    perplexity: m.perplexity(),
    plain: (y: Tensor): nn.metrics.TotalTensors => ({ sum: y.sum(), count: y.sum().mul(0).add(2) }),
    largest: m.defineMetric({
      measure: (y: Tensor) => y.max(),
      empty: -Infinity,
      concat: (a, b) => Math.max(a, b),
      read: (y) => y.item(),
      value: (y) => y,
    }),
  }
  const loss = nn.losses.softmaxCrossEntropy

  test('an epoch reports what the examples of all its batches say', async () => {
    const variables = model.init(key, [4, 3])
    const run = train.fit({ model, data, key, loss, metrics, variables, optimizer: optim.sgd(0) })
    let running: Readonly<Record<string, number>> = {}
    for await (const snapshot of run) running = snapshot.running.metrics
    const evaluated = await train.evaluate({ model, loss, metrics, variables, data })
    const outputs = data.map(([x]) => model.apply(variables, x)[0])
    const [y, t] = [
      np.concatenate(outputs, 0),
      np.concatenate(
        data.map(([, l]) => l),
        0,
      ),
    ]
    const expected = {
      accuracy: valueOf(m.accuracy, y, t),
      f1: valueOf(metrics.f1, y, t),
      perplexity: valueOf(metrics.perplexity, y, t),
      largest: y.max().item(),
      plain: y.sum().item() / 6,
    }
    for (const [name, value] of Object.entries(expected)) {
      expect(running[name]).toBeCloseTo(value, 4)
      expect(evaluated.metrics[name]).toBeCloseTo(value, 4)
    }
  })
})
