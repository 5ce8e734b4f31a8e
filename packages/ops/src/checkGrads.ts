/** Derivatives compared with differences of values. */
import {
  DTypeError,
  NumericsError,
  type Structure,
  type Tensor,
  UnsupportedError,
  erase,
  flatten,
  fromNDArray,
  isFloat,
  jvp,
  leafPaths,
  leafTensor,
  makeArray,
  unflatten,
  vjp,
} from '@cotangent/core'
import { cast } from './promote.ts'

export interface CheckGradsOptions {
  /** Derivatives of the derivatives are checked up to this order; 2 by default. */
  readonly order?: number
  /** Forward mode, reverse mode; both by default. */
  readonly modes?: readonly ('fwd' | 'rev')[]
  /** The step of the differences: 1e-5, or 1e-2 where the function computes in float32. */
  readonly eps?: number
  /** Relative to the largest derivative, at least 1: 1e-6, or 2e-2 in float32. */
  readonly tolerance?: number
}

/** A function of float leaves, at one point, with the names of its leaves. */
interface Smooth {
  readonly f: (...leaves: readonly Tensor[]) => readonly Tensor[]
  readonly at: readonly Tensor[]
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  /** `derivative`, `derivative of the derivative`. */
  readonly title: string
}

interface Precision {
  readonly eps: number
  readonly tolerance: number
}

/** Reverse mode compares this many elements of each input, spread over it. */
const sampled = 64

/**
 * Compares the derivatives of `f` at `args` (trees) with central differences, in float64 where `f`
 * computes in it. Forward mode is compared in every output element along one direction, reverse mode
 * element by element of the inputs.
 * @throws NumericsError where they differ, with the worst element; UnsupportedError when nothing
 * can be differentiated.
 * @example
 * checkGrads((x: Tensor) => x.sin().mul(x), [tensor([0.3, 2])])
 */
export const checkGrads = <A extends readonly unknown[]>(
  f: (...args: A) => unknown,
  args: A,
  options: CheckGradsOptions = {},
): void => {
  const { order = 2, modes = ['fwd', 'rev'] } = options
  const smooth = inDouble(smoothPart(erase(f), args))
  const single = smooth.f(...smooth.at).some((y) => y.dtype !== 'float64')
  const { eps = single ? 1e-2 : 1e-5, tolerance = single ? 2e-2 : 1e-6 } = options
  checkOrder(smooth, order, modes, { eps, tolerance })
}

const smoothPart = (
  f: (...args: readonly unknown[]) => unknown,
  args: readonly unknown[],
): Smooth => {
  const { leaves, structure } = flatten(args, 'checkGrads')
  const all = leaves.map((leaf) =>
    typeof leaf === 'number' ? cast(leafTensor(leaf), 'float32') : leafTensor(leaf),
  )
  const isSmooth = all.map((x) => isFloat(x.dtype))
  const call = (...xs: readonly Tensor[]): { leaves: readonly Tensor[]; structure: Structure } => {
    let next = 0
    const filled = all.map((x, i) => (isSmooth[i]! ? xs[next++]! : x))
    const result = flatten(f(...unflatten<readonly unknown[]>(structure, filled)), 'checkGrads')
    return { leaves: result.leaves.map(leafTensor), structure: result.structure }
  }
  const at = all.filter((_, i) => isSmooth[i]!)
  const sample = call(...at)
  const smoothOutputs = sample.leaves.map((y) => isFloat(y.dtype))
  if (at.length === 0 || !smoothOutputs.some((s) => s)) {
    throw new UnsupportedError({
      operation: 'checkGrads',
      problem: 'there is nothing to differentiate',
      got: `${at.length} float arguments, ${smoothOutputs.filter((s) => s).length} float results`,
      fix: 'give it a float argument and a float result',
    })
  }
  return {
    f: (...xs) => call(...xs).leaves.filter((_, i) => smoothOutputs[i]!),
    at,
    inputs: leafPaths(structure).filter((_, i) => isSmooth[i]!),
    outputs: leafPaths(sample.structure).filter((_, i) => smoothOutputs[i]!),
    title: 'derivative',
  }
}

// The same function at float64, where none of its operations refuses that.
const inDouble = (smooth: Smooth): Smooth => {
  const at = smooth.at.map((x) => cast(x, 'float64'))
  try {
    smooth.f(...at)
    return { ...smooth, at }
  } catch (error) {
    if (error instanceof DTypeError) return smooth
    throw error
  }
}

const checkOrder = (
  smooth: Smooth,
  order: number,
  modes: readonly ('fwd' | 'rev')[],
  precision: Precision,
): void => {
  if (order < 1) return
  const { f, at } = smooth
  const title = `derivative of the ${smooth.title}`
  if (modes.includes('fwd')) {
    const tangents = at.map((x, i) => wave(x, i + 0.5))
    checkForward(smooth, tangents, precision)
    const push = (...xs: readonly Tensor[]): readonly Tensor[] =>
      jvp(
        f,
        xs,
        xs.map((x, i) => cast(tangents[i]!, x.dtype)),
      )[1]
    checkOrder({ ...smooth, f: push, title }, order - 1, modes, precision)
  }
  if (modes.includes('rev')) {
    const cotangents = f(...at).map((y, i) => wave(y, i + 0.25))
    checkReverse(smooth, cotangents, precision)
    const pull = (...xs: readonly Tensor[]): readonly Tensor[] => vjp(f, ...xs)[1](cotangents)
    checkOrder(
      { f: pull, at, inputs: smooth.inputs, outputs: smooth.inputs, title },
      order - 1,
      modes,
      precision,
    )
  }
}

/** Values of both signs that no symmetry of the function is likely to share. */
const wave = (x: Tensor, phase: number): Tensor => {
  const out = makeArray(x.aval)
  for (let i = 0; i < out.data.length; i++) out.data[i] = Math.cos(1.3 * i + 2.1 * phase)
  return fromNDArray(out)
}

const values = (x: Tensor): Float64Array => Float64Array.from(x.data())

// x with `step` times `direction` added, rounded to its dtype.
const moved = (x: Tensor, direction: Float64Array, step: number): Tensor => {
  const out = makeArray(x.aval)
  const from = x.data()
  for (let i = 0; i < out.data.length; i++) out.data[i] = from[i]! + step * direction[i]!
  return fromNDArray(out)
}

const checkForward = (
  { f, at, outputs, title }: Smooth,
  tangents: readonly Tensor[],
  { eps, tolerance }: Precision,
): void => {
  const analytic = jvp(f, at, tangents)[1]
  const along = (step: number): readonly Float64Array[] =>
    f(...at.map((x, i) => moved(x, values(tangents[i]!), step))).map(values)
  const [above, below] = [along(eps), along(-eps)]
  const pairs = analytic.flatMap((dy, o) =>
    Array.from(values(dy), (got, k) => ({
      got,
      want: (above[o]![k]! - below[o]![k]!) / (2 * eps),
      where: `element ${k} of the result${outputs[o] === '' ? '' : ` ${outputs[o]!}`}`,
    })),
  )
  compare(`${title} by forward mode`, pairs, tolerance)
}

const checkReverse = (
  { f, at, inputs, title }: Smooth,
  cotangents: readonly Tensor[],
  { eps, tolerance }: Precision,
): void => {
  const gradients = vjp(f, ...at)[1](cotangents)
  const weights = cotangents.map(values)
  const along = (i: number, k: number, step: number): number => {
    const unit = new Float64Array(at[i]!.size)
    unit[k] = 1
    const results = f(...at.map((x, j) => (j === i ? moved(x, unit, step) : x))).map(values)
    let total = 0
    results.forEach((y, o) => y.forEach((v, n) => (total += v * weights[o]![n]!)))
    return total
  }
  const pairs = gradients.flatMap((gradient, i) => {
    const got = values(gradient)
    const stride = Math.max(1, Math.ceil(got.length / sampled))
    return Array.from({ length: Math.ceil(got.length / stride) }, (_, n) => ({
      got: got[n * stride]!,
      want: (along(i, n * stride, eps) - along(i, n * stride, -eps)) / (2 * eps),
      where: `element ${n * stride} of the argument ${inputs[i]!}`,
    }))
  })
  compare(`${title} by reverse mode`, pairs, tolerance)
}

interface Pair {
  readonly got: number
  readonly want: number
  readonly where: string
}

const compare = (what: string, pairs: readonly Pair[], tolerance: number): void => {
  const scale = pairs.reduce((s, { want }) => Math.max(s, Math.abs(want) || 0), 1)
  const error = ({ got, want }: Pair): number =>
    Object.is(got, want) ? 0 : Math.abs(got - want) / scale
  // A NaN on one side alone is worse than any number.
  const badness = (pair: Pair): number => (Number.isNaN(error(pair)) ? Infinity : error(pair))
  const worst = pairs.reduce<Pair | null>(
    (w, pair) => (w === null || badness(pair) > badness(w) ? pair : w),
    null,
  )
  if (worst === null || badness(worst) <= tolerance) return
  throw new NumericsError({
    operation: 'checkGrads',
    problem: `the ${what} is not what differences of values give`,
    got: `${worst.got} at ${worst.where}, the worst`,
    want: `${worst.want}, within ${tolerance} of the largest (${scale})`,
    fix: 'check the rule of the function, or move the point away from where it is not smooth',
  })
}
