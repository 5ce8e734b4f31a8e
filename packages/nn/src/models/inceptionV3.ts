/** Inception with factorised convolutions. */
import { erase, typed } from '@cotangent/core'
import { serial } from '../combinators/serial.ts'
import { normal, truncatedNormal } from '../initializers.ts'
import type { AnyLayer, Layer } from '../layer.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as drop } from '../layers/dropout.ts'
import { type WithAuxiliary, withHeads } from './auxiliary.ts'
import {
  type ImageModelWithDropout,
  type StatisticsOf,
  type UnitParams,
  imageLayers,
  scaler,
} from './image.ts'
import {
  type Block35,
  type Block17,
  type Block8,
  type Reduction17,
  type Reduction8,
  inceptionV3Blocks,
} from './inceptionV3Blocks.ts'

export interface InceptionV3Options extends ImageModelWithDropout {
  /** A further classifier after the last block of 17×17; false by default. */
  readonly auxiliary?: boolean
}

export interface InceptionV3Params {
  readonly conv1: UnitParams
  readonly conv2: UnitParams
  readonly conv3: UnitParams
  readonly conv4: UnitParams
  readonly conv5: UnitParams
  readonly mixed5b: Block35
  readonly mixed5c: Block35
  readonly mixed5d: Block35
  readonly mixed6a: Reduction17
  readonly mixed6b: Block17
  readonly mixed6c: Block17
  readonly mixed6d: Block17
  readonly mixed6e: Block17
  readonly mixed7a: Reduction8
  readonly mixed7b: Block8
  readonly mixed7c: Block8
  readonly dense: KernelAndBias
}

export interface InceptionV3Head {
  readonly auxiliary: {
    readonly conv1: UnitParams
    readonly conv2: UnitParams
    readonly dense: KernelAndBias
  }
}

interface InceptionV3 {
  (
    options: InceptionV3Options & { readonly auxiliary: true },
  ): Layer<
    InceptionV3Params & InceptionV3Head,
    StatisticsOf<InceptionV3Params & InceptionV3Head>,
    'withHeads',
    WithAuxiliary
  >
  (
    options?: InceptionV3Options & { readonly auxiliary?: false },
  ): Layer<InceptionV3Params, StatisticsOf<InceptionV3Params>, 'serial'>
}

const build = ({
  classes = 1000,
  width = 1,
  dropout = 0.5,
  auxiliary = false,
  layout,
}: InceptionV3Options = {}): AnyLayer => {
  const kernelInit = truncatedNormal({ standardDeviation: 0.1 })
  const layers = imageLayers({ layout, epsilon: 1e-3, kernelInit })
  const { unit, maxPool, avgPool, globalPool } = layers
  const scaled = scaler(width)
  const { block35, reduction17, block17, reduction8, block8 } = inceptionV3Blocks(layers, scaled)
  const pool = maxPool(3, { stride: 2 })
  const stages = {
    conv1: unit(scaled(32), 3, { stride: 2 }),
    conv2: unit(scaled(32), 3),
    conv3: unit(scaled(64), 3, { padding: 1 }),
    pool1: pool,
    conv4: unit(scaled(80), 1),
    conv5: unit(scaled(192), 3),
    pool2: pool,
    mixed5b: block35(32),
    mixed5c: block35(64),
    mixed5d: block35(64),
    mixed6a: reduction17(),
    mixed6b: block17(128),
    mixed6c: block17(160),
    mixed6d: block17(160),
    mixed6e: block17(192),
    mixed7a: reduction8(),
    mixed7b: block8(),
    mixed7c: block8(),
    pool3: globalPool(),
    dropout: drop(dropout),
    dense: dense(classes),
  }
  if (!auxiliary) return serial(stages)
  const head = serial({
    pool: avgPool(5, { stride: 3 }),
    conv1: unit(scaled(128), 1),
    conv2: unit(scaled(768), 5),
    pool2: globalPool(),
    dense: dense(classes, { kernelInit: normal(0.001) }),
  })
  return withHeads(stages, { auxiliary: head }, { auxiliary: 'mixed6e' })
}

/**
 * Inception v3 for `[batch, 3, 299, 299]`: blocks at 35×35, 17×17 and 8×8, whose large windows are factorised
 * into small ones and into rows and columns. 23,834,568 parameters (27,161,264 with the auxiliary head), 5.71 G multiply-adds.
 * Weights start at a truncated normal.
 *
 * With `auxiliary: true` the output is `{ logits, auxiliary }`, the latter the head's logits in training
 * and nothing in inference; see `auxiliaryLoss`. Images are then of 299 pixels or more a side.
 * @see Szegedy, Vanhoucke, Ioffe, Shlens & Wojna 2016
 * @example
 * const net = models.inceptionV3({ classes: 10, width: 1 / 16 })
 * net.init(random.key(0), [1, 3, 75, 75]).outputShape // [1, 10]
 */
export const inceptionV3: InceptionV3 = typed(erase(build))
