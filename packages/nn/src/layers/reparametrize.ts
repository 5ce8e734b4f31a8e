/** Layers whose kernel is made from other parameters: weight and spectral normalisation. */
import { type Tensor, TreeError, erase, fill, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import {
  type SpectralOptions,
  type SpectralState,
  spectralNormalized,
  weightNormalized,
} from '../functional/reparametrize.ts'
import type { AnyLayer, Layer, TensorRecord, Traits } from '../layer.ts'

interface HasKernel {
  readonly kernel: Tensor
}

/** A wrapper keeps the name and kind of the layer it changes. */
type Wrapped<L extends AnyLayer, P, S> =
  L extends Layer<infer Q, unknown, infer Name, infer Y, infer X>
    ? Layer<Q & P, S, Name, Y, X> & Pick<L, 'isNamed'>
    : never

type KernelLayer = Layer<HasKernel, unknown>

const kernelAxis = (operation: string, layer: KernelLayer): number => {
  const axis = layer.traits?.kernelAxis
  if (axis !== undefined) return axis
  throw new TreeError({
    operation,
    problem: 'the layer has no kernel to normalise',
    got: layer.name,
    want: 'a dense or convolutional layer',
    fix: 'wrap the layers with kernels one by one',
  })
}

// Outputs are no longer linear in the kernel.
const withoutKernel = ({ traits = {} }: KernelLayer): Traits => {
  const { kernelAxis: _, ...rest } = traits
  return rest
}

type WithScale = HasKernel & { readonly scale: Tensor }

const buildWeightNorm = (layer: KernelLayer, epsilon = 1e-12): Layer<WithScale, unknown> => {
  const axis = kernelAxis('weightNorm', layer)
  return Object.freeze({
    ...layer,
    traits: withoutKernel(layer),
    init: (...args: Parameters<KernelLayer['init']>) => {
      const made = layer.init(...args)
      const { kernel } = made.params
      const others = kernel.shape.map((_, d) => d).filter((d) => d !== axis)
      // The layer starts as it would without: each output's norm is what was drawn.
      const scale = kernel.square().sum({ axis: others }).sqrt()
      return Object.freeze({ ...made, params: Object.freeze({ ...made.params, scale }) })
    },
    apply: (...[{ params, state }, x, mode]: Parameters<Layer<WithScale, unknown>['apply']>) => {
      const { scale, ...rest } = params
      const kernel = weightNormalized(params.kernel, scale, axis, epsilon)
      return layer.apply({ params: { ...rest, kernel }, state }, x, mode)
    },
  })
}

/**
 * The layer with the lengths and directions of its kernel learned apart: the slice for each output is
 * scale · kernel / ‖kernel‖. Parameters are the layer's and `scale: [features]`, at first the norms.
 * @throws TreeError for a layer without a kernel.
 * @see Salimans & Kingma 2016
 * @example
 * weightNorm(dense(3)).init(key, [1, 4]).params.scale.shape // [3]
 */
export const weightNorm: <L extends AnyLayer>(
  layer: L,
  epsilon?: number,
) => Wrapped<L, { readonly scale: Tensor }, Readonly<Record<never, never>>> = typed(
  erase(buildWeightNorm),
)

const buildSpectralNorm = (
  layer: KernelLayer,
  options: SpectralOptions = {},
): Layer<HasKernel, SpectralState> => {
  const axis = kernelAxis('spectralNorm', layer)
  const stateOf = (kernel: Tensor, key: Tensor): SpectralState =>
    Object.freeze({
      u: random.normal(random.foldIn(key, kernel.ndim), [1, kernel.shape[axis]!]),
      sigma: fill([], 1, 'float32'),
    })
  return Object.freeze({
    ...layer,
    traits: withoutKernel(layer),
    init: (...args: Parameters<KernelLayer['init']>) => {
      const made = layer.init(...args)
      return Object.freeze({ ...made, state: stateOf(made.params.kernel, args[0]) })
    },
    apply: (
      ...[{ params, state }, x, mode = {}]: Parameters<Layer<HasKernel, SpectralState>['apply']>
    ) => {
      const [kernel, next] = spectralNormalized(params.kernel, state, axis, options)
      const inner: TensorRecord = {}
      const [y] = layer.apply({ params: { ...params, kernel }, state: inner }, x, mode)
      return Object.freeze([y, mode.train === true ? next : state] as const)
    },
  })
}

/**
 * The layer with its kernel divided by its largest singular value, so that it stretches nothing: it is
 * Lipschitz with constant 1. The value is followed by power iteration, a step a training call,
 * from the estimate `u: [1, features]` in `state`; inference iterates too, and keeps nothing.
 * @throws TreeError for a layer without a kernel.
 * @see Miyato, Kataoka, Koyama & Yoshida 2018
 */
export const spectralNorm: <L extends AnyLayer>(
  layer: L,
  options?: SpectralOptions,
) => Wrapped<L, unknown, SpectralState> = typed(erase(buildSpectralNorm))
