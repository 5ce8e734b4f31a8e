/** Layers side by side: on one input, or each on its own. */
import { type Shape, type Tensor, TreeError, erase, typed } from '@cotangent/core'
import {
  type Initialized,
  type Layer,
  type Mode,
  type Part,
  type Scope,
  type Shapes,
  type Variables,
  defineComposite,
  listOfShapes,
} from '../layer.ts'
import {
  type InputOfStage,
  type Numbered,
  type NumberedAs,
  type OutputOfStage,
  type ParamsOfRecord,
  type ShapeOfStage,
  type Stage,
  type StageRecord,
  type Stages,
  type StateOfRecord,
  partsOf,
} from './naming.ts'
import { type Tree, anyRandom, applyPart, initPart, newScope, scoped, treeOf } from './parts.ts'

type Some = readonly [Stage, ...Stage[]]
type OutputsOf<S extends readonly Stage[]> = { readonly [K in keyof S]: OutputOfStage<S[K]> }
type ShapesOf<S extends readonly Stage[]> = { readonly [K in keyof S]: ShapeOfStage<S[K]> }
type InputsOf<S extends readonly Stage[]> = { readonly [K in keyof S]: InputOfStage<S[K]> }

interface Branches {
  <const S extends Some>(
    ...stages: S
  ): Layer<
    ParamsOfRecord<NumberedAs<'branch', S>>,
    StateOfRecord<NumberedAs<'branch', S>>,
    'branches',
    OutputsOf<S>,
    InputOfStage<S[0]>,
    ShapesOf<S>
  >
  <const S extends StageRecord>(
    stages: S,
  ): Layer<
    ParamsOfRecord<S>,
    StateOfRecord<S>,
    'branches',
    readonly Tensor[],
    Tensor,
    readonly Shape[]
  >
}

interface Parallel {
  <const S extends Some>(
    ...stages: S
  ): Layer<
    ParamsOfRecord<Numbered<S>>,
    StateOfRecord<Numbered<S>>,
    'parallel',
    OutputsOf<S>,
    InputsOf<S>,
    ShapesOf<S>
  >
  <const S extends StageRecord>(
    stages: S,
  ): Layer<
    ParamsOfRecord<S>,
    StateOfRecord<S>,
    'parallel',
    readonly Tensor[],
    readonly Tensor[],
    readonly Shape[]
  >
}

type Side = Layer<
  Tree,
  Tree,
  'branches' | 'parallel',
  readonly unknown[],
  unknown,
  readonly Shapes[]
>

const initSides = (
  parts: readonly Part[],
  key: Tensor,
  inputs: readonly Shapes[],
  scope: Scope,
): Initialized<Tree, Tree, readonly Shapes[]> => {
  const made = parts.map((part, i) => initPart(part, i, key, inputs[i]!, scope))
  return {
    params: treeOf(made.map(({ params }, i) => [parts[i]![0], params])),
    state: treeOf(made.map(({ state }, i) => [parts[i]![0], state])),
    outputShape: made.map(({ outputShape }) => outputShape),
  }
}

const applySides = (
  parts: readonly Part[],
  variables: Variables<Tree, Tree>,
  inputs: readonly unknown[],
  given: Mode,
): readonly [readonly unknown[], Tree] => {
  const mode = scoped(given)
  const results = parts.map((part, i) => applyPart(part, i, variables, inputs[i], mode))
  const states = treeOf(results.map(([, state], i) => [parts[i]![0], state]))
  return [Object.freeze(results.map(([y]) => y)), states]
}

const branchesOf = (parts: readonly Part[]): Side =>
  defineComposite<Tree, Tree, 'branches', readonly unknown[], unknown, readonly Shapes[]>({
    name: 'branches',
    isRandom: anyRandom(parts),
    traits: { parts, withParts: branchesOf },
    init: (key, shape, scope = newScope()) =>
      initSides(
        parts,
        key,
        parts.map(() => shape),
        scope,
      ),
    apply: (variables, x, mode) =>
      applySides(
        parts,
        variables,
        parts.map(() => x),
        mode,
      ),
  })

const isList = (x: unknown): x is readonly unknown[] => Array.isArray(x)

const requireCount = (parts: readonly Part[], inputs: unknown): readonly unknown[] => {
  if (isList(inputs) && inputs.length === parts.length) return inputs
  throw new TreeError({
    operation: 'parallel',
    problem: 'every layer has its own input',
    got: isList(inputs) ? `${inputs.length} inputs` : 'one input that is no list',
    want: `a list of ${parts.length}, for ${parts.map(([name]) => name).join(', ')}`,
    fix: 'pass [x, y, …]; to give one input to all, use branches',
  })
}

const parallelOf = (parts: readonly Part[]): Side =>
  defineComposite<Tree, Tree, 'parallel', readonly unknown[], unknown, readonly Shapes[]>({
    name: 'parallel',
    isRandom: anyRandom(parts),
    traits: { parts, withParts: parallelOf },
    init: (key, shapes, scope = newScope()) => {
      const list = listOfShapes(shapes)
      requireCount(parts, list.length === 0 ? undefined : list)
      return initSides(parts, key, list, scope)
    },
    apply: (variables, x, mode) => applySides(parts, variables, requireCount(parts, x), mode),
  })

const buildBranches = (...stages: Stages): Side => branchesOf(partsOf('branches', stages, 'branch'))
const buildParallel = (...stages: Stages): Side => parallelOf(partsOf('parallel', stages))

/**
 * Several layers on the same input; the output is the list of theirs, which `concat` or `add` joins.
 * Unnamed layers are `branch1`, `branch2`, …; a record's keys are names.
 * @example
 * // an inception block
 * serial(branches(conv2d(64, 1), serial(conv2d(96, 1), relu, conv2d(128, 3, { padding: 1 }))), concat(1))
 */
export const branches: Branches = typed(erase(buildBranches))

/**
 * Several inputs, each with a layer of its own: a list of inputs to the list of outputs.
 * @throws TreeError where there are not as many inputs as layers.
 * @example
 * serial(parallel(dense(8), embedding(100, 8)), add()) // takes [features, ids]
 */
export const parallel: Parallel = typed(erase(buildParallel))
