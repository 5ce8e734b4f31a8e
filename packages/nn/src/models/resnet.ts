/** Residual networks, for large and for small images. */
import { erase, typed } from '@cotangent/core'
import { serial } from '../combinators/serial.ts'
import type { AnyLayer, Layer } from '../layer.ts'
import { relu } from '../layers/activations.ts'
import { type Kernel, type KernelAndBias, dense } from '../layers/dense.ts'
import type { ScaleAndBias } from '../layers/affine.ts'
import {
  type ImageModelOptions,
  type StatisticsOf,
  heKernel,
  imageLayers,
  scaler,
} from './image.ts'
import { type ResidualStage, basicBlock, bottleneckBlock, stageOf } from './residualStage.ts'

export type ResNetDepth = 18 | 34 | 50 | 101 | 152
/** 6 n + 2: three stages of n blocks of two convolutions. */
export type CifarResNetDepth = 8 | 14 | 20 | 26 | 32 | 44 | 56 | 110

export interface ResNetOptions extends ImageModelOptions {
  /** The blocks of the four stages, in place of those that the depth stands for. */
  readonly blocks?: readonly [number, number, number, number]
  /** Which convolution of a bottleneck takes the stride; the second by default, the first in the paper. */
  readonly strideAt?: 'conv1' | 'conv2'
}

export interface CifarResNetOptions extends ImageModelOptions {
  /**
   * Shortcuts to more channels: `'A'`, the default and the paper's, skips positions and adds channels
   * of zeros; `'B'` projects by 1×1 convolutions.
   */
  readonly shortcut?: 'A' | 'B'
}

export interface CifarResNetParams {
  readonly conv1: Kernel
  readonly norm1: ScaleAndBias
  readonly stage1: ResidualStage
  readonly stage2: ResidualStage
  readonly stage3: ResidualStage
  readonly dense: KernelAndBias
}

export interface ResNetParams extends CifarResNetParams {
  readonly stage4: ResidualStage
}

// Table 1 of the paper: the blocks of each stage.
const table = {
  18: [2, 2, 2, 2],
  34: [3, 4, 6, 3],
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const satisfies Readonly<Record<ResNetDepth, readonly number[]>>

const imageNet = (
  depth: ResNetDepth,
  { classes = 1000, width = 1, strideAt, blocks, layout }: ResNetOptions,
): Layer<ResNetParams, StatisticsOf<ResNetParams>, 'serial'> => {
  const layers = imageLayers({ layout, kernelInit: heKernel })
  const { bareConv, norm, maxPool, globalPool } = layers
  const scaled = scaler(width)
  const [n1, n2, n3, n4] = blocks ?? table[depth]
  const block = depth < 50 ? basicBlock(layers) : bottleneckBlock(layers, { strideAt })
  const stage = stageOf(layers, block, depth < 50 ? 1 : 4, 'B', layout)
  const start = scaled(64)
  return serial({
    conv1: bareConv(start, 7, { stride: 2, padding: 3 }),
    norm1: norm(),
    relu1: relu,
    pool1: maxPool(3, { stride: 2, padding: 1 }),
    stage1: stage(n1, start, { stride: 1, inputs: start }),
    stage2: stage(n2, scaled(128), { stride: 2 }),
    stage3: stage(n3, scaled(256), { stride: 2 }),
    stage4: stage(n4, scaled(512), { stride: 2 }),
    pool2: globalPool(),
    dense: dense(classes),
  })
}

const cifar = (
  depth: CifarResNetDepth,
  { classes = 10, width = 1, shortcut = 'A', layout }: CifarResNetOptions,
): Layer<CifarResNetParams, StatisticsOf<CifarResNetParams>, 'serial'> => {
  const layers = imageLayers({ layout, kernelInit: heKernel })
  const { bareConv, norm, globalPool } = layers
  const scaled = scaler(width)
  const n = (depth - 2) / 6
  const stage = stageOf(layers, basicBlock(layers), 1, shortcut, layout)
  const start = scaled(16)
  return serial({
    conv1: bareConv(start, 3, { padding: 1 }),
    norm1: norm(),
    relu1: relu,
    stage1: stage(n, start, { stride: 1, inputs: start }),
    stage2: stage(n, scaled(32), { stride: 2 }),
    stage3: stage(n, scaled(64), { stride: 2 }),
    pool: globalPool(),
    dense: dense(classes),
  })
}

interface ResNet {
  (
    depth: ResNetDepth,
    options?: ResNetOptions,
  ): Layer<ResNetParams, StatisticsOf<ResNetParams>, 'serial'>
  (
    depth: CifarResNetDepth,
    options?: CifarResNetOptions,
  ): Layer<CifarResNetParams, StatisticsOf<CifarResNetParams>, 'serial'>
}

const isImageNetDepth = (depth: number): depth is ResNetDepth => depth in table

const build = (
  depth: ResNetDepth | CifarResNetDepth,
  options: ResNetOptions & CifarResNetOptions = {},
): AnyLayer => (isImageNetDepth(depth) ? imageNet(depth, options) : cifar(depth, options))

/**
 * Residual networks; what they are for follows from the depth.
 *
 * 18, 34, 50, 101, 152 for `[batch, 3, 224, 224]`: 11,689,512, 21,797,672, 25,557,032, 44,549,160 and
 * 60,192,808 parameters; 1.81, 3.66, 4.09, 7.80 and 11.5 G multiply-adds. From 50 on, blocks are bottlenecks, whose 3×3
 * convolution takes the stride (`strideAt: 'conv1'` as published: 3.8 G for 50 layers).
 *
 * 20, 32, 44, 56, 110 (and 8, 14, 26) for `[batch, 3, 32, 32]`: 0.27, 0.46, 0.66, 0.85 and 1.7 M
 * parameters, with shortcuts that have none; ten classes by default.
 *
 * Convolutions start at He's normal, batch normalisations at 1 and 0.
 * @see He, Zhang, Ren & Sun 2016, table 1 and section 4.2
 * @example
 * const { params, state } = models.resnet(20).init(random.key(0), [1, 3, 32, 32])
 * params.conv1.kernel.shape // [16, 3, 3, 3]
 * params.stage2.block1?.body.conv2.kernel.shape // [32, 32, 3, 3]
 */
export const resnet: ResNet = typed(erase(build))
