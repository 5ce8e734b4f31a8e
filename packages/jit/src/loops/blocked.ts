/**
 * Blocks for nests that read across what they write: transposes, changes of layout. Going along
 * the writes alone, every read is a line of the cache of its own, which is gone when its neighbour is
 * wanted. In blocks, the lines that a block reads and writes stay until they are used up.
 */
import { type Index, type Stmt, scalars } from '@cotangent/core'
import { accessOf } from './access.ts'
import { replaceEach, substitution, withBodies } from './rewrite.ts'
import { hasLoop } from './unroll.ts'
import { freshNames, walk } from './visit.ts'

const { affine, counter } = scalars

type Loop = Extract<Stmt, { readonly tag: 'for' }>

/** Rounds along the reads: a line of them. Rounds along the writes: lines that one set holds. */
const lineLength = 16
const blockWidth = 8
/** Rounds of an area, whose pages the processor finds without looking them up. */
const areaLength = 256
/** Elements between reads that are no longer in one another's lines. */
const farApart = 16

/** Makes blocks of nests of parallel loops with reads across the innermost. */
export const blockTransposed = (body: readonly Stmt[]): readonly Stmt[] =>
  block(body, freshNames(body))

type Fresh = (prefix: string) => string

const block = (body: readonly Stmt[], fresh: Fresh): readonly Stmt[] =>
  replaceEach(body, (s) => {
    const made = s.tag === 'for' ? blockNest(s, fresh) : null
    return made ?? withBodies(s, (inner) => block(inner, fresh))
  })

const nestOf = (loop: Loop): readonly Loop[] => {
  const only = loop.body.length === 1 ? loop.body[0] : undefined
  return only?.tag === 'for' ? [loop, ...nestOf(only)] : [loop]
}

const isPlain = (loop: Loop): boolean =>
  loop.parallel === true &&
  (loop.step ?? 1) === 1 &&
  loop.reverse !== true &&
  loop.lanes === undefined

const blockNest = (loop: Loop, fresh: Fresh): readonly Stmt[] | null => {
  const nest = nestOf(loop)
  const inner = nest.at(-1)!
  if (nest.length < 2 || !nest.every(isPlain) || hasLoop(inner.body)) return null
  const across = acrossOf(nest, inner)
  if (across === null) return null
  const around = nest.filter((l) => l !== inner && l !== across)
  const [longs, wides] = [piecesOf(across, lineLength), piecesOf(inner, blockWidth)]
  const parts = longs.flatMap((a) =>
    wides.map((b): Stmt => {
      const [rows, columns] = [loopsOf(across, a, fresh), loopsOf(inner, b, fresh)]
      const counters = new Map([
        [across.counter, rows.position],
        [inner.counter, columns.position],
      ])
      const body = substitution({ counters }).body(inner.body)
      return rows.loops
        .flatMap((l, n) => [l, columns.loops[n]!])
        .reduceRight<Loop | null>(
          (made, l) => ({ ...l, body: made === null ? body : [made] }),
          null,
        )!
    }),
  )
  return around.reduceRight<readonly Stmt[]>((made, l) => [{ ...l, body: made }], parts)
}

/** A part of a loop: so many areas of so many blocks of so many rounds. */
interface Piece {
  readonly from: number
  readonly areas: number
  readonly blocks: number
  readonly rounds: number
}

const piecesOf = ({ extent }: Loop, rounds: number): readonly Piece[] => {
  const blocks = Math.floor(extent / rounds)
  const perArea = areaLength / rounds
  const areas = Math.floor(blocks / perArea)
  const inAreas = areas * perArea * rounds
  const all = [
    { from: 0, areas, blocks: perArea, rounds },
    { from: inAreas, areas: 1, blocks: blocks - areas * perArea, rounds },
    { from: blocks * rounds, areas: 1, blocks: 1, rounds: extent - blocks * rounds },
  ]
  return all.filter((p) => p.areas * p.blocks * p.rounds > 0)
}

const loopsOf = (
  loop: Loop,
  { from, areas, blocks, rounds }: Piece,
  fresh: Fresh,
): { readonly loops: readonly Loop[]; readonly position: Index } => {
  const names = [loop.counter, fresh(`${loop.counter}_`), fresh(`${loop.counter}_`)] as const
  const extents = [areas, blocks, rounds] as const
  const strides = [blocks * rounds, rounds, 1] as const
  return {
    loops: names.map((name, n) => ({ ...loop, counter: name, extent: extents[n]! })),
    position: affine(
      names.map((name, n) => [strides[n]!, counter(name, extents[n]!)]),
      from,
    ),
  }
}

// The loop along which reads are neighbours that are far apart along the innermost one.
const acrossOf = (nest: readonly Loop[], inner: Loop): Loop | null => {
  if (inner.extent < 2 * blockWidth) return null
  let found: Loop | null = null
  let even = true
  walk({
    scalar: (s) => {
      if (s.tag !== 'load') return
      const { strides, uneven } = accessOf(s.buffer, s.at)
      if (uneven.size > 0) even = false
      if (Math.abs(strides.get(inner.counter) ?? 0) < farApart) return
      found ??=
        nest.find((l) => l !== inner && l.extent >= lineLength && strides.get(l.counter) === 1) ??
        null
    },
    statement: (s) => {
      if (s.tag !== 'store') return
      const { strides, uneven } = accessOf(s.buffer, s.at)
      if (uneven.size > 0 || strides.get(inner.counter) !== 1) even = false
    },
  }).body(inner.body)
  return even ? found : null
}
