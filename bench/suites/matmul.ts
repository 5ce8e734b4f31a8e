/** Matrix products 512³ in the three orientations that a dense layer and its gradient need. */
import type { Tensor } from '@cotangent/core'
import {
  type Benchmark,
  type Target,
  type Theme,
  compiledBenchmark,
  nearHandWritten,
} from '../benchmark.ts'
import { floats, normal } from '../inputs.ts'
import { matmul512, matmulLeftTransposed512, matmulRightTransposed512 } from '../rivals/matmul.ts'

const overMatmul: Target = { tag: 'ratio', of: 'wasm', against: 'interpreter', atLeast: 50 }

type Loop = (a: Float32Array, b: Float32Array, out: Float32Array) => void

const square = (name: string, f: (a: Tensor, b: Tensor) => Tensor, loop: Loop): Benchmark =>
  compiledBenchmark({
    name,
    f,
    inputs: (size): [Tensor, Tensor] => {
      const extent = size === 'full' ? 512 : 24
      return [normal(1, [extent, extent]), normal(2, [extent, extent])]
    },
    rivals: ([a, b]) => {
      const [left, right] = [floats(a), floats(b)]
      const out = new Float32Array(left.length)
      return {
        'hand-written': () => {
          loop(left, right, out)
          return out
        },
      }
    },
    sameResult: 1e-5,
    // The interpreter's product is itself a tight loop: of JavaScript, the hand-written speed is asked.
    targets: [overMatmul, nearHandWritten],
    flops: 2 * 512 ** 3,
    operations: ['dotGeneral'],
  })

export const matmul: Theme = {
  name: 'matmul',
  title: 'Matrix product',
  benchmarks: [
    square('matmul 512³: a · b', (a, b) => a.matmul(b), matmul512),
    square('matmul 512³: aᵀ · b', (a, b) => a.T.matmul(b), matmulLeftTransposed512),
    square('matmul 512³: a · bᵀ', (a, b) => a.matmul(b.T), matmulRightTransposed512),
    compiledBenchmark({
      name: 'dense layer 64×784 to 512: tanh(x · w + b)',
      f: (x: Tensor, w: Tensor, b: Tensor) => x.matmul(w).add(b).tanh(),
      inputs: (size): [Tensor, Tensor, Tensor] => {
        const [rows, inner, columns] = size === 'full' ? [64, 784, 512] : [4, 12, 8]
        return [normal(1, [rows, inner]), normal(2, [inner, columns], 0.03), normal(3, [columns])]
      },
      sameResult: 1e-5,
      targets: [],
      flops: 2 * 64 * 784 * 512,
      operations: ['dotGeneral', 'tanh'],
    }),
  ],
}
