/**
 * Narrowing: accumulation in float64 of what was float32 becomes float32 arithmetic, which has twice
 * the lanes. Precision is kept by blocks (see `flush` in `along.ts` and `outward.ts`), not by width.
 */
import { type Scalar, type Stmt, isFloat, scalars } from '@cotangent/core'
import { walk } from '../visit.ts'
import { finishWith, type Nest } from './nest.ts'

const { convertTo, literal, local } = scalars

const isWide = (s: Scalar): boolean => s.dtype === 'float64'

// Operators that lose no more in float32 than their operands' rounding.
const exact = new Set(['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'])
const exactUnary = new Set(['negate', 'absolute', 'sqrt', 'rsqrt', 'sign'])

/** The float32 form of a scalar of float64 arithmetic on float32 values, or null. */
export const narrowed = (
  s: Scalar,
  known: ReadonlyMap<Scalar, Scalar> = new Map(),
): Scalar | null => {
  const memo = new Map<Scalar, Scalar | null>()
  const both = (x: Scalar, y: Scalar): readonly [Scalar, Scalar] | null => {
    const [a, b] = [narrow(x), narrow(y)]
    return a === null || b === null ? null : [a, b]
  }
  const narrow = (x: Scalar): Scalar | null => {
    const done = memo.get(x)
    if (done !== undefined) return done
    const made = anew(x)
    memo.set(x, made)
    return made
  }
  const anew = (x: Scalar): Scalar | null => {
    const given = known.get(x)
    if (given !== undefined) return given
    switch (x.tag) {
      case 'literal':
        return isWide(x) ? literal('float32', Math.fround(x.value)) : x
      case 'local':
      case 'load':
      case 'within':
      case 'bitcast':
      case 'across':
        return isWide(x) ? null : x
      case 'fromIndex':
        return isWide(x) ? null : x
      case 'unary': {
        if (isWide(x) && !exactUnary.has(x.op)) return null
        const inner = narrow(x.x)
        return inner === null ? null : { ...x, dtype: isWide(x) ? 'float32' : x.dtype, x: inner }
      }
      case 'binary': {
        if (isWide(x) && !exact.has(x.op)) return null
        const inner = both(x.x, x.y)
        if (inner === null) return null
        return { ...x, dtype: isWide(x) ? 'float32' : x.dtype, x: inner[0], y: inner[1] }
      }
      case 'compare': {
        const inner = both(x.x, x.y)
        return inner === null ? null : { ...x, x: inner[0], y: inner[1] }
      }
      case 'select':
      case 'guard': {
        const condition = narrow(x.condition)
        const [first, second] = x.tag === 'select' ? [x.onTrue, x.onFalse] : [x.value, x.otherwise]
        const inner = both(first, second)
        if (condition === null || inner === null) return null
        const dtype = inner[0].dtype
        return x.tag === 'select'
          ? { ...x, dtype, condition, onTrue: inner[0], onFalse: inner[1] }
          : { ...x, dtype, condition, value: inner[0], otherwise: inner[1] }
      }
      case 'convert': {
        const inner = isWide(x.x) ? narrow(x.x) : x.x
        if (inner === null) return null
        if (!isWide(x)) return convertTo(x.dtype, inner)
        // A whole number beyond 2^24 would lose digits.
        if (!isFloat(inner.dtype) && inner.dtype !== 'bool') return smallInteger(inner)
        return convertTo('float32', inner)
      }
      default:
        return x satisfies never
    }
  }
  return narrow(s)
}

const smallInteger = (x: Scalar): Scalar | null =>
  x.dtype === 'int32' || x.dtype === 'uint32' ? null : convertTo('float32', x)

/** Whether any value below has 64 bits. */
export const hasWide = (values: readonly Scalar[], body: readonly Stmt[] = []): boolean => {
  let found = false
  const w = walk({
    scalar: (s) => {
      if (s.dtype === 'float64') found = true
    },
  })
  for (const s of values) w.scalar(s)
  w.body(body)
  return found
}

/** The steps with float32 in place of float64 accumulators; null where something needs the width. */
export const narrowSteps = (nest: Nest): readonly Scalar[] | null => {
  if (!hasWide(nest.steps) || nest.accumulators.some((a) => !fits(a.initial))) return null
  const seen = new Map<Scalar, Scalar>()
  const w = walk({
    scalar: (s) => {
      const own = s.tag === 'local' && nest.accumulators.some((a) => a.name === s.name)
      if (own && isWide(s)) seen.set(s, local('float32', s.name))
    },
  })
  for (const s of nest.steps) w.scalar(s)
  const steps = nest.steps.map((s) => narrowed(s, seen))
  return steps.every((s) => s !== null) ? steps : null
}

const fits = (x: number): boolean => Object.is(Math.fround(x), x) || Number.isNaN(x)

/** The finish in float32 over float32 accumulators, or null where it needs the width. */
export const narrowFinish = (nest: Nest): readonly Stmt[] | null => {
  const wide = nest.accumulators.map((a) => local(a.dtype, a.name))
  const known = new Map<Scalar, Scalar>()
  const finish = finishWith(nest.finish, nest.accumulators, wide)
  const collect = walk({
    scalar: (s) => {
      const own = s.tag === 'local' && nest.accumulators.some((a) => a.name === s.name)
      if (own && isWide(s)) known.set(s, local('float32', s.name))
    },
  })
  collect.body(finish)
  const renamed = new Set<string>()
  const made = finish.map((s): Stmt | null => {
    if (s.tag === 'comment') return s
    if (s.tag !== 'let' && s.tag !== 'store') return hasWide([], [s]) ? null : s
    const value = narrowed(s.value, known)
    if (value === null) return null
    // Whatever reads a wide local afterwards would have to change too.
    if (s.tag === 'let' && isWide(s.value)) renamed.add(s.name)
    return { ...s, value }
  })
  if (renamed.size > 0 || made.some((s) => s === null)) return null
  const kept = made.flatMap((s) => (s === null ? [] : [s]))
  return hasWide([], kept) ? null : kept
}
