/** Hyperparameters as a part of the state. */
import { type Tensor, frozenPair } from '@cotangent/core'
import { type ScheduleOr, increment, scalar, valueAt, zeroCount } from './hyper.ts'
import type { CountState, GradientTransformation } from './transformation.ts'
import { dtypeOf } from './trees.ts'

/** Hyperparameters by name, as scalar tensors. */
export type Hyperparams<Names extends string> = { readonly [Name in Names]: Tensor }

export interface InjectState<Names extends string, S> extends CountState {
  /** The values of the last update. Those that are no schedules may be changed between updates. */
  readonly hyperparams: Hyperparams<Names>
  readonly inner: S
}

// What Object.fromEntries gives has forgotten which names there are.
const mapValues = <Names extends string>(
  given: { readonly [Name in Names]: ScheduleOr },
  f: (source: ScheduleOr, name: Names) => Tensor,
): Hyperparams<Names> => {
  const values: { [Name in Names]?: Tensor } = {}
  for (const name in given) values[name] = f(given[name], name)
  return Object.freeze(values) as Hyperparams<Names>
}

/**
 * A transformation whose numbers are read from its state: they can be watched, checkpointed, changed
 * between the steps of one compiled function, and driven by schedules each.
 * @example
 * const optimizer = injectHyperparams(
 *   ({ rate, b1 }) => adam(rate, { b1 }),
 *   { rate: linear(1e-3, 0, 1000), b1: 0.9 },
 * )
 * const slower = tree.update(state, (s) => { s.hyperparams.b1 = tensor(0.95) })
 */
export const injectHyperparams = <Names extends string, S>(
  make: (hyperparams: Hyperparams<Names>) => GradientTransformation<S>,
  given: { readonly [Name in Names]: ScheduleOr },
): GradientTransformation<InjectState<Names, S>> => {
  const valuesAt = (
    count: Tensor,
    params: unknown,
    last: Hyperparams<Names> | null,
  ): Hyperparams<Names> => {
    const dtype = dtypeOf('injectHyperparams', params)
    return mapValues(given, (source, name) =>
      last === null || typeof source === 'function'
        ? scalar(valueAt(source, count), dtype)
        : last[name],
    )
  }
  return {
    init: (params) => {
      const count = zeroCount()
      const hyperparams = valuesAt(count, params, null)
      return Object.freeze({ count, hyperparams, inner: make(hyperparams).init(params) })
    },
    update: (grads, state, params, extra) => {
      const hyperparams = valuesAt(state.count, params ?? grads, state.hyperparams)
      const [updates, inner] = make(hyperparams).update(grads, state.inner, params, extra)
      return frozenPair(
        updates,
        Object.freeze({ count: increment(state.count), hyperparams, inner }),
      )
    },
  }
}
