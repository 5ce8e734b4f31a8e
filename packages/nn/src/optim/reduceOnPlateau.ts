/** A rate that falls when the loss no longer does. */
import { type Tensor, UnsupportedError, fill, frozenPair } from '@cotangent/core'
import { increment, scalar, times, zeroCount } from './hyper.ts'
import { type CountState, type GradientTransformation, requireExtra } from './transformation.ts'
import { mapTrees, select } from './trees.ts'

export interface PlateauState extends CountState {
  /** What updates are multiplied by. */
  readonly scale: Tensor
  /** The best mean value so far; infinite at the start. */
  readonly bestValue: Tensor
  /** Means in a row that were no better: int32. */
  readonly plateauCount: Tensor
  /** Means yet to be ignored after a change: int32. */
  readonly cooldownCount: Tensor
  /** The mean of the values since the last comparison. */
  readonly avgValue: Tensor
}

export interface PlateauOptions {
  /** At each plateau the scale is multiplied by this, between 0 and 1; 0.1 by default. */
  readonly factor?: number
  /** Means without improvement that make a plateau; 10 by default. */
  readonly patience?: number
  /** What is an improvement, as a share of the best value; 1e-4 by default. */
  readonly rtol?: number
  /** What is an improvement, as a difference; 0 by default. */
  readonly atol?: number
  /** Means to ignore after a change; 0 by default. */
  readonly cooldown?: number
  /** Values to a mean; 1 by default. */
  readonly accumulationSize?: number
  /** Not below this; 0 by default. */
  readonly minScale?: number
}

const checked = ({ factor = 0.1, rtol = 1e-4, atol = 0 }: PlateauOptions): void => {
  const problem =
    factor <= 0 || factor >= 1
      ? 'the factor lies between 0 and 1'
      : rtol < 0 || atol < 0 || rtol > 1 || rtol + atol === 0
        ? 'one tolerance is positive, none negative, the relative one at most 1'
        : null
  if (problem === null) return
  throw new UnsupportedError({
    operation: 'reduceOnPlateau',
    problem,
    got: `factor ${factor}, rtol ${rtol}, atol ${atol}`,
    fix: 'choose others, such as factor 0.1 and rtol 1e-4',
  })
}

/**
 * Multiplies updates by a scale that falls at each plateau of the loss: PyTorch's
 * `ReduceLROnPlateau` as a part of the step.
 * @throws UnsupportedError for a factor or tolerances out of range, and unless update gets
 * `{ value }`.
 * @example
 * const optimizer = optim.chain(optim.adam(1e-3), optim.reduceOnPlateau({ patience: 5 }))
 * optimizer.update(grads, state, params, { value: loss })
 */
export const reduceOnPlateau = (
  options: PlateauOptions = {},
): GradientTransformation<PlateauState> => {
  const { factor = 0.1, patience = 10, rtol = 1e-4, atol = 0, cooldown = 0 } = options
  const { accumulationSize = 1, minScale = 0 } = options
  checked(options)
  const compared = (s: PlateauState): PlateauState => {
    const better = s.avgValue.less(s.bestValue.mul(1 - rtol).sub(atol))
    const cooling = s.cooldownCount.greater(0)
    const waited = zeroCount().where(better, increment(s.plateauCount))
    const full = waited.equal(patience).logicalAnd(cooling.logicalNot())
    return {
      scale: s.scale
        .mul(factor)
        .where(full, s.scale)
        .maximum(minScale)
        .where(cooling.logicalNot(), s.scale),
      bestValue: s.avgValue.where(better, s.bestValue),
      plateauCount: zeroCount().where(full.logicalOr(cooling), waited),
      cooldownCount: s.cooldownCount
        .sub(1)
        .where(cooling, fill([], cooldown, 'int32').where(full, zeroCount())),
      count: zeroCount(),
      avgValue: fill([], 0, 'float32'),
    }
  }
  return {
    init: () =>
      Object.freeze({
        scale: fill([], 1, 'float32'),
        bestValue: fill([], Infinity, 'float32'),
        plateauCount: zeroCount(),
        cooldownCount: zeroCount(),
        count: zeroCount(),
        avgValue: fill([], 0, 'float32'),
      }),
    update: (grads, state, _, extra) => {
      const value = scalar(requireExtra('reduceOnPlateau', extra, 'value'))
      const count = increment(state.count)
      const sum = state.avgValue.mul(state.count.astype('float32')).add(value)
      const averaged = { ...state, avgValue: sum.div(count.astype('float32')), count }
      const due = count.equal(accumulationSize)
      const next = select(due, compared(averaged), averaged)
      return frozenPair(
        mapTrees('reduceOnPlateau', (g) => times(g, next.scale), grads),
        next,
      )
    },
  }
}
