/**
 * Communication along a named batch axis. Each primitive takes the position along its axis as its
 * last input: that input is batched exactly where the axis is mapped, and closures carry it into
 * loops and branches like any other value.
 */
import {
  DTypeError,
  InternalError,
  type Primitive,
  type Tensor,
  bind1,
  broadcastFront,
  definePrimitive,
  fill,
  inserted,
  moveBatchToFront,
  nonlinear,
  reduceSum,
  reshape,
  showAval,
  wholeEquation,
  zero,
} from '@cotangent/core'
import { mul } from '../prims/arithmetic.ts'
import { dynamicSlice } from '../prims/dynamic.ts'

export interface CollectiveParams {
  readonly axisName: string
  /** The extent of the axis. */
  readonly size: number
}

type Collective = Primitive<readonly ['x', 'position'], CollectiveParams>

const outsideAxis = (operation: string) => (): never => {
  throw new InternalError({ operation, problem: 'it was to be replaced by the vmap of its axis' })
}

/** The sum over the axis; its own transpose. */
export const psumP: Collective = definePrimitive({
  name: 'psum',
  slots: ['x', 'position'],
  typing: ([x]) => {
    if (x.dtype !== 'bool') return [x]
    throw new DTypeError({
      operation: 'psum',
      problem: 'booleans are counted, not summed',
      got: showAval(x),
      fix: 'convert with astype("int32") first',
    })
  },
  evaluate: outsideAxis('psum'),
  jvp: { x: (dx, [, position], _, params) => psum(dx, position, params), position: zero },
  transpose: { x: (ct, [, position], params) => psum(ct, position, params), position: nonlinear },
  partition: wholeEquation,
  batch: ([x, position], [dim, own], params) => {
    if (own === null) return { outputs: [psum(x, position, params)], dims: [dim] }
    const total = dim === null ? mul(x, fill(x.shape, params.size, x.dtype)) : reduceSum(x, [dim])
    return { outputs: [total], dims: [null] }
  },
  lower: () => ({ tag: 'region', region: { kind: 'host', call: outsideAxis('psum') } }),
  effectful: false,
})

export const psum = (x: Tensor, position: Tensor, params: CollectiveParams): Tensor =>
  bind1(psumP, [x, position], params)

/** The values along the axis, stacked in front, for every position the same. */
export const allGatherP: Collective = definePrimitive({
  name: 'allGather',
  slots: ['x', 'position'],
  typing: ([x], { size }) => [{ ...x, shape: inserted(x.shape, 0, size) }],
  evaluate: outsideAxis('allGather'),
  jvp: { x: (dx, [, position], _, params) => allGather(dx, position, params), position: zero },
  transpose: {
    x: (ct, [, position], params) => ownSlice(psum(ct, position, params), position),
    position: nonlinear,
  },
  partition: wholeEquation,
  batch: ([x, position], [dim, own], params) => {
    if (own !== null) {
      const all = dim === null ? broadcastFront(x, params.size) : moveBatchToFront(x, dim)
      return { outputs: [all], dims: [null] }
    }
    const all = allGather(x, position, params)
    return { outputs: [all], dims: [dim === null ? null : dim + 1] }
  },
  lower: () => ({ tag: 'region', region: { kind: 'host', call: outsideAxis('allGather') } }),
  effectful: false,
})

export const allGather = (x: Tensor, position: Tensor, params: CollectiveParams): Tensor =>
  bind1(allGatherP, [x, position], params)

/** The slice along the first axis that belongs to a position. */
export const ownSlice = (x: Tensor, position: Tensor): Tensor => {
  const rest = x.shape.slice(1)
  const starts = [position, ...rest.map(() => fill([], 0, 'int32'))]
  return reshape(dynamicSlice(x, starts, [1, ...rest]), rest)
}
