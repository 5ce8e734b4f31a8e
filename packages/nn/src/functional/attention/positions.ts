/** Where a step stands, told to attention: sinusoids, rotations, slopes and buckets. */
import { ShapeError, type Tensor, showAval } from '@cotangent/core'
import { np } from '@cotangent/ops'

/** The angles `[…, features / 2]` of positions: position / base^(2 i / features). */
const angles = (positions: Tensor, features: number, base: number): Tensor => {
  const rates = np.exp(
    np
      .arange(0, features, 2)
      .astype('float32')
      .mul(-Math.log(base) / features),
  )
  return positions.astype('float32').expandDims(-1).mul(rates)
}

/**
 * `[length, features]`: sin and cos of the position at wavelengths from 2π to base · 2π, the sines at
 * even places and the cosines at odd ones.
 * @see Vaswani et al. 2017, section 3.5
 */
export const sinusoidalPositions = (length: number, features: number, base = 10_000): Tensor =>
  sinusoidsOf(np.arange(length), features, base)

/** As `sinusoidalPositions`, of positions `[…]` of your own. */
export const sinusoidsOf = (positions: Tensor, features: number, base = 10_000): Tensor => {
  const angle = angles(positions, features + (features % 2), base)
  const pairs = np.stack([np.sin(angle), np.cos(angle)], -1)
  const both = pairs.reshape([...positions.shape, -1])
  return features % 2 === 0 ? both : both.at('...', `:${features}`)
}

export interface RotaryOptions {
  /** `[t]` or `[batch, t]`; 0 … t − 1 by default. */
  readonly positions?: Tensor | undefined
  /** 10,000 by default. */
  readonly base?: number
  /** Pairs are neighbours (0 and 1, 2 and 3, …) and not halves (0 and d / 2, …). False. */
  readonly interleaved?: boolean
}

/**
 * Turns pairs of features of `x: […, t, heads, features]` by angles that grow with the position, so
 * that products of queries and keys depend on their distance alone.
 * @throws ShapeError for an odd number of features.
 * @see Su et al. 2021, RoFormer
 */
export const rotary = (x: Tensor, options: RotaryOptions = {}): Tensor => {
  const { base = 10_000, interleaved = false } = options
  const [t, , features] = x.shape.slice(-3)
  if (features === undefined || features % 2 !== 0) {
    throw new ShapeError({
      operation: 'rotary',
      problem: 'features are turned in pairs',
      got: showAval(x.aval),
      want: '[…, t, heads, features] with an even number of features',
      fix: 'choose heads such that each has an even number of features',
    })
  }
  const angle = angles(options.positions ?? np.arange(t!), features, base).expandDims(-2)
  const [sin, cos] = [np.sin(angle).astype(x.dtype), np.cos(angle).astype(x.dtype)]
  const half = features / 2
  const pairs = interleaved ? x.reshape([...x.shape.slice(0, -1), half, 2]) : null
  const a = pairs === null ? x.at('...', `:${half}`) : pairs.at('...', 0)
  const b = pairs === null ? x.at('...', `${half}:`) : pairs.at('...', 1)
  const turned = [a.mul(cos).sub(b.mul(sin)), b.mul(cos).add(a.mul(sin))]
  return pairs === null
    ? np.concatenate(turned, { axis: -1 })
    : np.stack(turned, -1).reshape(x.shape)
}

// Slopes of a power of two of heads: a geometric sequence from 2^(−8/n).
const geometric = (heads: number): readonly number[] =>
  Array.from({ length: heads }, (_, i) => 2 ** ((-8 * (i + 1)) / heads))

/** The slope of each head's penalty. */
const slopes = (heads: number): readonly number[] => {
  const power = 2 ** Math.floor(Math.log2(heads))
  if (power === heads) return geometric(heads)
  const between = geometric(2 * power).filter((_, i) => i % 2 === 0)
  return [...geometric(power), ...between.slice(0, heads - power)]
}

/**
 * `[heads, t, s]`, to be added to the products: −slope · distance, a slope for each head.
 * `offset` is the position of the first query.
 * @see Press, Smith & Lewis 2022, ALiBi
 */
export const alibiBias = (
  heads: number,
  t: number,
  s: number = t,
  offset: number | Tensor = 0,
): Tensor => {
  const distance = np.arange(t).add(offset).reshape([t, 1]).sub(np.arange(s)).abs()
  const factors = np.array(Float32Array.from(slopes(heads), (slope) => -slope))
  return factors.reshape([heads, 1, 1]).mul(distance)
}

export interface BucketOptions {
  /** How many; 32 by default. */
  readonly buckets?: number
  /** From here on all distances share a bucket; 128 by default. */
  readonly maxDistance?: number
  /** Buckets for keys after the query too; true by default. */
  readonly bidirectional?: boolean
  /** The position of the first query; 0 by default. */
  readonly offset?: number | Tensor
}

/**
 * The bucket `[t, s]` of each distance: small ones have their own, larger ones share in steps that
 * grow logarithmically.
 * @see Raffel et al. 2020, T5
 */
export const relativeBuckets = (t: number, s: number, options: BucketOptions = {}): Tensor => {
  const { buckets = 32, maxDistance = 128, bidirectional = true, offset = 0 } = options
  const distance = np.arange(s).sub(np.arange(t).add(offset).reshape([t, 1]))
  const count = bidirectional ? Math.floor(buckets / 2) : buckets
  const start = bidirectional
    ? distance.greater(0).astype('int32').mul(count)
    : np.zerosLike(distance)
  const back = bidirectional ? distance.abs() : distance.neg().maximum(0)
  const exact = Math.floor(count / 2)
  const ratio = np
    .log(back.maximum(1).astype('float32').div(exact))
    .div(Math.log(maxDistance / exact))
  const far = np
    .floor(ratio.mul(count - exact))
    .astype('int32')
    .add(exact)
    .minimum(count - 1)
  return start.add(back.where(back.less(exact), far))
}
