/**
 * What the derivative of a window maximum needs: tangents gathered from, and cotangents scattered
 * to, the first largest (or smallest) element of every window.
 */
import {
  type Aval,
  type BatchRule,
  DTypeError,
  type Index,
  type LowerRule,
  type NDArray,
  type Primitive,
  type Scalar,
  type Shape,
  ShapeError,
  type Stmt,
  type Tensor,
  alignBatch,
  aval,
  bind1,
  definePrimitive,
  makeArray,
  nonlinear,
  sameShape,
  scalars,
  showAval,
  wholeEquation,
  zero,
} from '@cotangent/core'
import { nestedLoops } from './loops.ts'
import { alongAxes, forEachWindow, movingAxes, splitAxes } from './windowLoops.ts'
import {
  type WindowOptions,
  type Windowing,
  batchedWindowing,
  checkWindowing,
  fullWindowing,
  windowOutputShape,
} from './windows.ts'

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

type GatherSlots = readonly ['tangents', 'operand']
type ScatterSlots = readonly ['source', 'operand']

// `first` has the shape of the operand (tangents) or of the windows (source).
const checkTypes = (
  name: string,
  first: Aval,
  operand: Aval,
  params: SelectParams,
  wanted: Shape,
): void => {
  if (operand.dtype === 'complex64' || first.dtype === 'bool') {
    throw new DTypeError({
      operation: name,
      problem: 'the dtypes cannot be compared or added',
      got: `${showAval(first)} and ${showAval(operand)}`,
    })
  }
  if (sameShape(first.shape, wanted)) return
  throw new ShapeError({
    operation: name,
    problem: 'the shapes do not fit the windows',
    got: `${showAval(first)} and operand ${showAval(operand)}, window [${params.window.join(',')}]`,
    want: `[${wanted.join(',')}] beside the operand`,
  })
}

/**
 * Calls `found` with the flat positions of every window and of its chosen element. A window that
 * covers padding only has none. An element replaces the choice where the choice is not at least as
 * good, so the first of equals stays and a NaN gives way to what follows it, as in XLA.
 */
const eachChoice = (
  operand: NDArray,
  windows: Shape,
  params: SelectParams,
  found: (window: number, element: number) => void,
): void => {
  const blocks = splitAxes(operand.shape, windows, movingAxes(params))
  const shape = blocks.moving.map((d) => operand.shape[d]!)
  const { data } = operand
  const sign = params.select === 'max' ? 1 : -1
  forEachWindow(
    shape,
    blocks.inStrides,
    alongAxes(params, blocks.moving),
    (position, { count, offsets }) => {
      if (count === 0) return
      for (let b = 0; b < blocks.inBases.length; b++) {
        const base = blocks.inBases[b]!
        let chosen = base + offsets[0]!
        let best = sign * data[chosen]!
        for (let t = 1; t < count; t++) {
          const value = sign * data[base + offsets[t]!]!
          if (best >= value) continue
          best = value
          chosen = base + offsets[t]!
        }
        found(blocks.outBases[b]! + blocks.outOffsets[position]!, chosen)
      }
    },
  )
}

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

const batchOf =
  <S extends GatherSlots | ScatterSlots>(
    run: (first: Tensor, operand: Tensor, params: SelectParams) => Tensor,
  ): BatchRule<S, SelectParams> =>
  (inputs, dims, params, { size }) => {
    const [first, operand] = alignBatch([...inputs], [...dims], size)
    return {
      outputs: [run(first!, operand!, { select: params.select, ...batchedWindowing(params) })],
      dims: [0],
    }
  }

const lowerGather: LowerRule<GatherSlots, SelectParams> = ([tangents, operand], params) => {
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

/** Tangents at the chosen elements; see `selectAndGatherAdd`. */
export const selectAndGatherAddP: Primitive<GatherSlots, SelectParams> = definePrimitive({
  name: 'selectAndGatherAdd',
  slots: ['tangents', 'operand'],
  typing: ([tangents, operand], params) => {
    checkWindowing('selectAndGatherAdd', operand.shape, params)
    checkTypes('selectAndGatherAdd', tangents, operand, params, operand.shape)
    return [aval(windowOutputShape(operand.shape, params), tangents.dtype, tangents.weak)]
  },
  evaluate: ([tangents, operand], params, types) => {
    const out = makeArray(types[0]!)
    eachChoice(operand, out.shape, params, (window, element) => {
      out.data[window] = tangents.data[element]!
    })
    return [out]
  },
  jvp: {
    tangents: (d, [, operand], _, params) => selectAndGatherAdd(d, operand, params),
    operand: zero,
  },
  transpose: {
    tangents: (ct, [, operand], params) => selectAndScatterAdd(ct, operand, params),
    operand: nonlinear,
  },
  partition: wholeEquation,
  batch: batchOf<GatherSlots>((t, x, params) => selectAndGatherAdd(t, x, params)),
  lower: lowerGather,
  effectful: false,
})

const lowerScatter: LowerRule<ScatterSlots, SelectParams> = (_, params, { inputs, outputs }) => ({
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

/** Cotangents added at the chosen elements; see `selectAndScatterAdd`. */
export const selectAndScatterAddP: Primitive<ScatterSlots, SelectParams> = definePrimitive({
  name: 'selectAndScatterAdd',
  slots: ['source', 'operand'],
  typing: ([source, operand], params) => {
    checkWindowing('selectAndScatterAdd', operand.shape, params)
    checkTypes(
      'selectAndScatterAdd',
      source,
      operand,
      params,
      windowOutputShape(operand.shape, params),
    )
    return [aval(operand.shape, source.dtype, source.weak)]
  },
  evaluate: ([source, operand], params, types) => {
    const out = makeArray(types[0]!)
    eachChoice(operand, source.shape, params, (window, element) => {
      out.data[element] = out.data[element]! + source.data[window]!
    })
    return [out]
  },
  jvp: {
    source: (d, [, operand], _, params) => selectAndScatterAdd(d, operand, params),
    operand: zero,
  },
  transpose: {
    source: (ct, [, operand], params) => selectAndGatherAdd(ct, operand, params),
    operand: nonlinear,
  },
  partition: wholeEquation,
  batch: batchOf<ScatterSlots>((s, x, params) => selectAndScatterAdd(s, x, params)),
  lower: lowerScatter,
  effectful: false,
})

/**
 * For each window of `operand`, the element of `tangents` at the first maximum (or minimum). Zero
 * for windows that cover padding only.
 */
export const selectAndGatherAdd = (
  tangents: Tensor,
  operand: Tensor,
  options: SelectOptions,
): Tensor => bind1(selectAndGatherAddP, [tangents, operand], selectParams(options))

/**
 * Adds each element of `source`, one for each window, to where that window of `operand` has its
 * first maximum (or minimum): the gradient of max pooling. The result has `operand`'s shape.
 */
export const selectAndScatterAdd = (
  source: Tensor,
  operand: Tensor,
  options: SelectOptions,
): Tensor => bind1(selectAndScatterAddP, [source, operand], selectParams(options))

const selectParams = (options: SelectOptions): SelectParams => ({
  select: options.select,
  ...fullWindowing(options),
})
