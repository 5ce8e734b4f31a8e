/** How the parts of a layer are named, at run time and in the types of its trees. */
import { type Shape, type Tensor, TreeError } from '@cotangent/core'
import {
  type AnyLayer,
  type InputOf,
  type Layer,
  type NamedLayer,
  type OutputOf,
  type OutputShapeOf,
  type Shapes,
  type ParamsOf,
  type Part,
  type StateOf,
  kindOf,
  stateless,
} from '../layer.ts'

/** A layer, or a function that stands for one without parameters. */
export type Stage = AnyLayer | ((x: Tensor) => Tensor)
export type StageRecord = Readonly<Record<string, Stage>>

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

/** As `Numbered`, but unnamed layers are numbered alike: `branch1`, `branch2`. */
export type NumberedAs<
  Name extends string,
  Stages extends readonly unknown[],
  Seen extends readonly unknown[] = [unknown],
> = Stages extends readonly [infer Head, ...infer Tail]
  ? Head extends AnyLayer
    ? {
        readonly [K in Head['isNamed'] extends true
          ? Head['name']
          : `${Name}${Seen['length'] & number}`]: Head
      } & NumberedAs<Name, Tail, [...Seen, unknown]>
    : NumberedAs<Name, Tail, [...Seen, unknown]>
  : unknown

/** The name of a part that has a tree; functions have none. */
type WithTree<L, Tree, Name> = L extends AnyLayer
  ? keyof Tree extends never
    ? never
    : Name
  : never

/** The trees of those layers that have any: `{ conv1: { kernel, bias }, … }`. */
export type ParamsOfRecord<Layers> = {
  readonly [K in keyof Layers as WithTree<Layers[K], ParamsOf<Layers[K]>, K>]: ParamsOf<Layers[K]>
}
export type StateOfRecord<Layers> = {
  readonly [K in keyof Layers as WithTree<Layers[K], StateOf<Layers[K]>, K>]: StateOf<Layers[K]>
}

export type InputOfStage<S> = S extends AnyLayer ? InputOf<S> : Tensor
export type OutputOfStage<S> = S extends AnyLayer ? OutputOf<S> : Tensor
export type ShapeOfStage<S> = S extends AnyLayer ? OutputShapeOf<S> : Shape

export type Stages = readonly (Stage | StageRecord)[]

const isLayer = (value: Stage | StageRecord): value is AnyLayer =>
  typeof value === 'object' && typeof value.init === 'function' && typeof value.apply === 'function'

const isStage = (value: Stage | StageRecord): value is Stage =>
  typeof value === 'function' || isLayer(value)

/** A function becomes a layer without parameters, under its own name. */
export const asLayer = (stage: Stage): AnyLayer =>
  isLayer(stage) ? stage : stateless(stage.name === '' ? 'lambda' : stage.name, stage)

const numberedByKind = (stages: readonly Stage[]): readonly Part[] => {
  const seen = new Map<string, number>()
  return stages.map(asLayer).map((layer) => {
    if (layer.isNamed) return [layer.name, layer]
    const n = (seen.get(layer.name) ?? 0) + 1
    seen.set(layer.name, n)
    return [`${layer.name}${n}`, layer]
  })
}

const numberedAlike = (name: string, stages: readonly Stage[]): readonly Part[] =>
  stages.map(asLayer).map((layer, i) => [layer.isNamed ? layer.name : `${name}${i + 1}`, layer])

/**
 * The parts of a layer that is given as a list or as one record. With `alike`, unnamed layers of
 * a list are all numbered under this name.
 * @throws TreeError where two different layers have one name.
 */
export const partsOf = (operation: string, stages: Stages, alike?: string): readonly Part[] => {
  const [first] = stages
  const list = stages.filter(isStage)
  const parts =
    first !== undefined && !isStage(first)
      ? Object.entries(first).map(([name, stage]): Part => [name, asLayer(stage)])
      : alike === undefined
        ? numberedByKind(list)
        : numberedAlike(alike, list)
  const again = parts.find(([name, layer], i) =>
    parts.slice(0, i).some(([other, first]) => other === name && !isSame(first, layer)),
  )
  if (again === undefined) return parts
  throw new TreeError({
    operation,
    problem: `two layers have the name "${again[0]}"`,
    got: parts.map(([name]) => name).join(', '),
    fix: 'give each its own name with named(name, layer); for one set of parameters, use shared(layer)',
  })
}

// A shared layer may stand in several places: its parameters are those of the first.
const isSame = (a: AnyLayer, b: AnyLayer): boolean =>
  a.traits?.shared !== undefined && a.traits.shared === b.traits?.shared

/**
 * The same layer under a name of your choice, which `serial` then uses as it is.
 * @example
 * serial(named('stem', conv2d(64, 7)), relu) // params.stem.kernel
 */
export const named = <const Name extends string, P, S, Y, X, O extends Shapes>(
  name: Name,
  layer: Layer<P, S, string, Y, X, O>,
): NamedLayer<P, S, Name, Y, X, O> =>
  Object.freeze({
    ...layer,
    name,
    isNamed: true,
    traits: { ...layer.traits, kind: kindOf(layer) },
  })
