/** Layers are values: how to make parameters, and a pure function of them. */
import { type Shape, type Tensor, UnsupportedError, aval, trace } from '@cotangent/core'

/** Parameters or state of a layer that has none. */
export type None = Readonly<Record<never, never>>
export const none: None = Object.freeze({})

export interface Mode {
  /** Training: batch statistics, dropout. False by default. */
  readonly train?: boolean | undefined
  /** Randomness of this call; needed in training by layers that drop. */
  readonly key?: Tensor | undefined
}

export interface Variables<P, S> {
  /** What is learned. */
  readonly params: P
  /** What is kept beside: running statistics. */
  readonly state: S
}

export interface Initialized<P, S> extends Variables<P, S> {
  readonly outputShape: Shape
}

/**
 * A layer: `init` makes its parameters from a key and the input's shape (batch axis included),
 * `apply` is a pure function to the output and the next state.
 *
 * `P` and `S` are the trees of parameters and state, `Name` the literal name, `X` and `Y` what goes
 * in and comes out.
 *
 * @example
 * const layer = dense(10)
 * const { params, state } = layer.init(random.key(0), [1, 4]) // params.kernel: [4, 10]
 * const [y] = layer.apply({ params, state }, np.ones([2, 4]))
 */
export interface Layer<P, S = None, Name extends string = string, Y = Tensor, X = Tensor> {
  /** In messages, and (numbered, unless `isNamed`) in the trees of `serial`. */
  readonly name: Name
  /** The user chose the name: it is not numbered. */
  readonly isNamed: boolean
  /** Draws random numbers in training, and so wants a key. */
  readonly isRandom: boolean
  // Methods, so that layers of any parameters can stand in one list.
  init(key: Tensor, inputShape: Shape): Initialized<P, S>
  apply(variables: Variables<P, S>, x: X, mode?: Mode): readonly [Y, S]
}

/** A layer of which nothing more is known: what lists of layers hold. */
export type AnyLayer = Layer<unknown, unknown, string, unknown, unknown>

export type ParamsOf<L> = L extends { init(...args: never[]): Initialized<infer P, unknown> }
  ? P
  : never
export type StateOf<L> = L extends { init(...args: never[]): Initialized<unknown, infer S> }
  ? S
  : never
export type OutputOf<L> = L extends { apply(...args: never[]): readonly [infer Y, unknown] }
  ? Y
  : never
export type InputOf<L> = L extends Layer<unknown, unknown, string, unknown, infer X> ? X : never

/** A layer under a name of the user's choice. */
export interface NamedLayer<P, S, Name extends string, Y, X> extends Layer<P, S, Name, Y, X> {
  readonly isNamed: true
}

/** What differs from layer to layer, for one without randomness or state. */
export interface LayerRecord<P, S, Name extends string, Y, X> {
  readonly name: Name
  readonly isRandom?: boolean
  readonly init: (key: Tensor, inputShape: Shape) => Initialized<P, S>
  readonly apply: (variables: Variables<P, S>, x: X, mode: Mode) => readonly [Y, S]
}

/** A layer from its parts; what `init` gives is frozen. */
export const defineLayer = <P, S, const Name extends string, Y = Tensor, X = Tensor>(
  record: LayerRecord<P, S, Name, Y, X>,
): Layer<P, S, Name, Y, X> => {
  const { name, isRandom = false } = record
  const layer: Layer<P, S, Name, Y, X> = {
    name,
    isNamed: false,
    isRandom,
    init: (key, inputShape) => {
      const { params, state, outputShape } = record.init(key, inputShape)
      return Object.freeze({
        params: Object.freeze(params),
        state: Object.freeze(state),
        outputShape: Object.freeze(outputShape),
      })
    },
    apply: (variables, x, mode = {}) => Object.freeze(record.apply(variables, x, mode)),
  }
  return Object.freeze(layer)
}

/** What a function does to shapes, found by tracing it: nothing is computed. */
const tracedShape =
  (name: string, f: (x: Tensor) => Tensor) =>
  (input: Shape): Shape =>
    trace(name, (x) => [f(x!)], [aval(input, 'float32')]).graph.outputs[0]!.aval.shape

/** A layer without parameters or state: a function, and what it does to shapes. */
export const stateless = <const Name extends string>(
  name: Name,
  f: (x: Tensor) => Tensor,
  shape: (input: Shape) => Shape = tracedShape(name, f),
): Layer<None, None, Name> =>
  defineLayer({
    name,
    init: (_, inputShape) => ({ params: none, state: none, outputShape: shape(inputShape) }),
    apply: ({ state }, x) => [f(x), state],
  })

/** The key of a training call. @throws UnsupportedError where there is none. */
export const requireKey = (layer: string, mode: Mode): Tensor => {
  if (mode.key !== undefined) return mode.key
  throw new UnsupportedError({
    operation: layer,
    problem: 'the layer draws random numbers in training and got no key',
    fix: 'call apply with { train: true, key }; take a fresh key each step: random.foldIn(key, step)',
  })
}
