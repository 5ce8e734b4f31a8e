/** A bottom-up merge sort in the loop IR: stable, n log n, by positions. */
import {
  type Buffer,
  type Index,
  type Scalar,
  type Shape,
  type Stmt,
  isFloat,
  scalars,
} from '@cotangent/core'
import { nestedLoops } from './loops.ts'

const {
  affine,
  binaryOp,
  both,
  compareOp,
  convertTo,
  counter,
  dataIndex,
  flatten,
  fromIndex,
  literal,
  load,
  local,
  unaryOp,
} = scalars

const int = (value: number): Scalar => literal('int32', value)
const variable = (name: string): Scalar => local('int32', name)
const plus = (x: Scalar, y: Scalar): Scalar => binaryOp('add', x, y)
const either = (x: Scalar, y: Scalar): Scalar => binaryOp('or', x, y)
const set = (name: string, value: Scalar): Stmt => ({ tag: 'assign', name, value })

/** Positions of a lane, and where its elements are. */
export const laneOf = (shape: Shape, axis: number): Lane => {
  const lane = shape.map((size, d) => counter(`i${d}`, size))
  return {
    loops: shape.flatMap((size, d): (readonly [string, number])[] =>
      d === axis ? [] : [[`i${d}`, size]],
    ),
    at: (along, extent = shape[axis]!) =>
      flatten(
        shape.with(axis, extent),
        lane.map((i, d) => (d === axis ? along : i)),
      ),
  }
}

/** The loops over all lanes, and the index of an element of one. */
export interface Lane {
  readonly loops: readonly (readonly [string, number])[]
  /** `extent` is that of the array along the axis; the input's by default. */
  readonly at: (along: Index, extent?: number) => Index
}

// Whether key `x` belongs strictly before key `y`, and whether they are equal. NaN is last.
interface Order {
  readonly before: Scalar
  readonly equal: Scalar
}

const orderOf = (x: Scalar, y: Scalar): Order => {
  if (x.dtype === 'bool') return orderOf(convertTo('int32', x), convertTo('int32', y))
  const before = compareOp('less', x, y)
  const equal = compareOp('equal', x, y)
  if (!isFloat(x.dtype)) return { before, equal }
  const [xIsNaN, yIsNaN] = [compareOp('notEqual', x, x), compareOp('notEqual', y, y)]
  return {
    before: either(before, both(yIsNaN, unaryOp('not', xIsNaN))),
    equal: either(equal, both(xIsNaN, yIsNaN)),
  }
}

const lexicographic = (orders: readonly Order[]): Scalar =>
  orders.reduceRight<Scalar | null>(
    (later, { before, equal }) => (later === null ? before : either(before, both(equal, later))),
    null,
  ) ?? literal('bool', 0)

/** Whether the keys at one place belong strictly before those at another. */
export const keysOrdered = (keys: readonly Buffer[], x: Index, y: Index): Scalar =>
  lexicographic(keys.map(({ name, dtype }) => orderOf(load(name, dtype, x), load(name, dtype, y))))

/**
 * Sorts every lane along `axis`: positions are merged from runs of one to the whole lane, reading
 * the keys through them, and the operands (or the last `keep` of each lane) are copied in that order
 * at the end.
 */
export const emitSort = (
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
  scratch: readonly Buffer[],
  {
    axis,
    numKeys,
    keep,
  }: { readonly axis: number; readonly numKeys: number; readonly keep: number | null },
): readonly Stmt[] => {
  const { shape } = inputs[0]!
  const extent = shape[axis]!
  const [order, merged] = [scratch[0]!.name, scratch[1]!.name]
  const { loops, at } = laneOf(shape, axis)
  const last = Math.max(0, extent - 1)
  const position = (value: Scalar): Index => dataIndex(value, 0, last)
  const orderAt = (value: Scalar): Scalar => load(order, 'int32', position(value))
  const keysBefore = (x: Scalar, y: Scalar): Scalar =>
    keysOrdered(inputs.slice(0, numKeys), at(position(x)), at(position(y)))
  const [width, start, left, right] = [
    variable('width'),
    variable('start'),
    variable('left'),
    variable('right'),
  ]
  const [middle, end, to] = [variable('middle'), variable('end'), variable('to')]
  const takeFrom = (side: 'left' | 'right'): readonly Stmt[] => [
    { tag: 'store', buffer: merged, at: position(to), value: orderAt(variable(side)) },
    set(side, plus(variable(side), int(1))),
  ]
  // From the right only where it is strictly smaller: that keeps the sort stable.
  const chooseSide: readonly Stmt[] = [
    { tag: 'variable', name: 'takeLeft', value: compareOp('less', left, middle) },
    {
      tag: 'if',
      condition: both(local('bool', 'takeLeft'), compareOp('less', right, end)),
      then: [
        { tag: 'let', name: 'l', value: orderAt(left) },
        { tag: 'let', name: 'r', value: orderAt(right) },
        set('takeLeft', unaryOp('not', keysBefore(variable('r'), variable('l')))),
      ],
      otherwise: [],
    },
    {
      tag: 'if',
      condition: local('bool', 'takeLeft'),
      then: takeFrom('left'),
      otherwise: takeFrom('right'),
    },
    set('to', plus(to, int(1))),
  ]
  const mergeRuns: readonly Stmt[] = [
    { tag: 'let', name: 'middle', value: binaryOp('minimum', plus(start, width), int(extent)) },
    {
      tag: 'let',
      name: 'end',
      value: binaryOp('minimum', plus(start, plus(width, width)), int(extent)),
    },
    { tag: 'variable', name: 'left', value: start },
    { tag: 'variable', name: 'right', value: middle },
    { tag: 'variable', name: 'to', value: start },
    { tag: 'while', condition: compareOp('less', to, end), body: chooseSide },
    set('start', end),
  ]
  const p = counter('p', extent)
  const kept = keep ?? extent
  const k = counter('p', kept)
  const from = affine([[1, k]], extent - kept)
  const each = (body: readonly Stmt[]): readonly Stmt[] => nestedLoops([['p', extent]], body)
  return nestedLoops(loops, [
    ...each([{ tag: 'store', buffer: order, at: p, value: fromIndex('int32', p) }]),
    { tag: 'variable', name: 'width', value: int(1) },
    {
      tag: 'while',
      condition: compareOp('less', width, int(extent)),
      body: [
        { tag: 'variable', name: 'start', value: int(0) },
        { tag: 'while', condition: compareOp('less', start, int(extent)), body: mergeRuns },
        ...each([{ tag: 'store', buffer: order, at: p, value: load(merged, 'int32', p) }]),
        set('width', plus(width, width)),
      ],
    },
    ...nestedLoops(
      [['p', kept]],
      inputs.map(({ name, dtype }, o) => ({
        tag: 'store',
        buffer: outputs[o]!.name,
        at: at(k, kept),
        value: load(name, dtype, at(dataIndex(load(order, 'int32', from), 0, last))),
      })),
    ),
  ])
}
