/** Pooling of 8×64×56×56, forward and backward. */
import type { Tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import {
  type Benchmark,
  type Size,
  type Theme,
  compiledBenchmark,
  overInterpreter,
  withGradients,
} from '../benchmark.ts'
import { normal } from '../inputs.ts'

const { avgPool, maxPool } = nn.functional

const image = (size: Size): Tensor => normal(1, size === 'full' ? [8, 64, 56, 56] : [2, 3, 12, 12])
/** Every case here halves the extent. */
const pooled = (size: Size): Tensor => normal(2, size === 'full' ? [8, 64, 28, 28] : [2, 3, 6, 6])

const both = (
  name: string,
  f: (x: Tensor) => Tensor,
  forward: readonly string[],
  backward: readonly string[],
): readonly Benchmark[] => [
  compiledBenchmark({
    name: `${name}: forward`,
    f,
    inputs: (size): [Tensor] => [image(size)],
    sameResult: 1e-6,
    targets: overInterpreter(8),
    operations: forward,
  }),
  compiledBenchmark({
    name: `${name}: forward and gradient`,
    f: withGradients(f),
    inputs: (size): [Tensor, Tensor] => [pooled(size), image(size)],
    sameResult: 1e-6,
    targets: overInterpreter(8),
    operations: [...forward, ...backward],
  }),
]

const max = (name: string, options: Parameters<typeof maxPool>[1]): readonly Benchmark[] =>
  both(name, (x) => maxPool(x, options), ['reduceWindowMax'], ['selectAndScatterAdd'])

const average = (name: string, options: Parameters<typeof avgPool>[1]): readonly Benchmark[] =>
  both(name, (x) => avgPool(x, options), ['reduceWindowSum'], [])

export const pooling: Theme = {
  name: 'pooling',
  title: 'Pooling',
  benchmarks: [
    ...max('max pooling 2×2', { window: 2 }),
    ...max('max pooling 3×3, stride 2', { window: 3, stride: 2, padding: 1 }),
    ...average('average pooling 2×2', { window: 2 }),
    ...average('average pooling 3×3, stride 2', { window: 3, stride: 2, padding: 1 }),
  ],
}
