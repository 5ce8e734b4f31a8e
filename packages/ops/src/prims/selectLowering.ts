/** Choosing the first extreme element of every window, in the loop IR. */
import {
  type Index,
  type LowerRule,
  type Scalar,
  type Shape,
  type Stmt,
  scalars,
} from '@cotangent/core'
import { nestedLoops } from './loops.ts'
import { movingAxes } from './windowLoops.ts'
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

/** Finds each window's element, then adds to it. */
export const lowerScatter: LowerRule<ScatterSlots, SelectParams> = (
  _,
  params,
  { inputs, outputs },
) => ({
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
