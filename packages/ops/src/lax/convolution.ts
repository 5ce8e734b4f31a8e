/** `lax`: convolutions in any layout. */
import {
  type DType,
  ShapeError,
  type Tensor,
  type TensorLike,
  UnsupportedError,
  inversePermutation,
  listOfNumbers,
  range,
  reshape,
  showAval,
  transpose,
} from '@cotangent/core'
import { conv as convolve } from '../prims/conv.ts'
import { reverse } from '../prims/structural.ts'
import { cast, promoteDTypes } from '../promote.ts'
import { type Padding, type PaddingPairs, resolvePadding } from './padding.ts'

/** Layouts of input, kernel and output: `['NHWC', 'HWIO', 'NHWC']`. */
export type ConvDimensionNumbers = readonly [lhs: string, rhs: string, out: string]

export interface ConvOptions {
  /** Spreads the input apart: a transposed (fractionally strided) convolution. */
  readonly lhsDilation?: readonly number[] | null
  /** Spreads the kernel apart: an atrous convolution. */
  readonly rhsDilation?: readonly number[] | null
  /** Channels first by default. */
  readonly dimensionNumbers?: ConvDimensionNumbers | null
  /** Channels and outputs fall into this many independent parts. */
  readonly featureGroupCount?: number
  /** Batches and outputs fall into this many independent parts. */
  readonly batchGroupCount?: number
  readonly preferredElementType?: DType
}

// Axes of a layout in the order [first, second, …spatial]; spatial axes in the kernel's order.
const layoutOrder = (spec: string, letters: string, kernel: string): readonly number[] => {
  const spatial = range(spec.length).filter((d) => !letters.includes(spec[d]!))
  const sorted = [...spatial].sort((p, q) => kernel.indexOf(spec[p]!) - kernel.indexOf(spec[q]!))
  return [spec.indexOf(letters[0]!), spec.indexOf(letters[1]!), ...sorted]
}

interface Layout {
  readonly lhs: readonly number[]
  readonly rhs: readonly number[]
  readonly out: readonly number[]
}

const spatialLetters = 'DHWXYZ'

const layoutOf = (rank: number, given: ConvDimensionNumbers | null | undefined): Layout => {
  const identity = range(rank)
  if (given === null || given === undefined) return { lhs: identity, rhs: identity, out: identity }
  const [lhs, rhs, out] = given
  const letters = (spec: string): string => spec.split('').sort().join('')
  const isLayout =
    [lhs, rhs, out].every((spec) => spec.length === rank && new Set(spec).size === rank) &&
    letters(lhs) === letters(out) &&
    letters(lhs.replace('N', '').replace('C', '')) ===
      letters(rhs.replace('O', '').replace('I', ''))
  if (!isLayout || !/N/.test(lhs) || !/C/.test(lhs) || !/O/.test(rhs) || !/I/.test(rhs)) {
    throw new ShapeError({
      operation: 'lax.convGeneralDilated',
      problem: 'these are no layouts',
      got: given.map((spec) => JSON.stringify(spec)).join(', '),
      want: `${rank} letters each: N and C for input and output, O and I for the kernel, one (of ${spatialLetters}) for each spatial axis`,
      fix: 'write them like ["NCHW", "OIHW", "NCHW"]',
    })
  }
  return {
    lhs: layoutOrder(lhs, 'NC', rhs),
    rhs: layoutOrder(rhs, 'OI', rhs),
    out: layoutOrder(out, 'NC', rhs),
  }
}

/**
 * The convolution (without flipping the kernel) of a batch of inputs with a set of kernels, in any
 * layout, with dilations on either side and grouped channels or batches.
 * @throws ShapeError where channels, groups or windows do not fit.
 * @example
 * lax.convGeneralDilated(x, w, [1, 1], 'SAME', { dimensionNumbers: ['NHWC', 'HWIO', 'NHWC'] })
 */
export const convGeneralDilated = (
  lhs: TensorLike,
  rhs: TensorLike,
  windowStrides: readonly number[],
  padding: Padding,
  options: ConvOptions = {},
): Tensor => {
  const [a, b] = promoteDTypes('lax.convGeneralDilated', [lhs, rhs])
  const strides = listOfNumbers('lax.convGeneralDilated', 'the window strides', windowStrides)
  if (a!.ndim !== b!.ndim || a!.ndim < 2 || strides.length !== a!.ndim - 2) {
    throw new ShapeError({
      operation: 'lax.convGeneralDilated',
      problem: 'the ranks do not fit',
      got: `input ${showAval(a!.aval)}, kernel ${showAval(b!.aval)}, ${strides.length} strides`,
      want: 'equal ranks, and one stride for each axis beyond the first two',
      fix: 'add the missing axes, or give one stride for each spatial axis',
    })
  }
  const dtype = options.preferredElementType ?? a!.dtype
  const layout = layoutOf(a!.ndim, options.dimensionNumbers)
  const x = transpose(cast(a!, dtype), layout.lhs)
  const w = transpose(cast(b!, dtype), layout.rhs)
  const result = canonicalConv(x, w, strides, padding, options)
  return transpose(result, inversePermutation(layout.out))
}

const canonicalConv = (
  x: Tensor,
  w: Tensor,
  strides: readonly number[],
  padding: Padding,
  options: ConvOptions,
): Tensor => {
  const ones = strides.map(() => 1)
  const inputDilation = options.lhsDilation ?? ones
  const kernelDilation = options.rhsDilation ?? ones
  if (typeof padding === 'string' && padding !== 'VALID' && inputDilation.some((d) => d !== 1)) {
    throw new UnsupportedError({
      operation: 'lax.convGeneralDilated',
      problem: `what ${padding} means with a dilated input is not settled`,
      fix: 'use lax.convTranspose, or give the padding in numbers',
    })
  }
  const windows = w.shape.slice(2).map((k, d) => (k - 1) * kernelDilation[d]! + 1)
  const pads = resolvePadding('lax.convGeneralDilated', padding, x.shape.slice(2), windows, strides)
  const batchGroups = options.batchGroupCount ?? 1
  const params = { strides, padding: pads, inputDilation, kernelDilation }
  if (batchGroups === 1)
    return convolve(x, w, { ...params, groups: options.featureGroupCount ?? 1 })
  return convolve(batchesToChannels(x, batchGroups), w, { ...params, groups: batchGroups })
}

// Groups of batches become groups of channels: [g·n, c, …] to [n, g·c, …].
const batchesToChannels = (x: Tensor, groups: number): Tensor => {
  const [n, c] = [x.shape[0]!, x.shape[1]!]
  if (n % groups !== 0) {
    throw new ShapeError({
      operation: 'lax.convGeneralDilated',
      problem: 'the batch does not divide into the groups',
      got: `${n} examples, ${groups} batch groups`,
      fix: 'choose batch groups that divide the batch',
    })
  }
  const spatial = x.shape.slice(2)
  const split = reshape(x, [groups, n / groups, c, ...spatial])
  const order = [1, 0, ...range(split.ndim).slice(2)]
  return reshape(transpose(split, order), [n / groups, groups * c, ...spatial])
}

/** A convolution, channels first, without dilations. */
export const conv = (
  lhs: TensorLike,
  rhs: TensorLike,
  windowStrides: readonly number[],
  padding: Padding,
): Tensor => convGeneralDilated(lhs, rhs, windowStrides, padding)

/** A convolution in one layout, channels first by default. */
export const convWithGeneralPadding = (
  lhs: TensorLike,
  rhs: TensorLike,
  windowStrides: readonly number[],
  padding: Padding,
  lhsDilation: readonly number[] | null = null,
  rhsDilation: readonly number[] | null = null,
): Tensor => convGeneralDilated(lhs, rhs, windowStrides, padding, { lhsDilation, rhsDilation })

export interface ConvTransposeOptions {
  readonly rhsDilation?: readonly number[] | null
  /** Channels last by default: `['NHWC', 'HWIO', 'NHWC']` in two dimensions. */
  readonly dimensionNumbers?: ConvDimensionNumbers | null
  /** Flips the kernel and swaps its channels: the exact transpose of the forward convolution. */
  readonly transposeKernel?: boolean
}

const channelsLast = (rank: number): ConvDimensionNumbers => {
  const spatial = ['', 'H', 'HW', 'HWD'][rank - 2]
  if (spatial !== undefined) return [`N${spatial}C`, `${spatial}IO`, `N${spatial}C`]
  throw new ShapeError({
    operation: 'lax.convTranspose',
    problem: 'there is no default layout of this rank',
    got: `rank ${rank}`,
    fix: 'give dimensionNumbers',
  })
}

/**
 * The transposed convolution: the input spread apart by `strides`. `SAME` gives `stride` times as
 * many outputs as inputs.
 */
export const convTranspose = (
  lhs: TensorLike,
  rhs: TensorLike,
  strides: readonly number[],
  padding: 'SAME' | 'VALID' | PaddingPairs,
  options: ConvTransposeOptions = {},
): Tensor => {
  const [a, b] = promoteDTypes('lax.convTranspose', [lhs, rhs])
  const dimensionNumbers = options.dimensionNumbers ?? channelsLast(a!.ndim)
  const order = layoutOf(a!.ndim, dimensionNumbers).rhs
  const ones = listOfNumbers('lax.convTranspose', 'the strides', strides).map(() => 1)
  const dilation = options.rhsDilation ?? ones
  const windows = order.slice(2).map((d, i) => (b!.shape[d]! - 1) * dilation[i]! + 1)
  const pads =
    typeof padding === 'string'
      ? windows.map((k, d) => transposePadding(k, strides[d]!, padding))
      : padding
  const kernel = options.transposeKernel === true ? flipped(b!, order) : b!
  return convGeneralDilated(a!, kernel, ones, pads, {
    lhsDilation: strides,
    rhsDilation: dilation,
    dimensionNumbers,
  })
}

const transposePadding = (
  window: number,
  stride: number,
  padding: 'SAME' | 'VALID',
): readonly [number, number] => {
  if (padding === 'VALID') {
    const total = window + stride - 2 + Math.max(window - stride, 0)
    return [window - 1, total - window + 1]
  }
  const total = window + stride - 2
  const low = stride > window - 1 ? window - 1 : Math.ceil(total / 2)
  return [low, total - low]
}

const flipped = (kernel: Tensor, order: readonly number[]): Tensor => {
  const turned =
    order.length > 2
      ? reverse(
          kernel,
          order.slice(2).sort((p, q) => p - q),
        )
      : kernel
  const swap = range(kernel.ndim).map((d) =>
    d === order[0] ? order[1]! : d === order[1] ? order[0]! : d,
  )
  return transpose(turned, swap)
}
