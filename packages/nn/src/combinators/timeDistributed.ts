/** A layer at every step of a sequence. */
import { type Shape, reshape } from '@cotangent/core'
import { requireRank } from '../errors.ts'
import { type Layer, defineLayer, oneShape } from '../layer.ts'

const merged = (shape: Shape): Shape => [shape[0]! * shape[1]!, ...shape.slice(2)]

/**
 * Applies one layer to every step of `[batch, time, …]` on its own, with the same parameters: steps
 * count as further examples, so `conv2d` reads the frames of `[batch, time, channels, height, width]`.
 * The trees are those of the layer.
 * @throws ShapeError for an input without batch and time axes.
 * @example
 * timeDistributed(serial(conv2d(8, 3), globalAvgPool())) // [2, 5, 3, 32, 32] to [2, 5, 8]
 */
export const timeDistributed = <P, S>(layer: Layer<P, S>): Layer<P, S, 'timeDistributed'> => {
  const check = (shape: Shape): void =>
    requireRank('timeDistributed', shape, (rank) => rank >= 2, '[batch, time, …]')
  const { parts, frozen } = layer.traits ?? {}
  return defineLayer<P, S, 'timeDistributed'>({
    name: 'timeDistributed',
    isRandom: layer.isRandom,
    traits: {
      ...(parts === undefined ? {} : { parts }),
      ...(frozen === undefined ? {} : { frozen }),
    },
    init: (key, shape, scope) => {
      check(shape)
      const { params, state, outputShape } = layer.init(key, merged(shape), scope)
      const rest = oneShape(layer.name, outputShape).slice(1)
      return { params, state, outputShape: [shape[0]!, shape[1]!, ...rest] }
    },
    apply: (variables, x, mode) => {
      check(x.shape)
      const [y, state] = layer.apply(variables, reshape(x, merged(x.shape)), mode)
      return [reshape(y, [x.shape[0]!, x.shape[1]!, ...y.shape.slice(1)]), state]
    },
  })
}
