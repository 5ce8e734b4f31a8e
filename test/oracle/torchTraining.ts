/** `torch/training.json`: short training runs on real data, compiled step by step. */
import { existsSync, readFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { type Tensor, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn, optim, train } from '@cotangent/nn'
import { type Outcome, type TensorJson, failed, leftOut, passed } from './cases.ts'
import type { Tensors } from './torch.ts'

export interface TrainingCase {
  readonly name: string
  readonly optimizer: {
    readonly name: string
    readonly lr: number
    readonly momentum?: number
    readonly weight_decay?: number
  }
  readonly steps: number
  readonly losses_before_step: TensorJson
  readonly accuracy_before_step: TensorJson
  readonly final_param_stats: Readonly<Record<string, { readonly sum: number; readonly l2: number }>>
  readonly tol: { readonly loss_rtol: number; readonly stat_rtol: number; readonly stat_atol: number }
  readonly initial_parameters: {
    readonly spec: Readonly<Record<string, readonly [readonly number[], number, number]>>
  }
}

const casesFolder =
  process.env['COTANGENT_CASES'] ??
  resolve(fileURLToPath(new URL('../../../shared/cases', import.meta.url)))
const dataFile = (name: string): string => join(dirname(casesFolder), 'data', name)

type Batch = readonly [x: Tensor, y: Tensor]

const floats = (values: ArrayLike<number>, shape: readonly number[]): Tensor =>
  tensor(Float32Array.from(values), { shape })
const integers = (values: ArrayLike<number>, shape: readonly number[]): Tensor =>
  tensor(Int32Array.from(values), { shape })

const digits = (size: number, epochs: number): readonly Batch[] => {
  const rows = readFileSync(dataFile('digits/digits.csv'), 'utf8')
    .split('\n')
    .slice(0, 300)
    .map((line) => line.split(',').map(Number))
  const once = Array.from({ length: Math.floor(300 / size) }, (_, b): Batch => {
    const part = rows.slice(b * size, (b + 1) * size)
    return [
      floats(part.flatMap((row) => row.slice(0, 64).map((v) => v / 16)), [size, 64]),
      integers(part.map((row) => row[64]!), [size]),
    ]
  })
  return Array.from({ length: epochs }, () => once).flat()
}

const mnist = (steps: number): readonly Batch[] => {
  const read = (name: string): Buffer => gunzipSync(readFileSync(dataFile(`mnist/${name}.gz`)))
  const images = read('t10k-images-idx3-ubyte').subarray(16)
  const labels = read('t10k-labels-idx1-ubyte').subarray(8)
  return Array.from({ length: steps }, (_, s): Batch => {
    const pixels = images.subarray(s * 32 * 784, (s + 1) * 32 * 784)
    return [
      floats(Float64Array.from(pixels, (v) => v / 255), [32, 1, 28, 28]),
      integers(labels.subarray(s * 32, (s + 1) * 32), [32]),
    ]
  })
}

const characters = (steps: number): readonly Batch[] => {
  const text = readFileSync(dataFile('text/tinyshakespeare.txt'), 'utf8')
  const vocabulary = new Map([...new Set(text)].sort().map((c, i) => [c, i]))
  const codes = (start: number): Tensor =>
    integers([...text.slice(start, start + 64)].map((c) => vocabulary.get(c)!), [4, 16])
  return Array.from({ length: steps }, (_, s): Batch => [codes(s * 64), codes(s * 64 + 1)])
}

const f = nn.functional
type Model = (params: Tensors, x: Tensor) => Tensor

const mlp: Model = ({ W1, b1, W2, b2 }, x) =>
  nn.relu(x.matmul(W1!).add(b1!)).matmul(W2!).add(b2!)

const cnn: Model = ({ w1, b1, w2, b2, W, b }, x) => {
  const channel = (v: Tensor): Tensor => v.reshape([1, v.size, 1, 1])
  const block = (z: Tensor, w: Tensor, bias: Tensor): Tensor =>
    f.maxPool(nn.relu(f.conv(z, w).add(channel(bias))), { window: 2 })
  const features = block(block(x, w1!, b1!), w2!, b2!)
  return features.reshape([features.shape[0]!, -1]).matmul(W!).add(b!)
}

const charGru: Model = (p, x) => {
  const weights = f.fromTorchCell({
    weightIh: p['weight_ih']!,
    weightHh: p['weight_hh']!,
    biasIh: p['bias_ih'],
    biasHh: p['bias_hh'],
  })
  const { outputs } = f.runCell(f.gruCell, f.swapBatchAndTime(p['emb']!.at(x)), weights)
  return f.swapBatchAndTime(outputs).matmul(p['W']!)
}

interface Run {
  readonly model: Model
  readonly batches: (c: TrainingCase) => readonly Batch[]
}

const fullBatch: Run = {
  model: mlp,
  batches: ({ steps }) => Array.from({ length: steps }, () => digits(300, 1)[0]!),
}
const runs: Readonly<Record<string, Run>> = {
  'digits_mlp/sgd_momentum': fullBatch,
  'digits_mlp/adam': fullBatch,
  'digits_mlp/adamw': fullBatch,
  'digits_mlp/minibatch_sgd': { model: mlp, batches: () => digits(32, 2) },
  'mnist_cnn/adam': { model: cnn, batches: ({ steps }) => mnist(steps) },
  'char_gru/adam': { model: charGru, batches: ({ steps }) => characters(steps) },
}

const optimizerOf = ({ optimizer: o }: TrainingCase): optim.AnyTransformation => {
  if (o.name === 'adam') return optim.adam(o.lr)
  if (o.name === 'adamw') return optim.adamw(o.lr, { weightDecay: o.weight_decay ?? 0 })
  return optim.sgd(o.lr, o.momentum === undefined ? {} : { momentum: o.momentum })
}

const initial = ({ initial_parameters: { spec } }: TrainingCase): Tensors =>
  Object.fromEntries(
    Object.entries(spec).map(([name, [shape, scale, s]]) => {
      const size = shape.reduce((n, extent) => n * extent, 1)
      const values = Array.from({ length: size }, (_, i) => scale * Math.sin(i * 12.9898 + s))
      return [name, floats(values, shape)]
    }),
  )

const statsDifference = (params: Tensors, c: TrainingCase): string | null => {
  for (const [name, { sum, l2 }] of Object.entries(c.final_param_stats)) {
    const values = [...params[name]!.data()]
    const got = { sum: values.reduce((a, v) => a + v, 0), l2: Math.hypot(...values) }
    const near = (a: number, b: number): boolean =>
      Math.abs(a - b) <= c.tol.stat_atol + c.tol.stat_rtol * Math.abs(b)
    if (!near(got.sum, sum)) return `the sum of ${name} is ${got.sum}, expected ${sum}`
    if (!near(got.l2, l2)) return `the norm of ${name} is ${got.l2}, expected ${l2}`
  }
  return null
}

/** Trains as the case says and compares every loss, every accuracy and the final parameters. */
export const runTraining = (c: TrainingCase): Outcome => {
  const run = runs[c.name]
  if (run === undefined) return leftOut('the run is not described')
  if (!existsSync(dataFile('README.md'))) return leftOut('the data sets are not there')
  const optimizer = optimizerOf(c)
  const model = nn.defineLayer<Tensors, nn.None, string>({
    name: 'recorded',
    init: (_, shape) => ({ params: initial(c), state: nn.none, outputShape: shape }),
    apply: ({ params, state }, x) => [run.model(params, x), state],
  })
  const metrics = { accuracy: nn.metrics.accuracy }
  const board = train.scoreboard<Tensor, Tensor>(metrics)
  const step = jit(
    train.makeStep({
      model,
      optimizer,
      loss: nn.losses.softmaxCrossEntropy,
      metrics,
    }),
  )
  const params = initial(c)
  const key = integers([0, 0], [2]).astype('uint32')
  let current: train.TrainState<Tensors, nn.None, unknown> = {
    params,
    state: nn.none,
    optimizerState: optimizer.init(params),
  }
  for (const [t, [x, y]] of run.batches(c).entries()) {
    const result = step(current, x, y, key, t)
    current = result.next
    const [got, expected] = [result.loss.item(), Number(c.losses_before_step.data[t])]
    if (Math.abs(got - expected) > c.tol.loss_rtol * Math.abs(expected)) {
      return failed(`the loss before step ${t} is ${got}, expected ${expected}`)
    }
    const accuracy = board.values(board.read(result.metrics))['accuracy']!
    const wanted = Number(c.accuracy_before_step.data[t])
    // One example may sit on the edge between two classes.
    if (Math.abs(accuracy - wanted) > 1.01 / y.shape[0]!) {
      return failed(`the accuracy before step ${t} is ${accuracy}, expected ${wanted}`)
    }
  }
  const wrong = statsDifference(current.params, c)
  return wrong === null ? passed : failed(wrong)
}
