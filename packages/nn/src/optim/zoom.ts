/** A line search for the strong Wolfe conditions: bracketing, then zooming in. */
import { type Tensor, fill } from '@cotangent/core'
import { whileLoop } from '@cotangent/ops'
import { zeroCount } from './hyper.ts'
import { addScaled, treeDot } from './norms.ts'
import { select } from './trees.ts'

export interface ZoomOptions {
  /** Evaluations of the function at most. */
  readonly maxLinesearchSteps: number
  /** Steps are not longer; no bound by default. */
  readonly maxLearningRate?: number
  /** How far from its conditions a step may be; 0 by default. */
  readonly tolerance?: number
  /** Between steps while no interval is found; 2 by default. */
  readonly increaseFactor?: number
  /** The share of the slope by which the function is to fall; 1e-4 by default. */
  readonly slopeRtol?: number
  /** The share of the slope that may remain; 0.9 by default. */
  readonly curvRtol?: number
  /** Rounding of the function that is taken for a fall, null for none; 1e-6 by default. */
  readonly approxDecRtol?: number | null
  /** Shorter intervals are given up; 1e-5 by default. */
  readonly stepsizePrecision?: number
}

/** A tree's leaves: loops carry them without its type. */
type Leaves = readonly Tensor[]

/** The function along the direction, at one step size. */
interface Point {
  readonly stepsize: Tensor
  readonly value: Tensor
  readonly slope: Tensor
}

interface Search {
  readonly count: Tensor
  readonly at: Point
  readonly grad: Leaves
  readonly decreaseError: Tensor
  readonly curvatureError: Tensor
  readonly found: Tensor
  readonly done: Tensor
  readonly failed: Tensor
  readonly low: Point
  readonly high: Point
  /** A third point, for the cubic through all of them. */
  readonly third: Omit<Point, 'slope'>
  /** The best step so far at which the function falls enough. */
  readonly safe: Omit<Point, 'slope'>
  readonly safeGrad: Leaves
}

export interface ZoomResult {
  readonly stepsize: Tensor
  readonly value: Tensor
  readonly grad: Leaves
  readonly count: Tensor
  readonly decreaseError: Tensor
  readonly curvatureError: Tensor
}

export interface ZoomProblem {
  readonly valueAndGrad: (params: Leaves) => readonly [Tensor, Leaves]
  readonly params: Leaves
  /** The direction. */
  readonly updates: Leaves
  /** The function and its gradient at the parameters. */
  readonly value: Tensor
  readonly grad: Leaves
  /** The first step size to try. */
  readonly guess: Tensor
}

const infinity = (): Tensor => fill([], Infinity, 'float32')
const zero = (): Tensor => fill([], 0, 'float32')
const no = (): Tensor => fill([], 0, 'bool')

const positivePart = (error: Tensor): Tensor => {
  const positive = error.maximum(0)
  return positive.where(positive.equal(positive), Infinity)
}

/** Where the cubic through two points, one slope and a third point has its minimum. */
const cubicMinimum = (a: Point, b: Point, c: Omit<Point, 'slope'>): Tensor => {
  const [db, dc] = [b.stepsize.sub(a.stepsize), c.stepsize.sub(a.stepsize)]
  const restB = b.value.sub(a.value).sub(a.slope.mul(db))
  const restC = c.value.sub(a.value).sub(a.slope.mul(dc))
  const divisor = db.mul(dc).square().mul(db.sub(dc))
  const cubic = dc.square().mul(restB).sub(db.square().mul(restC)).div(divisor)
  const quadratic = db.pow(3).mul(restC).sub(dc.pow(3).mul(restB)).div(divisor)
  const root = quadratic.square().sub(cubic.mul(a.slope).mul(3)).sqrt()
  return a.stepsize.add(root.sub(quadratic).div(cubic.mul(3)))
}

/** Where the parabola through two points and one slope has its minimum. */
const quadraticMinimum = (a: Point, b: Point): Tensor => {
  const d = b.stepsize.sub(a.stepsize)
  const curvature = b.value.sub(a.value).sub(a.slope.mul(d)).div(d.square())
  return a.stepsize.sub(a.slope.div(curvature.mul(2)))
}

/** A step size between the ends: of the cubic, else of the parabola, else the middle. */
const inside = ({ low, high, third }: Search): Tensor => {
  const width = high.stepsize.sub(low.stepsize).abs()
  const left = low.stepsize.minimum(high.stepsize)
  const right = low.stepsize.maximum(high.stepsize)
  const within = (x: Tensor, margin: number): Tensor =>
    x.greater(left.add(width.mul(margin))).logicalAnd(x.less(right.sub(width.mul(margin))))
  const [cubic, parabola] = [cubicMinimum(low, high, third), quadraticMinimum(low, high)]
  const middle = low.stepsize.add(high.stepsize).mul(0.5)
  return cubic.where(within(cubic, 0.2), parabola.where(within(parabola, 0.1), middle))
}

/**
 * A step size along a direction at which the function has fallen enough and its slope as well.
 * Where there is none within the steps allowed, the best one at which it has fallen; where there is
 * none of these either, the last one tried, or zero where the function is not finite there.
 * @see Nocedal & Wright 2006, algorithms 3.5 and 3.6; Hager & Zhang 2006 for `approxDecRtol`
 */
export const zoomLinesearch = (problem: ZoomProblem, options: ZoomOptions): ZoomResult => {
  const { maxLinesearchSteps, maxLearningRate, tolerance = 0, increaseFactor = 2 } = options
  const { slopeRtol = 1e-4, curvRtol = 0.9, approxDecRtol = 1e-6 } = options
  const { stepsizePrecision = 1e-5 } = options
  const { params, updates, guess } = problem
  const value0 = problem.value
  const slope0 = treeDot(updates, problem.grad).astype('float32')

  const decreaseErrorAt = ({ stepsize, value, slope }: Point): Tensor => {
    const exact = value.sub(value0).sub(stepsize.mul(slope0).mul(slopeRtol))
    if (approxDecRtol === null) return positivePart(exact)
    const bySlope = slope.sub(slope0.mul(2 * slopeRtol - 1))
    const byValue = value.sub(value0).sub(value0.abs().mul(approxDecRtol))
    return positivePart(bySlope.maximum(byValue).minimum(exact))
  }
  const curvatureErrorAt = ({ slope }: Point): Tensor =>
    positivePart(slope.abs().sub(slope0.abs().mul(curvRtol)))

  const step = (s: Search): Search => {
    const longer = guess.where(s.count.equal(0), s.at.stepsize.mul(increaseFactor))
    const bounded = maxLearningRate === undefined ? longer : longer.minimum(maxLearningRate)
    const atBound = maxLearningRate === undefined ? no() : longer.greaterEqual(maxLearningRate)
    const stepsize = inside(s).where(s.found, bounded)
    const [value, grad] = problem.valueAndGrad(addScaled(params, stepsize, updates))
    const at: Point = { stepsize, value, slope: treeDot(updates, grad).astype('float32') }
    const decreaseError = decreaseErrorAt(at)
    const curvatureError = curvatureErrorAt(at)
    const good = decreaseError.maximum(curvatureError).lessEqual(tolerance)
    const fallen = decreaseError.lessEqual(tolerance)
    const safer = fallen.logicalAnd(value.less(s.safe.value)).where(s.found, fallen)
    const safe = select(safer, { stepsize, value }, s.safe)
    const safeGrad = select(safer, grad, s.safeGrad)
    const last = s.count.add(1).greaterEqual(maxLinesearchSteps)
    const common = { at, grad, decreaseError, curvatureError, safe, safeGrad, last, good, atBound }
    return select(s.found, zoomedIn(s, common, stepsizePrecision), searched(s, common))
  }

  const start: Point = { stepsize: zero(), value: value0, slope: slope0 }
  const beginning: Search = {
    count: zeroCount(),
    at: start,
    grad: problem.grad,
    decreaseError: infinity(),
    curvatureError: infinity(),
    found: no(),
    done: no(),
    failed: no(),
    low: start,
    high: start,
    third: { stepsize: zero(), value: value0 },
    safe: { stepsize: zero(), value: value0 },
    safeGrad: problem.grad,
  }
  const end: Search = whileLoop(
    (s: Search) => s.done.logicalOr(s.failed).logicalNot(),
    step,
    beginning,
  )
  const outside = end.decreaseError.equal(Infinity)
  const fallBack = end.failed.logicalAnd(end.safe.stepsize.greater(0).logicalOr(outside))
  return {
    stepsize: end.safe.stepsize.where(fallBack, end.at.stepsize),
    value: end.safe.value.where(fallBack, end.at.value),
    grad: select(fallBack, end.safeGrad, end.grad),
    count: end.count,
    decreaseError: end.decreaseError,
    curvatureError: end.curvatureError,
  }
}

interface Tried
  extends Pick<Search, 'at' | 'grad' | 'decreaseError' | 'curvatureError' | 'safe' | 'safeGrad'> {
  /** Whether no further evaluation is allowed. */
  readonly last: Tensor
  /** Whether both conditions hold. */
  readonly good: Tensor
  readonly atBound: Tensor
}

/** The next state while longer and longer steps are tried. */
const searched = (s: Search, { last, good, atBound, ...tried }: Tried): Search => {
  const { at, decreaseError } = tried
  const rising = at.value.greaterEqual(s.at.value).logicalAnd(s.count.greater(0))
  const isHigh = decreaseError.greater(0).logicalOr(rising)
  const isLow = at.slope.greaterEqual(0).logicalAnd(isHigh.logicalNot())
  const low = select(isLow, at, s.at)
  const found = isHigh.logicalOr(isLow).logicalOr(good)
  const done = good.logicalOr(atBound.logicalAnd(found.logicalNot()))
  const { slope: _, ...third } = low
  return {
    ...tried,
    count: s.count.add(1),
    found,
    done,
    failed: last.logicalAnd(done.logicalNot()),
    low,
    high: select(isLow, s.at, at),
    third,
  }
}

/** The next state while an interval shrinks. */
const zoomedIn = (
  s: Search,
  { last, good, atBound: _, ...tried }: Tried,
  precision: number,
): Search => {
  const { at, decreaseError, safe } = tried
  const isHigh = decreaseError.greater(0).logicalOr(at.value.greaterEqual(s.low.value))
  const away = at.slope.mul(s.high.stepsize.sub(s.low.stepsize)).greaterEqual(0)
  const turns = away.logicalAnd(isHigh.logicalNot())
  const high = select(turns, s.low, select(isHigh, at, s.high))
  const { slope: _high, ...oldHigh } = s.high
  const { slope: _low, ...oldLow } = s.low
  const narrow = s.high.stepsize.sub(s.low.stepsize).abs().lessEqual(precision)
  const giveUp = last.logicalOr(narrow.logicalAnd(safe.stepsize.greater(0)))
  return {
    ...tried,
    count: s.count.add(1),
    found: s.found,
    done: good,
    failed: giveUp.logicalAnd(good.logicalNot()),
    low: select(isHigh, s.low, at),
    high,
    third: select(isHigh.logicalOr(turns), oldHigh, oldLow),
  }
}
