/** Tapering windows of `M` samples. */
import { type Tensor, requireNumber, tensor } from '@cotangent/core'

const cosines = (operation: string, M: number, weights: readonly number[]): Tensor => {
  requireNumber(operation, 'the number of samples', M)
  if (M <= 1) return tensor(new Float32Array(Math.max(0, M)).fill(1))
  const sample = (i: number): number =>
    weights.reduce((sum, w, k) => sum + w * Math.cos((2 * Math.PI * k * i) / (M - 1)), 0)
  return tensor(Float32Array.from({ length: M }, (_, i) => sample(i)))
}

/** A raised cosine that is 0 at both ends. */
export const hanning = (M: number): Tensor => cosines('np.hanning', M, [0.5, -0.5])
/** A raised cosine on a pedestal. */
export const hamming = (M: number): Tensor => cosines('np.hamming', M, [0.54, -0.46])
/** Three cosines. */
export const blackman = (M: number): Tensor => cosines('np.blackman', M, [0.42, -0.5, 0.08])
/** A triangle that is 0 at both ends. */
export const bartlett = (M: number): Tensor => {
  requireNumber('np.bartlett', 'the number of samples', M)
  if (M <= 1) return tensor(new Float32Array(Math.max(0, M)).fill(1))
  return tensor(Float32Array.from({ length: M }, (_, i) => 1 - Math.abs((2 * i) / (M - 1) - 1)))
}
