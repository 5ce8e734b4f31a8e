/** Dropout, of elements, of whole channels, and of whole examples' branches. */
import { type Shape, type Tensor, UnsupportedError, isFloat } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireRank } from '../errors.ts'
import { type Layout, channelAxis } from '../functional/window.ts'
import { type Layer, type None, defineLayer, none, requireKey } from '../layer.ts'

const requireRate = (layer: string, rate: number): void => {
  if (rate >= 0 && rate < 1) return
  throw new UnsupportedError({
    operation: layer,
    problem: 'the rate is the probability of dropping an element',
    got: `rate ${rate}`,
    want: 'a number from 0 up to, but not including, 1',
    fix: 'give the share of elements to drop, for instance 0.5',
  })
}

/** `kept` says which elements stay; its shape is that of `drawn`, broadcast to x. */
const dropping = <const Name extends string>(
  name: Name,
  rate: number,
  drawn: (shape: Shape) => Shape,
  drop: (x: Tensor, kept: Tensor) => Tensor,
): Layer<None, None, Name> => {
  requireRate(name, rate)
  return defineLayer({
    name,
    isRandom: true,
    init: (_, shape) => {
      drawn(shape)
      return { params: none, state: none, outputShape: shape }
    },
    apply: ({ state }, x, mode) => {
      if (mode.train !== true || rate === 0) return [x, state]
      const shape = drawn(x.shape)
      return [drop(x, random.bernoulli(requireKey(name, mode), 1 - rate, { shape })), state]
    },
  })
}

const scaled =
  (rate: number) =>
  (x: Tensor, kept: Tensor): Tensor =>
    x.div(1 - rate).where(kept, 0)

/**
 * In training, sets each element to zero with probability `rate` and divides the others by
 * 1 − rate, so that the expected value stays; in inference, nothing.
 * @throws UnsupportedError for a rate outside [0, 1), or without a key in training.
 * @see Srivastava et al. 2014
 * @example
 * const [y] = dropout(0.5).apply({ params: {}, state: {} }, x, { train: true, key: random.key(1) })
 */
export const dropout = (rate = 0.5): Layer<None, None, 'dropout'> =>
  dropping('dropout', rate, (shape) => shape, scaled(rate))

// One draw for each channel of each example.
const channels =
  (name: string, layout: Layout, rank?: number) =>
  (shape: Shape): Shape => {
    const want = rank === undefined ? '[batch, channels, …]' : `${rank + 2} axes, layout ${layout}`
    requireRank(name, shape, (n) => (rank === undefined ? n >= 2 : n === rank + 2), want)
    const axis = channelAxis(layout, shape.length)
    return shape.map((extent, d) => (d === 0 || d === axis ? extent : 1))
  }

type SpatialDropout = (rate?: number, layout?: Layout) => Layer<None, None, 'spatialDropout'>

const spatial =
  (rank: number): SpatialDropout =>
  (rate = 0.5, layout = 'NCHW') =>
    dropping('spatialDropout', rate, channels(`spatialDropout${rank}d`, layout, rank), scaled(rate))

/** `spatialDropout2d` for sequences `[batch, channels, length]`. */
export const spatialDropout1d: SpatialDropout = spatial(1)
/**
 * Drops whole channels: neighbouring pixels are too alike to be dropped one by one.
 * @see Tompson, Goroshin, Jain, LeCun & Bregler 2015
 */
export const spatialDropout2d: SpatialDropout = spatial(2)
/** `spatialDropout2d` for volumes. */
export const spatialDropout3d: SpatialDropout = spatial(3)

// What selu gives for −∞: dropped elements get this, and mean and variance stay 0 and 1.
const floor = -1.7580993408473766

const keepingMoments =
  (rate: number) =>
  (x: Tensor, kept: Tensor): Tensor => {
    const factor = ((1 - rate) * (1 + rate * floor * floor)) ** -0.5
    return x
      .where(kept, floor)
      .mul(factor)
      .sub(factor * rate * floor)
  }

/**
 * Dropout for `selu` networks: dropped elements become selu's lower bound, and an affine map brings
 * mean and variance back to those before.
 * @see Klambauer, Unterthiner, Mayr & Hochreiter 2017, section 3
 */
export const alphaDropout = (rate = 0.5): Layer<None, None, 'alphaDropout'> =>
  dropping('alphaDropout', rate, (shape) => shape, keepingMoments(rate))

/** `alphaDropout` of whole channels. */
export const featureAlphaDropout = (
  rate = 0.5,
  layout: Layout = 'NCHW',
): Layer<None, None, 'featureAlphaDropout'> =>
  dropping(
    'featureAlphaDropout',
    rate,
    channels('featureAlphaDropout', layout),
    keepingMoments(rate),
  )

/**
 * Drops everything of an example at once, with probability `rate`: at the end of a residual body,
 * the example takes the shortcut alone.
 * @see Huang, Sun, Liu, Sedra & Weinberger 2016 (stochastic depth)
 * @example
 * residual(serial(conv2d(16, 3, { padding: 1 }), dropPath(0.1)))
 */
export const dropPath = (rate = 0.1): Layer<None, None, 'dropPath'> =>
  dropping(
    'dropPath',
    rate,
    (shape) => shape.map((extent, d) => (d === 0 ? extent : 1)),
    scaled(rate),
  )

/**
 * In training, adds to each element a number from N(0, standardDeviation²); in inference, nothing.
 * @throws UnsupportedError for a negative standard deviation, or without a key in training.
 * @example
 * serial(gaussianNoise(0.1), dense(64))
 */
export const gaussianNoise = (standardDeviation = 0.1): Layer<None, None, 'gaussianNoise'> => {
  if (!(standardDeviation >= 0)) {
    throw new UnsupportedError({
      operation: 'gaussianNoise',
      problem: 'a standard deviation is not negative',
      got: String(standardDeviation),
      want: 'a number from 0',
      fix: 'give its magnitude',
    })
  }
  return defineLayer({
    name: 'gaussianNoise',
    isRandom: true,
    init: (_, shape) => ({ params: none, state: none, outputShape: shape }),
    apply: ({ state }, x, mode) => {
      if (mode.train !== true || standardDeviation === 0) return [x, state]
      const dtype = isFloat(x.dtype) ? x.dtype : 'float32'
      const noise = random.normal(requireKey('gaussianNoise', mode), { shape: x.shape, dtype })
      return [x.add(noise.mul(standardDeviation)), state]
    },
  })
}
