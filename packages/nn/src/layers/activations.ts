/** Activation functions, which are layers too. */
import { Tensor, type TensorLike, erase, typed } from '@cotangent/core'
import { nnFunctions } from '@cotangent/ops'
import * as functions from '../functional/activations.ts'
import { type Layer, type None, stateless } from '../layer.ts'

/**
 * A function that is also a layer: `relu(x)` applies it, `relu()` is the layer, and `serial` takes
 * `relu` as it is. `Options` are the function's parameters after `x`; `leakyRelu.with(0.2)` is the
 * layer with these.
 */
export interface Activation<Name extends string, Options extends readonly unknown[] = []> {
  (): Layer<None, None, Name>
  (x: TensorLike, ...options: Options): Tensor
  readonly with: (...options: Options) => Layer<None, None, Name>
}

// Elementwise functions keep the shape; others say, by tracing, what they make of it.
const activation = <const Name extends string, Options extends readonly unknown[]>(
  name: Name,
  f: (x: TensorLike, ...options: Options) => Tensor,
  isElementwise = true,
): Activation<Name, Options> => {
  const layerOf = (...options: readonly unknown[]): Layer<None, None, Name> => {
    const apply = (x: Tensor): Tensor => applied(f, x, options)
    return isElementwise ? stateless(name, apply, (shape) => shape) : stateless(name, apply)
  }
  const layer = layerOf()
  const both = (...args: readonly unknown[]): unknown =>
    args.length === 0 ? layer : erase(f)(...args)
  // Numbered under this name in `serial`.
  Object.defineProperty(both, 'name', { value: name })
  return typed(Object.assign(both, { with: layerOf }))
}

// All options of an activation have defaults, so the bare call is allowed.
const applied = <Options extends readonly unknown[]>(
  f: (x: TensorLike, ...options: Options) => Tensor,
  x: Tensor,
  options: readonly unknown[],
): Tensor => {
  const y: unknown = erase(f)(x, ...options)
  return y instanceof Tensor ? y : x
}

/** The parameters after the first. */
type Options<F> = F extends (x: TensorLike, ...options: infer O) => Tensor ? O : never

export const identity: Activation<'identity'> = activation('identity', nnFunctions.identity)
/** max(x, 0); the derivative at 0 is 0. */
export const relu: Activation<'relu'> = activation('relu', nnFunctions.relu)
/** min(max(x, 0), 6). */
export const relu6: Activation<'relu6'> = activation('relu6', nnFunctions.relu6)
/** @see Klambauer et al. 2017, self-normalising networks */
export const selu: Activation<'selu'> = activation('selu', nnFunctions.selu)
/** 1 / (1 + e⁻ˣ). */
export const sigmoid: Activation<'sigmoid'> = activation('sigmoid', nnFunctions.sigmoid)
/** The hyperbolic tangent. */
export const tanh: Activation<'tanh'> = activation('tanh', nnFunctions.tanh)
/** log(1 + e^(beta x)) / beta, without overflow; beta is 1 by default. */
export const softplus: Activation<'softplus', [beta?: number]> = activation(
  'softplus',
  functions.softplus,
)
/** log(sigmoid(x)), without overflow. */
export const logSigmoid: Activation<'logSigmoid'> = activation('logSigmoid', nnFunctions.logSigmoid)
/** x · sigmoid(x). */
export const silu: Activation<'silu'> = activation('silu', nnFunctions.silu)
export const swish: Activation<'swish'> = activation('swish', nnFunctions.swish)
/** x · tanh(softplus(x)). */
export const mish: Activation<'mish'> = activation('mish', nnFunctions.mish)
/** x / (1 + |x|). */
export const softSign: Activation<'softSign'> = activation('softSign', nnFunctions.softSign)
export const hardSigmoid: Activation<'hardSigmoid'> = activation(
  'hardSigmoid',
  nnFunctions.hardSigmoid,
)
export const hardSilu: Activation<'hardSilu'> = activation('hardSilu', nnFunctions.hardSilu)
export const hardSwish: Activation<'hardSwish'> = activation('hardSwish', nnFunctions.hardSwish)
export const hardTanh: Activation<'hardTanh', [low?: number, high?: number]> = activation(
  'hardTanh',
  functions.hardTanh,
)
export const sparsePlus: Activation<'sparsePlus'> = activation('sparsePlus', nnFunctions.sparsePlus)
export const sparseSigmoid: Activation<'sparseSigmoid'> = activation(
  'sparseSigmoid',
  nnFunctions.sparseSigmoid,
)
/** x where positive, slope · x elsewhere; the slope is 0.01 by default. */
export const leakyRelu: Activation<'leakyRelu', [slope?: number]> = activation(
  'leakyRelu',
  nnFunctions.leakyRelu,
)
/** x where positive, alpha · (eˣ − 1) elsewhere. */
export const elu: Activation<'elu', [alpha?: number]> = activation('elu', nnFunctions.elu)
/** Continuously differentiable elu. */
export const celu: Activation<'celu', [alpha?: number]> = activation('celu', nnFunctions.celu)
export const squareplus: Activation<'squareplus', [b?: number]> = activation(
  'squareplus',
  nnFunctions.squareplus,
)
/** x Φ(x), by default with the tanh approximation. */
export const gelu: Activation<'gelu', Options<typeof nnFunctions.gelu>> = activation(
  'gelu',
  nnFunctions.gelu,
)
/** eˣ / Σ eˣ along an axis, the last by default. */
export const softmax: Activation<'softmax', Options<typeof nnFunctions.softmax>> = activation(
  'softmax',
  nnFunctions.softmax,
)
/** log(softmax(x)), exact where the probability underflows. */
export const logSoftmax: Activation<
  'logSoftmax',
  Options<typeof nnFunctions.logSoftmax>
> = activation('logSoftmax', nnFunctions.logSoftmax)

/** x − tanh x. */
export const tanhShrink: Activation<'tanhShrink'> = activation('tanhShrink', functions.tanhShrink)
/** Moved towards 0 by lambda, 0.5 by default; 0 in between. */
export const softShrink: Activation<'softShrink', [lambda?: number]> = activation(
  'softShrink',
  functions.softShrink,
)
/** x beyond ±lambda, 0.5 by default; 0 in between. */
export const hardShrink: Activation<'hardShrink', [lambda?: number]> = activation(
  'hardShrink',
  functions.hardShrink,
)
/** x above a threshold, a value elsewhere; both 0 by default. */
export const threshold: Activation<'threshold', [at?: number, value?: number]> = activation(
  'threshold',
  functions.threshold,
)
/** 1 where x is not negative, 0 elsewhere. */
export const step: Activation<'step'> = activation('step', functions.step)
export const squaredRelu: Activation<'squaredRelu'> = activation(
  'squaredRelu',
  functions.squaredRelu,
)
/** x σ(1.702 x). */
export const quickGelu: Activation<'quickGelu'> = activation('quickGelu', functions.quickGelu)
/** e^(−x²). */
export const gaussian: Activation<'gaussian'> = activation('gaussian', functions.gaussian)
/** e⁻ˣ / Σ e⁻ˣ along an axis, the last by default. */
export const softmin: Activation<'softmin', Options<typeof functions.softmin>> = activation(
  'softmin',
  functions.softmin,
)
/** relu(x) and relu(−x) side by side along an axis, 1 by default. */
export const crelu: Activation<'crelu', [axis?: number]> = activation(
  'crelu',
  functions.crelu,
  false,
)
/** Half of an axis times the sigmoid of the other half. @see Dauphin et al. 2017 */
export const glu: Activation<'glu', Options<typeof nnFunctions.glu>> = activation(
  'glu',
  nnFunctions.glu,
  false,
)
/** Half of an axis, the last by default, times relu of the other half. @see Shazeer 2020 */
export const reglu: Activation<'reglu', [axis?: number]> = activation(
  'reglu',
  functions.reglu,
  false,
)
/** Half of an axis times gelu of the other half. */
export const geglu: Activation<'geglu', [axis?: number]> = activation(
  'geglu',
  functions.geglu,
  false,
)
/** Half of an axis times silu of the other half. */
export const swiglu: Activation<'swiglu', [axis?: number]> = activation(
  'swiglu',
  functions.swiglu,
  false,
)
/** log(1 − e⁻ˣ) for positive x. */
export const log1mexp: Activation<'log1mexp'> = activation('log1mexp', nnFunctions.log1mexp)

/** log of the mean of eˣ over axes, without overflow. */
export const logmeanexp: typeof nnFunctions.logmeanexp = nnFunctions.logmeanexp
/** log Σ eˣ over axes, without overflow. */
export const logsumexp: typeof nnFunctions.logsumexp = nnFunctions.logsumexp
/** Integers as rows with a single one. */
export const oneHot: typeof nnFunctions.oneHot = nnFunctions.oneHot
/** Mean 0 and variance 1 along an axis. */
export const standardize: typeof nnFunctions.standardize = nnFunctions.standardize
