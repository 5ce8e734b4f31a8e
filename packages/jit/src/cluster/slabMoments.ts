/** The statements that take the moments of a slab, channel by channel, while it is in a cache. */
import { type Index, type Scalar, type Shape, type Stmt, scalars, sizeOf } from '@cotangent/core'
import { loopOver } from '../loops/vector/nest.ts'
import { emitVectorReduction } from '../loops/vector/reduction.ts'

const { affine, binaryOp, convertTo, counter, dataIndex, floorDivide, fromIndex } = scalars
const { literal, load, local, modulo } = scalars

/** Where the elements are, `[images, channels, rows, …]`, and where their moments go, `[channels, slabs]`. */
export interface SlabBuffers {
  readonly x: string
  readonly shape: Shape
  readonly rows: number
  readonly means: string
  readonly deviations: string
  readonly squares: string
}

/** The moments of every channel of one slab; slabs count row by row, image by image. */
export const slabMoments = (buffers: SlabBuffers, slab: Index): readonly Stmt[] => {
  const channels = buffers.shape[1]!
  const body = channelMoments(buffers, slab, counter('channel', channels))
  return [loopOver('channel', channels, body)]
}

/** The moments of one channel of one slab. */
export const channelMoments = (
  { x, shape, rows, means, deviations, squares }: SlabBuffers,
  slab: Index,
  channel: Index,
): readonly Stmt[] => {
  const [images, channels, height] = [shape[0]!, shape[1]!, shape[2]!]
  const inImage = height / rows
  const terms = rows * sizeOf(shape.slice(3))
  const plane = terms * inImage
  const first = affine([
    [channels * plane, floorDivide(slab, inImage)],
    [plane, channel],
    [terms, modulo(slab, inImage)],
  ])
  const start = dataIndex(local('int32', 'slabStart'), 0, sizeOf(shape) - 1)
  const element = (term: Index): Scalar => {
    const at = affine([
      [1, start],
      [1, term],
    ])
    return load(x, 'float32', at)
  }
  const spot = affine([
    [images * inImage, channel],
    [1, slab],
  ])
  const stored = (buffer: string, value: Scalar): Stmt => ({
    tag: 'store',
    buffer,
    at: spot,
    value,
  })
  const zero = { dtype: 'float64', initial: 0 } as const
  const added = (sum: Scalar, term: Scalar): Scalar =>
    binaryOp('add', sum, convertTo('float64', term))
  const mean = local('float32', 'slabMean')
  const sums = emitVectorReduction({
    name: 'm',
    outputs: [],
    extents: [terms],
    accumulators: [zero],
    step: ([sum], _, [term]) => [added(sum!, element(term!))],
    finish: ([sum]) => [
      {
        tag: 'let',
        name: 'slabMean',
        value: convertTo('float32', binaryOp('divide', sum!, literal('float64', terms))),
      },
      stored(means, mean),
    ],
  })
  const spreads = emitVectorReduction({
    name: 'd',
    outputs: [],
    extents: [terms],
    accumulators: [zero, zero],
    step: ([sum, square], _, [term]) => {
      const deviation = binaryOp('subtract', element(term!), mean)
      return [added(sum!, deviation), added(square!, binaryOp('multiply', deviation, deviation))]
    },
    finish: ([sum, square]) => [
      stored(deviations, convertTo('float32', sum!)),
      stored(squares, convertTo('float32', square!)),
    ],
  })
  return [{ tag: 'let', name: 'slabStart', value: fromIndex('int32', first) }, ...sums, ...spreads]
}
