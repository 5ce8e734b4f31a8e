/** Classifiers in the middle of a network, which only training uses. */
import { Tensor, TreeError, erase, typed } from '@cotangent/core'
import { type StageRecord, asLayer } from '../combinators/naming.ts'
import type { ParamsOfRecord, StateOfRecord } from '../combinators/naming.ts'
import {
  type Tree,
  anyRandom,
  applyPart,
  initPart,
  newScope,
  scoped,
  treeOf,
} from '../combinators/parts.ts'
import { type Layer, type Part, type Shapes, defineComposite } from '../layer.ts'

/** The output of a network with auxiliary heads. */
export interface WithAuxiliary {
  readonly logits: Tensor
  /** In training the logits of each head, from the first to the last; in inference nothing. */
  readonly auxiliary: readonly Tensor[]
}

interface WithHeads {
  <const S extends StageRecord, const H extends StageRecord>(
    stages: S,
    heads: H,
    after: Readonly<Record<keyof H, keyof S>>,
  ): Layer<
    ParamsOfRecord<S> & ParamsOfRecord<H>,
    StateOfRecord<S> & StateOfRecord<H>,
    'withHeads',
    WithAuxiliary
  >
}

type Heads = Layer<Tree, Tree, 'withHeads', WithAuxiliary, unknown, Shapes>
type After = Readonly<Record<string, string>>

const requireTensor = (y: unknown): Tensor => {
  if (y instanceof Tensor) return y
  throw new TreeError({
    operation: 'withHeads',
    problem: 'the network and its heads end in logits',
    got: 'several tensors',
    want: 'one tensor',
    fix: 'end each in a dense layer',
  })
}

// A head comes after the stage that it looks at; all others are the trunk.
const withHeadsOf = (parts: readonly Part[], after: After): Heads => {
  const numbered = parts.map((part, i) => ({ part, i }))
  const isHead = (name: string): boolean => after[name] !== undefined
  const trunk = numbered.filter(({ part }) => !isHead(part[0]))
  const headsAfter = (stage: string): typeof numbered =>
    numbered.filter(({ part }) => after[part[0]] === stage)
  return defineComposite<Tree, Tree, 'withHeads', WithAuxiliary, unknown, Shapes>({
    name: 'withHeads',
    isRandom: anyRandom(parts),
    traits: { parts, withParts: (others) => withHeadsOf(others, after) },
    init: (key, input, scope = newScope()) => {
      const made = new Map<string, { readonly params: unknown; readonly state: unknown }>()
      let outputShape = input
      for (const { part, i } of trunk) {
        const stage = initPart(part, i, key, outputShape, scope)
        made.set(part[0], stage)
        outputShape = stage.outputShape
        for (const head of headsAfter(part[0])) {
          made.set(head.part[0], initPart(head.part, head.i, key, outputShape, scope))
        }
      }
      const of = (what: 'params' | 'state'): Tree =>
        treeOf(parts.map(([name]) => [name, made.get(name)![what]]))
      return { params: of('params'), state: of('state'), outputShape }
    },
    apply: (variables, x, given) => {
      const mode = scoped(given)
      const states = new Map<string, unknown>(Object.entries(variables.state))
      const auxiliary: Tensor[] = []
      let y = x
      const run = ({ part, i }: (typeof numbered)[number], input: unknown): unknown => {
        const [output, state] = applyPart(part, i, variables, input, mode)
        states.set(part[0], state)
        return output
      }
      for (const stage of trunk) {
        y = run(stage, y)
        if (mode.train !== true) continue
        for (const head of headsAfter(stage.part[0])) auxiliary.push(requireTensor(run(head, y)))
      }
      const output = Object.freeze({
        logits: requireTensor(y),
        auxiliary: Object.freeze(auxiliary),
      })
      return [output, treeOf(parts.map(([name]) => [name, states.get(name) ?? {}]))]
    },
  })
}

const build = (stages: StageRecord, heads: StageRecord, after: After): Heads => {
  const parts = [...Object.entries(stages), ...Object.entries(heads)]
  return withHeadsOf(
    parts.map(([name, stage]) => [name, asLayer(stage)]),
    after,
  )
}

/**
 * Stages in series, and heads that look at the output of one of them. The heads run in training
 * only; their parameters stand beside the stages'. The output's shape is that of the logits.
 * @example
 * withHeads({ stem, body, top }, { auxiliary1: serial(flatten(), dense(10)) }, { auxiliary1: 'stem' })
 */
export const withHeads: WithHeads = typed(erase(build))

/**
 * A loss of networks with auxiliary heads: that of the logits and, in training, `weight` times that
 * of each head.
 * @see Szegedy et al. 2015, section 5 (weight 0.3)
 * @example
 * const loss = models.auxiliaryLoss(nn.losses.softmaxCrossEntropy)
 */
export const auxiliaryLoss =
  <T>(
    loss: (logits: Tensor, target: T) => Tensor,
    weight = 0.3,
  ): ((output: WithAuxiliary, target: T) => Tensor) =>
  ({ logits, auxiliary }, target) =>
    auxiliary.reduce((sum, y) => sum.add(loss(y, target).mul(weight)), loss(logits, target))
