/** One training step as one pure function: forward, backward, update, state and metrics. */
import { type Tensor, valueAndGrad } from '@cotangent/core'
import { random } from '@cotangent/ops'
import type { Layer, Variables } from '../layer.ts'
import { type GradientTransformation, applyUpdates } from '../optim/transformation.ts'
import { type ByName, type Metrics, scoreboard } from './totals.ts'

/** Everything that a step changes. */
export interface TrainState<P, S, O> extends Variables<P, S> {
  readonly optimizerState: O
}

/** What one step tells. */
export interface StepResult<P, S, O> {
  readonly next: TrainState<P, S, O>
  readonly loss: Tensor
  /** By name: what each metric measured, trees of tensors. */
  readonly metrics: ByName
}

export interface Objective<P, S, X, Y, T> {
  readonly model: Layer<P, S, string, Y, X>
  /** A scalar from the model's output and the targets. */
  readonly loss: (output: Y, target: T) => Tensor
  readonly metrics?: Metrics<Y, T>
}

export interface StepOptions<P, S, X, Y, T, O> extends Objective<P, S, X, Y, T> {
  readonly optimizer: GradientTransformation<O>
  /** Added to the loss: a penalty on the parameters. */
  readonly regularizer?: (params: P) => Tensor
}

export type Step<P, S, X, T, O> = (
  current: TrainState<P, S, O>,
  x: X,
  y: T,
  key: Tensor,
  index: number,
) => StepResult<P, S, O>

/**
 * The step `(state, x, y, key, index) → { next, loss, metrics }`; pure, so that it can be compiled as
 * one function, `jit(step, { donate: [0] })`. The key of the model's call is `foldIn(key, index)`.
 */
export const makeStep =
  <P, S, X, Y, T, O>(options: StepOptions<P, S, X, Y, T, O>): Step<P, S, X, T, O> =>
  (current, x, y, key, index) => {
    const { model, loss, optimizer, metrics, regularizer } = options
    const objective = (params: P): readonly [Tensor, Aside<S>] => {
      const [output, state] = model.apply({ params, state: current.state }, x, {
        train: true,
        key: random.foldIn(key, index),
      })
      const value = loss(output, y)
      const total = regularizer === undefined ? value : value.add(regularizer(params))
      return [total, { state, metrics: scoreboard(metrics).measure(output, y) }]
    }
    const [[value, aside], grads] = valueAndGrad(objective, { hasAux: true })(current.params)
    const { optimizerState, params } = current
    // Line searches and rules that look at the loss find it beside the gradients.
    const extra = { value, grad: grads, valueFn: (p: P): Tensor => objective(p)[0] }
    const [updates, nextOptimizerState] = optimizer.update(grads, optimizerState, params, extra)
    return {
      next: {
        params: applyUpdates(params, updates),
        state: aside.state,
        optimizerState: nextOptimizerState,
      },
      loss: value,
      metrics: aside.metrics,
    }
  }

interface Aside<S> {
  readonly state: S
  readonly metrics: ByName
}
