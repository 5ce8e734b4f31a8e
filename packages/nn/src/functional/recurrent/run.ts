/** Running cells over time, alone and in stacks. */
import { ShapeError, type Tensor, normalizeAxis, showAval, showShape } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import type { Cell, CellWeights, HiddenCarry } from './cells.ts'
import { type TimeOptions, type TimeRun, overTime } from './overTime.ts'

const outerBias = <C extends HiddenCarry>(
  cell: Cell<C>,
  { bias, recurrentBias }: CellWeights,
): Tensor | undefined => {
  if (!cell.outerBias || recurrentBias === undefined) return bias
  return bias === undefined ? recurrentBias : bias.add(recurrentBias)
}

/** The input's part of all gates, `[…, features]` to `[…, gates · units]`: one product, outside of any loop. */
export const projectInput = <C extends HiddenCarry>(
  cell: Cell<C>,
  x: Tensor,
  weights: CellWeights,
): Tensor => {
  const bias = outerBias(cell, weights)
  const rows = x.ndim === 2 ? x : x.reshape([-1, x.shape[x.ndim - 1]!])
  const product = rows.matmul(weights.kernel)
  const projected = bias === undefined ? product : product.add(bias)
  return x.ndim === 2 ? projected : projected.reshape([...x.shape.slice(0, -1), product.shape[1]!])
}

/** One step: `x: [batch, features]`. */
export const cellStep = <C extends HiddenCarry>(
  cell: Cell<C>,
  x: Tensor,
  carry: C,
  weights: CellWeights,
): C => cell.step(projectInput(cell, x, weights), carry, weights)

export interface RunOptions<C> extends TimeOptions {
  /** The state before the first step; zeros by default. */
  readonly carry?: C | undefined
}

/** The hidden state after every step, `[time, batch, units]`, and the state after the last. */
export type Run<C> = TimeRun<C>

/**
 * A cell over `x: [time, batch, features]`. The products with the input are one matrix product
 * before the loop; the loop is one `scan`.
 * @throws ShapeError where x and the weights do not fit.
 */
export const runCell = <C extends HiddenCarry>(
  cell: Cell<C>,
  x: Tensor,
  weights: CellWeights,
  { carry, ...time }: RunOptions<C> = {},
): Run<C> => {
  requireCell(cell, x, weights)
  const projected = projectInput(cell, x, weights)
  return overTime<C>(
    (state, step) => {
      const next = cell.step(step, state, weights)
      return [next, next.h]
    },
    carry ?? cell.zero(x.shape[1]!, weights, projected),
    projected,
    time,
  )
}

const requireCell = <C extends HiddenCarry>(cell: Cell<C>, x: Tensor, w: CellWeights): void => {
  const [width, gates] = w.recurrentKernel.shape
  const [features] = w.kernel.shape
  const units = w.projection?.shape[0] ?? width!
  const fits =
    x.ndim === 3 &&
    w.kernel.ndim === 2 &&
    x.shape[2] === features &&
    gates === cell.gates * units &&
    w.kernel.shape[1] === gates &&
    (w.projection === undefined || w.projection.shape[1] === width)
  if (fits) return
  throw new ShapeError({
    operation: cell.name,
    problem: 'sequence and weights do not fit',
    got: `x: ${showAval(x.aval)}, kernel: ${showAval(w.kernel.aval)}, recurrentKernel: ${showAval(w.recurrentKernel.aval)}`,
    want: `x [time, batch, features], kernel ${showShape([features ?? 0, cell.gates * units])}, recurrentKernel ${showShape([width!, cell.gates * units])}`,
    fix: 'put time first, and make the weights for this number of features',
  })
}

/** How the outputs of the two directions become one. */
export type Merge = 'concat' | 'sum' | 'mean' | 'mul'

/** Both directions as one: side by side on an axis, by default the last, or element by element. */
export const mergeDirections = (
  forward: Tensor,
  backward: Tensor,
  merge: Merge,
  axis = -1,
): Tensor => {
  switch (merge) {
    case 'concat':
      return prims.concatenate([forward, backward], normalizeAxis('merge', axis, forward.ndim))
    case 'sum':
      return forward.add(backward)
    case 'mean':
      return forward.add(backward).mul(0.5)
    case 'mul':
      return forward.mul(backward)
    default:
      return merge satisfies never
  }
}

/** Weights of the layers of a stack: for each layer one cell, or a forward and a backward one. */
export type StackWeights = readonly (
  | readonly [forward: CellWeights]
  | readonly [forward: CellWeights, backward: CellWeights]
)[]

export interface StackOptions<C> {
  /** Initial states, layer by layer, forward before backward; zeros by default. */
  readonly carries?: readonly C[] | undefined
  /** `[time, batch]`, true where a sequence has a step. */
  readonly mask?: Tensor | undefined
  /** Gradients flow back through windows of so many steps alone. */
  readonly truncate?: number | undefined
  /** Side by side by default. */
  readonly merge?: Merge
  /** Between the layers: dropout, say. */
  readonly between?: (y: Tensor, layer: number) => Tensor
}

export interface StackRun<C> {
  /** Of the last layer: `[time, batch, directions · units]`. */
  readonly outputs: Tensor
  /** Final states, layer by layer, forward before backward. */
  readonly carries: readonly C[]
}

/** Cells on top of each other, each layer in one direction or both. */
export const runStack = <C extends HiddenCarry>(
  cell: Cell<C>,
  x: Tensor,
  weights: StackWeights,
  { carries, mask, truncate, merge = 'concat', between = (y) => y }: StackOptions<C> = {},
): StackRun<C> => {
  const final: C[] = []
  let outputs = x
  weights.forEach((directions, layer) => {
    const below = layer === 0 ? outputs : between(outputs, layer)
    const [forward, backward] = directions.map((w, d) => {
      const time = { reverse: d === 1, mask, truncate }
      const run = runCell(cell, below, w, { carry: carries?.[final.length], ...time })
      final.push(run.carry)
      return run.outputs
    })
    outputs = backward === undefined ? forward! : mergeDirections(forward!, backward, merge)
  })
  return { outputs, carries: final }
}
