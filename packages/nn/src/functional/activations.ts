/** Activations beyond those of `jax.nn`: shrinkage, thresholds, gates, learned slopes. */
import {
  ShapeError,
  type Tensor,
  type TensorLike,
  normalizeAxis,
  reshape,
  showAval,
} from '@cotangent/core'
import { nnFunctions, np, prims } from '@cotangent/ops'

const asTensor = (x: TensorLike): Tensor => nnFunctions.identity(x)

/** log(1 + e^(beta x)) / beta, without overflow. */
export const softplus = (x: TensorLike, beta = 1): Tensor =>
  beta === 1 ? nnFunctions.softplus(x) : nnFunctions.softplus(asTensor(x).mul(beta)).div(beta)

/** x between `low` and `high`, −1 and 1 by default. */
export const hardTanh = (x: TensorLike, low = -1, high = 1): Tensor => {
  if (low === -1 && high === 1) return nnFunctions.hardTanh(x)
  const a = asTensor(x)
  return a.where(a.greater(low), low).where(a.less(high), high)
}

/** x − tanh x. */
export const tanhShrink = (x: TensorLike): Tensor => asTensor(x).sub(nnFunctions.tanh(x))

/** x without its part between −lambda and lambda: moved towards 0 by lambda. */
export const softShrink = (x: TensorLike, lambda = 0.5): Tensor => {
  const a = asTensor(x)
  return a.sub(lambda).where(a.greater(lambda), a.add(lambda).where(a.less(-lambda), 0))
}

/** x where it is beyond ±lambda, 0 elsewhere. */
export const hardShrink = (x: TensorLike, lambda = 0.5): Tensor => {
  const a = asTensor(x)
  return a.where(a.abs().greater(lambda), 0)
}

/** x where it is above the threshold, `value` elsewhere. */
export const threshold = (x: TensorLike, at = 0, value = 0): Tensor => {
  const a = asTensor(x)
  return a.where(a.greater(at), value)
}

/** e⁻ˣ / Σ e⁻ˣ along an axis, the last by default. */
export const softmin = (
  x: TensorLike,
  options?: Parameters<typeof nnFunctions.softmax>[1],
): Tensor => nnFunctions.softmax(asTensor(x).neg(), options)

/** 1 where x is not negative, 0 elsewhere: McCulloch and Pitts' unit. It has no derivative. */
export const step = (x: TensorLike): Tensor => {
  const a = asTensor(x)
  return a.greaterEqual(0).astype(a.dtype)
}
/** max(x, 0)². @see So et al. 2021 */
export const squaredRelu = (x: TensorLike): Tensor => nnFunctions.relu(x).square()
/** x σ(1.702 x): the sigmoid's approximation of gelu. @see Hendrycks & Gimpel 2016 */
export const quickGelu = (x: TensorLike): Tensor => {
  const a = asTensor(x)
  return a.mul(nnFunctions.sigmoid(a.mul(1.702)))
}
/** e^(−x²). */
export const gaussian = (x: TensorLike): Tensor => asTensor(x).square().neg().exp()

/** relu(x) and relu(−x) side by side along an axis, 1 by default. @see Shang et al. 2016 */
export const crelu = (x: TensorLike, axis = 1): Tensor => {
  const a = asTensor(x)
  const at = normalizeAxis('crelu', axis, a.ndim)
  return prims.concatenate([nnFunctions.relu(a), nnFunctions.relu(a.neg())], at)
}

/** The two halves of an axis. @throws ShapeError for an odd extent. */
const halves = (operation: string, x: Tensor, axis: number): readonly [Tensor, Tensor] => {
  const at = normalizeAxis(operation, axis, x.ndim)
  const extent = x.shape[at]!
  if (extent % 2 === 0) {
    const [a, b] = np.split(x, 2, { axis: at })
    return [a!, b!]
  }
  throw new ShapeError({
    operation,
    problem: 'the axis has no two halves',
    got: `axis ${at} of ${showAval(x.aval)}`,
    want: 'an even extent',
    fix: 'give the layer before it twice the features',
  })
}

const gated =
  (operation: string, gate: (x: Tensor) => Tensor) =>
  (x: TensorLike, axis = -1): Tensor => {
    const [a, b] = halves(operation, asTensor(x), axis)
    return a.mul(gate(b))
  }

type Gated = (x: TensorLike, axis?: number) => Tensor
/** The first half of an axis times relu of the second. @see Shazeer 2020 */
export const reglu: Gated = gated('reglu', nnFunctions.relu)
/** The first half of an axis times gelu of the second. @see Shazeer 2020 */
export const geglu: Gated = gated('geglu', (x) => nnFunctions.gelu(x))
/** The first half of an axis times silu of the second. @see Shazeer 2020 */
export const swiglu: Gated = gated('swiglu', nnFunctions.silu)

/**
 * x where it is positive, slope · x elsewhere: one slope for all, or one for each channel.
 * @throws ShapeError where there are not as many slopes as channels.
 * @see He et al. 2015
 */
export const prelu = (x: Tensor, slope: Tensor, axis = 1): Tensor => {
  const a = asTensor(x)
  if (slope.size === 1) return a.where(a.greaterEqual(0), a.mul(reshape(slope, [])))
  const at = normalizeAxis('prelu', axis, a.ndim)
  if (slope.size !== a.shape[at]) {
    throw new ShapeError({
      operation: 'prelu',
      problem: 'there is a slope for each channel',
      got: `${slope.size} slopes for axis ${at} of ${showAval(a.aval)}`,
      want: `${a.shape[at]!} slopes, or one`,
      fix: 'say which axis the channels are: { axis }',
    })
  }
  const place = a.shape.map((_, d) => (d === at ? slope.size : 1))
  return a.where(a.greaterEqual(0), a.mul(reshape(slope, place)))
}

/** The largest of each `pieces` neighbours along the last axis. @see Goodfellow et al. 2013 */
export const maxPieces = (x: Tensor, pieces: number): Tensor =>
  reshape(x, [...x.shape.slice(0, -1), x.shape[x.ndim - 1]! / pieces, pieces]).max({ axis: -1 })
