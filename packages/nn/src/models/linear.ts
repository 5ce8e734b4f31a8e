/** Networks of a single layer of weights. */
import { serial } from '../combinators/serial.ts'
import { zeros } from '../initializers.ts'
import type { Layer, None } from '../layer.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { flatten } from '../layers/shape.ts'

export interface OneLayerParams {
  readonly dense1: KernelAndBias
}

export interface OutputsOption {
  /** Units; 1 by default. */
  readonly outputs?: number
}

/**
 * Rosenblatt's perceptron: `[batch, …]` to the scores `[batch, outputs]`, whose signs are the answers.
 * Weights start at zero. Descent on `losses.perceptron` is its learning rule; it separates whatever
 * a plane can separate, and no more: not XOR.
 * @see Rosenblatt 1958; Minsky & Papert 1969
 */
export const perceptron = ({
  outputs = 1,
}: OutputsOption = {}): Layer<OneLayerParams, None, 'serial'> =>
  serial(flatten(), dense(outputs, { kernelInit: zeros }))

/**
 * Linear regression: `[batch, …]` to `[batch, outputs]`. Descent on `losses.meanSquaredError` goes to the
 * solution of least squares.
 */
export const linearRegression = ({
  outputs = 1,
}: OutputsOption = {}): Layer<OneLayerParams, None, 'serial'> => serial(flatten(), dense(outputs))
