/** Choosing the first extreme element of every window, in the loop IR. */
import {
  type Buffer,
  type Index,
  type LowerRule,
  type Scalar,
  type Shape,
  type Source,
  type Stmt,
  currentMachine,
  range,
  scalars,
} from '@cotangent/core'
import { nestedLoops, parallelLoops } from './loops.ts'
import { insideOf, movingAxes } from './windowLoops.ts'
import type { WindowOptions, Windowing } from './windows.ts'

const {
  affine,
  binaryOp,
  both,
  boundsOf,
  compareOp,
  constant,
  counter,
  dataIndex,
  flatten,
  floorDivide,
  fromIndex,
  guard,
  literal,
  load,
  local,
  modulo,
  plus,
  selectOp,
  unaryOp,
  within,
} = scalars

export type Extreme = 'max' | 'min'

export interface SelectOptions extends WindowOptions {
  readonly select: Extreme
}

export interface SelectParams extends Windowing {
  readonly select: Extreme
}

export type GatherSlots = readonly ['tangents', 'operand']
export type ScatterSlots = readonly ['source', 'operand']

// Loops over the elements of the window at `output`: counters, position, and whether it is inside.
interface Element {
  readonly at: readonly Index[]
  /** null: always. */
  readonly inside: Scalar | null
}

const elementAt = (
  shape: Shape,
  params: SelectParams,
  output: readonly Index[],
  element: readonly Index[],
): Element => {
  const checks: Scalar[] = []
  const at = output.map((o, d) => {
    const spread = params.inputDilation[d]!
    const position = affine(
      [
        [params.strides[d]!, o],
        [params.windowDilation[d]!, element[d]!],
      ],
      -params.padding[d]![0],
    )
    if (spread !== 1) checks.push(within(modulo(position, spread), 0, 1))
    const index = floorDivide(position, spread)
    const [low, high] = boundsOf(index)
    if (low < 0 || high >= shape[d]!) checks.push(within(index, 0, shape[d]!))
    return index
  })
  return { at, inside: checks.length === 0 ? null : checks.reduce(both) }
}

const better = (select: Extreme, best: Scalar, value: Scalar): Scalar =>
  unaryOp('not', compareOp(select === 'max' ? 'greaterEqual' : 'lessEqual', best, value))

/** A reduction that keeps the best element and its tangent. */
export const lowerGather: LowerRule<GatherSlots, SelectParams> = ([tangents, operand], params) => {
  const moving = movingAxes(params)
  return {
    tag: 'reduce',
    reduction: {
      extents: moving.map((d) => params.window[d]!),
      accumulators: [
        { dtype: operand.dtype, initial: 0 },
        { dtype: tangents.dtype, initial: 0 },
        { dtype: 'bool', initial: 0 },
      ],
      step: ([best, tangent, found], output, reduced) => {
        const element = output.map((_, d) => {
          const k = moving.indexOf(d)
          return k < 0 ? constant(0) : reduced[k]!
        })
        const { at, inside } = elementAt(operand.shape, params, output, element)
        const value =
          inside === null
            ? operand.at(at)
            : guard(inside, operand.at(at), literal(operand.dtype, 0))
        const wins = binaryOp('or', unaryOp('not', found!), better(params.select, best!, value))
        const take = inside === null ? wins : both(inside, wins)
        return [
          selectOp(take, value, best!),
          guard(take, tangents.at(at), tangent!),
          inside === null ? literal('bool', 1) : binaryOp('or', found!, inside),
        ]
      },
      finish: ([, tangent]) => [tangent!],
    },
  }
}

/** Gradients of pooling: each window's element is found, and what belongs to it goes there. */
export const lowerScatter: LowerRule<ScatterSlots, SelectParams> = (sources, params, types) => {
  if (!currentMachine().vectors) return lowerInTurn(sources, params, types)
  return isTiling(params)
    ? lowerTiling(sources, params, types)
    : lowerInPhases(sources, params, types)
}

// Every element lies in one window: it has what belongs to the window, or nothing.
const lowerTiling: LowerRule<ScatterSlots, SelectParams> = (
  [source, operand],
  params,
  { outputs },
) => ({
  tag: 'pull',
  cost: 'expensive',
  outputs: [
    (index) => {
      const { dtype } = outputs[0]!
      const zero = literal(dtype, 0)
      const shifted = index.map((i, d) => plus(i, params.padding[d]![0]))
      const window = shifted.map((i, d) => floorDivide(i, params.strides[d]!))
      const offset = shifted.map((i, d) => modulo(i, params.strides[d]!))
      const own = fromIndex('int32', flatten(params.window, offset))
      const { chosen } = bestOf(operand, params, window)
      const value = selectOp(compareOp('equal', chosen, own), source.at(window), zero)
      const inside = insideOf(source.shape, window)
      return inside === null ? value : guard(inside, value, zero)
    },
  ],
})

// First the choice of every window, then for each element the windows that may have chosen it.
const lowerInPhases: LowerRule<ScatterSlots, SelectParams> = (_, params, { inputs, outputs }) => ({
  tag: 'routine',
  scratch: [{ shape: inputs[0].shape, dtype: 'int32' }],
  inPlace: [null],
  emit: ([source, operand], [out], [choices]) => {
    const { dtype, shape } = outputs[0]!
    const zero = literal(dtype, 0)
    const window = source!.shape.map((extent, d) => counter(`i${d}`, extent))
    const read: Source = {
      ...operand!,
      at: (index) => load(operand!.name, operand!.dtype, flatten(operand!.shape, index)),
    }
    const { chosen } = bestOf(read, params, window)
    const element = shape.map((extent, d) => counter(`o${d}`, extent))
    let sum: Scalar = zero
    elementsOf(params.window).forEach((at, n) => {
      const { index, inside } = windowOver(source!.shape, params, element, at)
      const place = flatten(source!.shape, index)
      const isChosen = compareOp('equal', load(choices!.name, 'int32', place), literal('int32', n))
      const value = load(source!.name, dtype, place)
      const term = selectOp(isChosen, value, zero)
      sum = binaryOp('add', sum, inside === null ? term : guard(inside, term, zero))
    })
    const store = (to: Buffer, index: readonly Index[], value: Scalar): Stmt => ({
      tag: 'store',
      buffer: to.name,
      at: flatten(to.shape, index),
      value,
    })
    return [
      ...parallelLoops(
        source!.shape.map((extent, d) => [`i${d}`, extent]),
        [store(choices!, window, chosen)],
      ),
      ...parallelLoops(
        shape.map((extent, d) => [`o${d}`, extent]),
        [store(out!, element, sum)],
      ),
    ]
  },
})

/** The windows that have an element at `at`: where they are, and whether there is one. */
const windowOver = (
  windows: Shape,
  params: SelectParams,
  element: readonly Index[],
  at: readonly number[],
): { readonly index: readonly Index[]; readonly inside: Scalar | null } => {
  const checks: Scalar[] = []
  const index = element.map((i, d) => {
    const spread = affine(
      [[params.inputDilation[d]!, i]],
      params.padding[d]![0] - at[d]! * params.windowDilation[d]!,
    )
    const stride = params.strides[d]!
    if (stride !== 1) checks.push(within(modulo(spread, stride), 0, 1))
    const position = floorDivide(spread, stride)
    const [low, high] = boundsOf(position)
    if (low < 0 || high >= windows[d]!) checks.push(within(position, 0, windows[d]!))
    return position
  })
  return { index, inside: checks.length === 0 ? null : checks.reduce(both) }
}

/** The number of the first best element of a window, or −1 where it covers padding only. */
const bestOf = (
  operand: Source,
  params: SelectParams,
  window: readonly Index[],
): { readonly chosen: Scalar } => {
  const { dtype } = operand
  let best: Scalar = literal(dtype, 0)
  let chosen: Scalar = literal('int32', -1)
  let isFound: Scalar = literal('bool', 0)
  elementsOf(params.window).forEach((element, n) => {
    const { at, inside } = elementAt(operand.shape, params, window, element.map(constant))
    const value =
      inside === null ? operand.at(at) : guard(inside, operand.at(at), literal(dtype, 0))
    const wins = either(unaryOp('not', isFound), better(params.select, best, value))
    const takes = inside === null ? wins : both(inside, wins)
    best = choose(takes, value, best)
    chosen = choose(takes, literal('int32', n), chosen)
    isFound = inside === null ? literal('bool', 1) : either(isFound, inside)
  })
  return { chosen }
}

const isTrue = (s: Scalar): boolean => s.tag === 'literal' && s.value !== 0

const either = (x: Scalar, y: Scalar): Scalar => {
  const [a, b] = [known(x), known(y)]
  if (isTrue(a) || b.tag === 'literal') return isTrue(a) || isTrue(b) ? literal('bool', 1) : a
  return a.tag === 'literal' ? b : binaryOp('or', a, b)
}

// A negated literal as a literal.
const known = (s: Scalar): Scalar =>
  s.tag === 'unary' && s.op === 'not' && s.x.tag === 'literal'
    ? literal('bool', s.x.value === 0 ? 1 : 0)
    : s

const choose = (condition: Scalar, onTrue: Scalar, onFalse: Scalar): Scalar =>
  isTrue(condition) ? onTrue : selectOp(condition, onTrue, onFalse)

// All positions inside a window, the last axis first.
const elementsOf = (window: Shape): readonly (readonly number[])[] =>
  window.reduce<readonly (readonly number[])[]>(
    (found, extent) => found.flatMap((at) => range(extent).map((k) => [...at, k])),
    [[]],
  )

// Windows side by side.
const isTiling = ({ window, strides, inputDilation, windowDilation }: SelectParams): boolean =>
  window.every(
    (k, d) =>
      k > 0 && k === strides[d] && inputDilation[d] === 1 && (k === 1 || windowDilation[d] === 1),
  )

/** One window after the other adds to its element. */
const lowerInTurn: LowerRule<ScatterSlots, SelectParams> = (_, params, { inputs, outputs }) => ({
  tag: 'routine',
  scratch: [],
  inPlace: [null],
  emit: ([source, operand], [out]) => {
    const { dtype } = inputs[1]
    const { shape } = outputs[0]!
    const size = shape.reduce((n, extent) => n * extent, 1)
    const windowNames = source!.shape.map((__, d) => `i${d}`)
    const elementNames = params.window.map((__, d) => `k${d}`)
    const output = source!.shape.map((extent, d) => counter(windowNames[d]!, extent))
    const element = params.window.map((extent, d) => counter(elementNames[d]!, extent))
    const { at, inside } = elementAt(shape, params, output, element)
    const position = flatten(shape, at)
    const [best, chosen] = [local(dtype, 'best'), local('int32', 'chosen')]
    const take: readonly Stmt[] = [
      { tag: 'let', name: 'value', value: load(operand!.name, dtype, position) },
      {
        tag: 'if',
        condition: binaryOp(
          'or',
          compareOp('less', chosen, literal('int32', 0)),
          better(params.select, best, local(dtype, 'value')),
        ),
        then: [
          { tag: 'assign', name: 'best', value: local(dtype, 'value') },
          { tag: 'assign', name: 'chosen', value: fromIndex('int32', position) },
        ],
        otherwise: [],
      },
    ]
    const visit: readonly Stmt[] =
      inside === null ? take : [{ tag: 'if', condition: inside, then: take, otherwise: [] }]
    const target = dataIndex(chosen, 0, Math.max(0, size - 1))
    const type = out!.dtype
    const addSource: Stmt = {
      tag: 'store',
      buffer: out!.name,
      at: target,
      value: binaryOp(
        'add',
        load(out!.name, type, target),
        load(source!.name, type, flatten(source!.shape, output)),
      ),
    }
    return [
      {
        tag: 'for',
        counter: 'z',
        extent: size,
        body: [
          { tag: 'store', buffer: out!.name, at: counter('z', size), value: literal(type, 0) },
        ],
      },
      ...nestedLoops(
        windowNames.map((name, d) => [name, source!.shape[d]!]),
        [
          { tag: 'variable', name: 'best', value: literal(dtype, 0) },
          { tag: 'variable', name: 'chosen', value: literal('int32', -1) },
          ...nestedLoops(
            elementNames.map((name, d) => [name, params.window[d]!]),
            visit,
          ),
          {
            tag: 'if',
            condition: compareOp('greaterEqual', chosen, literal('int32', 0)),
            then: [addSource],
            otherwise: [],
          },
        ],
      ),
    ]
  },
})
