/**
 * Minimal filtering F(2×2, 3×3) as loops with lanes. A block of input tiles is transformed, multiplied and
 * transformed back before the next, so that what lies between stays in a cache; lanes are
 * neighbouring tiles of a row.
 */
import {
  type Buffer,
  type Index,
  type Lowering,
  type Scalar,
  type ScratchType,
  type Shape,
  type Slabs,
  type Stmt,
  type Write,
  range,
  scalars,
} from '@cotangent/core'
import { laneLoop, lanes, loop } from './loops.ts'
import { type InSlabs, type Plan, inSlabs, planOf, tileRowsFor } from './winogradPlan.ts'
import { add, sub, Locals, bothWays, inputLine, outputLine, type Line } from './winogradLines.ts'

const { affine, binaryOp, counter, dataIndex, floorDivide, fromIndex } = scalars
const { literal, load, local, modulo, within } = scalars

/** Output channels that a register tile computes. */
const rows = 4

/** Whether the kernel fills whole register tiles; inputs must have even extents. */
export const suitsTiles = (w: Shape): boolean => w[0]! % rows === 0

const laneAt = (name: string): Index => ({ tag: 'counter', name, extent: lanes })
/** `x: [N, C, H, W]` with `w: [O, C, 3, 3]`, padding applied; of even extents. */
export const winogradTiles = (x: Shape, w: Shape): Lowering => {
  const plan = planOf(x, w)
  return {
    tag: 'tiles',
    scratch: scratchOf(plan),
    emit: ([image, kernel], [u, v, m, starts], write) => [
      transformKernel(plan, kernel!, u!),
      blocksOf(plan, { x: image!, u: u!, v: v!, m: m!, starts: starts! }, write),
    ],
    slabs: (wanted): Slabs | null => {
      const tileRows = tileRowsFor(plan, wanted)
      if (tileRows === null) return null
      const slabbed = inSlabs(plan, tileRows)
      return {
        rows: 2 * tileRows,
        scratch: scratchOf(slabbed),
        emit: ([image, kernel], [u, v, m, starts], write, finished) => [
          transformKernel(slabbed, kernel!, u!),
          slabsOf(slabbed, { x: image!, u: u!, v: v!, m: m!, starts: starts! }, write, finished),
        ],
      }
    },
  }
}

const scratchOf = (plan: Plan): readonly ScratchType[] => [
  { shape: [16 * plan.outputs * plan.channels], dtype: 'float32' },
  { shape: [(plan.groups * plan.block * panelSize(plan)) / 2], dtype: 'float32' },
  { shape: [plan.groups * 16 * rows * 2 * lanes], dtype: 'float32' },
  { shape: [plan.groups * plan.block], dtype: 'int32' },
]

/**
 * Elements between two of the sixteen matrices of a pair of vectors: a line of the cache more than they are long, as
 * sixteen streams at distances of powers of two would fall into few sets of the cache.
 */
const panelStride = ({ channels }: Plan): number => channels * 2 * lanes + 4 * lanes
const panelSize = (plan: Plan): number => 16 * panelStride(plan)

const half = literal('float32', 0.5)

/** To `[block of outputs, 16, channels, output in block]`. */
const transformKernel = ({ channels, outputs }: Plan, w: Buffer, u: Buffer): Stmt => {
  const [block, c, lane] = [counter('o', outputs / rows), counter('c', channels), laneAt('l')]
  const locals = new Locals('g')
  const first = affine([
    [rows * channels * 9, block],
    [9, c],
    [channels * 9, lane],
  ])
  const taps = range(9).map((t) => locals.keep(load(w.name, 'float32', scalars.plus(first, t))))
  const kernelLine: Line = ([g0, g1, g2]) => {
    const outer = locals.keep(add(g0!, g2!))
    return [
      g0!,
      binaryOp('multiply', add(outer, g1!), half),
      binaryOp('multiply', sub(outer, g1!), half),
      g2!,
    ]
  }
  const transformed = bothWays(locals, taps, 3, kernelLine)
  const stores = transformed.map((value, p): Stmt => {
    const at = affine(
      [
        [16 * channels * rows, block],
        [rows, c],
        [1, lane],
      ],
      p * channels * rows,
    )
    return { tag: 'store', buffer: u.name, at, value }
  })
  const body = laneLoop('l', [...locals.statements, ...stores])
  return loop('o', outputs / rows, [loop('c', channels, [body])], true)
}

interface Buffers {
  readonly x: Buffer
  readonly u: Buffer
  readonly v: Buffer
  readonly m: Buffer
  /** Where each vector of the block begins in the input. */
  readonly starts: Buffer
}

const blocksOf = (plan: Plan, buffers: Buffers, write: Write): Stmt =>
  loop('group', plan.groups, [loop('block', plan.blocks, blockOf(plan, buffers, write))], true)

/** Slab after slab; the last ones of the last group are others again, if there are too few. */
const slabsOf = (
  plan: Plan,
  buffers: Buffers,
  write: Write,
  finished: (slab: Index) => readonly Stmt[],
): Stmt => {
  const { groups, blocks } = plan
  const { inGroup, count } = plan.slabs!
  const number = affine([
    [inGroup, counter('group', groups)],
    [1, counter('turn', inGroup)],
  ])
  const value = binaryOp('minimum', fromIndex('int32', number), literal('int32', count - 1))
  const body: readonly Stmt[] = [
    { tag: 'let', name: 'slab', value },
    loop('block', blocks, blockOf(plan, buffers, write)),
    ...finished(slabAt(plan.slabs!)),
  ]
  return loop('group', groups, [loop('turn', inGroup, body)], true)
}

const slabAt = ({ count }: InSlabs): Index => dataIndex(local('int32', 'slab'), 0, count - 1)

const blockOf = (plan: Plan, buffers: Buffers, write: Write): readonly Stmt[] => {
  const { block, outputs } = plan
  const pairs = block / 2
  return [
    loop(
      'pair',
      pairs,
      [0, 1].flatMap((h) => keepStart(plan, buffers, h)),
    ),
    // Vectors inside of channels: what lies side by side is read one after the other.
    loop('c', plan.channels, [loop('pair', pairs, [loop('h', 2, transformInput(plan, buffers))])]),
    loop('o', outputs / rows, [
      loop('pair', pairs, [
        loop('t', 16, [product(plan, buffers)]),
        ...[0, 1].flatMap((h) => transformOutput(plan, buffers, h, write)),
      ]),
    ]),
  ]
}

/** A vector of tiles: its image, row and place in the row. Those past the last repeat it. */
const vectorAt = (
  plan: Plan,
  h: number,
  prefix: string,
): {
  readonly statements: readonly Stmt[]
  readonly n: Index
  readonly y: Index
  readonly q: Index
} => {
  const { block, blocks, groups: count, vectors, inImage, inRow, slabs } = plan
  const inBlock = [
    [block, counter('block', blocks)],
    [2, counter('pair', block / 2)],
  ] as const
  const name = `${prefix}vector${h}`
  const clamped = (index: Index, most: number): Scalar =>
    binaryOp('minimum', fromIndex('int32', index), literal('int32', most))
  const statements: Stmt[] = []
  const bind = (bound: string, value: Scalar, most: number): Index => {
    statements.push({ tag: 'let', name: bound, value })
    return dataIndex(local('int32', bound), 0, most)
  }
  const at = ((): Index => {
    if (slabs === null) {
      const number = affine([[blocks * block, counter('group', count)], ...inBlock], h)
      return bind(name, clamped(number, vectors - 1), vectors - 1)
    }
    const most = slabs.vectors - 1
    const inside = bind(`${name}inside`, clamped(affine(inBlock, h), most), most)
    const number = affine([
      [slabs.vectors, slabAt(slabs)],
      [1, inside],
    ])
    return bind(name, fromIndex('int32', number), vectors - 1)
  })()
  const inside = modulo(at, inImage)
  return {
    statements,
    n: floorDivide(at, inImage),
    y: floorDivide(inside, inRow),
    q: modulo(inside, inRow),
  }
}

const panelAt = (plan: Plan, inside: Index): Index =>
  affine([
    [(plan.block / 2) * panelSize(plan), counter('group', plan.groups)],
    [panelSize(plan), counter('pair', plan.block / 2)],
    [1, inside],
  ])

const startAt = ({ block, groups }: Plan, h: Index): Index =>
  affine([
    [block, counter('group', groups)],
    [2, counter('pair', block / 2)],
    [1, h],
  ])

const keepStart = (plan: Plan, { starts }: Buffers, h: number): readonly Stmt[] => {
  const { channels } = plan
  const [height, width] = plan.input
  const { statements, n, y, q } = vectorAt(plan, h, 'x')
  const base = affine([
    [channels * height * width, n],
    [2 * width, y],
    [2 * lanes, q],
  ])
  const at = startAt(plan, { tag: 'constant', value: h })
  return [...statements, { tag: 'store', buffer: starts.name, at, value: fromIndex('int32', base) }]
}

const transformInput = (plan: Plan, { x, v, starts }: Buffers): readonly Stmt[] => {
  const { channels } = plan
  const [height, width] = plan.input
  const [c, h, lane] = [counter('c', channels), counter('h', 2), laneAt('l')]
  const value = load(starts.name, 'int32', startAt(plan, h))
  const start: Stmt = { tag: 'let', name: 'xstart', value }
  const from = dataIndex(local('int32', 'xstart'), 0, x.shape.reduce((a, b) => a * b, 1) - 1)
  const locals = new Locals('d')
  const values = range(16).map((p) => {
    const at = affine(
      [
        [1, from],
        [height * width, c],
        [2, lane],
      ],
      Math.floor(p / 4) * width + (p % 4),
    )
    return locals.keep(load(x.name, 'float32', at))
  })
  const transformed = bothWays(locals, values, 4, inputLine)
  const stores = transformed.map((value, p): Stmt => {
    const inside = affine(
      [
        [2 * lanes, c],
        [lanes, h],
        [1, lane],
      ],
      p * panelStride(plan),
    )
    return { tag: 'store', buffer: v.name, at: panelAt(plan, inside), value }
  })
  return [start, laneLoop('l', [...locals.statements, ...stores])]
}

const productAt = ({ groups: count }: Plan, inside: Index): Index =>
  affine([
    [16 * rows * 2 * lanes, counter('group', count)],
    [1, inside],
  ])

/** One of the sixteen products of matrices, for four outputs and two vectors of tiles. */
const product = (plan: Plan, { u, v, m }: Buffers): Stmt => {
  const { channels, outputs } = plan
  const [o, t, c] = [counter('o', outputs / rows), counter('t', 16), counter('c', channels)]
  const points = range(rows).flatMap((r) => [0, 1].map((h) => ({ r, h, name: `sum${r}_${h}` })))
  const vectors = [0, 1].map((h): Stmt => {
    const inside = affine(
      [
        [panelStride(plan), t],
        [2 * lanes, c],
        [1, laneAt(`l${h}`)],
      ],
      h * lanes,
    )
    return { tag: 'let', name: `b${h}`, value: load(v.name, 'float32', panelAt(plan, inside)) }
  })
  const steps = range(rows).flatMap((r): readonly Stmt[] => {
    const at = affine(
      [
        [16 * channels * rows, o],
        [channels * rows, t],
        [rows, c],
      ],
      r,
    )
    const a: Stmt = { tag: 'let', name: `a${r}`, value: load(u.name, 'float32', at) }
    const sums = [0, 1].map((h): Stmt => {
      const [name, dtype] = [`sum${r}_${h}`, 'float32'] as const
      const term = binaryOp('multiply', local(dtype, `a${r}`), local(dtype, `b${h}`))
      return { tag: 'assign', name, value: add(local(dtype, name), term) }
    })
    return [a, ...sums]
  })
  const body = [
    ...points.map(
      ({ name }): Stmt => ({ tag: 'variable', name, value: literal('float32', 0), lanes }),
    ),
    loop('c', channels, [...vectors, ...steps]),
    ...points.map(({ r, h, name }): Stmt => {
      const inside = affine(
        [
          [rows * 2 * lanes, t],
          [1, laneAt(`l${h}`)],
        ],
        (2 * r + h) * lanes,
      )
      return {
        tag: 'store',
        buffer: m.name,
        at: productAt(plan, inside),
        value: local('float32', name),
      }
    }),
  ]
  return laneLoop('l0', [laneLoop('l1', body)])
}

const transformOutput = (plan: Plan, { m }: Buffers, h: number, write: Write): readonly Stmt[] => {
  const { outputs, inRow, last } = plan
  const { statements, ...at } = vectorAt(plan, h, 'y')
  const [o, r] = [counter('o', outputs / rows), counter('r', rows)]
  const output = affine([
    [rows, o],
    [1, r],
  ])
  const starts: Stmt[] = []
  const start = (name: string, value: Index, most: number): Index => {
    starts.push({ tag: 'let', name: `${name}${h}`, value: fromIndex('int32', value) })
    return dataIndex(local('int32', `${name}${h}`), 0, most)
  }
  const n = start('yimage', at.n, plan.images - 1)
  const y = start('yrow', at.y, plan.output[0] / 2 - 1)
  const q = start('yplace', at.q, inRow - 1)
  const tiles = (extent: number, suffix: string): readonly Stmt[] => {
    const lane: Index = { tag: 'counter', name: 'l', extent }
    const locals = new Locals(`m${h}${suffix}_`)
    const values = range(16).map((p) => {
      const inside = affine(
        [
          [2 * lanes, r],
          [1, lane],
        ],
        p * rows * 2 * lanes + h * lanes,
      )
      return locals.keep(load(m.name, 'float32', productAt(plan, inside)))
    })
    const transformed = bothWays(locals, values, 4, outputLine)
    const written = transformed.flatMap((value, p) => {
      const row = affine([[2, y]], Math.floor(p / 2))
      const column = affine(
        [
          [2 * lanes, q],
          [2, lane],
        ],
        p % 2,
      )
      return write([n, output, row, column], value)
    })
    return [loop('r', rows, [laneLoop('l', [...locals.statements, ...written], extent)])]
  }
  if (last === lanes) return [...statements, ...starts, ...tiles(lanes, '')]
  const choice: Stmt = {
    tag: 'if',
    condition: within(q, inRow - 1, inRow),
    // oxlint-disable-next-line unicorn/no-thenable -- the field's name in the loop IR
    then: tiles(last, 'e'),
    otherwise: tiles(lanes, ''),
  }
  return [...statements, ...starts, choice]
}
