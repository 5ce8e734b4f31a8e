/** Densely connected networks. */
import { branches } from '../combinators/branches.ts'
import { named } from '../combinators/naming.ts'
import { repeat } from '../combinators/repeat.ts'
import { serial } from '../combinators/serial.ts'
import type { Layer } from '../layer.ts'
import { identity, relu } from '../layers/activations.ts'
import { type Kernel, type KernelAndBias, dense } from '../layers/dense.ts'
import { dropout as drop } from '../layers/dropout.ts'
import type { ScaleAndBias } from '../layers/affine.ts'
import {
  type ImageModelWithDropout,
  type StatisticsOf,
  heKernel,
  imageLayers,
  scaler,
} from './image.ts'

export type DenseNetDepth = 121 | 161 | 169 | 201

export interface DenseNetOptions extends ImageModelWithDropout {
  /** The layers of the four blocks, in place of those that the depth stands for. */
  readonly blocks?: readonly [number, number, number, number]
}

/** Normalisation, relu, 1×1, normalisation, relu, 3×3. */
export interface DenseLayerParams {
  readonly norm1: ScaleAndBias
  readonly conv1: Kernel
  readonly norm2: ScaleAndBias
  readonly conv2: Kernel
}

/** `layer1`, `layer2`, …; the new features of each are the branch `grown`. */
export type DenseBlockParams = Readonly<
  Record<`layer${number}`, { readonly branches: { readonly grown: DenseLayerParams } }>
>

export interface TransitionParams {
  readonly norm: ScaleAndBias
  readonly conv: Kernel
}

export interface DenseNetParams {
  readonly conv1: Kernel
  readonly norm1: ScaleAndBias
  readonly block1: DenseBlockParams
  readonly transition1: TransitionParams
  readonly block2: DenseBlockParams
  readonly transition2: TransitionParams
  readonly block3: DenseBlockParams
  readonly transition3: TransitionParams
  readonly block4: DenseBlockParams
  readonly norm2: ScaleAndBias
  readonly dense: KernelAndBias
}

// Table 1 of the paper; 161 layers with growth 48.
const table = {
  121: { layers: [6, 12, 24, 16], growth: 32, start: 64 },
  161: { layers: [6, 12, 36, 24], growth: 48, start: 96 },
  169: { layers: [6, 12, 32, 32], growth: 32, start: 64 },
  201: { layers: [6, 12, 48, 32], growth: 32, start: 64 },
} as const

/**
 * DenseNet-121, -161, -169 or -201 for `[batch, 3, 224, 224]`: every layer of a block sees the
 * outputs of all before it and adds `growth` channels; transitions halve channels and extents.
 * 7,978,856, 28,681,000, 14,149,480 and 20,013,928 parameters; 2.83, 7.73, 3.36 and 4.29 G
 * multiply-adds. `dropout` (none by default) is of each layer's new features.
 * @see Huang, Liu, van der Maaten & Weinberger 2017, table 1
 * @example
 * const { params } = models.densenet(121, { width: 1 / 4, blocks: [2, 2, 2, 2] }).init(key, [1, 3, 64, 64])
 * params.block1.layer2?.branches.grown.conv2.kernel.shape // [8, 32, 3, 3]
 */
export const densenet = (
  depth: DenseNetDepth = 121,
  { classes = 1000, width = 1, dropout = 0, blocks, layout }: DenseNetOptions = {},
): Layer<DenseNetParams, StatisticsOf<DenseNetParams>, 'serial'> => {
  const { bareConv, norm, maxPool, avgPool, globalPool, concat } = imageLayers({
    layout,
    kernelInit: heKernel,
  })
  const scaled = scaler(width)
  const { layers, growth, start } = table[depth]
  const [n1, n2, n3, n4] = blocks ?? layers
  const [k, first] = [scaled(growth), scaled(start)]

  const layer = serial({
    branches: branches({
      before: identity,
      grown: serial({
        norm1: norm(),
        relu1: relu,
        conv1: bareConv(4 * k, 1),
        norm2: norm(),
        relu2: relu,
        conv2: bareConv(k, 3, { padding: 1 }),
        dropout: dropout === 0 ? identity : drop(dropout),
      }),
    }),
    concat: concat(),
  })
  const block = (n: number): Layer<DenseBlockParams, StatisticsOf<DenseBlockParams>, 'serial'> =>
    repeat(n, named('layer', layer))
  const transition = (
    features: number,
  ): Layer<TransitionParams, StatisticsOf<TransitionParams>, 'serial'> =>
    serial({ norm: norm(), relu, conv: bareConv(features, 1), pool: avgPool(2) })

  const halved = (inputs: number, n: number): number => Math.floor((inputs + n * k) / 2)
  const c1 = halved(first, n1)
  const c2 = halved(c1, n2)
  const c3 = halved(c2, n3)
  return serial({
    conv1: bareConv(first, 7, { stride: 2, padding: 3 }),
    norm1: norm(),
    relu1: relu,
    pool1: maxPool(3, { stride: 2, padding: 1 }),
    block1: block(n1),
    transition1: transition(c1),
    block2: block(n2),
    transition2: transition(c2),
    block3: block(n3),
    transition3: transition(c3),
    block4: block(n4),
    norm2: norm(),
    relu2: relu,
    pool2: globalPool(),
    dense: dense(classes),
  })
}
