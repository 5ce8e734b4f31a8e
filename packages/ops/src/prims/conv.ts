/** Convolution (cross-correlation) over any number of spatial axes, channels first. */
import {
  type Aval,
  type BatchRule,
  type LowerRule,
  type NDArray,
  type Primitive,
  ShapeError,
  type Shape,
  type Tensor,
  type TransposeTerm,
  aval,
  bind1,
  definePrimitive,
  fill,
  makeArray,
  moveAxis,
  range,
  reshape,
  scalars,
  showAval,
  sizeOf,
  stridesOf,
  transpose,
  wholeEquation,
  currentMachine,
} from '@cotangent/core'
import { accumulatorDType, innerProduct, multiplyAdd, requireProductTypes } from './products.ts'
import { pad, reverse } from './structural.ts'
import { forEachWindow } from './windowLoops.ts'
import {
  type Padding,
  type Windowing,
  checkWindowing,
  dilated,
  inputCotangentPadding,
  windowOutputShape,
} from './windows.ts'
import { borderConv, suitsBorderConv } from './borderConv.ts'
import { borderTiles, suitsBorderTiles } from './borderTiles.ts'
import { patchConv } from './patchConv.ts'
import { phaseConv, suitsPhases } from './phaseConv.ts'
import { slice } from './slice.ts'
import { fewestChannelsOfKernels, suitsWinograd, winogradConv } from './winograd.ts'
import { suitsWinogradKernel, winogradKernel } from './winogradKernel.ts'
import { suitsTiles, winogradTiles } from './winogradTiles.ts'

const { affine, convertTo, floorDivide } = scalars

/** One entry a spatial axis everywhere. */
export interface ConvParams {
  readonly strides: readonly number[]
  /** Zeros in front and behind; negative numbers crop. */
  readonly padding: Padding
  /** Spreads the elements of the input apart: what a transposed convolution does. */
  readonly inputDilation: readonly number[]
  readonly kernelDilation: readonly number[]
  /** Channels and outputs fall into this many independent parts. */
  readonly groups: number
}

type ConvSlots = readonly ['x', 'w']

const windowing = (kernel: Shape, params: ConvParams): Windowing => ({
  window: kernel,
  strides: params.strides,
  padding: params.padding,
  inputDilation: params.inputDilation,
  windowDilation: params.kernelDilation,
})

const typing = (x: Aval, w: Aval, params: ConvParams): Aval => {
  requireProductTypes('conv', ['x', 'w'], x, w)
  const refuse = (problem: string, want: string): ShapeError =>
    new ShapeError({
      operation: 'conv',
      problem,
      got: `x: ${showAval(x)}, w: ${showAval(w)}, groups ${params.groups}`,
      want,
      fix: 'give the input, the kernel and the options shapes that fit each other',
    })
  if (x.shape.length < 2 || x.shape.length !== w.shape.length) {
    throw refuse(
      'the ranks do not fit',
      'x [batch, channels, …spatial] and w [outputs, channels / groups, …kernel]',
    )
  }
  const [channels, outputs] = [x.shape[1]!, w.shape[0]!]
  const { groups } = params
  if (!Number.isInteger(groups) || groups < 1 || channels !== w.shape[1]! * groups) {
    throw refuse('the channels do not fit', `w.shape[1] · groups = x.shape[1] (${channels})`)
  }
  if (outputs % groups !== 0)
    throw refuse('the outputs do not divide into the groups', `w.shape[0] a multiple of ${groups}`)
  const spatial = x.shape.slice(2)
  const windows = windowing(w.shape.slice(2), params)
  checkWindowing('conv', spatial, windows)
  return aval(
    [x.shape[0]!, outputs, ...windowOutputShape(spatial, windows)],
    x.dtype,
    x.weak && w.weak,
  )
}

const evaluate = (x: NDArray, w: NDArray, params: ConvParams, type: Aval): NDArray => {
  const out = makeArray(type)
  const [batch, outputs] = [x.shape[0]!, w.shape[0]!]
  const channels = w.shape[1]!
  const spatial = x.shape.slice(2)
  const kernel = w.shape.slice(2)
  const [plane, taps, positions] = [sizeOf(spatial), sizeOf(kernel), sizeOf(type.shape.slice(2))]
  const perGroup = outputs / params.groups
  const product = innerProduct(x, w)
  const xOffsets = new Int32Array(channels * taps)
  const wOffsets = new Int32Array(channels * taps)
  forEachWindow(
    spatial,
    stridesOf(spatial),
    windowing(kernel, params),
    (position, { count, offsets, elements }) => {
      let terms = 0
      for (let c = 0; c < channels; c++) {
        for (let t = 0; t < count; t++) {
          xOffsets[terms] = c * plane + offsets[t]!
          wOffsets[terms++] = c * taps + elements[t]!
        }
      }
      for (let n = 0; n < batch; n++) {
        for (let o = 0; o < outputs; o++) {
          const first = Math.floor(o / perGroup) * channels
          const xBase = (n * x.shape[1]! + first) * plane
          out.data[(n * outputs + o) * positions + position] = product(
            xBase,
            xOffsets,
            o * channels * taps,
            wOffsets,
            terms,
          )
        }
      }
    },
  )
  return out
}

// [groups · a, b, …] to [groups · b, a, …]: the kernel that runs a convolution backwards.
const swapInGroups = (w: Tensor, groups: number): Tensor => {
  const [a, b, ...kernel] = [w.shape[0]! / groups, w.shape[1]!, ...w.shape.slice(2)]
  const split = reshape(w, [groups, a, b, ...kernel])
  return reshape(moveAxis(split, 2, 1), [groups * b, a, ...kernel])
}

const spatialAxes = (rank: number): readonly number[] => range(rank - 2).map((d) => d + 2)

const transposeX: TransposeTerm<ConvSlots, ConvParams> = (ct, [, w], params, type) => {
  const windows = windowing(w.shape.slice(2), params)
  return conv(ct, swapInGroups(reverse(w, spatialAxes(w.ndim)), params.groups), {
    strides: params.inputDilation,
    padding: inputCotangentPadding(type.shape.slice(2), ct.shape.slice(2), windows),
    inputDilation: params.strides,
    kernelDilation: params.kernelDilation,
    groups: params.groups,
  })
}

// The batch becomes the channels that are summed over, the channels become the batch.
const transposeW: TransposeTerm<ConvSlots, ConvParams> = (ct, [x], params, type) => {
  const { groups } = params
  const [batch, channels, ...spatial] = [x.shape[0]!, type.shape[1]!, ...x.shape.slice(2)]
  const split = reshape(x, [batch, groups, channels, ...spatial])
  const order = [2, 1, 0, ...range(spatial.length).map((d) => d + 3)]
  const lhs = reshape(transpose(split, order), [channels, groups * batch, ...spatial])
  const padding = spatial.map((extent, d): readonly [number, number] => {
    const low = params.padding[d]![0]
    const spread = dilated(ct.shape[d + 2]!, params.strides[d]!)
    const reach = dilated(type.shape[d + 2]!, params.kernelDilation[d]!)
    return [low, spread - dilated(extent, params.inputDilation[d]!) + reach - low - 1]
  })
  const result = conv(lhs, moveAxis(ct, 1, 0), {
    strides: params.kernelDilation,
    padding,
    inputDilation: params.inputDilation,
    kernelDilation: params.strides,
    groups,
  })
  return moveAxis(result, 1, 0)
}

const batchRule: BatchRule<ConvSlots, ConvParams> = ([x, w], [xDim, wDim], params, { size }) => {
  const { groups } = params
  if (wDim === null) {
    const [, batch, ...rest] = moveAxis(x, xDim!, 0).shape
    const y = conv(reshape(moveAxis(x, xDim!, 0), [size * batch!, ...rest]), w, params)
    return { outputs: [reshape(y, [size, batch!, ...y.shape.slice(1)])], dims: [0] }
  }
  const kernels = moveAxis(w, wDim, 0)
  const [outputs, ...rest] = kernels.shape.slice(1)
  if (xDim === null) {
    // Outputs of one group must stay together: [groups, batch, outputs / groups].
    const perGroup = outputs! / groups
    const split = reshape(kernels, [size, groups, perGroup, ...rest])
    const folded = reshape(moveAxis(split, 0, 1), [groups * size * perGroup, ...rest])
    const y = conv(x, folded, params)
    const parts = reshape(y, [y.shape[0]!, groups, size, perGroup, ...y.shape.slice(2)])
    const front = moveAxis(parts, 2, 0)
    return {
      outputs: [reshape(front, [size, y.shape[0]!, outputs!, ...y.shape.slice(2)])],
      dims: [0],
    }
  }
  const inputs = moveAxis(moveAxis(x, xDim, 0), 0, 1)
  const [batch, , channels, ...spatial] = inputs.shape
  const y = conv(
    reshape(inputs, [batch!, size * channels!, ...spatial]),
    reshape(kernels, [size * outputs!, ...rest]),
    { ...params, groups: size * groups },
  )
  return { outputs: [reshape(y, [batch!, size, outputs!, ...y.shape.slice(2)])], dims: [1] }
}

const isPlain = ({ padding, inputDilation }: ConvParams): boolean =>
  padding.flat().every((p) => p === 0) && inputDilation.every((d) => d === 1)

const isUnit = ({ strides, kernelDilation, groups }: ConvParams): boolean =>
  groups === 1 && strides.every((s) => s === 1) && kernelDilation.every((d) => d === 1)

const lower: LowerRule<ConvSlots, ConvParams> = ([x, w], params, { outputs }) => {
  const { dtype, shape } = outputs[0]!
  // Cropping may leave less than nothing of the input, which cannot be written down as an array.
  if (sizeOf(shape) === 0) return { tag: 'expand', expand: () => [fill(shape, 0, dtype)] }
  const patches = patchConv(x.shape, w.shape, shape, params)
  if (patches !== null) {
    return { tag: 'expand', expand: ([input, kernel]) => [patches(input!, kernel!, shape)] }
  }
  const { vectors } = currentMachine()
  if (!vectors && suitsBorderConv(x.shape, w.shape, shape, dtype, params))
    return borderConv(params.padding)
  const [first, second] = params.padding
  if (
    vectors &&
    suitsBorderConv(x.shape, w.shape, shape, dtype, params) &&
    suitsBorderTiles(x.shape, w.shape) &&
    !suitsWinograd(x, w, params)
  ) {
    return borderTiles(x.shape, w.shape, shape, [first![0], second![0]])
  }
  if (suitsPhases(params)) {
    return {
      tag: 'expand',
      expand: ([input, kernel]) => [phaseConv(input!, kernel!, shape, params, conv)],
    }
  }
  if (!isPlain(params)) {
    return { tag: 'expand', expand: ([input, kernel]) => [padFirst(input!, kernel!, params)] }
  }
  const steps = vectors ? skippedBy(w.shape, shape, params) : null
  if (steps !== null) {
    return {
      tag: 'expand',
      expand: ([input, kernel]) => [convOfRead(input!, kernel!, params, steps)],
    }
  }
  if (vectors && isUnit(params) && suitsWinogradKernel(x.shape, w.shape, dtype)) {
    return winogradKernel(x.shape, w.shape)
  }
  if (vectors && suitsWinograd(x, w, params) && suitsTiles(w.shape)) {
    if (isEven(x.shape)) return winogradTiles(x.shape, w.shape)
    return { tag: 'expand', expand: ([input, kernel]) => [evenConv(input!, kernel!, params)] }
  }
  if (suitsWinograd(x, w, params, vectors ? fewestChannelsOfKernels : undefined)) {
    return {
      tag: 'expand',
      expand: ([input, kernel]) => [winogradConv(input!, kernel!, vectors ? 'float32' : 'float64')],
    }
  }
  const channels = w.shape[1]!
  const perGroup = shape[1]! / params.groups
  const extents = w.shape.slice(1)
  return {
    tag: 'reduce',
    reduction: {
      extents,
      accumulators: [{ dtype: accumulatorDType(dtype), initial: 0 }],
      step: ([sum], [n, o, ...at], [c, ...k]) => {
        const channel =
          params.groups === 1
            ? c!
            : affine([
                [channels, floorDivide(o!, perGroup)],
                [1, c!],
              ])
        const position = at.map((i, d) =>
          affine([
            [params.strides[d]!, i],
            [params.kernelDilation[d]!, k[d]!],
          ]),
        )
        return [multiplyAdd(sum!, x.at([n!, channel, ...position]), w.at([o!, c!, ...k]))]
      },
      finish: ([sum]) => [convertTo(dtype, sum!)],
    },
  }
}

/**
 * Every how many elements of each spatial axis are read at all, where that is not every one: a kernel of extent 1 skips
 * by its stride, the only window of an axis by the dilation. Null where nothing is skipped.
 */
const skippedBy = (
  w: Shape,
  out: Shape,
  { strides, kernelDilation }: ConvParams,
): readonly number[] | null => {
  const steps = strides.map((stride, d) => {
    const [kernel, windows] = [w[d + 2]!, out[d + 2]!]
    if (kernel === 1) return windows === 1 ? 1 : stride
    return windows === 1 ? kernelDilation[d]! : 1
  })
  return steps.every((step) => step === 1) ? null : steps
}

// What is read lies side by side then, as vectors load it.
const convOfRead = (x: Tensor, w: Tensor, params: ConvParams, steps: readonly number[]): Tensor => {
  const limits = x.shape.map((n, d) => {
    const [kernel, step] = [w.shape[d]!, steps[d - 2] ?? 1]
    return step === 1 || kernel === 1 ? n : (kernel - 1) * step + 1
  })
  const read = slice(
    x,
    limits.map(() => 0),
    limits,
    [1, 1, ...steps],
  )
  const unless = (all: readonly number[]): readonly number[] =>
    all.map((n, d) => (steps[d] === 1 ? n : 1))
  return conv(read, w, {
    ...params,
    strides: unless(params.strides),
    kernelDilation: unless(params.kernelDilation),
  })
}

const isEven = (shape: Shape): boolean => shape.slice(2).every((extent) => extent % 2 === 0)

// With a row or column more, of which nothing is kept.
const evenConv = (x: Tensor, w: Tensor, params: ConvParams): Tensor => {
  const more = x.shape.slice(2).map((n): readonly [number, number, number] => [0, n % 2, 0])
  const whole = conv(pad(x, fill([], 0, x.dtype), [[0, 0, 0], [0, 0, 0], ...more]), w, params)
  const limits = whole.shape.map((n, d) => (d < 2 ? n : n - more[d - 2]![1]))
  return slice(
    whole,
    limits.map(() => 0),
    limits,
    limits.map(() => 1),
  )
}

const padFirst = (x: Tensor, w: Tensor, params: ConvParams): Tensor => {
  const none = params.strides.map((): readonly [number, number] => [0, 0])
  const config = params.padding.map(([low, high], d): readonly [number, number, number] => [
    low,
    high,
    params.inputDilation[d]! - 1,
  ])
  const padded = pad(x, fill([], 0, x.dtype), [[0, 0, 0], [0, 0, 0], ...config])
  return conv(padded, w, { ...params, padding: none, inputDilation: params.strides.map(() => 1) })
}

/** Cross-correlation; see `conv`. */
export const convP: Primitive<ConvSlots, ConvParams> = definePrimitive({
  name: 'conv',
  slots: ['x', 'w'],
  typing: ([x, w], params) => [typing(x, w, params)],
  evaluate: ([x, w], params, types) => [evaluate(x, w, params, types[0]!)],
  jvp: {
    x: (dx, [, w], _, params) => conv(dx, w, params),
    w: (dw, [x], _, params) => conv(x, dw, params),
  },
  transpose: { x: transposeX, w: transposeW },
  partition: wholeEquation,
  batch: batchRule,
  lower,
  effectful: false,
})

/**
 * Convolves `x: [batch, channels, …spatial]` with `w: [outputs, channels / groups, …kernel]` to
 * `[batch, outputs, …]`, without flipping the kernel. Group `g` of the outputs sees group `g` of the
 * channels only. Floats accumulate in float64 and are rounded once.
 * @throws ShapeError where ranks or channels do not fit, DTypeError where dtypes differ.
 * @example
 * conv(x, w, { strides: [1, 1], padding: [[1, 1], [1, 1]], inputDilation: [1, 1], kernelDilation: [1, 1], groups: 1 })
 */
export const conv = (x: Tensor, w: Tensor, params: ConvParams): Tensor =>
  bind1(convP, [x, w], params)
