/** Network in network. */
import { serial } from '../combinators/serial.ts'
import type { Layer, None } from '../layer.ts'
import { relu } from '../layers/activations.ts'
import type { KernelAndBias } from '../layers/dense.ts'
import { dropout as drop } from '../layers/dropout.ts'
import {
  type ImageModelWithDropout,
  type WindowOptions,
  heKernel,
  imageLayers,
  scaler,
} from './image.ts'

export interface NinOptions extends ImageModelWithDropout {
  /** For small images (32×32), the default, or for `'imageNet'` ones. */
  readonly form?: 'cifar' | 'imageNet'
}

/** A convolution and a perceptron of two layers at every position. */
export interface MlpConvParams {
  readonly conv: KernelAndBias
  readonly mlp1: KernelAndBias
  readonly mlp2: KernelAndBias
}

export interface NinParams {
  readonly mlpConv1: MlpConvParams
  readonly mlpConv2: MlpConvParams
  readonly mlpConv3: MlpConvParams
  /** In the form for ImageNet. */
  readonly mlpConv4?: MlpConvParams
}

/**
 * Network in network: convolutions whose every position feeds a small perceptron (1×1 convolutions), and
 * in place of dense layers one feature map a class, averaged. For `[batch, 3, 32, 32]` and ten
 * classes 966,986 parameters; in the form for ImageNet, `[batch, 3, 224, 224]`, 7,595,176.
 * @see Lin, Chen & Yan 2014
 * @example
 * nn.summary(models.nin(), [1, 3, 32, 32]).totals.parameters // 966986
 */
export const nin = ({
  form = 'cifar',
  classes = form === 'cifar' ? 10 : 1000,
  width = 1,
  dropout = 0.5,
  layout,
}: NinOptions = {}): Layer<NinParams, None, 'serial'> => {
  const { conv, maxPool, globalPool } = imageLayers({ layout, kernelInit: heKernel })
  const scaled = scaler(width)
  const mlpConv = (
    features: readonly [number, number, number],
    window: number,
    options: WindowOptions,
  ): Layer<MlpConvParams, None, 'serial'> =>
    serial({
      conv: conv(features[0], window, options),
      relu1: relu,
      mlp1: conv(features[1], 1),
      relu2: relu,
      mlp2: conv(features[2], 1),
      relu3: relu,
    })
  const pool = maxPool(3, { stride: 2, ceilMode: true })
  if (form === 'cifar') {
    const [c192, c160, c96] = [scaled(192), scaled(160), scaled(96)]
    return serial({
      mlpConv1: mlpConv([c192, c160, c96], 5, { padding: 2 }),
      pool1: pool,
      dropout1: drop(dropout),
      mlpConv2: mlpConv([c192, c192, c192], 5, { padding: 2 }),
      pool2: pool,
      dropout2: drop(dropout),
      mlpConv3: mlpConv([c192, c192, classes], 3, { padding: 1 }),
      pool3: globalPool(),
    })
  }
  const [c96, c256, c384, c1024] = [scaled(96), scaled(256), scaled(384), scaled(1024)]
  return serial({
    mlpConv1: mlpConv([c96, c96, c96], 11, { stride: 4 }),
    pool1: pool,
    mlpConv2: mlpConv([c256, c256, c256], 5, { padding: 2 }),
    pool2: pool,
    mlpConv3: mlpConv([c384, c384, c384], 3, { padding: 1 }),
    pool3: pool,
    dropout3: drop(dropout),
    mlpConv4: mlpConv([c1024, c1024, classes], 3, { padding: 1 }),
    pool4: globalPool(),
  })
}
