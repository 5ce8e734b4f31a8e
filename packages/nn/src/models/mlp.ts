/** Perceptrons of one and more layers. */
import type { Tensor } from '@cotangent/core'
import { serial } from '../combinators/serial.ts'
import type { Layer, None } from '../layer.ts'
import { relu } from '../layers/activations.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { flatten } from '../layers/shape.ts'

/** `dense1`, `dense2`, …: one for each layer. */
export type MlpParams = Readonly<Record<`dense${number}`, KernelAndBias>>

export interface MlpOptions {
  /** Units of each layer, the last being the output's. */
  readonly units: readonly [number, ...number[]]
  /** Between layers; relu by default. */
  readonly activation?: (x: Tensor) => Tensor
}

/**
 * A multi-layer perceptron: inputs are flattened; dense layers with an activation between each two.
 * @example
 * models.mlp({ units: [128, 10] })
 */
export const mlp = ({ units, activation = relu }: MlpOptions): Layer<MlpParams, None, 'serial'> => {
  const stages = units.flatMap((n, i) => (i === 0 ? [dense(n)] : [activation, dense(n)]))
  return serial(flatten(), ...stages)
}

export interface SoftmaxRegressionParams {
  readonly dense1: KernelAndBias
}

/** Softmax (multinomial logistic) regression: one dense layer to the logits. */
export const softmaxRegression = ({
  classes = 10,
}: {
  readonly classes?: number
} = {}): Layer<SoftmaxRegressionParams, None, 'serial'> => serial(flatten(), dense(classes))
