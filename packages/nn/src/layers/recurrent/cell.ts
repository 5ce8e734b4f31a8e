/** Recurrent cells as layers: one step, from a carry and an input to a carry and an output. */
import { type DType, type Shape, type Tensor } from '@cotangent/core'
import {
  type Initialized,
  type Layer,
  type Mode,
  type None,
  type Variables,
  defineLayer,
  none,
} from '../../layer.ts'

/** What a cell takes: the input of one step, `[batch, …features]`, and the carry before it. */
export interface CellInput<C> {
  readonly inputs: Tensor
  readonly carry: C
}

/** The carry after the step, and the output. */
export type CellOutput<C> = readonly [carry: C, output: Tensor]

/** Where an input goes. */
export interface Place {
  /** The layer, for messages. */
  readonly layer: string
  readonly leading: number
}

/** What differs from cell to cell. */
export interface CellRecord<P, C, Name extends string> {
  readonly name: Name
  /** Parameters for inputs of this shape, `[batch, …features]`, and the shape of an output. */
  init(key: Tensor, inputShape: Shape): { readonly params: P; readonly outputShape: Shape }
  /** The carry before the first step, for inputs of this shape: zeros as a rule. */
  initCarry(params: P, inputShape: Shape, dtype: DType): C
  /**
   * The work on the input that needs no carry, done for all steps at once before the loop, so for
   * any leading axes `[…, batch]`; the input itself by default.
   */
  project?(params: P, inputs: Tensor): Tensor
  /** One step from a projected input. */
  step(params: P, carry: C, projected: Tensor): CellOutput<C>
  /** The output, where it is part of the carry: spares looking for the last one. */
  output?(carry: C): Tensor
  /** The axis of an output `[batch, …]` on which two directions stand side by side; the last by default. */
  readonly featureAxis?: number
  /**
   * Refuses inputs that the parameters are not for. `place` says whose they are, and how many axes
   * stand before the features: one (batch) for a cell, two (batch, time) for a sequence.
   */
  check?(params: P, inputShape: Shape, place: Place): void
}

/** A cell is a layer of `{ inputs, carry }` to `[carry, output]`; `recurrent` runs it over time. */
export interface RecurrentCell<P, C, Name extends string = string>
  extends Layer<P, None, Name, CellOutput<C>, CellInput<C>> {
  initCarry(params: P, inputShape: Shape, dtype?: DType): C
  project(params: P, inputs: Tensor): Tensor
  step(params: P, carry: C, projected: Tensor): CellOutput<C>
  /** The output where it is part of the carry. */
  output(carry: C): Tensor | undefined
  readonly featureAxis: number
  check(params: P, inputShape: Shape, place?: Place): void
}

/** A cell of which nothing more is known. */
export type AnyCell = RecurrentCell<unknown, unknown>

/**
 * A cell from its parts, for `recurrent`. The carry is any tree of tensors `[batch, …]`.
 * @example
 * const leaky = defineCell({
 *   name: 'leaky',
 *   init: (_, shape) => ({ params: { decay: np.full([shape[1]!], 0.9) }, outputShape: shape }),
 *   initCarry: (_, shape) => np.zeros(shape),
 *   step: ({ decay }, old: Tensor, x) => {
 *     const next = old.mul(decay).add(x)
 *     return [next, next]
 *   },
 * })
 * const layer = recurrent(leaky) // [batch, time, features] to the same
 */
export const defineCell = <P, C, const Name extends string>(
  record: CellRecord<P, C, Name>,
): RecurrentCell<P, C, Name> => {
  const project = (params: P, inputs: Tensor): Tensor => record.project?.(params, inputs) ?? inputs
  const check = (
    params: P,
    shape: Shape,
    place: Place = { layer: record.name, leading: 1 },
  ): void => record.check?.(params, shape, place)
  const layer = defineLayer<P, None, Name, CellOutput<C>, CellInput<C>>({
    name: record.name,
    init: (key, inputShape): Initialized<P, None> => ({
      ...record.init(key, inputShape),
      state: none,
    }),
    apply: ({ params, state }: Variables<P, None>, { inputs, carry }, _: Mode) => {
      check(params, inputs.shape)
      return [Object.freeze(record.step(params, carry, project(params, inputs))), state]
    },
  })
  return Object.freeze({
    ...layer,
    initCarry: (params: P, inputShape: Shape, dtype: DType = 'float32') =>
      record.initCarry(params, inputShape, dtype),
    project,
    step: (params: P, carry: C, projected: Tensor) => record.step(params, carry, projected),
    output: (carry: C) => record.output?.(carry),
    featureAxis: record.featureAxis ?? -1,
    check,
  })
}
