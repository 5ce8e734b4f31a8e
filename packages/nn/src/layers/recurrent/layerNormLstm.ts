/** An LSTM whose sums are normalised before its gates see them. */
import { type Tensor, fill } from '@cotangent/core'
import { prims, random } from '@cotangent/ops'
import { requireExtent, requireSize } from '../../errors.ts'
import { layerNorm } from '../../functional/normalization.ts'
import type { LstmCarry } from '../../functional/recurrent/index.ts'
import { lecunNormal, uniformAround, zeros } from '../../initializers.ts'
import { type RecurrentCell, defineCell } from './cell.ts'
import type { CellOptions } from './cells.ts'
import { requireFeatures } from './sequences.ts'

/** A learned scale; the offsets are the gates' biases, and the memory's own. */
export interface NormScale {
  readonly scale: Tensor
}
export interface LayerNormLstmParams {
  /** `[features, 4 · units]`, gates in the order i, f, g, o. */
  readonly kernel: Tensor
  /** `[units, 4 · units]`. */
  readonly recurrentKernel: Tensor
  /** `[4 · units]`. */
  readonly bias: Tensor
  /** Of the input's products: `[4 · units]`. */
  readonly inputNorm: NormScale
  /** Of the state's products: `[4 · units]`. */
  readonly recurrentNorm: NormScale
  /** Of the memory: `[units]`. */
  readonly memoryNorm: NormScale & { readonly bias: Tensor }
}
export interface LayerNormLstmOptions extends CellOptions {
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
}

/**
 * z = LN(x W) + LN(h R) + b; c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(LN(c')). The carry is `{ h, c }`.
 * @see Ba, Kiros & Hinton 2016, layer normalisation, eqs. 20–22
 * @example
 * recurrent(layerNormLstmCell(64), { returnSequences: false })
 */
export const layerNormLstmCell = (
  units: number,
  options: LayerNormLstmOptions = {},
): RecurrentCell<LayerNormLstmParams, LstmCarry, 'layerNormLstmCell'> => {
  const { kernelInit = lecunNormal(), biasInit = zeros, epsilon = 1e-5 } = options
  const { recurrentInit = uniformAround(1 / Math.sqrt(units)) } = options
  const name = 'layerNormLstmCell'
  requireSize(name, 'units', units)
  const ones = (count: number): NormScale => Object.freeze({ scale: fill([count], 1, 'float32') })
  return defineCell<LayerNormLstmParams, LstmCarry, 'layerNormLstmCell'>({
    name,
    init: (key, inputShape) => {
      requireFeatures(name, inputShape, 1)
      const [batch, features] = inputShape
      const [kernelKey, recurrentKey, biasKey] = random.split(key, 3)
      return {
        params: {
          kernel: kernelInit(kernelKey!, [features!, 4 * units]),
          recurrentKernel: recurrentInit(recurrentKey!, [units, 4 * units]),
          bias: biasInit(biasKey!, [4 * units]),
          inputNorm: ones(4 * units),
          recurrentNorm: ones(4 * units),
          memoryNorm: Object.freeze({ ...ones(units), bias: fill([units], 0, 'float32') }),
        },
        outputShape: [batch!, units],
      }
    },
    initCarry: (_, [batch], dtype) => {
      const zero = fill([batch!, units], 0, dtype)
      return { h: zero, c: zero }
    },
    project: ({ kernel, inputNorm, bias }, x) =>
      layerNorm(x.matmul(kernel), inputNorm, { epsilon }).add(bias),
    step: ({ recurrentKernel, recurrentNorm, memoryNorm }, { h, c }, projected) => {
      const z = projected.add(layerNorm(h.matmul(recurrentKernel), recurrentNorm, { epsilon }))
      const [i, f, g, o] = [0, 1, 2, 3].map((n) => z.at(':', `${n * units}:${(n + 1) * units}`))
      const memory = prims.logistic(f!).mul(c).add(prims.logistic(i!).mul(g!.tanh()))
      const shown = layerNorm(memory, memoryNorm, { epsilon }).tanh()
      const next = { h: prims.logistic(o!).mul(shown), c: memory }
      return [next, next.h]
    },
    output: ({ h }) => h,
    check: ({ kernel }, shape, { layer, leading }) => {
      requireFeatures(layer, shape, leading)
      requireExtent(layer, shape, leading, kernel.shape[0]!, 'features')
    },
  })
}
