/**
 * Minimal filtering for the cotangent of a 3×3 kernel: F(2×2, 3×3) transposed. Tiles of the input and of the
 * output's cotangent are transformed, the sixteen products of matrices sum over tiles, and only their
 * sums are transformed back. Lanes are neighbouring tiles of a row, parts of all tiles are summed apart.
 * @see Lavin & Gray 2016, Fast algorithms for convolutional neural networks
 */
import {
  type Buffer,
  type DType,
  type Index,
  type Lowering,
  type Shape,
  type Stmt,
  type Write,
  range,
  scalars,
} from '@cotangent/core'
import { laneLoop, lanes, loop } from './loops.ts'
import { add, sub, type Line, bothWays, inputLine, Locals } from './winogradLines.ts'

const { across, affine, binaryOp, counter, dataIndex, floorDivide, fromIndex } = scalars
const { literal, load, local, modulo } = scalars

/** Channels and outputs of a register tile. */
const [rows, columns] = [4, 2] as const
/** Vectors of tiles that are transformed before they are multiplied, and elements that may lie between. */
const [fewestVectors, mostVectors] = [8, 32] as const
const mostBetween = 128 * 1024
const mostParts = 8
/** Sums that each part has of its own. */
const mostSums = 128 * 128

interface Plan {
  readonly channels: number
  readonly outputs: number
  readonly batch: number
  /** Rows and columns of the (padded) input and of the cotangent. */
  readonly input: readonly [number, number]
  readonly cotangent: readonly [number, number]
  /** Vectors of tiles in a row of tiles and in an image. */
  readonly inRow: number
  readonly inImage: number
  readonly vectors: number
  /** Vectors in a block, blocks in a part, parts. */
  readonly block: number
  readonly blocks: number
  readonly parts: number
  /** Elements between two rows of transformed tiles: not a power of two, or caches collide. */
  readonly stride: number
}

const largestDivisor = (n: number, most: number): number =>
  range(most + 1).findLast((d) => d > 0 && n % d === 0)!

const planOf = (x: Shape, w: Shape): Plan => {
  const [channels, batch, height, width] = [x[0]!, x[1]!, x[2]!, x[3]!]
  const outputs = w[0]!
  const [inRow, tileRows] = [w[3]! / (2 * lanes), w[2]! / 2]
  const inImage = inRow * tileRows
  const vectors = batch * inImage
  const between = Math.floor(mostBetween / (16 * lanes * (channels + outputs)))
  const most = Math.min(mostVectors, between, Math.floor(vectors / mostParts))
  const block = largestDivisor(vectors, Math.max(1, most))
  const parts = largestDivisor(vectors / block, mostParts)
  return {
    channels,
    outputs,
    batch,
    input: [height, width],
    cotangent: [w[2]!, w[3]!],
    inRow,
    inImage,
    vectors,
    block,
    blocks: vectors / block / parts,
    parts,
    stride: lanes * (block + 1),
  }
}

/**
 * Whether `x: [C, N, H, W]` with `w: [O, N, H − 2, W − 2]`, the cotangent as a window, is worth it and falls into
 * whole vectors of tiles.
 */
export const suitsWinogradKernel = (x: Shape, w: Shape, dtype: DType): boolean => {
  if (x.length !== 4 || dtype !== 'float32') return false
  const [channels, outputs] = [x[0]!, w[0]!]
  if (x[2] !== w[2]! + 2 || x[3] !== w[3]! + 2) return false
  if (w[2]! % 2 !== 0 || w[3]! % (2 * lanes) !== 0) return false
  if (channels < 16 || outputs < 16 || channels % rows !== 0 || outputs % columns !== 0)
    return false
  if (outputs % lanes !== 0 || channels * outputs > mostSums) return false
  const { block, parts } = planOf(x, w)
  return block >= fewestVectors && parts > mostParts / 2
}

const lane: Index = { tag: 'counter', name: 'l', extent: lanes }

// A and Gᵀ of F(2, 3) along one axis.
const cotangentLine: Line = ([a, b]) => [
  a!,
  add(a!, b!),
  sub(a!, b!),
  sub(literal('float32', 0), b!),
]
const kernelLine: Line = ([m0, m1, m2, m3]) => {
  const half = literal('float32', 0.5)
  const middle = binaryOp('multiply', add(m1!, m2!), half)
  return [add(m0!, middle), binaryOp('multiply', sub(m1!, m2!), half), add(middle, m3!)]
}

/** The kernel's cotangent `[C, O, 3, 3]` of `x: [C, N, H, W]` (padding applied) and `w: [O, N, H − 2, W − 2]`. */
export const winogradKernel = (x: Shape, w: Shape): Lowering => {
  const plan = planOf(x, w)
  const { channels, outputs, block, parts, stride } = plan
  return {
    tag: 'tiles',
    slabs: null,
    scratch: [
      { shape: [parts * 16 * channels * stride], dtype: 'float32' },
      { shape: [parts * 16 * outputs * stride], dtype: 'float32' },
      { shape: [parts * 16 * channels * outputs], dtype: 'float32' },
      { shape: [parts * block], dtype: 'int32' },
      { shape: [parts * block], dtype: 'int32' },
    ],
    emit: ([image, cotangent], [d, y, m, xStarts, wStarts], write) => [
      sums(plan, {
        x: image!,
        w: cotangent!,
        d: d!,
        y: y!,
        m: m!,
        xStarts: xStarts!,
        wStarts: wStarts!,
      }),
      transformSums(plan, m!, write),
    ],
  }
}

interface Buffers {
  readonly x: Buffer
  readonly w: Buffer
  readonly d: Buffer
  readonly y: Buffer
  readonly m: Buffer
  /** Where each vector of the block begins in a plane of the input, and of the cotangent. */
  readonly xStarts: Buffer
  readonly wStarts: Buffer
}

const sumAt = ({ channels, outputs, parts }: Plan, t: Index, c: Index, o: Index): Index =>
  affine([
    [16 * channels * outputs, counter('part', parts)],
    [channels * outputs, t],
    [outputs, c],
    [1, o],
  ])

const sums = (plan: Plan, buffers: Buffers): Stmt => {
  const { channels, outputs, parts, blocks, block } = plan
  const { m } = buffers
  const [t, c] = [counter('t', 16), counter('c', channels)]
  const o = affine([
    [lanes, counter('o', outputs / lanes)],
    [1, lane],
  ])
  const at = sumAt(plan, t, c, o)
  const clear: Stmt = { tag: 'store', buffer: m.name, at, value: literal('float32', 0) }
  const body = [
    loop('v', block, keepStarts(plan, buffers)),
    ...transforms(plan, buffers),
    loop('t', 16, [
      loop('c', channels / rows, [loop('o', outputs / columns, product(plan, buffers))]),
    ]),
  ]
  return loop(
    'part',
    parts,
    [
      loop('t', 16, [loop('c', channels, [loop('o', outputs / lanes, [laneLoop('l', [clear])])])]),
      loop('block', blocks, body),
    ],
    true,
  )
}

const panelAt = (plan: Plan, planes: number, t: Index | number, plane: Index, k: Index): Index =>
  affine(
    [
      [16 * planes * plan.stride, counter('part', plan.parts)],
      [planes * plan.stride, typeof t === 'number' ? counter('none', 1) : t],
      [plan.stride, plane],
      [lanes, k],
      [1, lane],
    ],
    typeof t === 'number' ? t * planes * plan.stride : 0,
  )

const inPart = ({ block, parts }: Plan): Index =>
  affine([
    [block, counter('part', parts)],
    [1, counter('v', block)],
  ])

const keepStarts = (plan: Plan, { xStarts, wStarts }: Buffers): readonly Stmt[] => {
  const { blocks, block, parts, inImage, inRow, vectors } = plan
  const number = affine([
    [blocks * block, counter('part', parts)],
    [block, counter('block', blocks)],
    [1, counter('v', block)],
  ])
  const at = dataIndex(local('int32', 'vector'), 0, vectors - 1)
  const inside = modulo(at, inImage)
  const [n, row, q] = [floorDivide(at, inImage), floorDivide(inside, inRow), modulo(inside, inRow)]
  const keep = (to: Buffer, [height, width]: readonly [number, number]): Stmt => {
    const start = affine([
      [height * width, n],
      [2 * width, row],
      [2 * lanes, q],
    ])
    return { tag: 'store', buffer: to.name, at: inPart(plan), value: fromIndex('int32', start) }
  }
  return [
    { tag: 'let', name: 'vector', value: fromIndex('int32', number) },
    keep(xStarts, plan.input),
    keep(wStarts, plan.cotangent),
  ]
}

/**
 * The block's tiles of every channel and of every output, plane by plane: what lies side by side is read one after
 * the other.
 */
const transforms = (plan: Plan, { x, w, d, y, xStarts, wStarts }: Buffers): readonly Stmt[] => {
  const { channels, outputs, batch, block } = plan
  const part = (
    name: string,
    starts: Buffer,
    from: Buffer,
    to: Buffer,
    [height, width]: readonly [number, number],
    planes: number,
    size: number,
    line: Line,
  ): Stmt => {
    const base = dataIndex(local('int32', `${name}base`), 0, batch * height * width - 1)
    const plane = counter(name, planes)
    const locals = new Locals(`${name}_`)
    const values = range(size * size).map((p) => {
      const position = affine(
        [
          [1, base],
          [batch * height * width, plane],
          [2, lane],
        ],
        Math.floor(p / size) * width + (p % size),
      )
      return locals.keep(load(from.name, 'float32', position))
    })
    const stores = bothWays(locals, values, size, line).map((value, t): Stmt => {
      const place = panelAt(plan, planes, t, plane, counter('v', block))
      return { tag: 'store', buffer: to.name, at: place, value }
    })
    return loop(name, planes, [
      loop('v', block, [
        { tag: 'let', name: `${name}base`, value: load(starts.name, 'int32', inPart(plan)) },
        laneLoop('l', [...locals.statements, ...stores]),
      ]),
    ])
  }
  return [
    part('c', xStarts, x, d, plan.input, channels, 4, inputLine),
    part('o', wStarts, w, y, plan.cotangent, outputs, 2, cotangentLine),
  ]
}

/** What a block adds to one of the sixteen sums, for some channels and outputs. */
const product = (plan: Plan, { d, y, m }: Buffers): readonly Stmt[] => {
  const { channels, outputs, block } = plan
  const [t, k] = [counter('t', 16), counter('k', block)]
  const place = (name: string, extent: number, size: number, n: number): Index =>
    affine([[size, counter(name, extent / size)]], n)
  const points = range(rows).flatMap((r) =>
    range(columns).map((q) => ({ r, q, name: `s${r}_${q}` })),
  )
  const step = [
    ...range(columns).map((q): Stmt => {
      const at = panelAt(plan, outputs, t, place('o', outputs, columns, q), k)
      return { tag: 'let', name: `y${q}`, value: load(y.name, 'float32', at) }
    }),
    ...range(rows).flatMap((r): readonly Stmt[] => {
      const at = panelAt(plan, channels, t, place('c', channels, rows, r), k)
      return [
        { tag: 'let', name: `d${r}`, value: load(d.name, 'float32', at) },
        ...range(columns).map((q): Stmt => {
          const name = `s${r}_${q}`
          const term = binaryOp('multiply', local('float32', `d${r}`), local('float32', `y${q}`))
          return { tag: 'assign', name, value: add(local('float32', name), term) }
        }),
      ]
    }),
  ]
  return [
    ...points.map(
      ({ name }): Stmt => ({ tag: 'variable', name, value: literal('float32', 0), lanes }),
    ),
    loop('k', block, [laneLoop('l', step)]),
    ...points.map(({ r, q, name }): Stmt => {
      const at = sumAt(plan, t, place('c', channels, rows, r), place('o', outputs, columns, q))
      const value = add(load(m.name, 'float32', at), across('add', local('float32', name)))
      return { tag: 'store', buffer: m.name, at, value }
    }),
  ]
}

/** The sums of all parts, transformed back. */
const transformSums = (plan: Plan, m: Buffer, write: Write): Stmt => {
  const { channels, outputs, parts } = plan
  const c = counter('c', channels)
  const o = affine([
    [lanes, counter('o', outputs / lanes)],
    [1, lane],
  ])
  const names = range(16).map((t) => `m${t}`)
  const locals = new Locals('g')
  const elements = bothWays(
    locals,
    names.map((name) => local('float32', name)),
    4,
    kernelLine,
  )
  const body = [
    ...names.map((name): Stmt => ({ tag: 'variable', name, value: literal('float32', 0), lanes })),
    ...range(16).map((t): Stmt => {
      const at = sumAt(plan, { tag: 'constant', value: t }, c, o)
      const value = add(local('float32', names[t]!), load(m.name, 'float32', at))
      return loop('part', parts, [{ tag: 'assign', name: names[t]!, value }])
    }),
    ...locals.statements,
    ...elements.flatMap((value, p) =>
      write(
        [c, o, { tag: 'constant', value: Math.floor(p / 3) }, { tag: 'constant', value: p % 3 }],
        value,
      ),
    ),
  ]
  return loop('c', channels, [loop('o', outputs / lanes, [laneLoop('l', body)], true)], true)
}
