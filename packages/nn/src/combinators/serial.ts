/** Layers one after the other, under names that are known to the type checker. */
import { type Shape, type Tensor, TreeError, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import {
  type AnyLayer,
  type Initialized,
  type InputOf,
  type Layer,
  type Mode,
  type NamedLayer,
  type OutputOf,
  type ParamsOf,
  type StateOf,
  type Variables,
  defineLayer,
  requireKey,
  stateless,
} from '../layer.ts'

/** A layer, or a function that stands for one without parameters. */
export type Stage = AnyLayer | ((x: Tensor) => Tensor)

/** How often `Name` occurs in a list of names, as a tuple of that length. */
type Occurrences<Seen extends readonly string[], Name extends string> = Seen extends readonly [
  infer Head,
  ...infer Tail extends readonly string[],
]
  ? Head extends Name
    ? [unknown, ...Occurrences<Tail, Name>]
    : Occurrences<Tail, Name>
  : []

type NumberedName<L extends AnyLayer, Seen extends readonly string[]> = L['isNamed'] extends true
  ? L['name']
  : `${L['name']}${[unknown, ...Occurrences<Seen, L['name']>]['length'] & number}`

/** A list of layers as a record: unnamed ones are numbered by kind, `conv1`, `conv2`, `dense1`. */
export type Numbered<
  Stages extends readonly unknown[],
  Seen extends readonly string[] = [],
> = Stages extends readonly [infer Head, ...infer Tail]
  ? Head extends AnyLayer
    ? { readonly [K in NumberedName<Head, Seen>]: Head } & Numbered<
        Tail,
        Head['isNamed'] extends true ? Seen : [...Seen, Head['name']]
      >
    : Numbered<Tail, Seen>
  : unknown

/** The trees of those layers that have any: `{ conv1: { kernel, bias }, … }`. */
export type ParamsOfRecord<Layers> = {
  readonly [K in keyof Layers as keyof ParamsOf<Layers[K]> extends never ? never : K]: ParamsOf<
    Layers[K]
  >
}
export type StateOfRecord<Layers> = {
  readonly [K in keyof Layers as keyof StateOf<Layers[K]> extends never ? never : K]: StateOf<
    Layers[K]
  >
}

type LastOf<Stages extends readonly Stage[]> = Stages extends readonly [...unknown[], infer Last]
  ? Last
  : never

type InputOfStage<S> = S extends AnyLayer ? InputOf<S> : Tensor
type OutputOfStage<S> = S extends AnyLayer ? OutputOf<S> : Tensor

/** What goes into the first layer and comes out of the last. */
export type SerialOfList<Stages extends readonly Stage[]> = Layer<
  ParamsOfRecord<Numbered<Stages>>,
  StateOfRecord<Numbered<Stages>>,
  'serial',
  OutputOfStage<LastOf<Stages>>,
  InputOfStage<Stages[0]>
>

/** Records do not say which layer comes last; input and output are then tensors. */
export type SerialOfRecord<Stages extends Readonly<Record<string, Stage>>> = Layer<
  ParamsOfRecord<Stages>,
  StateOfRecord<Stages>,
  'serial'
>

interface Serial {
  <const Stages extends readonly [Stage, ...Stage[]]>(...stages: Stages): SerialOfList<Stages>
  <const Stages extends Readonly<Record<string, Stage>>>(stages: Stages): SerialOfRecord<Stages>
}

type Tree = Readonly<Record<string, unknown>>
type Entries = readonly (readonly [name: string, layer: AnyLayer])[]
type StageRecord = Readonly<Record<string, Stage>>
type Stages = readonly (Stage | StageRecord)[]

const isLayer = (value: Stage | StageRecord): value is AnyLayer =>
  typeof value === 'object' && typeof value.init === 'function' && typeof value.apply === 'function'

const asLayer = (stage: Stage): AnyLayer =>
  isLayer(stage) ? stage : stateless(stage.name === '' ? 'lambda' : stage.name, stage)

const numbered = (stages: readonly Stage[]): Entries => {
  const seen = new Map<string, number>()
  return stages.map(asLayer).map((layer) => {
    if (layer.isNamed) return [layer.name, layer]
    const n = (seen.get(layer.name) ?? 0) + 1
    seen.set(layer.name, n)
    return [`${layer.name}${n}`, layer]
  })
}

const isStage = (value: Stage | StageRecord): value is Stage =>
  typeof value === 'function' || isLayer(value)

const entriesOf = (stages: Stages): Entries => {
  const [first] = stages
  const entries =
    first !== undefined && !isStage(first)
      ? Object.entries(first).map(([name, stage]): Entries[number] => [name, asLayer(stage)])
      : numbered(stages.filter(isStage))
  const names = entries.map(([name]) => name)
  const twice = names.find((name, i) => names.indexOf(name) !== i)
  if (twice === undefined) return entries
  throw new TreeError({
    operation: 'serial',
    problem: `two layers have the name "${twice}"`,
    got: names.join(', '),
    fix: 'give each its own name with named(name, layer)',
  })
}

const isEmpty = (tree: unknown): boolean =>
  typeof tree === 'object' && tree !== null && Object.keys(tree).length === 0

const nonEmpty = (trees: readonly (readonly [string, unknown])[]): Tree =>
  Object.freeze(Object.fromEntries(trees.filter(([, tree]) => !isEmpty(tree))))

const initAll = (entries: Entries, key: Tensor, inputShape: Shape): Initialized<Tree, Tree> => {
  const params: (readonly [string, unknown])[] = []
  const state: (readonly [string, unknown])[] = []
  let outputShape = inputShape
  entries.forEach(([name, layer], i) => {
    const initialized = layer.init(random.foldIn(key, i), outputShape)
    params.push([name, initialized.params])
    state.push([name, initialized.state])
    outputShape = initialized.outputShape
  })
  return { params: nonEmpty(params), state: nonEmpty(state), outputShape }
}

const applyAll = (
  entries: Entries,
  { params, state }: Variables<Tree, Tree>,
  x: unknown,
  mode: Mode,
): readonly [unknown, Tree] => {
  const states: (readonly [string, unknown])[] = []
  let y = x
  entries.forEach(([name, layer], i) => {
    const draws = layer.isRandom && mode.train === true
    const key = draws ? random.foldIn(requireKey(name, mode), i) : undefined
    const variables = { params: params[name] ?? {}, state: state[name] ?? {} }
    const [out, next] = layer.apply(variables, y, { train: mode.train, key })
    states.push([name, next])
    y = out
  })
  return [y, nonEmpty(states)]
}

const build = (...stages: Stages): Layer<Tree, Tree, 'serial', unknown, unknown> => {
  const entries = entriesOf(stages)
  return defineLayer<Tree, Tree, 'serial', unknown, unknown>({
    name: 'serial',
    isRandom: entries.some(([, layer]) => layer.isRandom),
    init: (key, shape) => initAll(entries, key, shape),
    apply: (variables, x, mode) => applyAll(entries, variables, x, mode),
  })
}

/**
 * Layers one after the other. Given as a list, unnamed layers are numbered by kind (`conv1`,
 * `conv2`, `dense1`); given as a record, its keys are the names. A plain function of a tensor stands
 * for a layer without parameters. Only layers with parameters (state) appear in `params` (`state`).
 * @throws TreeError where two layers have one name.
 * @example
 * const net = serial(conv2d(6, 5), relu, flatten(), dense(10))
 * const { params } = net.init(random.key(0), [1, 1, 28, 28])
 * params.conv1.kernel.shape // [6, 1, 5, 5]
 */
export const serial: Serial = typed(erase(build))

/**
 * The same layer under a name of your choice, which `serial` then uses as it is.
 * @example
 * serial(named('stem', conv2d(64, 7)), relu) // params.stem.kernel
 */
export const named = <const Name extends string, P, S, Y, X>(
  name: Name,
  layer: Layer<P, S, string, Y, X>,
): NamedLayer<P, S, Name, Y, X> => Object.freeze({ ...layer, name, isNamed: true })
