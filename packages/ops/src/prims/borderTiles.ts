/**
 * Convolutions whose windows hang over the border much of the time, in vectors: lanes are images of the
 * batch, so that taps outside are outside for all of them and are skipped. Half of all products of a
 * 10×10 cotangent with a 5×5 kernel would be with zeros. What `borderConv` is to single values.
 */
import {
  type Buffer,
  type Index,
  type Lowering,
  type Scalar,
  type Shape,
  type Stmt,
  type Write,
  range,
  scalars,
} from '@cotangent/core'
import { laneLoop, lanes, loop } from './loops.ts'

const { affine, binaryOp, both, compareOp, counter, fromIndex, literal, load, local, plus } =
  scalars

/** Vectors of images that a register tile has side by side, and images in them. */
const vectors = 2
const images = vectors * lanes
/** Products that are summed in single precision one after the other. */
const mostTerms = 512

/** Outputs of a register tile, by how many divide evenly. */
const rowsFor = (outputs: number): number | null =>
  [4, 3, 2].find((rows) => outputs % rows === 0) ?? null

/** Whether batch and channels fill whole tiles. */
export const suitsBorderTiles = (x: Shape, w: Shape): boolean =>
  x[0]! % images === 0 && rowsFor(w[0]!) !== null && w[1]! * w[2]! * w[3]! <= mostTerms

interface Plan {
  readonly rows: number
  readonly blocks: number
  readonly outputs: number
  readonly channels: number
  readonly input: readonly [number, number]
  readonly output: readonly [number, number]
  readonly kernel: readonly [number, number]
  /** Zeros in front. */
  readonly before: readonly [number, number]
}

/** Convolves `x: [N, C, H, W]` with `w: [O, C, …]` to `out`, with so many zeros in front of each axis. */
export const borderTiles = (
  x: Shape,
  w: Shape,
  out: Shape,
  before: readonly [number, number],
): Lowering => {
  const plan: Plan = {
    rows: rowsFor(w[0]!)!,
    blocks: x[0]! / images,
    outputs: w[0]!,
    channels: w[1]!,
    input: [x[2]!, x[3]!],
    output: [out[2]!, out[3]!],
    kernel: [w[2]!, w[3]!],
    before,
  }
  const size = (shape: Shape): number => shape.reduce((a, b) => a * b, 1)
  return {
    tag: 'tiles',
    slabs: null,
    scratch: [
      { shape: [size(w)], dtype: 'float32' },
      { shape: [size(x)], dtype: 'float32' },
    ],
    emit: ([image, kernel], [u, v], write) => [
      packKernel(plan, kernel!, u!),
      packImages(plan, image!, v!),
      tiles(plan, u!, v!, write),
    ],
  }
}

const laneAt = (v: number): Index => ({ tag: 'counter', name: `l${v}`, extent: lanes })

/** `inner` counts taps of a row and channels: they lie side by side. */
const weightAt = (plan: Plan, inner: Index, r: number): Index => {
  const { rows, outputs, channels, kernel } = plan
  const [height, width] = kernel
  return affine(
    [
      [height * width * channels * rows, counter('o', outputs / rows)],
      [width * channels * rows, counter('ky', height)],
      [rows, inner],
    ],
    r,
  )
}

const tapOf = ({ channels, kernel }: Plan): Index =>
  affine([
    [channels, counter('kx', kernel[1])],
    [1, counter('c', channels)],
  ])

/** To `[block of outputs, ky, kx, channel, output in block]`. */
const packKernel = (plan: Plan, w: Buffer, u: Buffer): Stmt => {
  const { rows, outputs, channels, kernel } = plan
  const [height, width] = kernel
  const stores = range(rows).map((r): Stmt => {
    const from = affine(
      [
        [rows * channels * height * width, counter('o', outputs / rows)],
        [height * width, counter('c', channels)],
        [width, counter('ky', height)],
        [1, counter('kx', width)],
      ],
      r * channels * height * width,
    )
    const value = load(w.name, 'float32', from)
    return { tag: 'store', buffer: u.name, at: weightAt(plan, tapOf(plan), r), value }
  })
  const inner = loop('kx', width, [loop('c', channels, stores)])
  return loop('o', outputs / rows, [loop('ky', height, [inner])], true)
}

/** `inner` counts channels from column `x` on, and so on into the next columns. */
const imageAt = (plan: Plan, y: Index, x: Index, inner: Index, v: number): Index => {
  const { channels, input } = plan
  const [height, width] = input
  return affine(
    [
      [height * width * channels * images, counter('n', plan.blocks)],
      [width * channels * images, y],
      [channels * images, x],
      [images, inner],
      [1, laneAt(v)],
    ],
    v * lanes,
  )
}

/** To `[block of images, y, x, channel, image in block]`. */
const packImages = (plan: Plan, x: Buffer, v: Buffer): Stmt => {
  const { blocks, channels, input } = plan
  const [height, width] = input
  const plane = height * width
  const [row, column, c] = [counter('y', height), counter('x', width), counter('c', channels)]
  const stores = range(vectors).map((part): Stmt => {
    const from = affine(
      [
        [images * channels * plane, counter('n', blocks)],
        [channels * plane, laneAt(part)],
        [plane, c],
        [width, row],
        [1, column],
      ],
      part * lanes * channels * plane,
    )
    const value = load(x.name, 'float32', from)
    return laneLoop(`l${part}`, [
      { tag: 'store', buffer: v.name, at: imageAt(plan, row, column, c, part), value },
    ])
  })
  const inner = loop('c', channels, [loop('x', width, stores)])
  return loop('n', blocks, [loop('y', height, [inner], true)], true)
}

const when = (
  condition: Scalar,
  body: readonly Stmt[],
  otherwise: readonly Stmt[] = [],
  // oxlint-disable-next-line unicorn/no-thenable -- the field's name in the loop IR
): Stmt => ({ tag: 'if', condition, then: body, otherwise })

const tiles = (plan: Plan, u: Buffer, v: Buffer, write: Write): Stmt => {
  const { rows, blocks, outputs, channels, kernel, input, output, before } = plan
  const [n, o] = [counter('n', blocks), counter('o', outputs / rows)]
  const at = range(2).map((d): Index => counter(d === 0 ? 'y' : 'x', output[d]!))
  const from = range(2).map((d): Index => plus(at[d]!, -before[d]!))
  const row = plus(from[0]!, counter('ky', kernel[0]))
  // Comparisons of numbers: loops are not taken apart where they change.
  const isInside = (place: Index, d: number, taps = 1): Scalar => {
    const value = fromIndex('int32', place)
    return both(
      compareOp('greaterEqual', value, literal('int32', 0)),
      compareOp('less', value, literal('int32', input[d]! - taps + 1)),
    )
  }
  const points = range(rows).flatMap((r) =>
    range(vectors).map((part) => ({ r, part, name: `sum${r}_${part}` })),
  )
  const step = (inner: Index, suffix: string): readonly Stmt[] => [
    ...range(vectors).map((part): Stmt => {
      const value = load(v.name, 'float32', imageAt(plan, row, from[1]!, inner, part))
      return { tag: 'let', name: `b${part}${suffix}`, value }
    }),
    ...range(rows).flatMap((r): readonly Stmt[] => {
      const a = `a${r}${suffix}`
      return [
        { tag: 'let', name: a, value: load(u.name, 'float32', weightAt(plan, inner, r)) },
        ...range(vectors).map((part): Stmt => {
          const name = `sum${r}_${part}`
          const b = local('float32', `b${part}${suffix}`)
          const term = binaryOp('multiply', local('float32', a), b)
          return { tag: 'assign', name, value: binaryOp('add', local('float32', name), term) }
        }),
      ]
    }),
  ]
  const [width, tap] = [kernel[1], counter('kx', kernel[1])]
  const some = loop('kx', width, [
    when(isInside(plus(from[1]!, tap), 1), [loop('c', channels, step(tapOf(plan), ''))]),
  ])
  // Columns and channels are one loop where no column is outside.
  const all = loop('kc', width * channels, step(counter('kc', width * channels), 'w'))
  const terms = when(isInside(row, 0), [when(isInside(from[1]!, 1, width), [all], [some])])
  const body = [
    ...points.map(
      ({ name }): Stmt => ({ tag: 'variable', name, value: literal('float32', 0), lanes }),
    ),
    loop('ky', kernel[0], [terms]),
    ...points.flatMap(({ r, part, name }) => {
      const image = affine(
        [
          [images, n],
          [1, laneAt(part)],
        ],
        part * lanes,
      )
      return write([image, affine([[rows, o]], r), at[0]!, at[1]!], local('float32', name))
    }),
  ]
  const tile = range(vectors).reduceRight<readonly Stmt[]>(
    (inner, part) => [laneLoop(`l${part}`, inner)],
    body,
  )
  const across = loop('y', output[0], [loop('x', output[1], tile)], true)
  return loop('n', blocks, [loop('o', outputs / rows, [across], true)], true)
}
