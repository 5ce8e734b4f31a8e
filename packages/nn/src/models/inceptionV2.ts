/** Inception with batch normalisation. */
import { erase, typed } from '@cotangent/core'
import { branches } from '../combinators/branches.ts'
import { serial } from '../combinators/serial.ts'
import type { AnyLayer, Layer } from '../layer.ts'
import { identity, relu } from '../layers/activations.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as drop } from '../layers/dropout.ts'
import { flatten } from '../layers/shape.ts'
import { type WithAuxiliary, withHeads } from './auxiliary.ts'
import {
  type ImageLayers,
  type ImageModelWithDropout,
  type StatisticsOf,
  type UnitParams,
  heKernel,
  imageLayers,
  scaler,
} from './image.ts'

export interface InceptionV2Options extends ImageModelWithDropout {
  /** Two further classifiers, after blocks 4a and 4d; false by default. */
  readonly auxiliary?: boolean
  /**
   * `'paper'` by default. `'released'`: as the trained network that went around, with 128 channels after the poolings of
   * 4c and 4d and biases before the normalisations, which do nothing.
   */
  readonly variant?: 'paper' | 'released'
}

interface Three {
  readonly reduce: UnitParams
  readonly conv: UnitParams
}
interface Double extends Three {
  readonly conv2: UnitParams
}

export interface InceptionV2Block {
  readonly branches: {
    readonly one: UnitParams
    readonly three: Three
    readonly double: Double
    readonly pool: { readonly project: UnitParams }
  }
}
/** A block that halves the extents: the pooling's output is passed on as it is. */
export interface InceptionV2Reduction {
  readonly branches: { readonly three: Three; readonly double: Double }
}

export interface InceptionV2Params
  extends Readonly<
    Record<`inception${'3a' | '3b' | '4a' | '4b' | '4c' | '4d' | '5a' | '5b'}`, InceptionV2Block>
  > {
  readonly conv1: UnitParams
  readonly reduce2: UnitParams
  readonly conv2: UnitParams
  readonly inception3c: InceptionV2Reduction
  readonly inception4e: InceptionV2Reduction
  readonly dense: KernelAndBias
}

export interface InceptionV2Head {
  readonly conv: UnitParams
  readonly dense1: KernelAndBias
  readonly dense2: KernelAndBias
}
export interface InceptionV2Heads {
  readonly auxiliary1: InceptionV2Head
  readonly auxiliary2: InceptionV2Head
}

interface InceptionV2 {
  (
    options: InceptionV2Options & { readonly auxiliary: true },
  ): Layer<
    InceptionV2Params & InceptionV2Heads,
    StatisticsOf<InceptionV2Params & InceptionV2Heads>,
    'withHeads',
    WithAuxiliary
  >
  (
    options?: InceptionV2Options & { readonly auxiliary?: false },
  ): Layer<InceptionV2Params, StatisticsOf<InceptionV2Params>, 'serial'>
}

const build = ({
  classes = 1000,
  width = 1,
  dropout = 0,
  auxiliary = false,
  variant = 'paper',
  layout,
}: InceptionV2Options = {}): AnyLayer => {
  const layers = imageLayers({ layout, kernelInit: heKernel })
  const { conv, norm, maxPool, avgPool, globalPool, concat } = layers
  const isReleased = variant === 'released'
  const unit: ImageLayers['unit'] = isReleased
    ? (features, window, options) =>
        serial({ conv: conv(features, window, options), norm: norm(), relu })
    : layers.unit
  const projected = isReleased ? 128 : 96
  const scaled = scaler(width)
  const halve = (): AnyLayer => maxPool(3, { stride: 2, ceilMode: true })
  const three = (reduce: number, features: number, stride = 1): AnyLayer =>
    serial({
      reduce: unit(scaled(reduce), 1),
      conv: unit(scaled(features), 3, { stride, padding: 1 }),
    })
  const double = (reduce: number, features: number, stride = 1): AnyLayer =>
    serial({
      reduce: unit(scaled(reduce), 1),
      conv: unit(scaled(features), 3, { padding: 1 }),
      conv2: unit(scaled(features), 3, { stride, padding: 1 }),
    })

  // One row of the paper's figure 5.
  const inception = (
    one: number,
    [reduce3, features3]: readonly [number, number],
    [reduce5, features5]: readonly [number, number],
    [kind, project]: readonly ['average' | 'max', number],
  ): AnyLayer =>
    serial({
      branches: branches({
        one: unit(scaled(one), 1),
        three: three(reduce3, features3),
        double: double(reduce5, features5),
        pool: serial({
          pool: (kind === 'max' ? maxPool : avgPool)(3, { stride: 1, padding: 1 }),
          project: unit(scaled(project), 1),
        }),
      }),
      concat: concat(),
    })
  const reduction = (
    [reduce3, features3]: readonly [number, number],
    [reduce5, features5]: readonly [number, number],
  ): AnyLayer =>
    serial({
      branches: branches({
        three: three(reduce3, features3, 2),
        double: double(reduce5, features5, 2),
        pool: maxPool(3, { stride: 2, padding: 1 }),
      }),
      concat: concat(),
    })

  const stages = {
    conv1: unit(scaled(64), 7, { stride: 2, padding: 3 }),
    pool1: halve(),
    reduce2: unit(scaled(64), 1),
    conv2: unit(scaled(192), 3, { padding: 1 }),
    pool2: halve(),
    inception3a: inception(64, [64, 64], [64, 96], ['average', 32]),
    inception3b: inception(64, [64, 96], [64, 96], ['average', 64]),
    inception3c: reduction([128, 160], [64, 96]),
    inception4a: inception(224, [64, 96], [96, 128], ['average', 128]),
    inception4b: inception(192, [96, 128], [96, 128], ['average', 128]),
    inception4c: inception(160, [128, 160], [128, 160], ['average', projected]),
    inception4d: inception(96, [128, 192], [160, 192], ['average', projected]),
    inception4e: reduction([128, 192], [192, 256]),
    inception5a: inception(352, [192, 320], [160, 224], ['average', 128]),
    inception5b: inception(352, [192, 320], [192, 224], ['max', 128]),
    pool5: globalPool(),
    dropout: dropout === 0 ? identity : drop(dropout),
    dense: dense(classes),
  }
  if (!auxiliary) return serial(stages)
  const head = (): AnyLayer =>
    serial({
      pool: avgPool(5, { stride: 3 }),
      conv: unit(scaled(128), 1),
      flatten: flatten(),
      dense1: dense(scaled(1024)),
      relu,
      dense2: dense(classes),
    })
  const heads = { auxiliary1: head(), auxiliary2: head() }
  return withHeads(stages, heads, { auxiliary1: 'inception4a', auxiliary2: 'inception4d' })
}

/**
 * Inception with batch normalisation for `[batch, 3, 224, 224]`: the blocks of `inceptionV1` with two
 * 3×3 convolutions in place of 5×5, and two that halve
 * the extents. 11,194,984 parameters (17,589,304 with the auxiliary heads), 2.02 G
 * multiply-adds; the released variant has 11,295,240.
 *
 * With `auxiliary: true` the output is `{ logits, auxiliary }`, the latter two lots of logits in training
 * and nothing in inference; see `auxiliaryLoss`. Images are then of at least 71 pixels a side.
 * @see Ioffe & Szegedy 2015, figure 5
 * @example
 * const net = models.inceptionV2({ classes: 10, width: 1 / 8 })
 * net.init(random.key(0), [1, 3, 64, 64]).outputShape // [1, 10]
 */
export const inceptionV2: InceptionV2 = typed(erase(build))
