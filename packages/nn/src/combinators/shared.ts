/** One set of parameters in several places. */
import {
  ShapeError,
  type Tensor,
  TreeError,
  erase,
  evalShape,
  flatten,
  typed,
} from '@cotangent/core'
import {
  type AnyLayer,
  type Layer,
  type NamedLayer,
  type None,
  type Shapes,
  type Variables,
  kindOf,
  none,
} from '../layer.ts'

interface Shared {
  <P, S, Y, X, O extends Shapes, const Name extends string = 'shared'>(
    layer: Layer<P, S, string, Y, X, O>,
    name?: Name,
  ): NamedLayer<P, S, Name, Y, X, O>
}

const extents = (tree: unknown): string =>
  flatten(tree)
    .leaves.map((leaf) => (typeof leaf === 'object' ? `[${leaf.shape.join()}]` : ''))
    .join(', ')

// The output's shape at a further use, without making its parameters.
const furtherShape = (
  layer: AnyLayer,
  name: string,
  { params }: Variables<unknown, unknown>,
  key: Tensor,
  shape: Shapes,
): Shapes => {
  let found: readonly [shape: Shapes, params: string] = [[], '']
  evalShape((k: Tensor) => {
    const made = layer.init(k, shape)
    found = [made.outputShape, extents(made.params)]
    return k
  }, key)
  const [outputShape, got] = found
  const want = extents(params)
  if (got === want) return outputShape
  throw new ShapeError({
    operation: name,
    problem: 'this use of the shared layer needs other parameters than the first',
    got: `an input of shape ${JSON.stringify(shape)}, for parameters ${got}`,
    want: `an input for the parameters ${want}`,
    fix: 'give the shared layer inputs of the same features everywhere',
  })
}

const build = (layer: AnyLayer, name = 'shared'): AnyLayer => {
  const init: AnyLayer['init'] = (key, shape, scope) => {
    const known = scope?.shared.get(layer)
    if (known !== undefined) {
      const outputShape = furtherShape(layer, name, known, key, shape)
      return Object.freeze({ params: none, state: none, outputShape })
    }
    const made = layer.init(key, shape, scope)
    scope?.shared.set(layer, made)
    return made
  }
  const apply: AnyLayer['apply'] = (variables, x, mode = {}) => {
    const known = mode.scope?.shared.get(layer)
    if (known === undefined) {
      mode.scope?.shared.set(layer, variables)
      return layer.apply(variables, x, mode)
    }
    const [y] = layer.apply(known, x, mode)
    return Object.freeze([y, none] as const)
  }
  const traits = { ...layer.traits, kind: kindOf(layer), shared: layer }
  return Object.freeze({ ...layer, name, isNamed: true, traits, init, apply })
}

/**
 * A layer that may stand in several places of a network with one set of parameters: they are in
 * the tree where the layer comes first, later uses refer to them, and gradients add up. State
 * (running statistics) follows the first use. It has a name, `'shared'` unless given another.
 * @throws ShapeError where a later use would need other parameters.
 * @example
 * const step = shared(dense(16), 'step')
 * serial(step, tanh, step, tanh).init(key, [1, 16]).params // { step: { kernel, bias } }
 */
export const shared: Shared = typed(erase(build))

const buildReuse = (layer: AnyLayer): AnyLayer => {
  const init: AnyLayer['init'] = (key, shape, scope) => {
    if (scope?.shared.has(layer.traits?.shared ?? layer) === true) {
      return layer.init(key, shape, scope)
    }
    throw new TreeError({
      operation: layer.name,
      problem: 'there are no parameters to use again',
      fix: 'put the shared layer itself where it comes first in the network',
    })
  }
  return Object.freeze({ ...layer, init })
}

/**
 * A further use of a `shared` layer whose type says that the parameters are elsewhere.
 * @throws TreeError where the shared layer did not come before.
 * @example
 * const table = shared(dense(8), 'table')
 * serial({ first: serial(table, relu), second: serial(reuse(table), relu) }) // params.first.table
 */
export const reuse: <P, S, Name extends string, Y, X, O extends Shapes>(
  layer: NamedLayer<P, S, Name, Y, X, O>,
) => NamedLayer<None, None, Name, Y, X, O> = typed(erase(buildReuse))
