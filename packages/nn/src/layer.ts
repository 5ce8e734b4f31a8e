/** Layers are values: how to make parameters, and a pure function of them. */
import {
  type Shape,
  type Tensor,
  TreeError,
  UnsupportedError,
  aval,
  describeValue,
  trace,
} from '@cotangent/core'
import type { Layout, WindowGeometry } from './functional/window.ts'

/** Parameters or state of a layer that has none. */
export type None = Readonly<Record<never, never>>
export const none: None = Object.freeze({})

/** Shapes of one tensor, of each of a list, or of each of a record under its name. */
export type Shapes = Shape | readonly Shapes[] | ShapesByName
export interface ShapesByName {
  readonly [name: string]: Shapes | null | undefined
}

export interface Mode {
  /** Training: batch statistics, dropout. False by default. */
  readonly train?: boolean | undefined
  /** Randomness of this call; needed in training by layers that drop. */
  readonly key?: Tensor | undefined
  /** What layers hand down to their parts. */
  readonly scope?: Scope | undefined
}

export interface Variables<P, S> {
  /** What is learned. */
  readonly params: P
  /** What is kept beside: running statistics. */
  readonly state: S
}

export interface Initialized<P, S, O extends Shapes = Shape> extends Variables<P, S> {
  readonly outputShape: O
}

/** What all layers of one call have in common; made by the outermost. */
export interface Scope {
  /** The parameters of the `shared` layers met so far. */
  readonly shared: Map<object, Variables<unknown, unknown>>
  /** Sees every call of a part, for instance to tabulate them. */
  readonly watch?: Watch | undefined
}

/** A layer under its name within another. */
export type Part = readonly [name: string, layer: AnyLayer]

/** Runs a part by calling `run` with the watch for the parts of that part. */
export type Watch = (
  part: Part,
  variables: Variables<unknown, unknown>,
  x: unknown,
  run: (inner: Watch) => readonly [unknown, unknown],
) => readonly [unknown, unknown]

/** What is known of a layer beside its function; everything is optional. */
export interface Traits {
  /** What kind of layer it is, where its name is the user's. */
  readonly kind?: string
  /** The window over the spatial axes that one output sees; `'all'` of what there is. */
  readonly window?: 'all' | ((input: Shape) => WindowGeometry)
  /** Where the channels stand, for layers with a window. */
  readonly layout?: Layout
  /** The axis of `params.kernel` along which the outputs lie: outputs are linear in each slice. */
  readonly kernelAxis?: number
  /** The same where groups have outputs of their own, and inputs in as many parts of axis 0. */
  readonly groupedKernel?: { readonly axis: number; readonly groups: number }
  /** How many axes stand before those that the layer's own traits speak of; 0 by default. */
  readonly leading?: number
  /** In inference the layer is x · factor + offset along its channels. */
  readonly affine?: (params: TensorRecord, state: TensorRecord) => ChannelAffine
  /** Layers with the same value here have one set of parameters: that of the first. */
  readonly shared?: object
  /** The paths of the parameters that are held constant. */
  readonly frozen?: (path: string) => boolean
  readonly parts?: readonly Part[]
  /** Each part takes what the one before gives. */
  readonly isChain?: boolean
  /** The same layer with other parts. */
  readonly withParts?: (parts: readonly Part[]) => AnyLayer
}

/** Tensors by name: the trees of a layer that has no parts. */
export type TensorRecord = Readonly<Partial<Record<string, Tensor>>>

/** A factor and an offset for each channel. */
export interface ChannelAffine {
  /** The axis of the channels, possibly from the end. */
  readonly axis: number
  readonly factor: Tensor
  readonly offset: Tensor
}

/**
 * A layer: `init` makes its parameters from a key and the input's shape (batch axis included; a list
 * or a record of shapes where `apply` gets a list or a record), `apply` is a pure function to the
 * output and the next state.
 *
 * `P` and `S` are the trees of parameters and state, `Name` the literal name, `X` and `Y` what goes
 * in and comes out, `O` the output's shape (several for several outputs).
 *
 * @example
 * const layer = dense(10)
 * const { params, state } = layer.init(random.key(0), [1, 4]) // params.kernel: [4, 10]
 * const [y] = layer.apply({ params, state }, np.ones([2, 4]))
 */
export interface Layer<
  P,
  S = None,
  Name extends string = string,
  Y = Tensor,
  X = Tensor,
  O extends Shapes = Shape,
> {
  /** In messages, and (numbered, unless `isNamed`) in the trees of `serial`. */
  readonly name: Name
  /** The user chose the name: it is not numbered. */
  readonly isNamed: boolean
  /** Draws random numbers in training, and so wants a key. */
  readonly isRandom: boolean
  readonly traits?: Traits
  // Methods, so that layers of any parameters can stand in one list.
  init(key: Tensor, inputShape: Shapes, scope?: Scope): Initialized<P, S, O>
  apply(variables: Variables<P, S>, x: X, mode?: Mode): readonly [Y, S]
}

/** A layer of which nothing more is known: what lists of layers hold. */
export type AnyLayer = Layer<unknown, unknown, string, unknown, unknown, Shapes>

export type ParamsOf<L> = L extends {
  init(...args: never[]): Initialized<infer P, unknown, Shapes>
}
  ? P
  : never
export type StateOf<L> = L extends {
  init(...args: never[]): Initialized<unknown, infer S, Shapes>
}
  ? S
  : never
export type OutputOf<L> = L extends { apply(...args: never[]): readonly [infer Y, unknown] }
  ? Y
  : never
export type InputOf<L> =
  L extends Layer<unknown, unknown, string, unknown, infer X, Shapes> ? X : never
export type OutputShapeOf<L> = L extends {
  init(...args: never[]): Initialized<unknown, unknown, infer O>
}
  ? O
  : never

/** A layer under a name of the user's choice. */
export interface NamedLayer<P, S, Name extends string, Y, X, O extends Shapes = Shape>
  extends Layer<P, S, Name, Y, X, O> {
  readonly isNamed: true
}

interface Description<P, S, Name extends string, Y, X> {
  readonly name: Name
  readonly isRandom?: boolean
  readonly traits?: Traits
  readonly apply: (variables: Variables<P, S>, x: X, mode: Mode) => readonly [Y, S]
}

/** What kind of layer it is, whatever its name. */
export const kindOf = ({ name, traits }: Pick<AnyLayer, 'name' | 'traits'>): string =>
  traits?.kind ?? name

/** What differs from layer to layer, for one that takes a single tensor. */
export interface LayerRecord<P, S, Name extends string, Y, X>
  extends Description<P, S, Name, Y, X> {
  /** The tensor of a record input that parameters are made for; `'inputs'` by default. */
  readonly mainInput?: string
  readonly init: (key: Tensor, inputShape: Shape, scope?: Scope) => Initialized<P, S>
}

/** What differs from layer to layer, for one that may take and give several tensors. */
export interface CompositeRecord<P, S, Name extends string, Y, X, O extends Shapes>
  extends Description<P, S, Name, Y, X> {
  readonly init: (key: Tensor, input: Shapes, scope?: Scope) => Initialized<P, S, O>
}

const isNumber = (entry: unknown): entry is number => typeof entry === 'number'

const isList = (shapes: Shapes): shapes is readonly Shapes[] => Array.isArray(shapes)

/** Whether these are the extents of one tensor. */
export const isShape = (shapes: Shapes): shapes is Shape => isList(shapes) && shapes.every(isNumber)

/** Whether these are shapes by name. */
export const isByName = (shapes: Shapes): shapes is ShapesByName => !isList(shapes)

/** The shapes of a list; none where there is no list of them. */
export const listOfShapes = (shapes: Shapes): readonly Shapes[] =>
  isList(shapes) && !isShape(shapes) ? shapes : []

/** The shapes under a name of a record. @throws TreeError where there are none. */
export const shapesNamed = (layer: string, shapes: ShapesByName, name: string): Shapes => {
  const found = shapes[name]
  if (found !== undefined && found !== null) return found
  throw new TreeError({
    operation: layer,
    problem: `the input has no tensor under the name ${name}`,
    got: `shapes ${JSON.stringify(shapes)}`,
    want: `{ ${name}: [batch, …] }`,
    fix: 'give the shapes of what apply gets, under the same names',
  })
}

/**
 * The shape that a layer makes its parameters for: of its only input, or of the main one of a record.
 * @throws TreeError where there are several others, or none of that name.
 */
export const oneShape = (layer: string, shapes: Shapes, main = 'inputs'): Shape => {
  if (typeof shapes !== 'object' || shapes === null) {
    throw new TreeError({
      operation: layer,
      problem: 'a layer is initialised for the shape of its input',
      got: describeValue(shapes),
      want: 'init(key, inputShape)',
      fix: 'give the shape after the key: init(random.key(0), [32, 784])',
    })
  }
  const given = isByName(shapes) ? shapesNamed(layer, shapes, main) : shapes
  if (isShape(given)) return given
  throw new TreeError({
    operation: layer,
    problem: 'the layer takes one tensor and gets several',
    got: `shapes ${JSON.stringify(shapes)}`,
    want: 'one shape, such as [batch, features]',
    fix: 'join them first: concat(axis), add() or a lambda of the list',
  })
}

/** A layer from its parts; what `init` gives is frozen. */
export const defineLayer = <P, S, const Name extends string, Y = Tensor, X = Tensor>(
  record: LayerRecord<P, S, Name, Y, X>,
): Layer<P, S, Name, Y, X> =>
  defineComposite({
    ...record,
    init: (key, shapes, scope) =>
      record.init(key, oneShape(record.name, shapes, record.mainInput), scope),
  })

// Code without types may leave out the state, or give the variables as two arguments.
const requireVariables = (layer: string, variables: unknown, x: unknown): void => {
  const has = (field: string): boolean =>
    typeof variables === 'object' && variables !== null && field in variables
  if (has('params') && has('state') && typeof x === 'object' && x !== null) return
  throw new TreeError({
    operation: layer,
    problem: 'a layer is applied to its variables and an input',
    got: `${describeValue(variables)}${has('params') ? (has('state') ? '' : ' without state') : ' without params'}, and ${describeValue(x)}`,
    want: 'apply({ params, state }, x, mode?)',
    fix: 'give what init made: apply({ params, state }, x)',
  })
}

/** As `defineLayer`, for layers whose input or output may be several tensors. */
export const defineComposite = <
  P,
  S,
  const Name extends string,
  Y = Tensor,
  X = Tensor,
  O extends Shapes = Shape,
>(
  record: CompositeRecord<P, S, Name, Y, X, O>,
): Layer<P, S, Name, Y, X, O> => {
  const { name, isRandom = false, traits } = record
  const layer: Layer<P, S, Name, Y, X, O> = {
    name,
    isNamed: false,
    isRandom,
    ...(traits === undefined ? {} : { traits }),
    init: (key, shapes, scope) => {
      const { params, state, outputShape } = record.init(key, shapes, scope)
      return Object.freeze({
        params: Object.freeze(params),
        state: Object.freeze(state),
        outputShape: Object.freeze(outputShape),
      })
    },
    apply: (variables, x, mode = {}) => {
      requireVariables(name, variables, x)
      return Object.freeze(record.apply(variables, x, mode))
    },
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
  traits: Traits = {},
): Layer<None, None, Name> =>
  defineLayer({
    name,
    traits,
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
