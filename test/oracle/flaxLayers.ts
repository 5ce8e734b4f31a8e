/** Flax's layers by their formulas, run by ours: dense, normalisation, pooling, wrappers. */
import type { Tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import type { GoldenCase } from './cases.ts'
import { type Arguments, argumentsOf, explicitPadding } from './flaxArguments.ts'
import {
  convNames,
  convolution,
  local,
  transposed,
  transposedNames,
} from './flaxConv.ts'
import { parseModule } from './flaxFormula.ts'
import type { Attributes, Operation, Tensors } from './torch.ts'

type AtPath = (name: string) => Tensor | undefined

/** A layer of ours with the variables of a module of Flax's. */
export interface Built {
  readonly layer: nn.AnyLayer
  readonly params: unknown
  readonly state?: unknown
  readonly train?: boolean
  /** Outputs beside `y`, from the next state. */
  readonly next?: (state: unknown) => Tensors
}

/** From a module's arguments, its parameters and state by name, and the input. */
export type Builder = (
  a: Arguments,
  params: AtPath,
  x: Tensor,
  state: AtPath,
  attrs: Attributes,
) => Built

const given = (record: Readonly<Record<string, Tensor | undefined>>): Tensors =>
  Object.fromEntries(
    Object.entries(record).flatMap(([name, leaf]) => (leaf === undefined ? [] : [[name, leaf]])),
  )

const dense: Builder = (a, at) => ({
  layer: nn.dense(a.number('features', 1)),
  params: given({ kernel: at('kernel'), bias: at('bias') }),
})

const denseGeneral: Builder = (a, at) => ({
  layer: nn.denseGeneral(a.numbers('features', []), {
    axis: a.numbers('axis', [-1]),
    batchAxis: a.numbers('batch_dims', []),
  }),
  params: given({ kernel: at('kernel'), bias: at('bias') }),
})

const einsum: Builder = (a, at) => ({
  layer: nn.einsum(a.text('einsum_str', ''), a.numbers('shape', [])),
  params: given({ kernel: at('kernel'), bias: at('bias') }),
})

const embed: Builder = (a, at) => ({
  layer: nn.embedding(a.number('num_embeddings', 1), a.number('features', 1)),
  params: { table: at('embedding') },
})

const affine = (at: AtPath): Tensors => given({ scale: at('scale'), bias: at('bias') })

const tensorIn = (state: unknown, name: string): Tensor => {
  const found = new Map<string, Tensor>(Object.entries(Object(state))).get(name)
  if (found === undefined) throw new Error(`no ${name} in the state`)
  return found
}

const batchNorm: Builder = (a, at, _, state) => ({
  layer: nn.batchNorm({
    axis: a.number('axis', -1),
    momentum: 1 - a.number('momentum', 0.99),
    epsilon: a.number('epsilon', 1e-5),
    biased: true,
  }),
  params: affine(at),
  state: { mean: state('batch_stats/mean'), variance: state('batch_stats/var') },
  train: !a.flag('use_running_average', false),
  next: (after) => ({
    'state/batch_stats/mean': tensorIn(after, 'mean'),
    'state/batch_stats/var': tensorIn(after, 'variance'),
  }),
})

const featureNorm =
  (make: (options: nn.LayerNormLayerOptions) => nn.AnyLayer): Builder =>
  (a, at, x) => {
    const axis = a.numbers('reduction_axes', [-1])
    const features = a.numbers('feature_axes', [-1]).map((d) => (d + x.ndim) % x.ndim)
    const epsilon = a.number('epsilon', 1e-6)
    if (axis.map((d) => (d + x.ndim) % x.ndim).join() === features.join()) {
      return { layer: make({ axis, epsilon }), params: affine(at) }
    }
    // Parameters along other axes than those normalised over: placed, then used after the layer.
    const { scale, bias } = affine(at)
    const place = (v: Tensor): Tensor =>
      v.reshape(x.shape.map((n, d) => (features.includes(d) ? n : 1)))
    const scaled = nn.lambda((y) => (scale === undefined ? y : y.mul(place(scale))))
    const moved = nn.lambda((y) => (bias === undefined ? y : y.add(place(bias))))
    const plain = make({ axis, epsilon, useScale: false, useBias: false })
    return { layer: nn.serial({ plain, scaled, moved }), params: nn.none }
  }

const groupNorm: Builder = (a, at, x) => {
  const channels = x.shape[x.ndim - 1]!
  const groups = a.has('group_size')
    ? channels / a.number('group_size', 1)
    : a.number('num_groups', 32)
  const options = { axis: -1, epsilon: a.number('epsilon', 1e-6) }
  return { layer: nn.groupNorm(groups, options), params: affine(at) }
}

const instanceNorm: Builder = (a, at) => ({
  layer: nn.instanceNorm({ axis: -1, epsilon: a.number('epsilon', 1e-6) }),
  params: affine(at),
})

const prelu: Builder = (_, at) => ({ layer: nn.prelu(), params: { slope: at('negative_slope') } })

const inner = (a: Arguments, at: AtPath, x: Tensor, state: AtPath, attrs: Attributes): Built => {
  const module = a.module('layer_instance')
  const [names, builder] = modules[module.name]!
  const below: AtPath = (name) => at(`layer_instance/${name}`)
  return builder(argumentsOf(module, names), below, x, state, attrs)
}

const weightNorm: Builder = (a, at, x, state, attrs) => {
  const built = inner(a, at, x, state, attrs)
  const kernel = tensorIn(built.params, 'kernel')
  const outputs = kernel.shape[built.layer.traits?.kernelAxis ?? 0]!
  const scale = at('layer_instance/kernel/scale') ?? np.ones([outputs])
  return {
    layer: nn.weightNorm(built.layer, a.number('epsilon', 1e-12)),
    params: { ...Object(built.params), ...given({ scale }) },
  }
}

const spectralNorm: Builder = (a, at, x, state, attrs) => {
  const built = inner(a, at, x, state, attrs)
  const path = 'batch_stats/layer_instance/kernel/'
  const options = { steps: a.number('n_steps', 1), epsilon: a.number('epsilon', 1e-12) }
  return {
    layer: nn.spectralNorm(built.layer, options),
    params: built.params,
    state: { u: state(`${path}u`), sigma: state(`${path}sigma`) },
    train: attrs.flag('update_stats'),
    next: (after) => ({
      [`state/${path}u`]: tensorIn(after, 'u'),
      [`state/${path}sigma`]: tensorIn(after, 'sigma'),
    }),
  }
}

/** By module: the names of its positional arguments, and what builds it. */
const modules: Readonly<Record<string, readonly [names: readonly string[], Builder]>> = {
  Dense: [['features', 'use_bias'], dense],
  DenseGeneral: [['features', 'axis', 'batch_dims'], denseGeneral],
  Einsum: [['shape', 'einsum_str'], einsum],
  Embed: [['num_embeddings', 'features'], embed],
  Conv: [convNames, convolution],
  ConvLocal: [convNames, local],
  ConvTranspose: [transposedNames, transposed],
  BatchNorm: [['use_running_average', 'axis', 'momentum', 'epsilon'], batchNorm],
  LayerNorm: [['epsilon'], featureNorm((options) => nn.layerNorm(options))],
  RMSNorm: [['epsilon'], featureNorm(({ useBias: _, ...options }) => nn.rmsNorm(options))],
  GroupNorm: [['num_groups', 'group_size', 'epsilon'], groupNorm],
  InstanceNorm: [['epsilon'], instanceNorm],
  WeightNorm: [['layer_instance', 'epsilon'], weightNorm],
  SpectralNorm: [['layer_instance', 'n_steps', 'epsilon'], spectralNorm],
  PReLU: [[], prelu],
}

const pools = {
  'flax.linen.max_pool': [nn.maxPool1d, nn.maxPool2d, nn.maxPool3d],
  'flax.linen.min_pool': [nn.minPool1d, nn.minPool2d, nn.minPool3d],
  'flax.linen.avg_pool': [nn.avgPool1d, nn.avgPool2d, nn.avgPool3d],
} as const

const isPool = (op: string): op is keyof typeof pools => op in pools

const pooling =
  (op: keyof typeof pools, c: GoldenCase): Operation =>
  ({ x }) => {
    const a = argumentsOf({ name: op, args: [], options: optionsOf(c) }, [])
    const window = a.numbers('window_shape', [])
    const padding = a.value('padding') ?? 'VALID'
    const layer = pools[op][window.length - 1]!(window, {
      stride: a.numbers('strides', window.map(() => 1)),
      padding:
        padding === 'SAME'
          ? 'same'
          : padding === 'VALID'
            ? 'valid'
            : explicitPadding(padding, window.length),
      countIncludePad: a.flag('count_include_pad', true),
      layout: 'NHWC',
    })
    return { y: layer.apply({ params: nn.none, state: nn.none }, x!)[0] }
  }

const optionsOf = ({ attrs }: GoldenCase) =>
  parseModule(`f(${Object.entries(attrs).map(([k, v]) => `${k}=${python(v)}`).join(', ')})`).options

const python = (value: unknown): string =>
  value === true ? 'True' : value === false ? 'False' : value === null ? 'None' : JSON.stringify(value)

/** The operation of a Flax case, or undefined where it is none of these layers. */
export const flaxLayers = (c: GoldenCase): Operation | undefined => {
  if (isPool(c.op)) return pooling(c.op, c)
  const module = parseModule(c.formula ?? 'none()')
  const known = modules[module.name]
  if (known === undefined) return undefined
  const [names, builder] = known
  const a = argumentsOf(module, names)
  return (inputs, attrs) => {
    const { x, batch } = oneBatchAxis(module.name, a, inputs['x']!)
    const at = (tree: string) => (name: string) => inputs[`${tree}/${name}`]
    const built = builder(a, at('params'), x, at('state'), attrs)
    const { layer, params, state = nn.none, train = false, next } = built
    const [out, after] = layer.apply({ params, state }, x, { train })
    const y = tensorIn({ y: out }, 'y')
    return {
      y: batch === undefined ? y : y.reshape([...batch, ...y.shape.slice(1)]),
      ...(train && next !== undefined ? next(after) : {}),
    }
  }
}

// Convolutions of Flax's take any number of batch axes, or none.
const oneBatchAxis = (
  module: string,
  a: Arguments,
  x: Tensor,
): { readonly x: Tensor; readonly batch?: readonly number[] } => {
  if (!module.startsWith('Conv')) return { x }
  const own = a.numbers('kernel_size', []).length + 1
  const batch = x.shape.slice(0, x.ndim - own)
  if (batch.length === 1) return { x }
  const count = batch.reduce((n, extent) => n * extent, 1)
  return { x: x.reshape([count, ...x.shape.slice(x.ndim - own)]), batch }
}
