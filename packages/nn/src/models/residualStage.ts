/** Stages of residual blocks: plain, with a bottleneck, and with groups. */
import { type Shape, type Tensor, range } from '@cotangent/core'
import { lax } from '@cotangent/ops'
import { named } from '../combinators/naming.ts'
import { repeat } from '../combinators/repeat.ts'
import { residual } from '../combinators/residual.ts'
import { serial } from '../combinators/serial.ts'
import type { RunningStatistics } from '../functional/normalization.ts'
import type { Layout } from '../functional/window.ts'
import { type Layer, type None, stateless } from '../layer.ts'
import { relu } from '../layers/activations.ts'
import type { Kernel } from '../layers/dense.ts'
import type { ScaleAndBias } from '../layers/affine.ts'
import type { ImageLayers } from './image.ts'

/** Two convolutions, or three in a bottleneck, each with its normalisation. */
export interface ResidualBodyParams {
  readonly conv1: Kernel
  readonly norm1: ScaleAndBias
  readonly conv2: Kernel
  readonly norm2: ScaleAndBias
  readonly conv3?: Kernel
  readonly norm3?: ScaleAndBias
}

export interface ResidualBlockParams {
  readonly body: ResidualBodyParams
  /** Where the shape changes and the shortcut projects. */
  readonly shortcut?: { readonly conv: Kernel; readonly norm: ScaleAndBias }
}

export interface ResidualBlockState {
  readonly body: {
    readonly norm1: RunningStatistics
    readonly norm2: RunningStatistics
    readonly norm3?: RunningStatistics
  }
  readonly shortcut?: { readonly norm: RunningStatistics }
}

/** `block1`, `block2`, … */
export type ResidualStage = Readonly<Record<`block${number}`, ResidualBlockParams>>

type Body = Layer<ResidualBodyParams, ResidualBlockState['body'], 'serial'>
/** What is added to the input, for a number of features and a stride. */
export type BodyOf = (features: number, stride: number) => Body

/** Two 3×3 convolutions. */
export const basicBlock =
  ({ bareConv, norm }: ImageLayers): BodyOf =>
  (features, stride) =>
    serial({
      conv1: bareConv(features, 3, { stride, padding: 1 }),
      norm1: norm(),
      relu1: relu,
      conv2: bareConv(features, 3, { padding: 1 }),
      norm2: norm(),
    })

export interface BottleneckOptions {
  readonly strideAt?: 'conv1' | 'conv2' | undefined
  /** Of the 3×3 convolution; 1 by default. */
  readonly groups?: number
  /** Its channels, from the block's features; as many by default. */
  readonly inner?: (features: number) => number
}

/** 1×1 to fewer channels, 3×3, and 1×1 to four times the features. */
export const bottleneckBlock =
  (
    { bareConv, norm }: ImageLayers,
    { strideAt = 'conv2', groups = 1, inner = (n) => n }: BottleneckOptions = {},
  ): BodyOf =>
  (features, stride) =>
    serial({
      conv1: bareConv(inner(features), 1, { stride: strideAt === 'conv1' ? stride : 1 }),
      norm1: norm(),
      relu1: relu,
      conv2: bareConv(inner(features), 3, {
        stride: strideAt === 'conv2' ? stride : 1,
        padding: 1,
        groups,
      }),
      norm2: norm(),
      relu2: relu,
      conv3: bareConv(4 * features, 1),
      norm3: norm(),
    })

/** Every `stride`-th position, and channels of zeros up to `features`: a shortcut without parameters. */
export const padShortcut = (
  features: number,
  stride: number,
  layout: Layout = 'NCHW',
): Layer<None, None, 'padShortcut'> => {
  const strides = layout === 'NCHW' ? [1, 1, stride, stride] : [1, stride, stride, 1]
  const channels = layout === 'NCHW' ? 1 : 3
  const shape = (input: Shape): Shape =>
    input.map((n, d) => (d === channels ? features : Math.ceil(n / strides[d]!)))
  const pad = (x: Tensor): Tensor => {
    const kept = lax.slice(x, [0, 0, 0, 0], x.shape, strides)
    const missing = features - x.shape[channels]!
    const low = Math.floor(missing / 2)
    const config = range(4).map((d): readonly [number, number, number] =>
      d === channels ? [low, missing - low, 0] : [0, 0, 0],
    )
    return lax.pad(kept, 0, config)
  }
  return stateless('padShortcut', pad, shape)
}

export interface StageOptions {
  /** Of the first block. */
  readonly stride: number
  /** Channels that come in, where they may be those that go out: no shortcut is then needed. */
  readonly inputs?: number
}

/**
 * `n` blocks, the first with a stride. Its shortcut projects (`'B'`), or skips and pads with zeros
 * (`'A'`), unless it has nothing to change.
 */
export const stageOf =
  (
    { bareConv, norm }: ImageLayers,
    body: BodyOf,
    expansion: number,
    shortcut: 'A' | 'B',
    layout: Layout | undefined,
  ) =>
  (
    n: number,
    features: number,
    { stride, inputs }: StageOptions,
  ): Layer<ResidualStage, Readonly<Record<`block${number}`, ResidualBlockState>>, 'serial'> => {
    const outputs = features * expansion
    const block = (i: number): Layer<ResidualBlockParams, ResidualBlockState, 'residual'> => {
      const main = body(features, i === 0 ? stride : 1)
      if (i > 0 || (stride === 1 && inputs === outputs)) return residual(main, { activation: relu })
      const side = { activation: relu }
      return shortcut === 'A'
        ? residual(main, { ...side, shortcut: padShortcut(outputs, stride, layout) })
        : residual(main, {
            ...side,
            shortcut: serial({ conv: bareConv(outputs, 1, { stride }), norm: norm() }),
          })
    }
    return repeat(n, (i) => named('block', block(i)))
  }
