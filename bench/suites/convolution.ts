/** Convolutions: a layer of a large network, and the two of LeNet-5. */
import type { Shape, Tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import {
  type Benchmark,
  type Size,
  type Theme,
  compiledBenchmark,
  nearHandWritten,
  overInterpreter,
  withGradients,
} from '../benchmark.ts'
import { floats, normal } from '../inputs.ts'
import { conv2dForward, conv2dInputGradient, conv2dWeightGradient } from '../rivals/conv.ts'

const { conv } = nn.functional

interface Layer {
  readonly input: Shape
  readonly kernel: Shape
  readonly padding: number
}

const large: Layer = { input: [8, 64, 56, 56], kernel: [64, 64, 3, 3], padding: 1 }
/** Small, but not too small for the minimal filtering that the large one takes. */
const largeAtTest: Layer = { input: [2, 64, 12, 12], kernel: [64, 64, 3, 3], padding: 1 }
const lenet1: Layer = { input: [64, 1, 28, 28], kernel: [6, 1, 5, 5], padding: 2 }
const lenet2: Layer = { input: [64, 6, 14, 14], kernel: [16, 6, 5, 5], padding: 0 }

const outputShape = ({ input, kernel, padding }: Layer): Shape => [
  input[0]!,
  kernel[0]!,
  ...[2, 3].map((d) => input[d]! + 2 * padding - kernel[d]! + 1),
]

const product = (shape: Shape): number => shape.reduce((n, extent) => n * extent, 1)

/** A multiplication and an addition for each output and each element of its window. */
const flopsOf = (layer: Layer): number =>
  (2 * product(outputShape(layer)) * product(layer.kernel)) / layer.kernel[0]!

const forward =
  ({ padding }: Layer) =>
  (x: Tensor, kernel: Tensor): Tensor =>
    conv(x, kernel, { padding })

const operands = ({ input, kernel }: Layer): [Tensor, Tensor] => [
  normal(1, input),
  normal(2, kernel, 0.05),
]

const largeBenchmarks: readonly Benchmark[] = [
  compiledBenchmark({
    name: 'convolution 8×64×56×56, 3×3, 64 out: forward',
    f: forward(large),
    inputs: (size) => operands(size === 'full' ? large : largeAtTest),
    rivals: ([x, w]) => {
      const [xs, ws] = [floats(x), floats(w)]
      const out = new Float32Array(product(outputShape(large)))
      return {
        'hand-written': () => {
          conv2dForward(xs, ws, out)
          return out
        },
      }
    },
    sameResult: 1e-5,
    targets: [...overInterpreter(50), nearHandWritten],
    flops: flopsOf(large),
    operations: ['dotGeneral or conv'],
  }),
  compiledBenchmark({
    name: 'convolution 8×64×56×56, 3×3, 64 out: forward and gradient',
    f: withGradients(forward(large)),
    inputs: (size: Size): [Tensor, Tensor, Tensor] => {
      const layer = size === 'full' ? large : largeAtTest
      return [normal(3, outputShape(layer)), ...operands(layer)]
    },
    rivals: ([ct, x, w]) => {
      const [dy, xs, ws] = [floats(ct), floats(x), floats(w)]
      const dx = new Float32Array(xs.length)
      const dw = new Float32Array(ws.length)
      const y = new Float32Array(dy.length)
      return {
        'hand-written': () => {
          conv2dForward(xs, ws, y)
          conv2dInputGradient(dy, ws, dx)
          conv2dWeightGradient(xs, dy, dw)
          return [y, [dx, dw]]
        },
      }
    },
    sameResult: 1e-5,
    targets: [...overInterpreter(50), nearHandWritten],
    flops: 3 * flopsOf(large),
    operations: ['dotGeneral or conv', 'conv'],
  }),
]

const lenetBenchmarks = (name: string, layer: Layer): readonly Benchmark[] => {
  const scaled = (size: Size): Layer =>
    size === 'full' ? layer : { ...layer, input: [2, ...layer.input.slice(1)] }
  return [
    compiledBenchmark({
      name: `${name}: forward`,
      f: forward(layer),
      inputs: (size) => operands(scaled(size)),
      sameResult: 1e-5,
      targets: [],
      flops: flopsOf(layer),
      operations: ['conv'],
    }),
    compiledBenchmark({
      name: `${name}: forward and gradient`,
      f: withGradients(forward(layer)),
      inputs: (size: Size): [Tensor, Tensor, Tensor] => [
        normal(3, outputShape(scaled(size))),
        ...operands(scaled(size)),
      ],
      sameResult: 1e-5,
      targets: [],
      flops: 3 * flopsOf(layer),
      operations: ['conv'],
    }),
  ]
}

export const convolution: Theme = {
  name: 'convolution',
  title: 'Convolution',
  benchmarks: [
    ...largeBenchmarks,
    ...lenetBenchmarks('LeNet convolution 64×1×28×28, 5×5, 6 out', lenet1),
    ...lenetBenchmarks('LeNet convolution 64×6×14×14, 5×5, 16 out', lenet2),
  ],
}
