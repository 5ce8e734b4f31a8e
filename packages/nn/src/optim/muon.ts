/** Muon: momentum with all singular values made equal. */
import {
  type DType,
  type Tensor,
  UnsupportedError,
  flatten,
  frozenPair,
  unflatten,
} from '@cotangent/core'
import { type AdamWOptions, adamw } from './adam.ts'
import { addDecayedWeights } from './decay.ts'
import { type Hyper, type ScheduleOr, increment, times, zeroCount } from './hyper.ts'
import { unbiasedMean, updateMoment } from './moments.ts'
import {
  type MaybeDimensions,
  type MuonDimensionNumbers,
  type WeightDimensionNumbers,
  allDimensionsOf,
  dimensionsOf,
  fansOf,
  onMatrices,
} from './muonDimensions.ts'
import { type PartitionState, partition } from './partition.ts'
import { scaleByLearningRate } from './rate.ts'
import {
  type AnyTransformation,
  type CountState,
  type EmptyState,
  type GradientTransformation,
  chain,
  statelessTransformation,
} from './transformation.ts'
import { type Mask, type Tree, castTo, mapTrees, tensorsOf, zerosOf } from './trees.ts'

/** Coefficients of x ← a x + (b A + c A²) x, A = x xᵀ. */
export type NewtonSchulzCoefficients = readonly [a: number, b: number, c: number]

const standard: NewtonSchulzCoefficients = [3.4445, -4.775, 2.0315]
const dion: readonly NewtonSchulzCoefficients[] = [
  [4.0848, -6.8946, 2.927],
  [3.9505, -6.3029, 2.6377],
  [3.7418, -5.5913, 2.3037],
  [2.8769, -3.1427, 1.2046],
  [2.8366, -3.0525, 1.2012],
]

export type Preconditioning = 'frobenius' | 'spectral' | 'aol' | 'schatten'

export interface OrthogonalizeOptions {
  /** One triple for all steps, one for each, or a preset; `standard` by default. */
  readonly coefficients?:
    | NewtonSchulzCoefficients
    | readonly NewtonSchulzCoefficients[]
    | 'standard'
    | 'dion'
  /** 5 by default. */
  readonly steps?: number
  /** What brings singular values below one first; `frobenius` by default. */
  readonly preconditioning?: Preconditioning
  /** 1e-8 by default. */
  readonly epsilon?: number
}

const triplesOf = ({
  coefficients = standard,
  steps = 5,
}: OrthogonalizeOptions): readonly NewtonSchulzCoefficients[] => {
  const given =
    coefficients === 'standard' ? standard : coefficients === 'dion' ? dion : coefficients
  if (isTriple(given)) return new Array<NewtonSchulzCoefficients>(steps).fill(given)
  if (given.length <= steps) return given.slice(-steps)
  throw new UnsupportedError({
    operation: 'muon',
    problem: 'there are more coefficients than steps',
    got: `${given.length} triples, ${steps} steps`,
    fix: 'give one triple, or not more than there are steps',
  })
}

const isTriple = (
  given: NewtonSchulzCoefficients | readonly NewtonSchulzCoefficients[],
): given is NewtonSchulzCoefficients => typeof given[0] === 'number'

/** One step of the iteration, its first one with the rescaling of some preconditionings. */
const step = (
  x: Tensor,
  [a, b, c]: NewtonSchulzCoefficients,
  rescale: ((gram: Tensor) => Tensor) | null,
): Tensor => {
  const gram = x.matmul(x.T)
  if (rescale === null) {
    return x.mul(a).add(gram.mul(b).add(gram.matmul(gram).mul(c)).matmul(x))
  }
  const s = rescale(gram)
  const [y, scaledGram] = [x.mul(s), gram.mul(s).mul(s.ndim === 0 ? s : s.T)]
  const polynomial = scaledGram.mul(b).add(scaledGram.matmul(scaledGram).mul(c))
  return y.mul(a).add(polynomial.matmul(y))
}

/**
 * The largest singular value, from high powers of the Gram matrix: they weigh its eigenvalues by
 * their 1024th power, so that what is left of the others lies close to the largest.
 */
const spectralNorm = (x: Tensor): Tensor => {
  const gram = x.matmul(x.T)
  const unit = (m: Tensor): Tensor => m.div(m.square().sum().sqrt().maximum(1e-30))
  let power = unit(gram)
  for (let i = 0; i < 10; i++) power = unit(power.matmul(power))
  return power.mul(gram).sum().div(power.trace().maximum(1e-30)).sqrt()
}

/**
 * The nearest matrix with equal singular values, roughly: a few Newton-Schulz steps on [m, n].
 * @see Jordan et al. 2024; Bernstein & Newhouse 2024
 */
export const orthogonalize = (x: Tensor, options: OrthogonalizeOptions = {}): Tensor => {
  const { preconditioning = 'frobenius', epsilon = 1e-8 } = options
  const [rows = 0, columns = 0] = x.shape
  const wide = rows > columns ? x.T : x
  const start = (): Tensor => {
    if (preconditioning === 'frobenius') return wide.div(wide.square().sum().sqrt().add(epsilon))
    if (preconditioning === 'spectral') return wide.div(spectralNorm(wide).add(epsilon))
    return wide
  }
  const rescale = (gram: Tensor): Tensor =>
    preconditioning === 'aol'
      ? gram.abs().sum({ axis: 1, keepdims: true }).maximum(epsilon).sqrt().reciprocal()
      : gram.square().sum().sqrt().maximum(epsilon).sqrt().reciprocal()
  const rescaled = preconditioning === 'aol' || preconditioning === 'schatten'
  const y = triplesOf(options).reduce(
    (z, triple, i) => step(z, triple, i === 0 && rescaled ? rescale : null),
    start(),
  )
  return rows > columns ? y.T : y
}

export interface MuonMomentumState extends CountState {
  readonly mu: Tree
}

/** How leaves are matrices. */
export interface MatrixOptions {
  /** For each leaf which axes are rows and columns; by default every leaf is a matrix. */
  readonly weightDimensionNumbers?: WeightDimensionNumbers
}

// The dimension numbers of the leaves of a tree, in their order.
type DimensionsIn = (tree: Tree) => readonly MuonDimensionNumbers[]

export interface ScaleByMuonOptions extends OrthogonalizeOptions, MatrixOptions {
  /** Decay of the momentum; 0.95 by default. */
  readonly beta?: Hyper
  readonly muDtype?: DType
  /** True by default. */
  readonly nesterov?: boolean
  /** Scale by the inner product with the momentum; false by default. */
  readonly adaptive?: boolean
}

const turned = (
  options: ScaleByMuonOptions,
  dimensionsIn: DimensionsIn,
): GradientTransformation<MuonMomentumState> => {
  const { beta = 0.95, muDtype, nesterov = true, adaptive = false } = options
  return {
    init: (params) => Object.freeze({ count: zeroCount(), mu: zerosOf(params, muDtype) }),
    update: (grads, state) => {
      const mu = updateMoment(grads, state.mu, beta)
      const count = increment(state.count)
      const mean = unbiasedMean(grads, mu, beta, count, nesterov)
      const dimensions = dimensionsIn(grads)
      let leaf = 0
      const updates = mapTrees(
        'muon',
        (m) => {
          const y = onMatrices('muon', m, dimensions[leaf++]!, (x) => orthogonalize(x, options))
          return adaptive ? y.mul(m.mul(y).sum()) : y
        },
        mean,
      )
      return frozenPair(updates, Object.freeze({ count, mu: castTo(mu, muDtype) }))
    },
  }
}

/**
 * Orthogonalised momentum, for leaves that are matrices, or that dimension numbers make matrices of.
 * @throws ShapeError where axes are named twice; TreeError where a leaf has no dimension numbers.
 * @see Jordan et al. 2024
 * @example
 * scaleByMuon({ weightDimensionNumbers: { kernel: { reductionAxis: 0, outputAxis: [1, 2] } } })
 */
export const scaleByMuon = (
  options: ScaleByMuonOptions = {},
): GradientTransformation<MuonMomentumState> =>
  turned(options, (tree) => allDimensionsOf('scaleByMuon', options.weightDimensionNumbers, tree))

export interface ScaleByShapeOptions extends MatrixOptions {
  /** Bring the root mean square of updates to this; else √max(1, columns / rows). */
  readonly consistentRms?: number
}

const scaled = (
  { consistentRms }: ScaleByShapeOptions,
  dimensionsIn: DimensionsIn,
): GradientTransformation<EmptyState> =>
  statelessTransformation((grads) => {
    const dimensions = dimensionsIn(grads)
    let leaf = 0
    return mapTrees(
      'scaleByShape',
      (g) => {
        const [rows, columns] = fansOf('scaleByShape', g.shape, dimensions[leaf++]!)
        const factor =
          consistentRms === undefined
            ? Math.sqrt(Math.max(1, columns / rows))
            : Math.sqrt(Math.max(rows, columns)) * consistentRms
        return times(g, factor)
      },
      grads,
    )
  })

/** Multiplies matrices by a factor of their shape. @see Jordan et al. 2024; Liu et al. 2025 */
export const scaleByShape = (
  options: ScaleByShapeOptions = {},
): GradientTransformation<EmptyState> =>
  scaled(options, (tree) => allDimensionsOf('scaleByShape', options.weightDimensionNumbers, tree))

export interface MuonOptions extends ScaleByMuonOptions, ScaleByShapeOptions {
  /** Decoupled; 0 by default. */
  readonly weightDecay?: ScheduleOr
  readonly weightDecayMask?: Mask
  /** For what is no matrix: the rate (that of Muon by default) and AdamW's other options. */
  readonly adamRate?: ScheduleOr
  readonly adam?: Omit<AdamWOptions, 'nesterov' | 'muDtype' | 'epsilon'>
}

/** The states of Muon's and Adam's parts. */
export type MuonState = PartitionState<{
  readonly muon: AnyTransformation
  readonly adam: AnyTransformation
}>

// Of every leaf that is Muon's; `null` for Adam's.
const muonDimensions = (
  given: WeightDimensionNumbers | undefined,
  tree: Tree,
): readonly MaybeDimensions[] =>
  given === undefined
    ? tensorsOf('muon', tree).map((leaf) => (leaf.ndim === 2 ? {} : null))
    : dimensionsOf('muon', given, tree)

/**
 * Muon for matrices, AdamW (with the same look ahead) for everything else. `weightDimensionNumbers`
 * say which leaves are Muon's, and which of their axes are rows and columns; by default those with two
 * axes are.
 * @see Jordan et al. 2024
 * @example
 * optim.muon(0.02, { adamRate: 3e-4, weightDecay: 0.01 })
 * // A convolution's kernels, [outputs, inputs, height, width], as matrices; the rest is Adam's.
 * const dims = (params) => tree.map((x) => x.ndim === 4 ? { reductionAxis: [1, 2, 3], outputAxis: 0 } : null, params)
 * optim.muon(0.02, { weightDimensionNumbers: dims })
 */
export const muon = (
  rate: ScheduleOr,
  options: MuonOptions = {},
): GradientTransformation<MuonState> => {
  const { weightDecay = 0, weightDecayMask, adamRate = rate, epsilon = 1e-8 } = options
  const { nesterov = true, muDtype, adam = {} } = options
  const shared = { nesterov, epsilon, ...(muDtype === undefined ? {} : { muDtype }) }
  const others: AnyTransformation = adamw(adamRate, { weightDecay: 0, ...adam, ...shared })
  // Dimension numbers are looked up in the whole tree, of which Muon's part sees its own leaves only.
  const partitioned = (tree: Tree): GradientTransformation<MuonState> => {
    const dimensions = muonDimensions(options.weightDimensionNumbers, tree)
    const own = (): readonly MuonDimensionNumbers[] => dimensions.filter((dims) => dims !== null)
    const matrices: AnyTransformation = chain(
      turned(options, own),
      scaled(options, own),
      addDecayedWeights(weightDecay, weightDecayMask),
      scaleByLearningRate(rate),
    )
    const labels = unflatten<object>(
      flatten(tree, 'muon').structure,
      dimensions.map((dims) => (dims === null ? 'adam' : 'muon')),
    )
    return partition({ muon: matrices, adam: others }, labels)
  }
  return {
    init: (params) => partitioned(params).init(params),
    update: (grads, state, params, extra) => partitioned(grads).update(grads, state, params, extra),
  }
}
