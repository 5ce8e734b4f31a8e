/** Parts of numbers; real ones are their own real part. */
import { type Tensor, type TensorLike, fill } from '@cotangent/core'
import * as compare from '../prims/compare.ts'
import { constantLike, promoteOne } from '../promote.ts'

/** The real part. */
export const real = (x: TensorLike): Tensor => promoteOne('np.real', x)
/** The imaginary part: zeros. */
export const imag = (x: TensorLike): Tensor => {
  const a = promoteOne('np.imag', x)
  return fill(a.shape, 0, a.dtype)
}
/** The complex conjugate. */
export const conjugate = (x: TensorLike): Tensor => promoteOne('np.conjugate', x)
export const conj: (x: TensorLike) => Tensor = conjugate
/** The angle in the plane: π for negative numbers, 0 for others. */
export const angle = (x: TensorLike): Tensor => {
  const a = promoteOne('np.angle', x, { inexact: true })
  const isNegative = compare.lt(a, constantLike(a, 0))
  const flat = compare.select(isNegative, constantLike(a, Math.PI), constantLike(a, 0))
  return compare.select(compare.ne(a, a), a, flat)
}
/** True where the imaginary part is 0: everywhere. */
export const isreal = (x: TensorLike): Tensor => fill(promoteOne('np.isreal', x).shape, 1, 'bool')
/** True where the imaginary part is not 0: nowhere. */
export const iscomplex = (x: TensorLike): Tensor =>
  fill(promoteOne('np.iscomplex', x).shape, 0, 'bool')
