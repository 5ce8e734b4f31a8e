/** Running reductions along one axis. */
import {
  type Aval,
  type BinaryOp,
  type Buffer,
  type DType,
  type Index,
  type JvpTerm,
  type LowerRule,
  type NDArray,
  type NonLinear,
  type Primitive,
  type Scalar,
  type Shape,
  type Stmt,
  type Tensor,
  type TransposeTerm,
  add,
  bind1,
  currentMachine,
  definePrimitive,
  makeArray,
  maths,
  moveBatchToFront,
  nonlinear,
  scalars,
  sizeOf,
  wholeEquation,
  zerosLike,
} from '@cotangent/core'
import { type Accepts, accepted, anyReal, floats, numbers } from './accepts.ts'
import { mul, sub } from './arithmetic.ts'
import { max, min, tieShare } from './binary.ts'
import { eq, ne, select } from './compare.ts'
import { type Combine, product, scanTangent } from './duals.ts'
import { constantLike } from './elements.ts'
import { parallelLoops } from './loops.ts'
import { accumulatorOf, highest, lowest, reducedShape } from './reductions.ts'
import { abs, exp, log1p, neg } from './unary.ts'

export interface CumulativeParams {
  readonly axis: number
  /** From the last element to the first. */
  readonly reverse: boolean
}

export type Cumulative = Primitive<readonly ['x'], CumulativeParams>

interface Running {
  readonly name: string
  readonly accepts: Accepts
  readonly initial: (dtype: DType) => number
  readonly step: (dtype: DType) => (accumulator: number, element: number) => number
  /** The same step on loop IR values, of the accumulator's dtype. */
  readonly lowerStep: (accumulator: Scalar, element: Scalar) => Scalar
  readonly jvp: JvpTerm<readonly ['x'], CumulativeParams>
  readonly transpose: TransposeTerm<readonly ['x'], CumulativeParams> | NonLinear
}

const evaluateRunning = (
  { initial, step }: Running,
  x: NDArray,
  { axis, reverse }: CumulativeParams,
  type: Aval,
): NDArray => {
  const out = makeArray(type)
  const extent = x.shape[axis]!
  const stride = sizeOf(x.shape.slice(axis + 1))
  const combine = step(x.dtype)
  for (let line = 0; line < sizeOf(x.shape) / Math.max(1, extent); line++) {
    const inner = line % stride
    const base = (line - inner) * extent + inner
    let accumulator = initial(x.dtype)
    for (let k = 0; k < extent; k++) {
      const at = base + (reverse ? extent - 1 - k : k) * stride
      accumulator = combine(accumulator, x.data[at]!)
      out.data[at] = accumulator
    }
  }
  return out
}

const lowerRunning =
  (rules: Running): LowerRule<readonly ['x'], CumulativeParams> =>
  ([x], params) => {
    const inner = sizeOf(x.shape.slice(params.axis + 1))
    const beside = currentMachine().vectors && inner >= fewestBeside
    const lines = sizeOf(x.shape) / Math.max(1, x.shape[params.axis]!)
    return {
      tag: 'routine',
      scratch: beside ? [{ shape: [lines], dtype: accumulatorOf(x.dtype) }] : [],
      inPlace: [null],
      emit: ([from], [to], [totals]) =>
        totals === undefined
          ? lineByLine(rules, params, from!, to!)
          : besideEachOther(rules, params, from!, to!, totals),
    }
  }

/** Fewer neighbours do not fill vectors. */
const fewestBeside = 8

const elementAt = (from: Buffer): Scalar =>
  scalars.convertTo(
    accumulatorOf(from.dtype),
    scalars.load(from.name, from.dtype, scalars.flatten(from.shape, countersOf(from))),
  )

const countersOf = ({ shape }: Buffer): readonly Index[] =>
  shape.map((extent, d) => scalars.counter(`i${d}`, extent))

const storeTotal = (to: Buffer, total: Scalar): Stmt => ({
  tag: 'store',
  buffer: to.name,
  at: scalars.flatten(to.shape, countersOf(to)),
  value: scalars.convertTo(to.dtype, total),
})

const around = (shape: Shape): readonly (readonly [string, number])[] =>
  shape.map((extent, d) => [`i${d}`, extent])

const lineByLine = (
  { initial, lowerStep }: Running,
  { axis, reverse }: CumulativeParams,
  from: Buffer,
  to: Buffer,
): readonly Stmt[] => {
  const wide = accumulatorOf(from.dtype)
  const total = scalars.local(wide, 'total')
  const along: Stmt = {
    tag: 'for',
    counter: `i${axis}`,
    extent: from.shape[axis]!,
    reverse,
    body: [
      { tag: 'assign', name: 'total', value: lowerStep(total, elementAt(from)) },
      storeTotal(to, total),
    ],
  }
  const start = scalars.literal(wide, initial(from.dtype))
  const others = around(from.shape).filter((_, d) => d !== axis)
  return parallelLoops(others, [{ tag: 'variable', name: 'total', value: start }, along])
}

// All lines that are neighbours take a step together; their totals are an array.
const besideEachOther = (
  { initial, lowerStep }: Running,
  { axis, reverse }: CumulativeParams,
  from: Buffer,
  to: Buffer,
  totals: Buffer,
): readonly Stmt[] => {
  const { shape } = from
  const lines = shape.filter((_, d) => d !== axis)
  const index = countersOf(from).filter((_, d) => d !== axis)
  const at = scalars.flatten(lines, index)
  const total = scalars.load(totals.name, totals.dtype, at)
  const next = scalars.local(totals.dtype, 'next')
  const setTotal = (value: Scalar): Stmt => ({ tag: 'store', buffer: totals.name, at, value })
  const start = setTotal(scalars.literal(totals.dtype, initial(from.dtype)))
  const others = around(shape).filter((_, d) => d !== axis)
  const step: readonly Stmt[] = [
    { tag: 'let', name: 'next', value: lowerStep(total, elementAt(from)) },
    setTotal(next),
    storeTotal(to, next),
  ]
  const along: Stmt = {
    tag: 'for',
    counter: `i${axis}`,
    extent: shape[axis]!,
    reverse,
    body: parallelLoops(around(shape).slice(axis + 1), step),
  }
  return [
    ...parallelLoops(others, [start]),
    ...parallelLoops(around(shape).slice(0, axis), [along]),
  ]
}

const running = (rules: Running): Cumulative => {
  const primitive: Cumulative = definePrimitive({
    name: rules.name,
    slots: ['x'],
    typing: ([x], { axis }) => {
      accepted(rules.name, x, rules.accepts)
      reducedShape(rules.name, x, [axis])
      return [x]
    },
    evaluate: ([x], params, types) => [evaluateRunning(rules, x, params, types[0]!)],
    jvp: { x: rules.jvp },
    transpose: { x: rules.transpose },
    partition: wholeEquation,
    batch: ([x], [dim], { axis, reverse }) => ({
      outputs: [bind1(primitive, [moveBatchToFront(x, dim)], { axis: axis + 1, reverse })],
      dims: [0],
    }),
    lower: lowerRunning(rules),
    effectful: false,
  })
  return primitive
}

const stepOf =
  (op: BinaryOp): Running['step'] =>
  (dtype) =>
    maths.binaryFunction(op, dtype)
const lowerStepOf =
  (op: BinaryOp): Running['lowerStep'] =>
  (accumulator, element) =>
    scalars.binaryOp(op, accumulator, element)

const byScan =
  (combine: Combine): Running['jvp'] =>
  (dx, [x], _, { axis, reverse }) =>
    scanTangent(combine, x, dx, axis, reverse)

/** Running sums; floats accumulate in float64, integers wrap. */
export const cumsumP: Cumulative = running({
  name: 'cumsum',
  accepts: numbers,
  initial: () => 0,
  step: stepOf('add'),
  lowerStep: lowerStepOf('add'),
  jvp: (dx, _, __, { axis, reverse }) => cumsum(dx, axis, reverse),
  transpose: (ct, _, { axis, reverse }) => cumsum(ct, axis, !reverse),
})

/** Running products; the derivative is right with any number of zeros. */
export const cumprodP: Cumulative = running({
  name: 'cumprod',
  accepts: numbers,
  initial: () => 1,
  step: stepOf('multiply'),
  lowerStep: lowerStepOf('multiply'),
  jvp: byScan(product),
  transpose: nonlinear,
})

const extremum =
  (pick: (x: Tensor, y: Tensor) => Tensor): Combine =>
  (a, b) => {
    const x = pick(a.x, b.x)
    const dx = add(mul(a.dx, tieShare(a.x, x, b.x)), mul(b.dx, tieShare(b.x, x, a.x)))
    return { x, dx }
  }

/** Running maxima; NaN from the first NaN on. */
export const cummaxP: Cumulative = running({
  name: 'cummax',
  accepts: anyReal,
  initial: lowest,
  step: stepOf('maximum'),
  lowerStep: lowerStepOf('maximum'),
  jvp: byScan(extremum(max)),
  transpose: nonlinear,
})

/** Running minima; NaN from the first NaN on. */
export const cumminP: Cumulative = running({
  name: 'cummin',
  accepts: anyReal,
  initial: highest,
  step: stepOf('minimum'),
  lowerStep: lowerStepOf('minimum'),
  jvp: byScan(extremum(min)),
  transpose: nonlinear,
})

// max + log1p(exp(−|x − y|)), except that equal infinities are their own sum.
const lowerLogAddExp = (x: Scalar, y: Scalar): Scalar => {
  const { binaryOp, compareOp, literal, selectOp, unaryOp } = scalars
  const high = binaryOp('maximum', x, y)
  const distance = unaryOp('absolute', binaryOp('subtract', x, y))
  const rest = unaryOp('log1p', unaryOp('exp', unaryOp('negate', distance)))
  const infinite = compareOp('equal', unaryOp('absolute', high), literal(high.dtype, Infinity))
  return selectOp(infinite, high, binaryOp('add', high, rest))
}

const logAddExp = (x: Tensor, y: Tensor): Tensor => {
  const distance = sub(x, y)
  const sum = add(max(x, y), log1p(exp(neg(abs(distance)))))
  return select(ne(distance, distance), add(x, y), sum)
}

// Both weights are 1 at infinity, where x − z would be NaN.
const finitePart = (x: Tensor): Tensor => select(eq(x, constantLike(x, Infinity)), zerosLike(x), x)
const weighted = (dx: Tensor, x: Tensor, z: Tensor): Tensor =>
  mul(dx, exp(sub(finitePart(x), finitePart(z))))

const logSumExp: Combine = (a, b) => {
  const x = logAddExp(a.x, b.x)
  return { x, dx: add(weighted(a.dx, a.x, x), weighted(b.dx, b.x, x)) }
}

/** Running `log Σ exp(x)`, without overflow. */
export const cumlogsumexpP: Cumulative = running({
  name: 'cumlogsumexp',
  accepts: floats,
  initial: () => -Infinity,
  step: () => maths.logAddExp,
  lowerStep: lowerLogAddExp,
  jvp: byScan(logSumExp),
  transpose: nonlinear,
})

export const cumsum = (x: Tensor, axis: number, reverse = false): Tensor =>
  bind1(cumsumP, [x], { axis, reverse })
export const cumprod = (x: Tensor, axis: number, reverse = false): Tensor =>
  bind1(cumprodP, [x], { axis, reverse })
export const cummax = (x: Tensor, axis: number, reverse = false): Tensor =>
  bind1(cummaxP, [x], { axis, reverse })
export const cummin = (x: Tensor, axis: number, reverse = false): Tensor =>
  bind1(cumminP, [x], { axis, reverse })
export const cumlogsumexp = (x: Tensor, axis: number, reverse = false): Tensor =>
  bind1(cumlogsumexpP, [x], { axis, reverse })
