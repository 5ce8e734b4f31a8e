/** VGG networks. */
import { erase, typed } from '@cotangent/core'
import { repeat } from '../combinators/repeat.ts'
import { named } from '../combinators/naming.ts'
import { serial } from '../combinators/serial.ts'
import type { RunningStatistics } from '../functional/normalization.ts'
import { convAxes, glorotNormal } from '../initializers.ts'
import type { AnyLayer, Layer } from '../layer.ts'
import { relu } from '../layers/activations.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as drop } from '../layers/dropout.ts'
import type { ScaleAndBias } from '../layers/affine.ts'
import { flatten } from '../layers/shape.ts'
import { type ImageModelWithDropout, imageLayers, scaler } from './image.ts'

export type VggDepth = 11 | 13 | 16 | 19

export interface VggOptions extends ImageModelWithDropout {
  /** Batch normalisation after every convolution; false by default, as published. */
  readonly batchNorm?: boolean
}

/** `block1`, `block2`, …: one for each convolution. */
export type VggStage = Readonly<
  Record<`block${number}`, { readonly conv: KernelAndBias; readonly norm?: ScaleAndBias }>
>

export interface VggParams {
  readonly stage1: VggStage
  readonly stage2: VggStage
  readonly stage3: VggStage
  readonly stage4: VggStage
  readonly stage5: VggStage
  readonly dense1: KernelAndBias
  readonly dense2: KernelAndBias
  readonly dense3: KernelAndBias
}

/** Running statistics, with `batchNorm: true`. */
export type VggStageState = Readonly<
  Record<`block${number}`, { readonly norm?: RunningStatistics }>
>
export interface VggState {
  readonly stage1?: VggStageState
  readonly stage2?: VggStageState
  readonly stage3?: VggStageState
  readonly stage4?: VggStageState
  readonly stage5?: VggStageState
}

// Table 1 of the paper, columns A, B, D and E: the convolutions of each stage.
const columns = {
  11: [1, 1, 2, 2, 2],
  13: [2, 2, 2, 2, 2],
  16: [2, 2, 3, 3, 3],
  19: [2, 2, 4, 4, 4],
} as const satisfies Readonly<Record<VggDepth, readonly number[]>>

const build = (
  depth: VggDepth,
  { classes = 1000, width = 1, dropout = 0.5, batchNorm = false, layout }: VggOptions = {},
): AnyLayer => {
  const { conv, norm, maxPool } = imageLayers({ layout, kernelInit: glorotNormal(convAxes) })
  const scaled = scaler(width)
  const block = (features: number): AnyLayer => {
    const convolution = conv(scaled(features), 3, { padding: 1 })
    return batchNorm
      ? named('block', serial({ conv: convolution, norm: norm(), relu }))
      : named('block', serial({ conv: convolution, relu }))
  }
  const stage = (features: number, i: 0 | 1 | 2 | 3 | 4): AnyLayer =>
    repeat(columns[depth][i], () => block(features))
  const kernelInit = glorotNormal()
  return serial({
    stage1: stage(64, 0),
    pool1: maxPool(2),
    stage2: stage(128, 1),
    pool2: maxPool(2),
    stage3: stage(256, 2),
    pool3: maxPool(2),
    stage4: stage(512, 3),
    pool4: maxPool(2),
    stage5: stage(512, 4),
    pool5: maxPool(2),
    flatten: flatten(),
    dense1: dense(scaled(4096), { kernelInit }),
    relu1: relu,
    dropout1: drop(dropout),
    dense2: dense(scaled(4096), { kernelInit }),
    relu2: relu,
    dropout2: drop(dropout),
    dense3: dense(classes, { kernelInit }),
  })
}

/**
 * VGG-11, -13, -16 or -19 for `[batch, 3, 224, 224]`: five stages of 3×3 convolutions, each ending in
 * 2×2 pooling, then 4096, 4096 and `classes` units. 132,863,336, 133,047,848, 138,357,544 and
 * 143,667,240 parameters; 7.61, 11.3, 15.5 and 19.6 G multiply-adds. Weights as Glorot and Bengio's.
 * @see Simonyan & Zisserman 2015, table 1, columns A, B, D, E
 * @example
 * const { params } = models.vgg(11, { width: 1 / 8, classes: 10 }).init(random.key(0), [1, 3, 32, 32])
 * params.stage1.block1?.conv.kernel.shape // [8, 3, 3, 3]
 */
export const vgg: (depth: VggDepth, options?: VggOptions) => Layer<VggParams, VggState, 'serial'> =
  typed(erase(build))
