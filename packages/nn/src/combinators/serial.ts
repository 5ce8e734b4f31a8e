/** Layers one after the other. */
import { type Tensor, erase, typed } from '@cotangent/core'
import {
  type Initialized,
  type Layer,
  type Mode,
  type Part,
  type Scope,
  type Shapes,
  type Variables,
  defineComposite,
} from '../layer.ts'
import {
  type InputOfStage,
  type Numbered,
  type OutputOfStage,
  type ParamsOfRecord,
  type ShapeOfStage,
  type Stage,
  type StageRecord,
  type Stages,
  type StateOfRecord,
  partsOf,
} from './naming.ts'
import {
  type Branch,
  type Tree,
  anyRandom,
  applyPart,
  initPart,
  newScope,
  scoped,
  treeOf,
} from './parts.ts'

type LastOf<S extends readonly Stage[]> = S extends readonly [...unknown[], infer Last]
  ? Last
  : never

/** What goes into the first layer and comes out of the last. */
export type SerialOfList<S extends readonly Stage[]> = Layer<
  ParamsOfRecord<Numbered<S>>,
  StateOfRecord<Numbered<S>>,
  'serial',
  OutputOfStage<LastOf<S>>,
  InputOfStage<S[0]>,
  ShapeOfStage<LastOf<S>>
>

/** Records do not say which layer comes last; input and output are then tensors. */
export type SerialOfRecord<S extends StageRecord> = Layer<
  ParamsOfRecord<S>,
  StateOfRecord<S>,
  'serial'
>

interface Serial {
  <const S extends readonly [Stage, ...Stage[]]>(...stages: S): SerialOfList<S>
  <const S extends StageRecord>(stages: S): SerialOfRecord<S>
}

const initAll = (
  parts: readonly Part[],
  key: Tensor,
  input: Shapes,
  scope: Scope,
): Initialized<Tree, Tree, Shapes> => {
  const params: Branch[] = []
  const state: Branch[] = []
  let outputShape = input
  parts.forEach((part, i) => {
    const made = initPart(part, i, key, outputShape, scope)
    params.push([part[0], made.params])
    state.push([part[0], made.state])
    outputShape = made.outputShape
  })
  return { params: treeOf(params), state: treeOf(state), outputShape }
}

const applyAll = (
  parts: readonly Part[],
  variables: Variables<Tree, Tree>,
  x: unknown,
  given: Mode,
): readonly [unknown, Tree] => {
  const mode = scoped(given)
  const states: Branch[] = []
  let y = x
  parts.forEach((part, i) => {
    const [out, next] = applyPart(part, i, variables, y, mode)
    states.push([part[0], next])
    y = out
  })
  return [y, treeOf(states)]
}

type AnySerial = Layer<Tree, Tree, 'serial', unknown, unknown, Shapes>

/** Parts in series, as they are named. */
export const serialOf = (parts: readonly Part[]): AnySerial =>
  defineComposite<Tree, Tree, 'serial', unknown, unknown, Shapes>({
    name: 'serial',
    isRandom: anyRandom(parts),
    traits: { parts, isChain: true, withParts: serialOf },
    init: (key, shape, scope = newScope()) => initAll(parts, key, shape, scope),
    apply: (variables, x, mode) => applyAll(parts, variables, x, mode),
  })

const build = (...stages: Stages): AnySerial => serialOf(partsOf('serial', stages))

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
