/** Residual connections. */
import { type Tensor, erase, typed } from '@cotangent/core'
import { type AnyLayer, type Layer, type Part, type Shapes, defineComposite } from '../layer.ts'
import { add } from './merge.ts'
import {
  type InputOfStage,
  type ParamsOfRecord,
  type Stage,
  type StateOfRecord,
  asLayer,
} from './naming.ts'
import { type Tree, anyRandom, applyPart, initPart, newScope, scoped, treeOf } from './parts.ts'

export interface ResidualOptions<S extends Stage> {
  /** What the input goes through beside the body; nothing by default. */
  readonly shortcut?: S
  /** After the sum; nothing by default. */
  readonly activation?: Stage | undefined
}

type Of<B, S> = { readonly body: B; readonly shortcut: S }

interface Residual {
  <B extends Stage>(
    body: B,
    options?: ResidualOptions<never>,
  ): Layer<
    ParamsOfRecord<{ readonly body: B }>,
    StateOfRecord<{ readonly body: B }>,
    'residual',
    Tensor,
    InputOfStage<B>
  >
  <B extends Stage, S extends Stage>(
    body: B,
    options: ResidualOptions<S>,
  ): Layer<ParamsOfRecord<Of<B, S>>, StateOfRecord<Of<B, S>>, 'residual', Tensor, InputOfStage<B>>
}

type Block = Layer<Tree, Tree, 'residual', unknown, unknown, Shapes>

// Two ways from the input, their sum, and what follows; parts that were not given are left out.
interface Ways {
  readonly body: Part
  readonly shortcut: Part | undefined
  readonly sum: Part
  readonly activation: Part | undefined
}

const waysOf = (parts: readonly Part[]): Ways => {
  const of = (name: string): Part | undefined => parts.find(([n]) => n === name)
  const layers = { body: of('body')!, sum: of('add')! }
  return { ...layers, shortcut: of('shortcut'), activation: of('activation') }
}

const residualOf = (parts: readonly Part[]): Block => {
  const { body, shortcut, sum, activation } = waysOf(parts)
  return defineComposite<Tree, Tree, 'residual', unknown, unknown, Shapes>({
    name: 'residual',
    isRandom: anyRandom(parts),
    traits: { parts, withParts: residualOf },
    init: (key, shape, scope = newScope()) => {
      const make = (part: Part, i: number, input: Shapes) => initPart(part, i, key, input, scope)
      const main = make(body, 0, shape)
      const side = shortcut === undefined ? undefined : make(shortcut, 1, shape)
      const total = make(sum, 2, [main.outputShape, side?.outputShape ?? shape])
      const last = activation === undefined ? undefined : make(activation, 3, total.outputShape)
      return {
        params: treeOf([
          ['body', main.params],
          ['shortcut', side?.params ?? {}],
          ['activation', last?.params ?? {}],
        ]),
        state: treeOf([
          ['body', main.state],
          ['shortcut', side?.state ?? {}],
          ['activation', last?.state ?? {}],
        ]),
        outputShape: last?.outputShape ?? total.outputShape,
      }
    },
    apply: (variables, x, given) => {
      const mode = scoped(given)
      const run = (part: Part, i: number, input: unknown) =>
        applyPart(part, i, variables, input, mode)
      const [main, mainState] = run(body, 0, x)
      const [side, sideState] = shortcut === undefined ? [x, {}] : run(shortcut, 1, x)
      const [total] = run(sum, 2, [main, side])
      const [y, lastState] = activation === undefined ? [total, {}] : run(activation, 3, total)
      const state = treeOf([
        ['body', mainState],
        ['shortcut', sideState],
        ['activation', lastState],
      ])
      return [y, state]
    },
  })
}

const build = (body: Stage, options: ResidualOptions<Stage> = {}): Block => {
  const { shortcut, activation } = options
  const part = (name: string, stage: Stage): Part => [name, asLayer(stage)]
  const sum: AnyLayer = add()
  return residualOf([
    part('body', body),
    ...(shortcut === undefined ? [] : [part('shortcut', shortcut)]),
    ['add', sum],
    ...(activation === undefined ? [] : [part('activation', activation)]),
  ])
}

/**
 * activation(body(x) + shortcut(x)): the body learns what is to be added to the input. Parameters
 * `body` and, where it has any, `shortcut`.
 * @throws ShapeError where body and shortcut give different shapes.
 * @see He, Zhang, Ren & Sun 2016
 * @example
 * const body = serial(conv2d(16, 3, { padding: 1 }), batchNorm(), relu, conv2d(16, 3, { padding: 1 }), batchNorm())
 * residual(body, { activation: relu })
 * residual(body, { shortcut: conv2d(16, 1), activation: relu }) // from another number of channels
 */
export const residual: Residual = typed(erase(build))
