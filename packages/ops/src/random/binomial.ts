/** Binomial and multinomial counts, returned as floats. */
import { type Shape, ShapeError, type Tensor, fill, moveAxis, showAval } from '@cotangent/core'
import { scan } from '../control/scan.ts'
import { whileLoop } from '../control/whileLoop.ts'
import { log1p } from '../prims/unary.ts'
import { cumsum } from '../prims/cumulative.ts'
import { half } from './continuous.ts'
import { type Distribution, distribution } from './distribution.ts'
import { requireKey, split } from './key.ts'
import {
  type SampleOptions,
  type ShapeOr,
  floatOption,
  resolveOptions,
  sampleShape,
} from './options.ts'
import { twoKeys } from './transformed.ts'
import { parameter, uniformOf } from './uniform.ts'

/** Sums geometric waiting times until they pass the number of trials: for few expected successes. */
const byWaiting = (key: Tensor, count: Tensor, probability: Tensor): Tensor => {
  const { shape, dtype } = probability
  const logFailure = log1p(probability.neg())
  const [successes] = whileLoop(
    ([, waited]) => waited.lessEqual(count).any(),
    ([found, waited, state]) => {
      const [drawKey, next] = twoKeys(state)
      const more = found.add(1).where(waited.lessEqual(count), found)
      const wait = uniformOf(drawKey, shape, dtype).log().div(logFailure).ceil()
      return [more, waited.add(wait), next] as const
    },
    [fill(shape, 0, dtype), fill(shape, 0, dtype), key] as const,
  )
  return successes.sub(1)
}

// ln k! minus Stirling's formula, for k = 0 … 9.
const stirlingTails: readonly number[] = [
  0.0810614667953272, 0.0413406959554092, 0.0276779256849983, 0.020790672103765, 0.0166446911898211,
  0.0138761288230707, 0.0118967099458917, 0.010411265261972, 0.00925546218271273,
  0.00833056343336287,
]

const stirlingTail = (k: Tensor): Tensor => {
  const exact = stirlingTails.reduce(
    (known, value, i) => fill(k.shape, value, k.dtype).where(k.floor().equal(i), known),
    fill(k.shape, stirlingTails[0]!, k.dtype),
  )
  const square = k.add(1).square()
  const inner = fill(k.shape, 1 / 360, k.dtype).sub(fill(k.shape, 1 / 1260, k.dtype).div(square))
  const series = fill(k.shape, 1 / 12, k.dtype)
    .sub(inner.div(square))
    .div(k.add(1))
  return exact.where(k.lessEqual(9), series)
}

/** @see Hörmann 1993, "The generation of binomial random variates" (BTRS) */
const byRejection = (key: Tensor, count: Tensor, probability: Tensor): Tensor => {
  const { shape, dtype } = probability
  const one = fill(shape, 1, dtype)
  const failure = one.sub(probability)
  const deviation = count.mul(probability).mul(failure).sqrt()
  const b = deviation.mul(2.53).add(1.15)
  const a = b.mul(0.0248).add(-0.0873).add(probability.mul(0.01))
  const c = count.mul(probability).add(0.5)
  const squeeze = fill(shape, 0.92, dtype).sub(fill(shape, 4.2, dtype).div(b))
  const odds = probability.div(failure)
  const alpha = fill(shape, 5.1, dtype).div(b).add(2.83).mul(deviation)
  const mode = count.add(1).mul(probability).floor()
  const aroundMode = mode.add(0.5).mul(
    mode
      .add(1)
      .div(odds.mul(count.sub(mode).add(1)))
      .log(),
  )
  const [samples] = whileLoop(
    ([, accepted]) => accepted.logicalNot().any(),
    ([kept, accepted, state]) => {
      const keys = split(state, 3)
      const u = uniformOf(half(keys, 1, [2]), shape, dtype).sub(0.5)
      const v = uniformOf(half(keys, 2, [2]), shape, dtype)
      const shifted = u.abs().neg().add(0.5)
      const k = a.mul(2).div(shifted).add(b).mul(u).add(c).floor()
      const quick = shifted.greaterEqual(0.07).logicalAnd(v.lessEqual(squeeze))
      const refused = k.less(0).logicalOr(k.greater(count))
      const height = v
        .mul(alpha)
        .div(a.div(shifted.mul(shifted)).add(b))
        .log()
      const rest = count.sub(k).add(1)
      const bound = aroundMode
        .add(count.add(1).mul(count.sub(mode).add(1).div(rest).log()))
        .add(k.add(0.5).mul(odds.mul(rest).div(k.add(1)).log()))
        .add(stirlingTail(mode))
        .add(stirlingTail(count.sub(mode)))
        .sub(stirlingTail(k))
        .sub(stirlingTail(count.sub(k)))
      const accept = quick.logicalOr(refused.logicalNot().logicalAnd(height.lessEqual(bound)))
      return [k.where(accept, kept), accepted.logicalOr(accept), half(keys, 0, [2])] as const
    },
    [fill(shape, -1, dtype), fill(shape, 0, 'bool'), key] as const,
  )
  return samples
}

const isNaNLike = (x: Tensor): Tensor => x.notEqual(x)

/** Successes among `n` trials; more likely ones than not are counted by their failures. */
const binomialOf = (key: Tensor, n: Tensor, p: Tensor): Tensor => {
  const { shape, dtype } = p
  const constant = (value: number): Tensor => fill(shape, value, dtype)
  const rare = p.less(0.5)
  const smaller = p.where(rare, constant(1).sub(p))
  const badN = isNaNLike(n).logicalOr(n.less(0))
  const badP = isNaNLike(smaller).logicalOr(smaller.less(0))
  const infinite = n.equal(Infinity)
  const q = constant(0.01).where(badP, smaller)
  const few = badN.logicalOr(n.mul(q).lessEqual(10))
  const count = n.floor()
  const waiting = byWaiting(key, count.where(few, constant(0)), q)
  const rejected = byRejection(key, constant(1e4).where(few, count), constant(0.5).where(few, q))
  const invalid = badN.logicalOr(badP)
  const drawn = constant(NaN).where(invalid, waiting.where(few, rejected))
  const bounded = constant(Infinity).where(infinite.logicalAnd(invalid.logicalNot()), drawn)
  const direct = rare.logicalOr(badN).logicalOr(isNaNLike(smaller)).logicalOr(infinite)
  return bounded.where(direct, count.sub(bounded))
}

/** The number of successes, a float, among `n` trials of probability `p`; NaN for impossible ones. */
export const binomial: Distribution<'n' | 'p'> = distribution(
  'random.binomial',
  { n: null, p: null },
  (key, [n, p]) => binomialOf(key, n!, p!),
)

/**
 * How often each of `p.shape.at(-1)` outcomes comes up in `n` trials, as floats: `n` broadcasts
 * against the leading axes of `p`. @throws ShapeError where it does not.
 */
export const multinomial = (
  key: Tensor,
  n: number | Tensor,
  p: Tensor,
  options?: ShapeOr<SampleOptions>,
  more?: SampleOptions,
): Tensor => {
  const name = 'random.multinomial'
  requireKey(name, key)
  if (p.ndim === 0)
    throw new ShapeError({
      operation: name,
      problem: 'p needs an axis of outcomes',
      got: showAval(p.aval),
      fix: 'give the probabilities an axis: one for each outcome',
    })
  const [given, o] = resolveOptions(name, options, more)
  const dtype = floatOption(name, o?.dtype)
  const outcomes = p.shape.at(-1)!
  const rows = fill(p.shape.slice(0, -1), 0, dtype)
  const batch: Shape = sampleShape(name, given?.slice(0, -1), [n, rows])
  const first = moveAxis(parameter(name, p, [...batch, outcomes], dtype), batch.length, 0)
  const remaining = cumsum(first, 0, true)
  const ratios = first.div(fill(first.shape, 1, dtype).where(remaining.equal(0), remaining))
  const [, counts] = scan(
    (left, [ratio, drawKey]: readonly [Tensor, Tensor]) => {
      const drawn = binomialOf(drawKey, left, ratio.clip(0, 1))
      return [left.sub(drawn), drawn] as const
    },
    parameter(name, n, batch, dtype),
    [ratios, split(key, outcomes)] as const,
  )
  return moveAxis(counts, 0, batch.length)
}
