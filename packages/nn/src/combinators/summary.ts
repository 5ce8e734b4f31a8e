/** What a network is made of and what it costs, without running it. */
import {
  type DType,
  type Leaf,
  Tensor,
  erase,
  evalShape,
  leafTensor,
  sizeOf,
  tree,
} from '@cotangent/core'
import { costOf, random } from '@cotangent/ops'
import {
  type AnyLayer,
  type Scope,
  type Shapes,
  type Variables,
  type Watch,
  isByName,
  isShape,
  kindOf,
  listOfShapes,
} from '../layer.ts'
import { newScope } from './parts.ts'
import { type Field, fieldAfter, tensorsOf, widest } from './receptiveField.ts'
import { tableOf } from './summaryTable.ts'

/** One layer of a network, as far as its costs go. */
export interface SummaryRow {
  /** The names on the way to it: `features.conv1`. */
  readonly path: string
  /** What kind of layer it is: `conv`. */
  readonly kind: string
  /** Of its output; of each, where there are several. */
  readonly outputShape: Shapes
  /** Elements of its parameters; of a shared layer, where it comes first. */
  readonly parameters: number
  /** Of its products and convolutions, for the whole batch. */
  readonly multiplyAdds: number
  /** Floating point operations, two for each multiply-add and one for any other, for the whole batch. */
  readonly flops: number
  /** How much of the network's input one output sees along each spatial axis; null without any. */
  readonly receptiveField: readonly number[] | null
}

export interface SummaryTotals {
  readonly parameters: number
  /** Elements that are kept beside the parameters: running statistics. */
  readonly state: number
  readonly multiplyAdds: number
  readonly flops: number
}

export interface Summary {
  readonly inputShape: Shapes
  readonly outputShape: Shapes
  readonly rows: readonly SummaryRow[]
  readonly totals: SummaryTotals
  /** A table for the eye. */
  readonly toString: () => string
  readonly toJSON: () => Omit<Summary, 'toString' | 'toJSON'>
}

export interface SummaryOptions {
  /** Of the input, or of each of several, in the order of their shapes; float32 by default. */
  readonly dtype?: DType | readonly DType[]
  /** Follow a call in training, which runs auxiliary heads too; false by default. */
  readonly train?: boolean
}

interface Call {
  readonly path: string
  readonly layer: AnyLayer
  readonly variables: Variables<unknown, unknown>
  readonly x: unknown
  readonly parameters: number
  readonly outputShape: Shapes
  readonly field: Field | null
}

// What `evalShape` and `makeIR` take in place of tensors.
const typesOf = (value: unknown): unknown =>
  tree.map((leaf: Leaf) => {
    const { shape, dtype } = leafTensor(leaf)
    return { shape, dtype }
  }, value)

const inputTypes = (shapes: Shapes, dtype: DType | readonly DType[]): unknown => {
  if (isShape(shapes)) return { shape: shapes, dtype: typeof dtype === 'string' ? dtype : dtype[0] }
  const typed = (s: Shapes, i: number): unknown =>
    inputTypes(s, typeof dtype === 'string' ? dtype : (dtype[i] ?? 'float32'))
  if (!isByName(shapes)) return listOfShapes(shapes).map(typed)
  return Object.fromEntries(
    Object.entries(shapes).flatMap(([name, s], i) =>
      s === undefined || s === null ? [] : [[name, typed(s, i)]],
    ),
  )
}

const elements = (tensors: readonly Tensor[]): number =>
  tensors.reduce((n, { shape }) => n + sizeOf(shape), 0)

const shapesOf = (value: unknown): Shapes => {
  const shapes = tensorsOf(value).map(({ shape }) => shape)
  return value instanceof Tensor ? value.shape : shapes
}

// Follows a call through the layers, innermost first; fields go with the tensors.
const recorder = (scope: Scope, record: (call: Call) => void): Watch => {
  const fields = new WeakMap<Tensor, Field>()
  const counted = new WeakSet<Tensor>()
  const mark = (y: unknown, field: Field | null): void => {
    if (field !== null) for (const t of tensorsOf(y)) fields.set(t, field)
  }
  const known = (x: unknown): Field | null => widest(tensorsOf(x).map((t) => fields.get(t) ?? null))
  const inside =
    (path: string, around: Field | null, seen: (field: Field | null) => void): Watch =>
    ([name, layer], variables, x, run) => {
      const place = path === '' ? name : `${path}.${name}`
      const before = known(x) ?? around
      const inner: (Field | null)[] = []
      const [y, state] = run(inside(place, before, (field) => inner.push(field)))
      const isLeaf = inner.length === 0
      const field = isLeaf
        ? fieldAfter(before, layer.traits ?? {}, tensorsOf(x)[0]?.shape)
        : (known(y) ?? widest(inner))
      mark(y, field)
      seen(field)
      if (isLeaf) {
        const own = scope.shared.get(layer.traits?.shared ?? layer) ?? variables
        const fresh = tensorsOf(variables.params).filter((t) => !counted.has(t))
        for (const t of fresh) counted.add(t)
        record({
          path: place,
          layer,
          variables: own,
          x,
          parameters: elements(fresh),
          outputShape: shapesOf(y),
          field,
        })
      }
      return [y, state]
    }
  return inside('', null, () => undefined)
}

const costsOf = ({ layer, variables, x }: Call): Pick<SummaryRow, 'multiplyAdds' | 'flops'> => {
  const f = erase((v: Variables<unknown, unknown>, input: unknown) => layer.apply(v, input)[0])
  const types: readonly unknown[] = [typesOf(variables), typesOf(x)]
  const { multiplyAdds, flops } = costOf(f)(...types)
  return { multiplyAdds, flops }
}

const rowOf = (call: Call): SummaryRow => {
  const { path, layer, parameters, outputShape, field } = call
  const receptiveField = field?.size ?? null
  return Object.freeze({
    path,
    kind: kindOf(layer),
    outputShape,
    parameters,
    ...costsOf(call),
    receptiveField,
  })
}

const sum = (
  rows: readonly SummaryRow[],
  column: 'parameters' | 'multiplyAdds' | 'flops',
): number => rows.reduce((n, row) => n + row[column], 0)

/**
 * The layers of a network in the order of their use, with output shapes, parameters, multiply-adds,
 * floating point operations (of inference, for the batch in `inputShape`) and receptive fields,
 * and the totals. Shapes and graphs are followed; nothing is run, and no parameter is made.
 * @throws ShapeError where a layer's input does not fit.
 * @example
 * console.log(String(summary(models.lenet5(), [1, 1, 28, 28])))
 * summary(conv2d(64, 3), [1, 3, 224, 224]).totals.parameters // 1792
 */
export const summary = (
  layer: AnyLayer,
  inputShape: Shapes,
  { dtype = 'float32', train = false }: SummaryOptions = {},
): Summary => {
  const calls: Call[] = []
  const found = { outputShape: inputShape, state: 0 }
  const follow = (key: Tensor, x: unknown): Tensor => {
    const made = layer.init(key, inputShape)
    const scope = newScope()
    const watch = recorder(scope, (call) => calls.push(call))
    const run = (inner: Watch): readonly [unknown, unknown] =>
      layer.apply(made, x, { train, key, scope: { ...scope, watch: inner } })
    const [y] = watch([layer.traits?.parts === undefined ? layer.name : '', layer], made, x, run)
    found.outputShape = shapesOf(y)
    found.state = elements(tensorsOf(made.state))
    return key
  }
  evalShape(erase(follow), random.key(0), inputTypes(inputShape, dtype))
  const rows = Object.freeze(calls.map(rowOf))
  const totals: SummaryTotals = Object.freeze({
    parameters: sum(rows, 'parameters'),
    state: found.state,
    multiplyAdds: sum(rows, 'multiplyAdds'),
    flops: sum(rows, 'flops'),
  })
  const plain = { inputShape, outputShape: found.outputShape, rows, totals }
  return Object.freeze({ ...plain, toString: () => tableOf(rows, totals), toJSON: () => plain })
}
