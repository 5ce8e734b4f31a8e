/**
 * Convolutions of stride 1 whose windows hang over the border much of the time, as those that run
 * a small convolution backwards do. Padding first would multiply zeros: nearly half of all products
 * for a 10×10 cotangent and a 5×5 kernel. Here rows are skipped by the bounds of a loop, and columns
 * by writing out, for each tile of the output row, only the products whose column exists.
 */
import {
  type Buffer,
  type DType,
  type Index,
  type Lowering,
  type Scalar,
  type Shape,
  type Stmt,
  range,
  scalars,
} from '@cotangent/core'
import { loop } from './loops.ts'
import { accumulatorDType } from './products.ts'

const {
  affine,
  binaryOp,
  compareOp,
  convertTo,
  counter,
  dataIndex,
  flatten,
  fromIndex,
  literal,
  load,
  local,
} = scalars

interface Windows {
  readonly strides: readonly number[]
  readonly padding: readonly (readonly [number, number])[]
  readonly inputDilation: readonly number[]
  readonly kernelDilation: readonly number[]
  readonly groups: number
}

/** An output row longer than this is worth padding: its border is a small part of it. */
const longestRow = 24
/** Zeros per useful product, beyond which skipping them pays. */
const worthSkipping = 1.25
const tileWidth = 5
const tileChannels = 2

const validTaps = (outputs: number, taps: number, extent: number, low: number): number =>
  range(outputs).reduce(
    (n, o) => n + range(taps).filter((k) => o + k - low >= 0 && o + k - low < extent).length,
    0,
  )

/** Whether a convolution of these types is better computed border-aware than padded. */
export const suitsBorderConv = (
  x: Shape,
  w: Shape,
  out: Shape,
  dtype: DType,
  params: Windows,
): boolean => {
  const ones = [...params.strides, ...params.inputDilation, ...params.kernelDilation, params.groups]
  if (out.length !== 4 || dtype !== 'float32' || ones.some((n) => n !== 1)) return false
  if (params.padding.flat().some((p) => p < 0) || out[3]! > longestRow || w[3]! > 7) return false
  const useful = [2, 3].reduce(
    (n, d) => n * validTaps(out[d]!, w[d]!, x[d]!, params.padding[d - 2]![0]),
    1,
  )
  const all = [2, 3].reduce((n, d) => n * out[d]! * w[d]!, 1)
  return useful > 0 && all / useful >= worthSkipping
}

interface Spec {
  readonly x: Buffer
  readonly w: Buffer
  readonly out: Buffer
  readonly padding: readonly (readonly [number, number])[]
}

export const borderConv = (padding: Windows['padding']): Lowering => ({
  tag: 'routine',
  scratch: [],
  inPlace: [null],
  emit: ([x, w], [out]) => rows({ x: x!, w: w!, out: out!, padding }),
})

const rows = (spec: Spec): readonly Stmt[] => {
  const [batch, channels, height] = spec.out.shape
  const n = counter('n', batch!)
  const y = counter('y', height!)
  const blocks = (start: number, count: number, size: number): readonly Stmt[] => {
    if (count === 0) return []
    const block = counter('o', count)
    const first = affine([[size, block]], start)
    const body = tilesOf(spec.out.shape[3]!).flatMap((xs) => tile(spec, n, first, size, y, xs))
    return [loop('o', count, [loop('y', height!, body)])]
  }
  const whole = Math.floor(channels! / tileChannels)
  const body = [
    ...blocks(0, whole, tileChannels),
    ...blocks(whole * tileChannels, channels! - whole * tileChannels, 1),
  ]
  return [loop('n', batch!, body)]
}

const int = (value: Index): Scalar => fromIndex('int32', value)

const tilesOf = (width: number): readonly (readonly number[])[] => {
  const count = Math.ceil(width / tileWidth)
  return range(count).map((t) => range(width).filter((x) => Math.floor((x * count) / width) === t))
}

// One tile of an output row: accumulators for `size` channels and the columns `xs`.
const tile = (
  spec: Spec,
  n: Index,
  first: Index,
  size: number,
  y: Index,
  xs: readonly number[],
): readonly Stmt[] => {
  const { x, w, out, padding } = spec
  const [, channels, height, width] = x.shape
  const [, , kernelHeight, kernelWidth] = w.shape
  const [top, left] = [padding[0]![0], padding[1]![0]]
  const wide = accumulatorDType(out.dtype)
  const id = `x${xs[0]}`
  const sum = (o: number, column: number): string => `sum${o}_${column}`
  const sums = range(size).flatMap((o) => xs.map((column) => ({ o, column })))
  const row = local('int32', `row_${id}`)
  const ky = dataIndex(row, 0, kernelHeight! - 1)
  const c = counter('c', channels!)
  const inRow = affine(
    [
      [1, y],
      [1, ky],
    ],
    -top,
  )

  const products: Stmt[] = []
  const weights = range(size).map((o) =>
    range(kernelWidth!).map((kx) => {
      const at = flatten(w.shape, [affine([[1, first]], o), c, ky, scalars.constant(kx)])
      return convertTo(wide, load(w.name, w.dtype, at))
    }),
  )
  const columns = new Map<number, Scalar>()
  const columnOf = (at: number): Scalar => {
    const known = columns.get(at)
    if (known !== undefined) return known
    const value = convertTo(
      wide,
      load(x.name, x.dtype, flatten(x.shape, [n, c, inRow, scalars.constant(at)])),
    )
    columns.set(at, value)
    return value
  }
  for (const kx of range(kernelWidth!)) {
    for (const { o, column } of sums) {
      const at = column + kx - left
      if (at < 0 || at >= width!) continue
      const name = sum(o, column)
      const product = binaryOp('multiply', columnOf(at), weights[o]![kx]!)
      products.push({ tag: 'assign', name, value: binaryOp('add', local(wide, name), product) })
    }
  }
  const last = binaryOp(
    'minimum',
    literal('int32', kernelHeight! - 1),
    int(affine([[-1, y]], height! - 1 + top)),
  )
  return [
    ...sums.map(
      ({ o, column }): Stmt => ({ tag: 'variable', name: sum(o, column), value: literal(wide, 0) }),
    ),
    {
      tag: 'variable',
      name: `row_${id}`,
      value: binaryOp('maximum', literal('int32', 0), int(affine([[-1, y]], top))),
    },
    {
      tag: 'while',
      condition: compareOp('lessEqual', row, last),
      body: [
        loop('c', channels!, products),
        { tag: 'assign', name: `row_${id}`, value: binaryOp('add', row, literal('int32', 1)) },
      ],
    },
    ...sums.map(
      ({ o, column }): Stmt => ({
        tag: 'store',
        buffer: out.name,
        at: flatten(out.shape, [n, affine([[1, first]], o), y, scalars.constant(column)]),
        value: convertTo(out.dtype, local(wide, sum(o, column))),
      }),
    ),
  ]
}
