/** Kernels made from other parameters: of given norm, or of spectral norm 1. */
import {
  type Tensor,
  normalizeAxis,
  range,
  reshape,
  stopGradient,
  transpose,
} from '@cotangent/core'
import { prims } from '@cotangent/ops'

/**
 * A kernel whose slice for each output has the given norm: scale · kernel / ‖kernel‖, the norm over
 * all axes but `axis`.
 * @see Salimans & Kingma 2016, eq. 2
 */
export const weightNormalized = (
  kernel: Tensor,
  scale: Tensor,
  axis: number,
  epsilon = 1e-12,
): Tensor => {
  const at = normalizeAxis('weightNorm', axis, kernel.ndim)
  const others = range(kernel.ndim).filter((d) => d !== at)
  const power = kernel.square().sum({ axis: others, keepdims: true })
  const factor = reshape(
    scale,
    range(kernel.ndim).map((d) => (d === at ? scale.size : 1)),
  )
  return kernel.mul(prims.rsqrt(power.add(epsilon))).mul(factor)
}

const unit = (v: Tensor, epsilon: number): Tensor =>
  v.mul(prims.rsqrt(v.square().sum({ keepdims: true }).add(epsilon)))

/** The largest singular value, as far as power iteration knows it. */
export interface SpectralState {
  /** An estimate of the singular vector on the outputs' side: `[1, outputs]`. */
  readonly u: Tensor
  readonly sigma: Tensor
}

export interface SpectralOptions {
  /** Power iterations before the norm is read; 1 by default. */
  readonly steps?: number
  readonly epsilon?: number
}

/**
 * A kernel divided by its largest singular value, as a matrix with the outputs along `axis`; and the
 * next estimate of that value. Gradients flow through the value, not through its vectors.
 * @see Miyato, Kataoka, Koyama & Yoshida 2018, algorithm 1
 */
export const spectralNormalized = (
  kernel: Tensor,
  { u }: Pick<SpectralState, 'u'>,
  axis: number,
  { steps = 1, epsilon = 1e-12 }: SpectralOptions = {},
): readonly [kernel: Tensor, next: SpectralState] => {
  const at = normalizeAxis('spectralNorm', axis, kernel.ndim)
  const order = [...range(kernel.ndim).filter((d) => d !== at), at]
  const outputs = kernel.shape[at]!
  const matrix = reshape(transpose(kernel, order), [kernel.size / outputs, outputs])
  const fixed = stopGradient(matrix)
  let left = stopGradient(u)
  let right = unit(left.matmul(fixed.T), epsilon)
  for (const step of range(steps)) {
    if (step > 0) right = unit(left.matmul(fixed.T), epsilon)
    left = unit(right.matmul(fixed), epsilon)
  }
  const sigma = right.matmul(matrix).matmul(left.T)
  const divisor = sigma.where(sigma.notEqual(0), 1)
  const value = kernel.div(reshape(divisor, []))
  return [value, Object.freeze({ u: left, sigma: reshape(sigma, []) })]
}
