/** LeNet-5. */
import type { Tensor } from '@cotangent/core'
import { serial } from '../combinators/serial.ts'
import type { Layer, None } from '../layer.ts'
import { relu, tanh } from '../layers/activations.ts'
import { conv2d } from '../layers/conv.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { avgPool2d, maxPool2d } from '../layers/pooling.ts'
import { flatten } from '../layers/shape.ts'

export interface LeNet5Options {
  /** 10 by default. */
  readonly classes?: number
  /** `'tanh'` by default, as published. */
  readonly activation?: 'tanh' | 'relu'
  /** `'average'` by default, as published (without the learned factor and offset). */
  readonly pooling?: 'average' | 'max'
}

export interface LeNet5Params {
  readonly conv1: KernelAndBias
  readonly conv2: KernelAndBias
  readonly dense1: KernelAndBias
  readonly dense2: KernelAndBias
  readonly dense3: KernelAndBias
}

/**
 * LeNet-5 for `[batch, 1, 28, 28]`: 5×5 convolutions to 6 and 16 channels, each followed by 2×2
 * pooling, then 120, 84 and `classes` units; 61,706 parameters for ten classes. The first
 * convolution pads by 2, which stands for the 32×32 input of the paper.
 * @see LeCun, Bottou, Bengio & Haffner 1998, section II.B
 */
export const lenet5 = ({
  classes = 10,
  activation = 'tanh',
  pooling = 'average',
}: LeNet5Options = {}): Layer<LeNet5Params, None, 'serial', Tensor, Tensor> => {
  const act = activation === 'tanh' ? tanh() : relu()
  const pool = pooling === 'average' ? avgPool2d(2) : maxPool2d(2)
  return serial({
    conv1: conv2d(6, 5, { padding: 2 }),
    act1: act,
    pool1: pool,
    conv2: conv2d(16, 5),
    act2: act,
    pool2: pool,
    flatten: flatten(),
    dense1: dense(120),
    act3: act,
    dense2: dense(84),
    act4: act,
    dense3: dense(classes),
  })
}
