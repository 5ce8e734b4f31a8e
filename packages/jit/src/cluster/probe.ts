/** What an equation reads and how much work it does, found by running its lowering on symbols. */
import {
  type Atom,
  type Equation,
  type Index,
  type Lowering,
  type Pull,
  type Scalar,
  currentMachine,
  scalars,
  sizeOf,
} from '@cotangent/core'
import { isLaneable } from '../loops/vector/laneable.ts'
import { lowerEquation } from '../passes/lowering.ts'

export interface Access {
  /** Which input of the equation. */
  readonly input: number
  readonly index: readonly Index[]
}

export interface Probe {
  readonly lowering: Lowering
  /** Reads made for one output element (for one step of a reduction). */
  readonly accesses: readonly Access[]
  /** Scalar operations for one output element or step. */
  readonly work: number
  /** How many output elements, times reduction steps. */
  readonly iterations: number
  /** The element is the input's element at the same flat position: the output can share its memory. */
  readonly alias: boolean
  /** Whether vectors can compute the element: not functions that only float64 is precise enough for. */
  readonly laneable: boolean
}

/** Weights in units of one cheap operation. */
const expensive = new Set([
  'cbrt',
  'exp',
  'exp2',
  'expm1',
  'log',
  'log1p',
  'sin',
  'cos',
  'tan',
  'asin',
  'acos',
  'atan',
  'sinh',
  'cosh',
  'tanh',
  'asinh',
  'acosh',
  'atanh',
  'logistic',
  'erf',
  'erfc',
  'erfInverse',
  'logGamma',
  'digamma',
  'power',
  'atan2',
  'divide',
  'remainder',
])
const expensiveWeight = 8

/** Operations in a scalar expression; shared parts count once. */
export const countWork = (roots: readonly Scalar[]): number => {
  const seen = new Set<Scalar>()
  const visitIndex = (index: Index): number => {
    switch (index.tag) {
      case 'affine':
        return index.terms.reduce((n, t) => n + visitIndex(t.term), 0)
      case 'floorDivide':
      case 'modulo':
        return 1 + visitIndex(index.value)
      case 'data':
        return 1 + visit(index.value)
      case 'constant':
      case 'counter':
        return 0
      default:
        return index satisfies never
    }
  }
  const visit = (x: Scalar): number => {
    if (seen.has(x)) return 0
    seen.add(x)
    switch (x.tag) {
      case 'literal':
      case 'local':
        return 0
      case 'load':
        return visitIndex(x.at)
      case 'unary':
        return (expensive.has(x.op) ? expensiveWeight : 1) + visit(x.x)
      case 'binary':
        return (expensive.has(x.op) ? expensiveWeight : 1) + visit(x.x) + visit(x.y)
      case 'compare':
        return 1 + visit(x.x) + visit(x.y)
      case 'select':
        return 1 + visit(x.condition) + visit(x.onTrue) + visit(x.onFalse)
      case 'guard':
        return 1 + visit(x.condition) + visit(x.value) + visit(x.otherwise)
      case 'within':
      case 'fromIndex':
        return 1 + visitIndex(x.value)
      case 'convert':
      case 'bitcast':
      case 'across':
        return 1 + visit(x.x)
      default:
        return x satisfies never
    }
  }
  return roots.reduce((n, x) => n + visit(x), 0)
}

export const outputCounters = (shape: readonly number[], prefix = 'i'): readonly Index[] =>
  shape.map((extent, d) => scalars.counter(`${prefix}${d}`, extent))

const indexWork = (accesses: readonly Access[]): number => {
  const scalar = (index: Index): Scalar => scalars.fromIndex('int32', index)
  const divisions = (index: Index): number => countWork([scalar(index)]) - 1
  return accesses.reduce((n, a) => n + a.index.reduce((m, i) => m + divisions(i), 0), 0)
}

/** What it costs vectors to pick elements apart, of an operation. */
const pickingWork = 0.25

// An element of every so many: a vector reads several and keeps some, so that many readers are better off with a copy.
const strideWork = (accesses: readonly Access[]): number => {
  if (!currentMachine().vectors) return 0
  const skips = (index: Index | undefined): boolean =>
    index?.tag === 'affine' && index.terms.every(({ coefficient }) => coefficient > 1)
  return accesses.some((a) => skips(a.index.at(-1))) ? pickingWork : 0
}

export const probe = (equation: Equation): Probe => {
  const accesses: Access[] = []
  const pulls = equation.inputs.map(
    (atom: Atom, input): Pull =>
      (index) => {
        const name = `read${accesses.length}`
        accesses.push({ input, index })
        return scalars.local(atom.aval.dtype, name)
      },
  )
  const lowering = lowerEquation(equation, pulls)
  const shape = equation.outputs[0]?.aval.shape ?? []
  const size = sizeOf(shape)
  const index = outputCounters(shape)
  if (lowering.tag === 'pull') {
    const elements = lowering.outputs.map((pull) => pull(index))
    const alias = isAlias(equation, elements, accesses, index)
    const work = alias ? 0 : countWork(elements) + indexWork(accesses) + strideWork(accesses)
    const laneable = elements.every(isLaneable)
    return { lowering, accesses, work, iterations: size, alias, laneable }
  }
  if (lowering.tag === 'reduce') {
    const { extents, accumulators, step } = lowering.reduction
    const locals = accumulators.map((a, i) => scalars.local(a.dtype, `accumulator${i}`))
    const work = countWork(step(locals, index, outputCounters(extents, 'k')))
    return {
      lowering,
      accesses,
      work,
      iterations: size * sizeOf(extents),
      alias: false,
      laneable: true,
    }
  }
  return { lowering, accesses, work: 0, iterations: size, alias: false, laneable: true }
}

const isAlias = (
  equation: Equation,
  elements: readonly Scalar[],
  accesses: readonly Access[],
  index: readonly Index[],
): boolean => {
  const [access] = accesses
  const [element] = elements
  const out = equation.outputs[0]
  if (access === undefined || accesses.length !== 1 || elements.length !== 1 || out === undefined)
    return false
  if (element?.tag !== 'local') return false
  const { shape, dtype } = equation.inputs[access.input]!.aval
  if (dtype !== out.aval.dtype || sizeOf(shape) !== sizeOf(out.aval.shape)) return false
  return scalars.sameIndex(
    scalars.flatten(shape, access.index),
    scalars.flatten(out.aval.shape, index),
  )
}
