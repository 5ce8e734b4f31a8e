/**
 * Choices without branches. Engines compile `c ? x : y` and `Math.max(x, y)` of floats to jumps,
 * which random data mispredicts half of the time. Writing both values to memory and reading back
 * the one at the position of the condition costs a third: relu 2.5 to 0.7 ns, pooling 6.7 to 2.7.
 *
 * Running maxima over long loops keep their branch: they change rarely, so it is well predicted.
 */
import { type Scalar, type Stmt, scalars } from '@cotangent/core'
import { mapScalar, mapStmt } from './rewrite.ts'
import { freshNames, walk } from './visit.ts'

const { binaryOp, compareOp, constant, convertTo, dataIndex, literal, load, local } = scalars
const { plus, unaryOp } = scalars

export interface Branchless {
  readonly body: readonly Stmt[]
  /** The float64 cells the choices go through, or null where there are none. */
  readonly scratch: { readonly name: string; readonly size: number } | null
}

/** More than this many choices in a kernel are left alone: they would fill it with stores. */
const mostChoices = 64
/** A window of more elements is as fast with branches, and faster on smooth data. */
const mostExtrema = 24

/** Replaces data-dependent choices between float32 values. */
export const branchless = (body: readonly Stmt[]): Branchless => {
  const fresh = freshNames(body)
  const name = fresh('pick')
  const variables = variablesIn(body)
  const steady = new Set<string>()
  const replacesExtrema = extremaIn(body) <= mostExtrema
  let size = 0
  let choices = 0

  const block = (statements: readonly Stmt[], outer: ReadonlySet<string>): readonly Stmt[] => {
    const out: Stmt[] = []
    let own = outer
    // Each choice has slots of its own, so that no store waits for another's load.
    const pick = (values: readonly Scalar[], position: Scalar): Scalar => {
      const from = size
      values.forEach((value, n) => {
        out.push({ tag: 'store', buffer: name, at: constant(from + n), value })
      })
      size += values.length
      choices++
      // The cells hold float32 values without the conversions that float32 cells would need.
      return load(name, 'float32', plus(dataIndex(position, 0, values.length - 1), from))
    }
    const bound = (value: Scalar): Scalar => {
      if (value.tag === 'local' || value.tag === 'literal') return value
      const temporary = fresh('v')
      out.push({ tag: 'let', name: temporary, value })
      return local(value.dtype, temporary)
    }
    const extremum = (s: Binary): Scalar => {
      const [x, y] = [bound(scalar(s.x)), bound(scalar(s.y))]
      const notBeyond = s.op === 'maximum' ? 'lessEqual' : 'greaterEqual'
      const isBeyond = (a: Scalar, b: Scalar): Scalar =>
        asInteger(unaryOp('not', compareOp(notBeyond, a, b)))
      if (s.op === 'maximum' && isZero(y)) return pick([y, x], isBeyond(x, y))
      if (s.op === 'maximum' && isZero(x)) return pick([x, y], isBeyond(y, x))
      // y where it lies beyond x, or is NaN while x is not; equal values by their mean, for ±0.
      const second = binaryOp('and', isBeyond(y, x), asInteger(compareOp('equal', x, x)))
      const third = binaryOp('shiftLeft', asInteger(compareOp('equal', x, y)), literal('int32', 1))
      return pick([x, y, meanOf(s.op, wide(x), wide(y))], binaryOp('or', second, third))
    }
    const scalar = (s: Scalar): Scalar => {
      // What a guard protects cannot be computed ahead of it.
      if (s.tag === 'guard') return { ...s, condition: scalar(s.condition) }
      if (choices < mostChoices && s.dtype === 'float32') {
        if (s.tag === 'select' && !isSteady(s.condition, steady)) {
          const position = asInteger(scalar(s.condition))
          return pick([scalar(s.onFalse), scalar(s.onTrue)], position)
        }
        const running = s.tag === 'binary' && isRunning(s, variables, own)
        if (replacesExtrema && s.tag === 'binary' && isExtremum(s) && !running) return extremum(s)
      }
      return mapScalar(s, scalar, (i) => i)
    }
    const first = new Map<string, number>()
    for (const s of statements) {
      if (s.tag === 'while' || (s.tag === 'for' && s.extent > 1)) {
        out.push({ ...s, body: block(s.body, new Set()) })
      } else {
        const from = withoutNeutral(s, first)
        const made = mapStmt(
          from,
          scalar,
          (i) => i,
          (inner) => block(inner, own),
        )
        out.push(made)
      }
      if (s.tag === 'let' && isSteady(s.value, steady)) steady.add(s.name)
      if (s.tag === 'variable') own = new Set([...own, s.name])
      remember(s, first)
    }
    return out
  }
  const made = block(body, new Set())
  return choices === 0 ? { body, scratch: null } : { body: made, scratch: { name, size } }
}

type Binary = Extract<Scalar, { readonly tag: 'binary' }>

const wide = (s: Scalar): Scalar => convertTo('float64', s)

// Of equal values: exact, and of 0 and −0 a maximum is 0 and a minimum −0.
const meanOf = (op: Binary['op'], x: Scalar, y: Scalar): Scalar =>
  op === 'maximum'
    ? binaryOp('multiply', binaryOp('add', x, y), literal('float64', 0.5))
    : binaryOp('multiply', binaryOp('subtract', unaryOp('negate', x), y), literal('float64', -0.5))

const asInteger = (condition: Scalar): Scalar => convertTo('int32', condition)
const isZero = (s: Scalar): boolean => s.tag === 'literal' && Object.is(s.value, 0)
const isExtremum = (s: Binary): boolean => s.op === 'maximum' || s.op === 'minimum'

// An accumulator from outside the loop's body changes rarely.
const isRunning = (s: Binary, variables: ReadonlySet<string>, own: ReadonlySet<string>): boolean =>
  s.x.tag === 'local' && variables.has(s.x.name) && !own.has(s.x.name)

const extremaIn = (body: readonly Stmt[]): number => {
  let count = 0
  walk({
    scalar: (s) => {
      if (s.tag === 'binary' && isExtremum(s)) count++
    },
  }).body(body)
  return count
}

const variablesIn = (body: readonly Stmt[]): ReadonlySet<string> => {
  const names = new Set<string>()
  walk({
    statement: (s) => {
      if (s.tag === 'variable') names.add(s.name)
    },
  }).body(body)
  return names
}

// Conditions on indices alone are the same for long stretches.
const isSteady = (condition: Scalar, steady: ReadonlySet<string>): boolean => {
  let found = true
  walk({
    scalar: (s) => {
      if (s.tag === 'load' || (s.tag === 'local' && !steady.has(s.name))) found = false
    },
  }).scalar(condition)
  return found
}

// The first step of an unrolled maximum is its operand: the accumulator still is −Infinity.
const withoutNeutral = (s: Stmt, first: ReadonlyMap<string, number>): Stmt => {
  if (s.tag !== 'assign' || s.value.tag !== 'binary' || !isExtremum(s.value)) return s
  const { op, x, y } = s.value
  const neutral = op === 'maximum' ? -Infinity : Infinity
  const isFirst = x.tag === 'local' && x.name === s.name && first.get(s.name) === neutral
  return isFirst ? { ...s, value: y } : s
}

const remember = (s: Stmt, first: Map<string, number>): void => {
  if (s.tag === 'variable' && s.value.tag === 'literal') first.set(s.name, s.value.value)
  else if (s.tag === 'assign') first.delete(s.name)
  else if (s.tag === 'for' || s.tag === 'while' || s.tag === 'if') first.clear()
}
