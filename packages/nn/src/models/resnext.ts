/** ResNeXt. */
import { serial } from '../combinators/serial.ts'
import type { Layer } from '../layer.ts'
import { relu } from '../layers/activations.ts'
import { dense } from '../layers/dense.ts'
import {
  type ImageModelOptions,
  type StatisticsOf,
  heKernel,
  imageLayers,
  scaler,
} from './image.ts'
import type { ResNetParams } from './resnet.ts'
import { bottleneckBlock, stageOf } from './residualStage.ts'

export type ResNeXtDepth = 50 | 101 | 152

export interface ResNeXtOptions extends ImageModelOptions {
  /** The blocks of the four stages, in place of those that the depth stands for. */
  readonly blocks?: readonly [number, number, number, number]
  /** Groups of the 3×3 convolutions; 32 by default. */
  readonly cardinality?: number
  /** Channels of each group in the first stage; 4 by default, 8 from 101 layers on. */
  readonly groupWidth?: number
}

const table = {
  50: [3, 4, 6, 3],
  101: [3, 4, 23, 3],
  152: [3, 8, 36, 3],
} as const satisfies Readonly<Record<ResNeXtDepth, readonly number[]>>

/**
 * ResNeXt for `[batch, 3, 224, 224]`: residual bottlenecks whose 3×3 convolutions fall into 32
 * groups. 50 layers (32×4d): 25,028,904 parameters, 4.23 G multiply-adds; 101 (32×8d): 88,791,336,
 * 16.4 G. The trees are those of `resnet`.
 * @see Xie, Girshick, Dollár, Tu & He 2017, table 1
 * @example
 * models.resnext(50, { cardinality: 4, width: 1 / 8, classes: 10 })
 */
export const resnext = (
  depth: ResNeXtDepth = 50,
  options: ResNeXtOptions = {},
): Layer<ResNetParams, StatisticsOf<ResNetParams>, 'serial'> => {
  const { classes = 1000, width = 1, blocks, layout } = options
  const { cardinality = 32, groupWidth = depth === 50 ? 4 : 8 } = options
  const layers = imageLayers({ layout, kernelInit: heKernel })
  const { bareConv, norm, maxPool, globalPool } = layers
  const scaled = scaler(width)
  const start = scaled(64)
  // 64 features in the first stage stand for cardinality · groupWidth channels inside.
  const inner = (features: number): number =>
    Math.max(1, Math.round((groupWidth * features) / 64)) * cardinality
  const block = bottleneckBlock(layers, { groups: cardinality, inner })
  const stage = stageOf(layers, block, 4, 'B', layout)
  const [n1, n2, n3, n4] = blocks ?? table[depth]
  return serial({
    conv1: bareConv(start, 7, { stride: 2, padding: 3 }),
    norm1: norm(),
    relu1: relu,
    pool1: maxPool(3, { stride: 2, padding: 1 }),
    stage1: stage(n1, start, { stride: 1 }),
    stage2: stage(n2, scaled(128), { stride: 2 }),
    stage3: stage(n3, scaled(256), { stride: 2 }),
    stage4: stage(n4, scaled(512), { stride: 2 }),
    pool2: globalPool(),
    dense: dense(classes),
  })
}
