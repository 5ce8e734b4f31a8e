/** Counts: geometric and Poisson. */
import { type DType, DTypeError, type Shape, type Tensor, fill, isInteger } from '@cotangent/core'
import { whileLoop } from '../control/whileLoop.ts'
import { lgamma } from '../prims/special.ts'
import { log1p } from '../prims/unary.ts'
import { half } from './continuous.ts'
import { type Distribution, distribution } from './distribution.ts'
import { split } from './key.ts'
import { twoKeys } from './transformed.ts'
import { uniformOf } from './uniform.ts'

// Counts are computed in float32, whatever integer dtype they are returned in.
const countDType = (name: string, dtype: DType = 'int32'): DType => {
  if (isInteger(dtype)) return 'float32'
  throw new DTypeError({
    operation: name,
    problem: 'the samples are integers',
    got: `dtype ${dtype}`,
    want: 'int32 or another integer dtype',
    fix: 'leave the dtype out for int32',
  })
}

const asCount = (x: Tensor, dtype: DType): Tensor => x.astype(isInteger(dtype) ? dtype : 'int32')

/** How many trials until the first success, that one included. */
export const geometric: Distribution<'p'> = distribution(
  'random.geometric',
  { p: null },
  (key, [p], shape, dtype) => {
    const failures = uniformOf(key, shape, 'float32').log().div(log1p(p!.neg())).floor()
    return asCount(failures.add(1), dtype)
  },
  countDType,
)

const anyLeft = (open: Tensor): Tensor => open.any()

/** Multiplies uniforms until the product falls below `exp(−lam)`. @see Knuth, TAOCP 3.4.1 */
const poissonByProducts = (key: Tensor, lam: Tensor): Tensor => {
  const { shape } = lam
  const [k] = whileLoop(
    ([, , logProduct]) => anyLeft(logProduct.greater(lam.neg())),
    ([count, state, logProduct]) => {
      const [next, drawKey] = twoKeys(state)
      const counted = count.add(1).where(logProduct.greater(lam.neg()), count)
      return [counted, next, logProduct.add(uniformOf(drawKey, shape, 'float32').log())] as const
    },
    [fill(shape, 0, 'int32'), key, fill(shape, 0, 'float32')] as const,
  )
  return k.sub(1)
}

/** @see Hörmann 1993, "The transformed rejection method for generating Poisson random variables" */
const poissonByRejection = (key: Tensor, lam: Tensor): Tensor => {
  const { shape } = lam
  const logLam = lam.log()
  const b = lam.sqrt().mul(2.53).add(0.931)
  const a = b.mul(0.02483).add(-0.059)
  const inverseAlpha = fill(shape, 1.1328, 'float32').div(b.sub(3.4)).add(1.1239)
  const squeeze = fill(shape, 3.6224, 'float32').div(b.sub(2)).neg().add(0.9277)
  const [samples] = whileLoop(
    ([, accepted]) => anyLeft(accepted.logicalNot()),
    ([kept, accepted, state]) => {
      const keys = split(state, 3)
      const u = uniformOf(half(keys, 1, [2]), shape, 'float32').sub(0.5)
      const v = uniformOf(half(keys, 2, [2]), shape, 'float32')
      const shifted = u.abs().neg().add(0.5)
      const k = a.mul(2).div(shifted).add(b).mul(u).add(lam).add(0.43).floor()
      const s = v
        .mul(inverseAlpha)
        .div(a.div(shifted.mul(shifted)).add(b))
        .log()
      const t = k
        .mul(logLam)
        .sub(lam)
        .sub(lgamma(k.add(1)))
      const quick = shifted.greaterEqual(0.07).logicalAnd(v.lessEqual(squeeze))
      const refused = k.less(0).logicalOr(shifted.less(0.013).logicalAnd(v.greater(shifted)))
      const accept = quick.logicalOr(refused.logicalNot().logicalAnd(s.lessEqual(t)))
      return [k.where(accept, kept), accepted.logicalOr(accept), half(keys, 0, [2])] as const
    },
    [fill(shape, -1, 'float32'), fill(shape, 0, 'bool'), key] as const,
  )
  return samples.astype('int32')
}

const poissonOf = (key: Tensor, lam: Tensor, shape: Shape): Tensor => {
  const small = lam.less(10).logicalOr(lam.notEqual(lam))
  const zero = fill(shape, 0, 'float32')
  const byProducts = poissonByProducts(key, lam.where(small, zero))
  const byRejection = poissonByRejection(key, fill(shape, 1e5, 'float32').where(small, lam))
  return fill(shape, 0, 'int32').where(lam.equal(0), byProducts.where(small, byRejection))
}

/** Poisson with mean `lam`. */
export const poisson: Distribution<'lam'> = distribution(
  'random.poisson',
  { lam: null },
  (key, [lam], shape, dtype) => asCount(poissonOf(key, lam!, shape), dtype),
  countDType,
)
