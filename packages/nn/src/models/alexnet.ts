/** AlexNet. */
import { serial } from '../combinators/serial.ts'
import { normal, ones, zeros } from '../initializers.ts'
import type { Layer, None } from '../layer.ts'
import { identity, relu } from '../layers/activations.ts'
import { conv2d } from '../layers/conv.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as drop } from '../layers/dropout.ts'
import { flatten } from '../layers/shape.ts'
import { type ImageModelWithDropout, type WindowOptions, imageLayers, scaler } from './image.ts'

export interface AlexNetOptions extends ImageModelWithDropout {
  /**
   * `'oneColumn'` by default: 64, 192, 384, 256, 256 channels, the version for one processor of 2014.
   * `'twoGroups'`: 96, 256, 384, 384, 256 channels, the second, fourth and fifth convolutions in two
   * groups, as published in 2012.
   */
  readonly variant?: 'oneColumn' | 'twoGroups'
  /** Local response normalisation after the first two convolutions; true by default. */
  readonly localResponse?: boolean
}

export interface AlexNetParams {
  readonly conv1: KernelAndBias
  readonly conv2: KernelAndBias
  readonly conv3: KernelAndBias
  readonly conv4: KernelAndBias
  readonly conv5: KernelAndBias
  readonly dense1: KernelAndBias
  readonly dense2: KernelAndBias
  readonly dense3: KernelAndBias
}

const channels = {
  oneColumn: [64, 192, 384, 256, 256],
  twoGroups: [96, 256, 384, 384, 256],
} as const

/**
 * AlexNet for `[batch, 3, 224, 224]`: five convolutions, the first 11×11 with stride 4, and three
 * dense layers; 61,100,840 parameters and 0.71 G multiply-adds, or 60,965,224 parameters in two
 * groups. Weights start at N(0, 0.01²), the biases of the second, fourth and fifth convolutions and
 * of the hidden layers at 1. With `localResponse: false` it is the network of common libraries.
 * @see Krizhevsky, Sutskever & Hinton 2012; Krizhevsky 2014
 * @example
 * const net = models.alexnet({ variant: 'twoGroups' })
 * nn.summary(net, [1, 3, 224, 224]).totals.parameters // 60965224
 */
export const alexnet = ({
  classes = 1000,
  width = 1,
  dropout = 0.5,
  variant = 'oneColumn',
  localResponse = true,
  layout = 'NCHW',
}: AlexNetOptions = {}): Layer<AlexNetParams, None, 'serial'> => {
  const groups = variant === 'twoGroups' ? 2 : 1
  const scaled = scaler(width)
  const [c1, c2, c3, c4, c5] = channels[variant]
  const { maxPool, responseNorm } = imageLayers({ layout })
  const kernelInit = normal(0.01)
  const hidden = { kernelInit, biasInit: ones }
  // Where the paper wants inputs of the rectifiers that are positive at first, biases are ones.
  const conv = (
    features: number,
    window: number,
    { excited = false, ...geometry }: WindowOptions & { readonly excited?: boolean },
  ): Layer<KernelAndBias, None, 'conv'> => {
    const init = { kernelInit, biasInit: excited ? ones : zeros }
    return conv2d(scaled(features, 2), window, { ...geometry, ...init, layout })
  }
  const respond = localResponse ? responseNorm() : identity
  const pool = maxPool(3, { stride: 2 })
  return serial({
    conv1: conv(c1, 11, { stride: 4, padding: 2 }),
    relu1: relu,
    respond1: respond,
    pool1: pool,
    conv2: conv(c2, 5, { padding: 2, groups, excited: true }),
    relu2: relu,
    respond2: respond,
    pool2: pool,
    conv3: conv(c3, 3, { padding: 1 }),
    relu3: relu,
    conv4: conv(c4, 3, { padding: 1, groups, excited: true }),
    relu4: relu,
    conv5: conv(c5, 3, { padding: 1, groups, excited: true }),
    relu5: relu,
    pool5: pool,
    flatten: flatten(),
    dropout1: drop(dropout),
    dense1: dense(scaled(4096), hidden),
    relu6: relu,
    dropout2: drop(dropout),
    dense2: dense(scaled(4096), hidden),
    relu7: relu,
    dense3: dense(classes, { kernelInit }),
  })
}
