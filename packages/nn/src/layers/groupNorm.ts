/** Normalisation of an example by its own channels: groups of them, each alone, or neighbours. */
import { ShapeError, erase, normalizeAxis, showShape, typed } from '@cotangent/core'
import { requireEither, requireExtent, requireSize } from '../errors.ts'
import {
  type LocalResponseNormOptions,
  groupNorm as normalizeGroups,
  instanceNorm as normalizeInstance,
  localResponseNorm as normalizeResponse,
} from '../functional/channelNorm.ts'
import { type Layer, type None, defineLayer, none, stateless } from '../layer.ts'
import { type AffineOptions, type AffineParams, type MaybeAffine, affineParams } from './affine.ts'

export interface ChannelNormOptions extends AffineOptions {
  /** The channel axis; 1 by default. */
  readonly axis?: number
  /** Added to the variance; 1e-5 by default. */
  readonly epsilon?: number
}

const channelNorm = <const Name extends string>(
  name: Name,
  options: ChannelNormOptions,
  groupsOf: (channels: number) => number,
): Layer<MaybeAffine, None, Name> => {
  const { axis = 1, epsilon = 1e-5 } = options
  return defineLayer({
    name,
    init: (_, shape) => {
      const channels = shape[normalizeAxis(name, axis, shape.length)]!
      const groups = groupsOf(channels)
      if (channels % groups !== 0 || !Number.isInteger(groups)) {
        throw new ShapeError({
          operation: name,
          problem: 'the channels do not divide into groups',
          got: `${channels} channels in shape ${showShape(shape)}, ${groups} groups`,
          want: 'as many channels in every group',
          fix: 'choose a number of groups that divides the channels',
        })
      }
      return { params: affineParams(options, [channels]), state: none, outputShape: shape }
    },
    apply: ({ params, state }, x) => {
      const channel = normalizeAxis(name, axis, x.ndim)
      const learned = params.scale ?? params.bias
      if (learned !== undefined) requireExtent(name, x.shape, channel, learned.size, 'channels')
      const channels = x.shape[channel]!
      const groups = groupsOf(channels)
      if (groups === channels) return [normalizeInstance(x, params, { axis, epsilon }), state]
      return [normalizeGroups(x, params, { groups, axis, epsilon }), state]
    },
  })
}

/** How many groups there are, or how many channels each of them has: one of the two. */
export interface GroupNormLayerOptions extends ChannelNormOptions {
  readonly groups?: number
  readonly groupSize?: number
}

const buildGroupNorm = (
  given: number | GroupNormLayerOptions,
  more: ChannelNormOptions = {},
): Layer<MaybeAffine, None, 'groupNorm'> => {
  const options = typeof given === 'number' ? { ...more, groups: given } : given
  const { groups, groupSize } = options
  const examples = 'groupNorm(8), groupNorm({ groups: 8 }) or groupNorm({ groupSize: 4 })'
  requireEither('groupNorm', { groups, groupSize }, examples)
  requireSize(
    'groupNorm',
    groups === undefined ? 'channels a group' : 'groups',
    groups ?? groupSize!,
  )
  return channelNorm('groupNorm', options, (channels) => groups ?? channels / groupSize!)
}

const buildInstanceNorm = (
  options: ChannelNormOptions = {},
): Layer<MaybeAffine, None, 'instanceNorm'> =>
  channelNorm('instanceNorm', options, (channels) => channels)

interface GroupNorm {
  <const O extends ChannelNormOptions = Record<never, never>>(
    groups: number,
    options?: O,
  ): Layer<AffineParams<O>, None, 'groupNorm'>
  <const O extends GroupNormLayerOptions>(options: O): Layer<AffineParams<O>, None, 'groupNorm'>
}

/**
 * Normalises groups of channels together, for each example; factors and offsets are per channel.
 * @throws ShapeError where the channels do not divide into groups.
 * @see Wu & He 2018
 * @example
 * serial(conv2d(32, 3), groupNorm(8), relu)
 * groupNorm({ groupSize: 4, useBias: false }) // as many groups as that makes
 */
export const groupNorm: GroupNorm = typed(erase(buildGroupNorm))

/**
 * Normalises every channel of every example on its own.
 * @see Ulyanov, Vedaldi & Lempitsky 2016
 */
export const instanceNorm: <const O extends ChannelNormOptions = Record<never, never>>(
  options?: O,
) => Layer<AffineParams<O>, None, 'instanceNorm'> = typed(erase(buildInstanceNorm))

/**
 * Divides by the activity of neighbouring channels: x / (k + alpha / size · Σ x²)^beta. AlexNet's
 * is size 5, k 2, beta 0.75 and, as alpha is divided by the size here, alpha 5e-4.
 * @see Krizhevsky, Sutskever & Hinton 2012, section 3.3
 */
export const localResponseNorm = (
  options: Partial<LocalResponseNormOptions> = {},
): Layer<None, None, 'localResponseNorm'> => {
  const { size = 5, ...rest } = options
  requireSize('localResponseNorm', 'channels in the window', size)
  return stateless(
    'localResponseNorm',
    (x) => normalizeResponse(x, { size, ...rest }),
    (shape) => shape,
  )
}
