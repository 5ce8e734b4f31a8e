/**
 * How a gamma sample moves with its shape parameter, its quantile held fast: the derivative that
 * rejection sampling itself does not have.
 */
import { type Tensor, fill, stopGradient } from '@cotangent/core'
import { whileLoop } from '../control/whileLoop.ts'
import { digamma } from '../prims/special.ts'

/**
 * `d ln z / d a` at a fixed quantile, for `z` distributed as gamma with shape `a`; both of one shape.
 * With `F` the distribution function this is `−(∂F/∂a) / (z · ∂F/∂z)`, both from one power series,
 * `F = z^a e^−z / Γ(a + 1) · Σ z^n / ((a + 1) … (a + n))`, summed in float64.
 * @see Figurnov, Mohamed and Mnih 2018, "Implicit reparameterization gradients"
 */
export const logSampleDerivative = (shape: Tensor, logSample: Tensor): Tensor => {
  const a = stopGradient(shape.astype('float64'))
  const logX = stopGradient(logSample.astype('float64'))
  const x = logX.exp()
  const zero = fill(a.shape, 0, 'float64')
  const one = fill(a.shape, 1, 'float64')
  const [, , sum, , sumByA] = whileLoop(
    ([r, term, sum, termByA, sumByA]) => {
      // Terms fall once r has passed x; before that they may be small and still growing.
      const small = term
        .lessEqual(sum.mul(1e-17))
        .logicalAnd(termByA.abs().lessEqual(sumByA.abs().mul(1e-17)))
      const unfinished = small.logicalAnd(r.greater(x)).logicalNot()
      return unfinished.logicalAnd(sum.less(Infinity)).any()
    },
    ([r, term, sum, termByA, sumByA]) => {
      const next = r.add(1)
      const ratio = x.div(next)
      const byA = termByA.mul(ratio).sub(term.mul(x).div(next.square()))
      const grown = term.mul(ratio)
      return [next, grown, sum.add(grown), byA, sumByA.add(byA)] as const
    },
    [a, one, one, zero, zero] as const,
  )
  const derivative = sumByA
    .add(sum.mul(logX.sub(digamma(a.add(1)))))
    .div(a)
    .neg()
  return derivative.astype(shape.dtype)
}
