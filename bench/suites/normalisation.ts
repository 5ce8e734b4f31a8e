/** Normalisation: over channels, over features, and to probabilities. */
import { type Tensor, fill } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { nnFunctions } from '@cotangent/ops'
import {
  type Benchmark,
  type Size,
  type Theme,
  compiledBenchmark,
  overInterpreter,
  withGradients,
} from '../benchmark.ts'
import { labels, normal } from '../inputs.ts'

const { batchNormTraining, layerNorm } = nn.functional
const { softmaxCrossEntropy } = nn.losses

const batchNorm = (x: Tensor, scale: Tensor, bias: Tensor): Tensor =>
  batchNormTraining(x, { scale, bias }).y

const image = (size: Size): [Tensor, Tensor, Tensor] => {
  const [batch, channels, side] = size === 'full' ? [8, 64, 56] : [2, 3, 6]
  return [
    normal(1, [batch, channels, side, side]),
    normal(2, [channels], 0.1).add(1),
    normal(3, [channels]),
  ]
}

const rows = (size: Size, full: readonly [number, number]): readonly [number, number] =>
  size === 'full' ? full : [6, 10]

const features = (size: Size): [Tensor, Tensor, Tensor] => {
  const [count, width] = rows(size, [2048, 512])
  return [normal(1, [count, width]), normal(2, [width], 0.1).add(1), normal(3, [width])]
}

const affineNorm = (x: Tensor, scale: Tensor, bias: Tensor): Tensor => layerNorm(x, { scale, bias })

const logits = (size: Size): Tensor => normal(1, rows(size, [1024, 1000]))

const batchNorms: readonly Benchmark[] = [
  compiledBenchmark({
    name: 'batch norm 8×64×56×56, training: forward',
    f: batchNorm,
    inputs: image,
    sameResult: 1e-5,
    targets: overInterpreter(8),
    operations: ['reduceSum'],
  }),
  compiledBenchmark({
    name: 'batch norm 8×64×56×56, training: forward and gradient',
    f: withGradients(batchNorm),
    inputs: (size): [Tensor, Tensor, Tensor, Tensor] => {
      const args = image(size)
      return [normal(4, args[0].shape), ...args]
    },
    sameResult: 1e-4,
    targets: overInterpreter(8),
    operations: ['reduceSum'],
  }),
]

const layerNorms: readonly Benchmark[] = [
  compiledBenchmark({
    name: 'layer norm 2048×512: forward',
    f: affineNorm,
    inputs: features,
    sameResult: 1e-5,
    targets: [],
    operations: ['reduceSum'],
  }),
  compiledBenchmark({
    name: 'layer norm 2048×512: forward and gradient',
    f: withGradients(affineNorm),
    inputs: (size): [Tensor, Tensor, Tensor, Tensor] => {
      const args = features(size)
      return [normal(4, args[0].shape), ...args]
    },
    sameResult: 1e-4,
    targets: [],
    operations: ['reduceSum'],
  }),
]

const softmaxes: readonly Benchmark[] = [
  compiledBenchmark({
    name: 'softmax 1024×1000: forward',
    f: (x: Tensor) => nnFunctions.softmax(x),
    inputs: (size): [Tensor] => [logits(size)],
    sameResult: 1e-5,
    targets: [],
    operations: ['reduceSum'],
  }),
  compiledBenchmark({
    name: 'softmax cross-entropy 1024×1000: forward and gradient',
    f: (x: Tensor, y: Tensor) =>
      withGradients((z: Tensor) => softmaxCrossEntropy(z, y))(fill([], 1, 'float32'), x),
    inputs: (size): [Tensor, Tensor] => {
      const [count, classes] = rows(size, [1024, 1000])
      return [logits(size), labels(2, count, classes)]
    },
    sameResult: 1e-5,
    targets: [],
    operations: ['reduceSum'],
  }),
]

export const normalisation: Theme = {
  name: 'normalisation',
  title: 'Normalisation',
  benchmarks: [...batchNorms, ...layerNorms, ...softmaxes],
}
