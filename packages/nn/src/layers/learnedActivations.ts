/** Activations with parameters or randomness: learned slopes, maxout, random slopes. */
import { fill, normalizeAxis, type Tensor, UnsupportedError } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireRank, requireSize } from '../errors.ts'
import { maxPieces, prelu as learnedSlope } from '../functional/activations.ts'
import { lecunNormal, zeros } from '../initializers.ts'
import { type Layer, type None, defineLayer, none, requireKey } from '../layer.ts'
import type { KernelAndBias, KernelOptions } from './dense.ts'

export interface PreluOptions {
  /** One slope for each channel, or one for all; one by default. */
  readonly perChannel?: boolean
  /** The channel axis; 1 by default. */
  readonly axis?: number
  /** What slopes start from; 0.25 by default. */
  readonly slope?: number
}

export interface PreluParams {
  /** `[]`, or `[channels]`. */
  readonly slope: Tensor
}

/**
 * x where it is positive, a learned slope times x elsewhere.
 * @see He, Zhang, Ren & Sun 2015
 * @example
 * serial(conv2d(8, 3), prelu({ perChannel: true })) // params.prelu1.slope: [8]
 */
export const prelu = (options: PreluOptions = {}): Layer<PreluParams, None, 'prelu'> => {
  const { perChannel = false, axis = 1, slope = 0.25 } = options
  return defineLayer({
    name: 'prelu',
    init: (_, shape) => {
      const channels = perChannel ? [shape[normalizeAxis('prelu', axis, shape.length)]!] : []
      return {
        params: { slope: fill(channels, slope, 'float32') },
        state: none,
        outputShape: shape,
      }
    },
    apply: ({ params, state }, x) => {
      if (perChannel) {
        const at = normalizeAxis('prelu', axis, x.ndim)
        requireExtent('prelu', x.shape, at, params.slope.size, 'channels')
      }
      return [learnedSlope(x, params.slope, axis), state]
    },
  })
}

/**
 * The largest of `pieces` linear functions for each feature: `[…, in]` to `[…, features]`. Parameters
 * `kernel: [in, features · pieces]` and `bias: [features · pieces]`.
 * @see Goodfellow, Warde-Farley, Mirza, Courville & Bengio 2013
 */
export const maxout = (
  features: number,
  pieces = 2,
  { kernelInit = lecunNormal(), biasInit = zeros }: Omit<KernelOptions, 'useBias'> = {},
): Layer<KernelAndBias, None, 'maxout'> => {
  requireSize('maxout', 'features', features)
  requireSize('maxout', 'pieces', pieces)
  const units = features * pieces
  return defineLayer({
    name: 'maxout',
    init: (key, shape) => {
      requireRank('maxout', shape, (rank) => rank >= 1, '[…, features]')
      const [kernelKey, biasKey] = random.split(key)
      return {
        params: {
          kernel: kernelInit(kernelKey!, [shape[shape.length - 1]!, units]),
          bias: biasInit(biasKey!, [units]),
        },
        state: none,
        outputShape: [...shape.slice(0, -1), features],
      }
    },
    apply: ({ params: { kernel, bias }, state }, x) => {
      requireExtent('maxout', x.shape, x.ndim - 1, kernel.shape[0]!, 'features')
      return [maxPieces(x.matmul(kernel).add(bias), pieces), state]
    },
  })
}

/**
 * In training, negative elements are multiplied by a random slope of their own, uniform between the
 * bounds; in inference by the slope in the middle.
 * @see Xu, Wang, Chen & Li 2015
 */
export const rrelu = (lower: number = 1 / 8, upper: number = 1 / 3): Layer<None, None, 'rrelu'> => {
  if (!(lower <= upper)) {
    throw new UnsupportedError({
      operation: 'rrelu',
      problem: 'the bounds of the slope are crossed',
      got: `from ${lower} to ${upper}`,
      fix: 'give the smaller slope first',
    })
  }
  return defineLayer({
    name: 'rrelu',
    isRandom: true,
    init: (_, shape) => ({ params: none, state: none, outputShape: shape }),
    apply: ({ state }, x, mode) => {
      if (mode.train !== true)
        return [x.where(x.greaterEqual(0), x.mul((lower + upper) / 2)), state]
      const bounds = { minval: lower, maxval: upper }
      const slopes = random.uniform(requireKey('rrelu', mode), x.shape, bounds)
      return [x.where(x.greaterEqual(0), x.mul(slopes)), state]
    },
  })
}
