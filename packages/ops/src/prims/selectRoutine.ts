/** The last few of a sorted lane, in order, without sorting the others. */
import { type Buffer, type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { nestedLoops } from './loops.ts'
import { keysOrdered, laneOf } from './sortRoutine.ts'

const { affine, binaryOp, compareOp, counter, dataIndex, fromIndex, literal, load, local } = scalars

const int = (value: number): Scalar => literal('int32', value)
const next = (x: Scalar): Scalar => binaryOp('add', x, int(1))

/**
 * Keeps the last `keep` of every lane along `axis` by insertion. A lane is read from its end, so that
 * what equals the smallest that is kept comes before it, and is passed by.
 */
export const emitSelect = (
  inputs: readonly Buffer[],
  outputs: readonly Buffer[],
  order: string,
  {
    axis,
    numKeys,
    keep,
  }: { readonly axis: number; readonly numKeys: number; readonly keep: number },
): readonly Stmt[] => {
  const { shape } = inputs[0]!
  const extent = shape[axis]!
  if (keep === 0) return []
  const { loops, at } = laneOf(shape, axis)
  const place = (value: Scalar): Index => dataIndex(value, 0, keep - 1)
  const kept = (value: Scalar): Index =>
    dataIndex(load(order, 'int32', place(value)), 0, Math.max(0, extent - 1))
  const [to, room, read] = [local('int32', 'to'), local('int32', 'room'), counter('p', extent)]
  const position = affine([[-1, read]], extent - 1)
  const isBefore = (slot: Scalar): Scalar =>
    keysOrdered(inputs.slice(0, numKeys), at(kept(slot)), at(position))
  const insert: readonly Stmt[] = [
    { tag: 'variable', name: 'to', value: room },
    { tag: 'variable', name: 'goesOn', value: compareOp('less', next(to), int(keep)) },
    {
      tag: 'while',
      condition: local('bool', 'goesOn'),
      body: [
        { tag: 'assign', name: 'goesOn', value: isBefore(next(to)) },
        {
          tag: 'if',
          condition: local('bool', 'goesOn'),
          then: [
            {
              tag: 'store',
              buffer: order,
              at: place(to),
              value: load(order, 'int32', place(next(to))),
            },
            { tag: 'assign', name: 'to', value: next(to) },
            { tag: 'assign', name: 'goesOn', value: compareOp('less', next(to), int(keep)) },
          ],
          otherwise: [],
        },
      ],
    },
    { tag: 'store', buffer: order, at: place(to), value: fromIndex('int32', position) },
  ]
  const slot = counter('k', keep)
  return nestedLoops(loops, [
    // The free slots in front; the first `keep` elements fill them.
    { tag: 'variable', name: 'room', value: int(keep) },
    ...nestedLoops(
      [['p', extent]],
      [
        { tag: 'variable', name: 'stays', value: compareOp('greater', room, int(0)) },
        {
          tag: 'if',
          condition: local('bool', 'stays'),
          then: [{ tag: 'assign', name: 'room', value: binaryOp('subtract', room, int(1)) }],
          otherwise: [{ tag: 'assign', name: 'stays', value: isBefore(int(0)) }],
        },
        { tag: 'if', condition: local('bool', 'stays'), then: insert, otherwise: [] },
      ],
    ),
    ...nestedLoops(
      [['k', keep]],
      inputs.map(({ name, dtype }, o) => ({
        tag: 'store',
        buffer: outputs[o]!.name,
        at: at(slot, keep),
        value: load(
          name,
          dtype,
          at(dataIndex(load(order, 'int32', slot), 0, Math.max(0, extent - 1))),
        ),
      })),
    ),
  ])
}
