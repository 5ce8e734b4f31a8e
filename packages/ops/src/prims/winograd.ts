/**
 * Convolution by minimal filtering, F(2×2, 3×3): 16 multiplications where the definition takes 36.
 * Lavin and Gray 2016, Fast Algorithms for Convolutional Neural Networks. The transforms and
 * products are in `dtype`: in float64 the rounded result is the direct one up to rare last bits, in
 * float32 the error is a few times that of the direct sum.
 */
import { type DType, type Shape, type Tensor, add, fill, reshape, transpose } from '@cotangent/core'
import { mul, sub } from './arithmetic.ts'
import { concatenate } from './concatenate.ts'
import { dotGeneral } from './contract.ts'
import { convert } from './convert.ts'
import { pad, slice } from './slice.ts'

/** Below this many channels the transforms cost more than the multiplications they save. */
const fewestChannels = 16
/** The same where transforms are kernels of their own and multiplications come in vectors. */
export const fewestChannelsOfKernels = 64
const fewestTiles = 64

interface Typed {
  readonly shape: Shape
  readonly dtype: DType
}

interface Plain {
  readonly strides: readonly number[]
  readonly inputDilation: readonly number[]
  readonly kernelDilation: readonly number[]
  readonly groups: number
}

/** Whether a convolution of these shapes, padding applied, is faster this way. */
export const suitsWinograd = (
  x: Typed,
  w: Typed,
  params: Plain,
  fewest: number = fewestChannels,
): boolean => {
  const ones = [...params.strides, ...params.inputDilation, ...params.kernelDilation, params.groups]
  const [batch, channels, height, width] = x.shape
  return (
    x.dtype === 'float32' &&
    w.shape.length === 4 &&
    w.shape[2] === 3 &&
    w.shape[3] === 3 &&
    ones.every((n) => n === 1) &&
    channels! >= fewest &&
    w.shape[0]! >= fewest &&
    batch! * Math.floor((height! - 2) / 2) * Math.floor((width! - 2) / 2) >= fewestTiles
  )
}

type Four = readonly [Tensor, Tensor, Tensor, Tensor]

const four = (f: (i: number) => Tensor): Four => [f(0), f(1), f(2), f(3)]

// Bᵀ, G and Aᵀ of F(2, 3) along one axis.
const inputTransform = ([d0, d1, d2, d3]: Four): Four => [
  sub(d0, d2),
  add(d1, d2),
  sub(d2, d1),
  sub(d1, d3),
]
const outputTransform = ([m0, m1, m2, m3]: Four): readonly [Tensor, Tensor] => [
  add(add(m0, m1), m2),
  sub(sub(m1, m2), m3),
]
const kernelTransform = (g0: Tensor, g1: Tensor, g2: Tensor): Four => {
  const half = fill(g0.shape, 0.5, g0.dtype)
  const outer = add(g0, g2)
  return [g0, mul(add(outer, g1), half), mul(sub(outer, g1), half), g2]
}

/** Rows, then columns, of a 4×4 arrangement of tensors. */
const bothWays = (rows: readonly Four[], along: (line: Four) => Four): readonly Four[] => {
  const columns = four0.map((j) => along([rows[0]![j], rows[1]![j], rows[2]![j], rows[3]![j]]))
  return four0.map((i) => along([columns[0]![i], columns[1]![i], columns[2]![i], columns[3]![i]]))
}
const four0 = [0, 1, 2, 3] as const

/** `x: [N, C, H, W]` (padded), `w: [O, C, 3, 3]` to `[N, O, H - 2, W - 2]`. */
export const winogradConv = (x: Tensor, w: Tensor, dtype: DType): Tensor => {
  const [batch, channels, height, width] = [
    x.shape[0]!,
    x.shape[1]!,
    x.shape[2]! - 2,
    x.shape[3]! - 2,
  ]
  const outputs = w.shape[0]!
  const even = pad(x, fill([], 0, x.dtype), [
    [0, 0, 0],
    [0, 0, 0],
    [0, height % 2, 0],
    [0, width % 2, 0],
  ])
  const [tilesY, tilesX] = [Math.ceil(height / 2), Math.ceil(width / 2)]
  const tiles = batch * tilesY * tilesX

  const channelFirst = transpose(even, [1, 0, 2, 3])
  const corner = (i: number, j: number): Tensor => {
    const limit = [channels, batch, i + 2 * tilesY - 1, j + 2 * tilesX - 1]
    return convert(slice(channelFirst, [0, 0, i, j], limit, [1, 1, 2, 2]), dtype)
  }
  const input = bothWays(
    four0.map((i) => four((j) => corner(i, j))),
    inputTransform,
  )

  const tap = (i: number, j: number): Tensor =>
    convert(
      reshape(slice(w, [0, 0, i, j], [outputs, channels, i + 1, j + 1]), [outputs, channels]),
      dtype,
    )
  const kernelRows = [0, 1, 2].map((j) => kernelTransform(tap(0, j), tap(1, j), tap(2, j)))
  const kernel = four0.map((i) =>
    kernelTransform(kernelRows[0]![i], kernelRows[1]![i], kernelRows[2]![i]),
  )

  const products = four0.map((i) =>
    four((j) => {
      const tile = reshape(input[i]![at(j)], [channels, tiles])
      const product = dotGeneral(kernel[i]![at(j)], tile, { contract: [[1], [0]], batch: [[], []] })
      return reshape(product, [outputs, batch, tilesY, tilesX])
    }),
  )
  const rows = four0.map((j) =>
    outputTransform([products[0]![j], products[1]![j], products[2]![j], products[3]![j]]),
  )
  const parts = ([0, 1] as const).map((r) => {
    const columns = outputTransform([rows[0]![r], rows[1]![r], rows[2]![r], rows[3]![r]])
    const line = columns.map((y) =>
      reshape(convert(y, 'float32'), [outputs, batch, tilesY, 1, tilesX, 1]),
    )
    return concatenate(line, 5)
  })
  const whole = reshape(concatenate(parts, 3), [outputs, batch, 2 * tilesY, 2 * tilesX])
  return slice(transpose(whole, [1, 0, 2, 3]), [0, 0, 0, 0], [batch, outputs, height, width])
}

const at = (j: number): 0 | 1 | 2 | 3 => (j === 0 ? 0 : j === 1 ? 1 : j === 2 ? 2 : 3)
