/**
 * Largest and smallest values of rows. The instruction that gets NaN and the order of zeros right is a
 * sequence of eight on x86. Quick steps compare and choose, which is one, and add up the terms, which
 * tells whether there was a NaN; where there may have been, or where zeros have won, the row is gone over
 * again with exact steps.
 */
import { type Scalar, scalars } from '@cotangent/core'
import type { Along } from './along.ts'
import type { Accumulator } from './nest.ts'
import { extentOf } from './tiles.ts'

const { binaryOp, bitcastTo, compareOp, literal, local, selectOp } = scalars

/** Terms that make up for the code of a second loop. */
const fewestTerms = 64

interface Extreme {
  readonly a: number
  readonly sum: number
  readonly op: 'maximum' | 'minimum'
}

/** Quick steps: which accumulators are extremes, and which sums say whether they can be trusted. */
export interface Quick {
  readonly along: Along
  readonly extremes: readonly Extreme[]
}

/** The same reductions in quick steps; null where nothing gains by them. */
export const withoutNaN = (along: Along): Quick | null => {
  const { nest, split, dtypes } = along
  const { accumulators, associative } = nest
  if (associative === null || extentOf(nest.reduced) < fewestTerms) return null
  const sums: { readonly accumulator: Accumulator; readonly step: Scalar }[] = []
  const extremes: Extreme[] = []
  const steps = split.steps.map((step, a): Scalar => {
    const { op } = associative[a]!
    if (op !== 'maximum' && op !== 'minimum') return step
    if (dtypes[a] !== 'float32' || step.tag !== 'binary') return step
    const name = `${accumulators[a]!.name}sum`
    sums.push({
      accumulator: { name, dtype: 'float32', initial: 0 },
      step: binaryOp('add', local('float32', name), step.y),
    })
    extremes.push({ a, sum: accumulators.length + extremes.length, op })
    return chosen(op, step.x, step.y)
  })
  if (extremes.length === 0) return null
  return {
    extremes,
    along: {
      ...along,
      nest: {
        ...nest,
        accumulators: [...accumulators, ...sums.map((s) => s.accumulator)],
        associative: [...associative, ...sums.map(() => ({ op: 'add', neutral: 0 }) as const)],
      },
      split: { ...split, steps: [...steps, ...sums.map((s) => s.step)] },
      dtypes: [...dtypes, ...sums.map(() => 'float32' as const)],
    },
  }
}

const chosen = (op: Extreme['op'], acc: Scalar, term: Scalar): Scalar => {
  const [low, high] = op === 'maximum' ? [acc, term] : [term, acc]
  return selectOp(compareOp('less', low, high), term, acc)
}

/** A quick step over another term; null where the step is none. */
export const withTerm = (step: Scalar, term: (y: Scalar) => Scalar): Scalar | null => {
  if (step.tag !== 'select' || step.condition.tag !== 'compare') return null
  const { onTrue, onFalse, condition } = step
  return chosen(condition.x === onFalse ? 'maximum' : 'minimum', onFalse, term(onTrue))
}

/** The sum is NaN, or the extreme the zero that a term with the other one's sign would beat. */
export const isInDoubt = (op: Extreme['op'], extreme: Scalar, sum: Scalar): Scalar => {
  const zero = literal('int32', op === 'maximum' ? -0x80000000 : 0)
  const isZero = compareOp('equal', bitcastTo('int32', extreme), zero)
  return binaryOp('or', compareOp('notEqual', sum, sum), isZero)
}
