/** The two learning curves of a run: loss on a logarithmic scale, accuracy from where it gets interesting. */
import type { TestPoint, TrainingCurve } from './data.ts'
import { percent, plural, significant } from './format.ts'
import { type Curve, type LineChart, lineChart } from './lineChart.ts'
import type { Markup } from './markup.ts'
import { overSteps, quantile, smooth, thin } from './series.ts'

/** Twice the width of the chart in pixels: more points would not be seen. */
const mostPoints = 900

/** Short runs are smoothed over a few steps, long ones over an eightieth. */
const halfLifeOf = (steps: number): number => Math.max(1, Math.min(5, steps / 8), steps / 80)

const finite = (values: readonly number[]): readonly number[] =>
  values.filter((v) => Number.isFinite(v))

interface Prepared {
  readonly curves: readonly Curve[]
  /** The values that the vertical range must hold; the single batches may leave it. */
  readonly main: readonly number[]
}

const prepare = (perStep: ArrayLike<number>, perTest: Curve['points']): Prepared => {
  const raw = overSteps(perStep)
  const smoothed = { x: raw.x, y: smooth(perStep, halfLifeOf(perStep.length)) }
  return {
    curves: [
      { label: 'each batch', style: 'raw', points: thin(raw, mostPoints), dots: false },
      { label: 'training', style: 'train', points: thin(smoothed, mostPoints), dots: false },
      { label: 'test', style: 'test', points: perTest, dots: true },
    ],
    main: finite([...smoothed.y, ...perTest.y]),
  }
}

const frame = (
  training: TrainingCurve,
  tests: readonly TestPoint[],
): Pick<LineChart, 'xLabel' | 'xRange' | 'marks'> => {
  const last = Math.max(2, training.loss.length, ...tests.map((t) => t.step))
  const perEpoch = training.stepsPerEpoch
  const epochs = perEpoch > 0 ? Math.min(1000, Math.floor(last / perEpoch)) : 0
  const marks = Array.from({ length: epochs }, (_, i) => ({
    at: (i + 1) * perEpoch,
    label: `epoch ${i + 1}`,
  }))
  return { xLabel: 'training step', xRange: [0, last], marks }
}

const lossRange = (values: readonly number[]): readonly [number, number] => {
  const positive = values.filter((v) => v > 0)
  // Not Math.min(...positive): a long run has more steps than a call may have arguments.
  const low = positive.reduce((a, b) => Math.min(a, b), Infinity)
  const high = positive.reduce((a, b) => Math.max(a, b), 0)
  if (positive.length === 0) return [0.1, 1]
  // Within what the scale can divide: a diverging loss reaches the end of the doubles.
  const within = (v: number): number => Math.min(1e100, Math.max(1e-100, v))
  return [within(low) * 0.75, within(high) * 1.15]
}

/** The slow start is cut off at its twentieth, on a round number, so the end can be read. */
const accuracyRange = (values: readonly number[]): readonly [number, number] => {
  const low = quantile(values, 0.05) ?? 0
  const step = low > 0.9 ? 0.02 : 0.1
  return [Math.min(0.98, Math.max(0, Math.floor(low / step) * step)), 1]
}

const wholeOrTenths = (v: number): string =>
  percent(v, Math.abs(v * 100 - Math.round(v * 100)) < 1e-6 ? 0 : 1)

const closing = (values: readonly number[], format: (v: number) => string): string => {
  const last = values.at(-1)
  return last === undefined ? '' : `, at the end ${format(last)}`
}

/** The drawings of loss and accuracy. There may be no step and no test yet. */
export const learningCurves = (
  training: TrainingCurve,
  tests: readonly TestPoint[],
): readonly [loss: Markup, accuracy: Markup] => {
  const x = tests.map((t) => t.step)
  const around = frame(training, tests)
  const draw = (what: 'loss' | 'accuracy', spell: Pick<LineChart, 'format' | 'tick'>): Markup => {
    const measured = tests.map((t) => t[what])
    const { curves, main } = prepare(training[what], { x, y: measured })
    const done = plural(training[what].length, 'training step')
    const trend = closing(curves[1]!.points.y, spell.format)
    const tested = closing(measured, spell.format)
    return lineChart({
      ...around,
      id: `curve-${what}`,
      title: what === 'loss' ? 'Loss' : 'Accuracy',
      description: `${what} over ${done}${trend}; on the test set${tested || ' not measured'}.`,
      curves,
      logarithmic: what === 'loss',
      yRange: what === 'loss' ? lossRange(main) : accuracyRange(main),
      ...spell,
    })
  }
  return [
    draw('loss', { format: significant, tick: (v) => String(Number(v.toPrecision(3))) }),
    draw('accuracy', { format: (v) => percent(v, 2), tick: wholeOrTenths }),
  ]
}
