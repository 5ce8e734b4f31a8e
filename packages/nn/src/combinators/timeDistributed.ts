/** A layer at every step of a sequence. */
import { type Shape, erase, reshape, typed } from '@cotangent/core'
import { requireRank } from '../errors.ts'
import {
  type AnyLayer,
  type Layer,
  type Part,
  type Traits,
  defineLayer,
  oneShape,
} from '../layer.ts'

const merged = (shape: Shape): Shape => [shape[0]! * shape[1]!, ...shape.slice(2)]

type Single = Layer<unknown, unknown>

// What is known of the layer holds of its steps; windows and shapes do not.
const traitsOf = ({ traits = {} }: Single): Traits => {
  const { window: _, kind: __, withParts, leading = 0, ...rest } = traits
  const over =
    withParts === undefined
      ? {}
      : { withParts: (parts: readonly Part[]) => rebuilt(withParts(parts)) }
  return { ...rest, ...over, leading: leading + 1 }
}

const build = (layer: Single): Layer<unknown, unknown, 'timeDistributed'> => {
  const check = (shape: Shape): void =>
    requireRank('timeDistributed', shape, (rank) => rank >= 2, '[batch, time, …]')
  return defineLayer<unknown, unknown, 'timeDistributed'>({
    name: 'timeDistributed',
    isRandom: layer.isRandom,
    traits: traitsOf(layer),
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
const rebuilt: (layer: AnyLayer) => AnyLayer = typed(erase(build))

/**
 * Applies one layer to every step of `[batch, time, …]` on its own, with the same parameters: steps
 * count as further examples, so `conv2d` reads the frames of `[batch, time, channels, height, width]`.
 * The trees are those of the layer.
 * @throws ShapeError for an input without batch and time axes.
 * @example
 * timeDistributed(serial(conv2d(8, 3), globalAvgPool())) // [2, 5, 3, 32, 32] to [2, 5, 8]
 */
export const timeDistributed: <P, S>(layer: Layer<P, S>) => Layer<P, S, 'timeDistributed'> = typed(
  erase(build),
)
