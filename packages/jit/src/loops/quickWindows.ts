/**
 * Largest and smallest elements of windows in quick steps: a row of outputs at a time by comparing and choosing,
 * which is one instruction where the exact one is five. On the way the elements are added up, which tells
 * whether there was a NaN, and the least bits of the results are kept, which tells whether there was the zero
 * that one of the other sign would beat. A row in doubt is done again.
 */
import { type DType, type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { accessOf } from './access.ts'
import { substitution } from './rewrite.ts'
import { isLaneable } from './vector/laneable.ts'
import { type Nest, finishWith } from './vector/nest.ts'
import { walk } from './visit.ts'

const { across, binaryOp, bitcastTo, compareOp, literal, local, selectOp } = scalars

/** Outputs of a row that make up for the code of a second loop. */
const fewestOutputs = 16

type Terms = readonly ReadonlyMap<string, Index>[]

/** Statements for one row of outputs, of which `exact` does any; null where they are no such extremes. */
export const quickRow = (
  nest: Nest,
  steps: readonly Scalar[],
  finish: readonly Stmt[],
  terms: Terms,
  exact: Stmt,
): readonly Stmt[] | null => {
  const { accumulators, associative } = nest
  const row = nest.outputs.at(-1)
  if (row === undefined || row.extent < fewestOutputs || associative === null) return null
  if (!finish.every((s) => isFinished(s, row.name))) return null
  const extremes = steps.map((step, a) =>
    accumulators[a]!.initial === associative[a]!.neutral ? extremeOf(step, row.name) : null,
  )
  const parts = extremes.flatMap((extreme, a) =>
    extreme === null ? [] : [partOf(accumulators[a]!.name, extreme, terms)],
  )
  if (parts.length < steps.length) return null
  const body = [
    ...parts.flatMap((part) => part.body),
    ...finishWith(
      finish,
      accumulators,
      parts.map((part) => part.value),
    ),
  ]
  const doubts = parts.map((part) => part.isInDoubt)
  return [
    ...parts.flatMap((part) => part.before),
    { tag: 'for', counter: row.name, extent: row.extent, lanes: 4, body },
    ...parts.flatMap((part) => part.after),
    {
      tag: 'if',
      condition: doubts.reduce((x, y) => binaryOp('or', x, y)),
      then: [exact],
      otherwise: [],
    },
  ]
}

interface Extreme {
  readonly op: 'maximum' | 'minimum'
  readonly term: Scalar
}

const extremeOf = (step: Scalar, row: string): Extreme | null => {
  if (step.tag !== 'binary' || step.dtype !== 'float32') return null
  if (step.op !== 'maximum' && step.op !== 'minimum') return null
  return isRegular(step.y, row, [1, 2]) ? { op: step.op, term: step.y } : null
}

const isFinished = (s: Stmt, row: string): boolean => {
  if (s.tag === 'comment') return true
  if (s.tag !== 'let' && s.tag !== 'store') return false
  if (s.tag === 'store' && !isEven(s.buffer, s.at, row, [1])) return false
  return isRegular(s.value, row, [0, 1, 2])
}

// Without conditions, of 32 bits, and in vectors that lie side by side or alternate.
const isRegular = (value: Scalar, row: string, strides: readonly number[]): boolean => {
  let fits = isLaneable(value)
  walk({
    scalar: (s) => {
      if (s.tag === 'guard' || s.tag === 'within' || wide.has(s.dtype)) fits = false
      if (s.tag === 'load' && !isEven(s.buffer, s.at, row, strides)) fits = false
    },
  }).scalar(value)
  return fits
}

const wide: ReadonlySet<DType> = new Set(['float64', 'complex64'])

const isEven = (buffer: string, at: Index, row: string, allowed: readonly number[]): boolean => {
  const { strides, uneven } = accessOf(buffer, at)
  return !uneven.has(row) && allowed.includes(strides.get(row) ?? 0)
}

interface Part {
  readonly before: readonly Stmt[]
  readonly body: readonly Stmt[]
  readonly value: Scalar
  readonly after: readonly Stmt[]
  readonly isInDoubt: Scalar
}

const partOf = (name: string, { op, term }: Extreme, terms: Terms): Part => {
  const body: Stmt[] = []
  const bound = (value: Scalar): Scalar => {
    const made = `${name}q${body.length}`
    body.push({ tag: 'let', name: made, value })
    return local(value.dtype, made)
  }
  const elements = terms.map((counters) => bound(substitution({ counters }).scalar(term)))
  const value = inTree(elements, (x, y) => bound(chosen(op, x, y)))
  // −0 has the least bits as a signed number, 0 as one without a sign.
  const bits: DType = op === 'maximum' ? 'int32' : 'uint32'
  const [sumName, leastName, allName] = [`${name}sum`, `${name}least`, `${name}all`]
  const [sum, least] = [local('float32', sumName), local(bits, leastName)]
  const total = binaryOp(
    'add',
    sum,
    inTree(elements, (x, y) => binaryOp('add', x, y)),
  )
  body.push(
    { tag: 'assign', name: sumName, value: total },
    { tag: 'assign', name: leastName, value: binaryOp('minimum', least, bitcastTo(bits, value)) },
  )
  const all = local('float32', allName)
  const zero = literal(bits, op === 'maximum' ? -0x80000000 : 0)
  return {
    before: [
      { tag: 'variable', name: sumName, value: literal('float32', 0), lanes: 4 },
      {
        tag: 'variable',
        name: leastName,
        value: literal(bits, op === 'maximum' ? 0x7fffffff : 0xffffffff),
        lanes: 4,
      },
    ],
    body,
    value,
    after: [{ tag: 'let', name: allName, value: across('add', sum) }],
    isInDoubt: binaryOp(
      'or',
      compareOp('notEqual', all, all),
      compareOp('equal', across('minimum', least), zero),
    ),
  }
}

const inTree = (values: readonly Scalar[], combine: (x: Scalar, y: Scalar) => Scalar): Scalar => {
  if (values.length === 1) return values[0]!
  const pairs = values.flatMap((x, n) => {
    const y = values[n + 1]
    return n % 2 === 1 ? [] : [y === undefined ? x : combine(x, y)]
  })
  return inTree(pairs, combine)
}

const chosen = (op: Extreme['op'], x: Scalar, y: Scalar): Scalar =>
  selectOp(op === 'maximum' ? compareOp('less', x, y) : compareOp('less', y, x), y, x)
