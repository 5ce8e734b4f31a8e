/** Recurrent layers as scans: time 64, batch 32, input 128, hidden 256. */
import type { Tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn } from '@cotangent/nn'
import {
  type Benchmark,
  type Size,
  type Target,
  type Theme,
  compiledBenchmark,
  overInterpreter,
  withGradients,
} from '../benchmark.ts'
import { normal } from '../inputs.ts'

const { gruCell, lstmCell, runCell } = nn.functional

type Weights = [x: Tensor, kernel: Tensor, recurrentKernel: Tensor, bias: Tensor]

const lstm = (x: Tensor, kernel: Tensor, recurrentKernel: Tensor, bias: Tensor): Tensor =>
  runCell(lstmCell, x, { kernel, recurrentKernel, bias }).outputs
const gru = (x: Tensor, kernel: Tensor, recurrentKernel: Tensor, bias: Tensor): Tensor =>
  runCell(gruCell, x, { kernel, recurrentKernel, bias }).outputs

interface Extents {
  readonly time: number
  readonly batch: number
  readonly input: number
  readonly hidden: number
}

const full: Extents = { time: 64, batch: 32, input: 128, hidden: 256 }
const small: Extents = { time: 5, batch: 3, input: 4, hidden: 6 }
const extents = (size: Size): Extents => (size === 'full' ? full : small)

const weights = ({ time, batch, input, hidden }: Extents, gates: number): Weights => [
  normal(1, [time, batch, input]),
  normal(2, [input, gates * hidden], 0.08),
  normal(3, [hidden, gates * hidden], 0.06),
  normal(4, [gates * hidden], 0.1),
]

/** Of the products with the input and with the hidden state. */
const flops = ({ time, batch, input, hidden }: Extents, gates: number): number =>
  2 * time * batch * (input + hidden) * gates * hidden

const both = (
  name: string,
  cell: (...args: Weights) => Tensor,
  gates: number,
  targets: readonly Target[],
): readonly Benchmark[] => [
  compiledBenchmark({
    name: `${name} T 64, B 32, I 128, H 256: forward`,
    f: cell,
    inputs: (size) => weights(extents(size), gates),
    sameResult: 1e-5,
    targets,
    flops: flops(full, gates),
    operations: ['dotGeneral'],
  }),
  compiledBenchmark({
    name: `${name} T 64, B 32, I 128, H 256: forward and gradient`,
    f: withGradients(cell),
    inputs: (size): [Tensor, ...Weights] => {
      const { time, batch, hidden } = extents(size)
      return [normal(5, [time, batch, hidden]), ...weights(extents(size), gates)]
    },
    sameResult: 1e-4,
    targets,
    flops: 3 * flops(full, gates),
    operations: ['dotGeneral'],
  }),
]

/** Compiling anew, as the first call does; the result is how many passes there were. */
const compileSteps = (time: number): (() => number) => {
  const sizes = { ...small, time }
  const cotangent = normal(5, [time, sizes.batch, sizes.hidden])
  const args = weights(sizes, 4)
  return () => jit(withGradients(lstm)).lower(cotangent, ...args).stages.length
}

const compileTime: Benchmark = {
  name: 'compiling an LSTM and its gradient, by sequence length',
  prepare: () => ({
    contenders: { '1024 steps': compileSteps(1024), '16 steps': compileSteps(16) },
  }),
  sameResult: 0,
  // Times of compiling spread widely; growth with the length would show as 0.02.
  targets: [{ tag: 'ratio', against: '16 steps', atLeast: 0.5 }],
}

export const recurrent: Theme = {
  name: 'recurrent',
  title: 'Recurrent layers',
  benchmarks: [
    ...both('LSTM', lstm, 4, overInterpreter(20)),
    ...both('GRU', gru, 3, []),
    compileTime,
  ],
}
