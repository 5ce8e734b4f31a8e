/** GoogLeNet, the first inception network. */
import { erase, typed } from '@cotangent/core'
import { branches } from '../combinators/branches.ts'
import { serial } from '../combinators/serial.ts'
import { convAxes, glorotUniform } from '../initializers.ts'
import type { AnyLayer, Layer } from '../layer.ts'
import { identity, relu } from '../layers/activations.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as drop } from '../layers/dropout.ts'
import type { ScaleAndBias } from '../layers/affine.ts'
import { flatten } from '../layers/shape.ts'
import { type WithAuxiliary, withHeads } from './auxiliary.ts'
import { type ImageModelWithDropout, type StatisticsOf, imageLayers, scaler } from './image.ts'

export interface InceptionV1Options extends ImageModelWithDropout {
  /**
   * True by default: convolutions without bias and with batch normalisation, and 3×3 ones in place of
   * 5×5. False: as published in 2014, with local response normalisation.
   */
  readonly batchNorm?: boolean
  /** Two further classifiers, after blocks 4a and 4d; false by default. */
  readonly auxiliary?: boolean
}

/** A convolution with bias, or with batch normalisation. */
export interface InceptionUnit {
  readonly conv: Omit<KernelAndBias, 'bias'> & Partial<KernelAndBias>
  readonly norm?: ScaleAndBias
}

/** The four ways through a block. */
export interface InceptionBlock {
  readonly branches: {
    readonly one: InceptionUnit
    readonly three: { readonly reduce: InceptionUnit; readonly conv: InceptionUnit }
    readonly five: { readonly reduce: InceptionUnit; readonly conv: InceptionUnit }
    readonly pool: { readonly project: InceptionUnit }
  }
}

type Blocks = '3a' | '3b' | '4a' | '4b' | '4c' | '4d' | '4e' | '5a' | '5b'

export interface InceptionV1Params extends Readonly<Record<`inception${Blocks}`, InceptionBlock>> {
  readonly conv1: InceptionUnit
  readonly reduce2: InceptionUnit
  readonly conv2: InceptionUnit
  readonly dense: KernelAndBias
}

/** A classifier in the middle. */
export interface InceptionHead {
  readonly conv: InceptionUnit
  readonly dense1: KernelAndBias
  readonly dense2: KernelAndBias
}
export interface InceptionHeads {
  readonly auxiliary1: InceptionHead
  readonly auxiliary2: InceptionHead
}

interface InceptionV1 {
  (
    options: InceptionV1Options & { readonly auxiliary: true },
  ): Layer<
    InceptionV1Params & InceptionHeads,
    Partial<StatisticsOf<InceptionV1Params & InceptionHeads>>,
    'withHeads',
    WithAuxiliary
  >
  (
    options?: InceptionV1Options & { readonly auxiliary?: false },
  ): Layer<InceptionV1Params, Partial<StatisticsOf<InceptionV1Params>>, 'serial'>
}

const build = ({
  classes = 1000,
  width = 1,
  dropout = 0.4,
  batchNorm = true,
  auxiliary = false,
  layout,
}: InceptionV1Options = {}): AnyLayer => {
  const layers = imageLayers({ layout, epsilon: 1e-3, kernelInit: glorotUniform(convAxes) })
  const { maxPool, avgPool, globalPool, concat, responseNorm } = layers
  const unit = batchNorm ? layers.unit : layers.plainUnit
  const scaled = scaler(width)
  const respond = batchNorm ? identity : responseNorm(1)
  const shrink = (window: number): AnyLayer => maxPool(window, { stride: 2, ceilMode: true })

  // One row of the paper's table 1.
  const inception = (
    one: number,
    three: readonly [reduce: number, features: number],
    five: readonly [reduce: number, features: number],
    pool: number,
  ): AnyLayer =>
    serial({
      branches: branches({
        one: unit(scaled(one), 1),
        three: serial({
          reduce: unit(scaled(three[0]), 1),
          conv: unit(scaled(three[1]), 3, { padding: 1 }),
        }),
        five: serial({
          reduce: unit(scaled(five[0]), 1),
          conv: batchNorm
            ? unit(scaled(five[1]), 3, { padding: 1 })
            : unit(scaled(five[1]), 5, { padding: 2 }),
        }),
        pool: serial({
          pool: maxPool(3, { stride: 1, padding: 1 }),
          project: unit(scaled(pool), 1),
        }),
      }),
      concat: concat(),
    })

  const stages = {
    conv1: unit(scaled(64), 7, { stride: 2, padding: 3 }),
    pool1: shrink(3),
    respond1: respond,
    reduce2: unit(scaled(64), 1),
    conv2: unit(scaled(192), 3, { padding: 1 }),
    respond2: respond,
    pool2: shrink(3),
    inception3a: inception(64, [96, 128], [16, 32], 32),
    inception3b: inception(128, [128, 192], [32, 96], 64),
    pool3: shrink(3),
    inception4a: inception(192, [96, 208], [16, 48], 64),
    inception4b: inception(160, [112, 224], [24, 64], 64),
    inception4c: inception(128, [128, 256], [24, 64], 64),
    inception4d: inception(112, [144, 288], [32, 64], 64),
    inception4e: inception(256, [160, 320], [32, 128], 128),
    pool4: shrink(batchNorm ? 2 : 3),
    inception5a: inception(256, [160, 320], [32, 128], 128),
    inception5b: inception(384, [192, 384], [48, 128], 128),
    pool5: globalPool(),
    dropout: drop(dropout),
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
      dropout: drop(0.7),
      dense2: dense(classes),
    })
  const heads = { auxiliary1: head(), auxiliary2: head() }
  return withHeads(stages, heads, { auxiliary1: 'inception4a', auxiliary2: 'inception4d' })
}

/**
 * GoogLeNet for `[batch, 3, 224, 224]`: nine inception blocks, each looking at its input through windows
 * of 1, 3 and 5 and through a pooling. 6,624,904 parameters (13,004,888 with the auxiliary heads), 1.50 G
 * multiply-adds. With `batchNorm: false`, as published: 6,998,552 (13,378,280), 1.58 G.
 *
 * With `auxiliary: true` the output is `{ logits, auxiliary }`, the latter two lots of logits in training
 * and nothing in inference; see `auxiliaryLoss`. Images are then of at least 79 pixels a side.
 * @see Szegedy et al. 2015, table 1; Ioffe & Szegedy 2015
 * @example
 * const net = models.inceptionV1({ classes: 10, width: 1 / 8 })
 * net.init(random.key(0), [1, 3, 64, 64]).outputShape // [1, 10]
 */
export const inceptionV1: InceptionV1 = typed(erase(build))
