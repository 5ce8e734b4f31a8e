/** Which reductions may be reordered and split into partial results. */
import {
  type BinaryOp,
  type DType,
  type Scalar,
  integerRange,
  isFloat,
  kindOf,
} from '@cotangent/core'
import { makeInterner } from './intern.ts'
import { walk } from './visit.ts'

/** A step `acc ∘ f` whose `∘` is associative and whose `f` reads no accumulator. */
export interface Associative {
  readonly op: BinaryOp
  /** What changes no value under the operator. */
  readonly neutral: number
}

const readsAny = (s: Scalar, names: ReadonlySet<string>): boolean => {
  let found = false
  walk({
    scalar: (inner) => {
      if (inner.tag === 'local' && names.has(inner.name)) found = true
    },
  }).scalar(s)
  return found
}

// float32 partial sums would round differently from the one sum that was asked for.
const isSplittable = (dtype: DType): boolean => !isFloat(dtype) || dtype === 'float64'

const neutrals: Readonly<Partial<Record<BinaryOp, (dtype: DType) => number | null>>> = {
  add: (dtype) => (isSplittable(dtype) ? 0 : null),
  multiply: (dtype) => (isSplittable(dtype) ? 1 : null),
  maximum: (dtype) => (isFloat(dtype) ? -Infinity : integerRange(dtype)[0]),
  minimum: (dtype) => (isFloat(dtype) ? Infinity : integerRange(dtype)[1]),
  or: () => 0,
  xor: () => 0,
  and: (dtype) => (kindOf(dtype) === 'signed' ? -1 : integerRange(dtype)[1]),
}

/** Recognises `acc ∘ f` for the accumulator `name`; null where the order of steps matters. */
export const associativeStep = (
  step: Scalar,
  name: string,
  accumulators: ReadonlySet<string>,
): Associative | null => {
  if (step.tag !== 'binary' || step.x.tag !== 'local' || step.x.name !== name) return null
  if (readsAny(step.y, accumulators)) return null
  const neutral = neutrals[step.op]?.(step.dtype) ?? null
  return neutral === null ? null : { op: step.op, neutral }
}

/** The common condition of `select(condition, new, own accumulator)` in every step, or null. */
export const commonChoice = (
  steps: readonly Scalar[],
  names: readonly string[],
): { readonly condition: Scalar; readonly values: readonly Scalar[] } | null => {
  const first = steps[0]
  if (first?.tag !== 'select') return null
  const { idOf } = makeInterner()
  const values: Scalar[] = []
  for (const [n, step] of steps.entries()) {
    if (step.tag !== 'select' || idOf(step.condition) !== idOf(first.condition)) return null
    if (step.onFalse.tag !== 'local' || step.onFalse.name !== names[n]) return null
    values.push(step.onTrue)
  }
  return { condition: first.condition, values }
}
