/** Reductions over sliding windows: what pooling is made of. Windows have the input's full rank. */
import {
  type Aval,
  type BinaryOp,
  type DType,
  DTypeError,
  type Index,
  type NDArray,
  type Primitive,
  type Scalar,
  type Shape,
  type Source,
  type Tensor,
  type TransposeTerm,
  bind1,
  broadcastInDim,
  currentMachine,
  definePrimitive,
  fill,
  integerRange,
  isFloat,
  isInteger,
  makeArray,
  moveBatchToFront,
  nonlinear,
  range,
  reshape,
  scalars,
  showAval,
  sizeOf,
  wholeEquation,
  wrapInteger,
} from '@cotangent/core'
import { selectAndGatherAdd } from './selectScatter.ts'
import { pad } from './structural.ts'
import {
  alongAxes,
  forEachWindow,
  insideOf,
  movingAxes,
  splitAxes,
  windowIndex,
} from './windowLoops.ts'
import {
  type WindowOptions,
  type Windowing,
  batchedWindowing,
  checkWindowing,
  fullWindowing,
  inputCotangentPadding,
  windowOutputShape,
} from './windows.ts'

const { binaryOp, both, convertTo, floorDivide, guard, literal, modulo, within } = scalars

type WindowPrimitive = Primitive<readonly ['x'], Windowing>
type Combine = (accumulator: number, value: number) => number

interface WindowRules {
  readonly name: string
  readonly accepts: (dtype: DType) => boolean
  readonly wanted: string
  /** What padding counts as. */
  readonly identity: (dtype: DType) => number
  readonly combine: (dtype: DType) => Combine
  readonly op: BinaryOp
  /** The dtype of the accumulator. */
  readonly wide: (dtype: DType) => DType
  readonly jvp: WindowPrimitive['jvp']
  readonly transpose: WindowPrimitive['transpose']
}

const windowReduction = (rules: WindowRules): WindowPrimitive => {
  const primitive: WindowPrimitive = definePrimitive<readonly ['x'], Windowing>({
    name: rules.name,
    slots: ['x'],
    typing: ([x], w) => {
      if (!rules.accepts(x.dtype)) {
        throw new DTypeError({
          operation: rules.name,
          problem: `it does not work on ${x.dtype}`,
          got: showAval(x),
          want: rules.wanted,
          fix: 'convert with astype first',
        })
      }
      checkWindowing(rules.name, x.shape, w)
      return [{ ...x, shape: windowOutputShape(x.shape, w) }]
    },
    evaluate: ([x], w, types) => [evaluateWindows(x, w, types[0]!, rules)],
    jvp: rules.jvp,
    transpose: rules.transpose,
    partition: wholeEquation,
    batch: ([x], [dim], w) => ({
      outputs: [bind1(primitive, [moveBatchToFront(x, dim)], batchedWindowing(w))],
      dims: [0],
    }),
    lower: ([x], w, { outputs }) => {
      const { dtype, shape } = outputs[0]!
      const identity = rules.identity(dtype)
      // Cropping may leave less than nothing of the input, which cannot be written down.
      if (sizeOf(shape) === 0) return { tag: 'expand', expand: () => [fill(shape, 0, dtype)] }
      const isSpread = w.inputDilation.some((d) => d !== 1)
      if (isSpread && !currentMachine().vectors) {
        return { tag: 'expand', expand: ([input]) => [spreadFirst(primitive, input!, w, identity)] }
      }
      const wide = rules.wide(dtype)
      const moving = range(x.shape.length).filter((d) => w.window[d] !== 1)
      return {
        tag: 'reduce',
        reduction: {
          extents: moving.map((d) => w.window[d]!),
          accumulators: [{ dtype: wide, initial: identity }],
          step: ([sum], output, reduced) => {
            const at = windowIndex(w, moving, output, reduced)
            const value = readSpread(x, w.inputDilation, at, literal(dtype, identity))
            return [binaryOp(rules.op, sum!, convertTo(wide, value))]
          },
          finish: ([sum]) => [convertTo(dtype, sum!)],
        },
      }
    },
    effectful: false,
  })
  return primitive
}

// Positions count the gaps of a dilated input; those and padding are `otherwise`.
const readSpread = (
  x: Source,
  dilation: readonly number[],
  positions: readonly Index[],
  otherwise: Scalar,
): Scalar => {
  const isElement = positions.flatMap((p, d) =>
    dilation[d] === 1 ? [] : [within(modulo(p, dilation[d]!), 0, 1)],
  )
  const at = positions.map((p, d) => floorDivide(p, dilation[d]!))
  const inside = insideOf(x.shape, at)
  const checks = inside === null ? isElement : [...isElement, inside]
  return checks.length === 0 ? x.at(at) : guard(checks.reduce(both), x.at(at), otherwise)
}

// A dilated input is written out with its gaps, which leaves an ordinary window.
const spreadFirst = (
  primitive: WindowPrimitive,
  x: Tensor,
  w: Windowing,
  identity: number,
): Tensor => {
  const config = w.padding.map(([low, high], d): readonly [number, number, number] => [
    low,
    high,
    w.inputDilation[d]! - 1,
  ])
  const spread = pad(x, fill([], identity, x.dtype), config)
  const { window, strides, windowDilation } = w
  return bind1(primitive, [spread], fullWindowing({ window, strides, windowDilation }))
}

const evaluateWindows = (x: NDArray, w: Windowing, type: Aval, rules: WindowRules): NDArray => {
  const out = makeArray(type)
  const identity = rules.identity(x.dtype)
  const combine = rules.combine(x.dtype)
  const blocks = splitAxes(x.shape, type.shape, movingAxes(w))
  const shape = blocks.moving.map((d) => x.shape[d]!)
  forEachWindow(
    shape,
    blocks.inStrides,
    alongAxes(w, blocks.moving),
    (position, { count, offsets }) => {
      const to = blocks.outOffsets[position]!
      for (let b = 0; b < blocks.inBases.length; b++) {
        const base = blocks.inBases[b]!
        let sum = identity
        for (let t = 0; t < count; t++) sum = combine(sum, x.data[base + offsets[t]!]!)
        out.data[blocks.outBases[b]! + to] = sum
      }
    },
  )
  return out
}

const isReal = (dtype: DType): boolean => dtype !== 'complex64'
const lowest = (dtype: DType): number => (isFloat(dtype) ? -Infinity : integerRange(dtype)[0])
const highest = (dtype: DType): number => (isFloat(dtype) ? Infinity : integerRange(dtype)[1])

const sumTranspose: TransposeTerm<readonly ['x'], Windowing> = (ct, _, w, type) => {
  if (tiles(w)) return repeatInTiles(ct, w, type.shape)
  return reduceWindowSum(ct, {
    window: w.window,
    strides: w.inputDilation,
    padding: inputCotangentPadding(type.shape, ct.shape, w),
    inputDilation: w.strides,
    windowDilation: w.windowDilation,
  })
}

// Windows side by side: every input element lies in one window at most.
const tiles = (w: Windowing): boolean =>
  w.window.every(
    (k, d) =>
      k > 0 &&
      k === w.strides[d] &&
      w.inputDilation[d] === 1 &&
      (k === 1 || w.windowDilation[d] === 1),
  )

const repeatInTiles = (ct: Tensor, w: Windowing, shape: Shape): Tensor => {
  const pairs = ct.shape.flatMap((extent, d) => [extent, w.window[d]!])
  const repeated = broadcastInDim(
    ct,
    pairs,
    ct.shape.map((_, d) => 2 * d),
  )
  const whole = reshape(
    repeated,
    ct.shape.map((extent, d) => extent * w.window[d]!),
  )
  const config = shape.map((extent, d): readonly [number, number, number] => {
    const low = -w.padding[d]![0]
    return [low, extent - whole.shape[d]! - low, 0]
  })
  if (config.every(([low, high]) => low === 0 && high === 0)) return whole
  return pad(whole, fill([], 0, ct.dtype), config)
}

/** Window sums; see `reduceWindowSum`. */
export const reduceWindowSumP: WindowPrimitive = windowReduction({
  name: 'reduceWindowSum',
  accepts: (dtype) => isReal(dtype) && dtype !== 'bool',
  wanted: 'a float or an integer',
  identity: () => 0,
  combine: (dtype) =>
    isInteger(dtype) ? (sum, v) => wrapInteger(dtype, sum + v) : (sum, v) => sum + v,
  op: 'add',
  wide: (dtype) => (isInteger(dtype) ? dtype : 'float64'),
  jvp: { x: (dx, _, __, w) => bind1(reduceWindowSumP, [dx], w) },
  transpose: { x: sumTranspose },
})

const extremum = (name: string, select: 'max' | 'min'): WindowPrimitive =>
  windowReduction({
    name,
    accepts: isReal,
    wanted: 'a real dtype',
    identity: select === 'max' ? lowest : highest,
    combine: () => (select === 'max' ? Math.max : Math.min),
    op: select === 'max' ? 'maximum' : 'minimum',
    wide: (dtype) => dtype,
    jvp: { x: (dx, [x], _, w) => selectAndGatherAdd(dx, x, { select, ...w }) },
    transpose: { x: nonlinear },
  })

/** Window maxima; see `reduceWindowMax`. */
export const reduceWindowMaxP: WindowPrimitive = extremum('reduceWindowMax', 'max')
/** Window minima; see `reduceWindowMin`. */
export const reduceWindowMinP: WindowPrimitive = extremum('reduceWindowMin', 'min')

/**
 * Sums over windows; padding counts as zeros. `window` has one entry for each axis of `x`.
 * @throws ShapeError where an entry is missing, DTypeError for booleans.
 * @example
 * reduceWindowSum(x, { window: [1, 1, 2, 2], strides: [1, 1, 2, 2] }) // 4 × average pooling, NCHW
 */
export const reduceWindowSum = (x: Tensor, options: WindowOptions): Tensor =>
  bind1(reduceWindowSumP, [x], fullWindowing(options))

/**
 * Maxima over windows; padding never wins, NaN always does. The derivative belongs to the first of
 * equal maxima.
 */
export const reduceWindowMax = (x: Tensor, options: WindowOptions): Tensor =>
  bind1(reduceWindowMaxP, [x], fullWindowing(options))

/** Minima over windows; padding never wins, NaN always does. */
export const reduceWindowMin = (x: Tensor, options: WindowOptions): Tensor =>
  bind1(reduceWindowMinP, [x], fullWindowing(options))
