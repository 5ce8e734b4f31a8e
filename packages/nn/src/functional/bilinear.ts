/** Products of two inputs with a third-order kernel. */
import type { Tensor } from '@cotangent/core'
import { np } from '@cotangent/ops'

/**
 * y_o = x W_o zᵀ + b_o on the last axes: `x: […, m]`, `z: […, n]`, `kernel: [outputs, m, n]` to
 * `[…, outputs]`.
 * @example
 * functional.bilinear(np.ones([2, 3]), np.ones([2, 4]), np.ones([5, 3, 4])).shape // [2, 5]
 */
export const bilinear = (x: Tensor, z: Tensor, kernel: Tensor, bias?: Tensor): Tensor => {
  const y = np.einsum('...i,oij,...j->...o', x, kernel, z)
  return bias === undefined ? y : y.add(bias)
}
