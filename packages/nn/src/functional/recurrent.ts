/** Recurrent cells, and running them over time. */
import {
  ShapeError,
  type Tensor,
  range,
  showAval,
  showShape,
  transpose,
  fill,
  flatten,
  leafTensor,
  unflatten,
} from '@cotangent/core'
import { prims, scan } from '@cotangent/ops'

/** The weights of one cell with `units` hidden units and `gates` gates. */
export interface CellWeights {
  /** From the input: `[features, gates · units]`. */
  readonly kernel: Tensor
  /** From the previous hidden state: `[units, gates · units]`. */
  readonly recurrentKernel: Tensor
  /** `[gates · units]`. */
  readonly bias?: Tensor | undefined
  /** Added beside the recurrent product: `[gates · units]`. */
  readonly recurrentBias?: Tensor | undefined
}

/** What a plain or gated recurrent unit carries from step to step: `h: [batch, units]`. */
export interface HiddenCarry {
  readonly h: Tensor
}
/** An LSTM carries the memory cell too. */
export interface LstmCarry extends HiddenCarry {
  readonly c: Tensor
}

/** A cell: how a step of it goes, once the input has been projected. */
export interface Cell<C extends HiddenCarry> {
  readonly name: string
  readonly gates: number
  /** `projected: [batch, gates · units]` is the input times the kernel, plus the outer biases. */
  readonly step: (projected: Tensor, carry: C, weights: CellWeights) => C
  readonly zero: (batch: number, units: number, like: Tensor) => C
  /** Whether the recurrent bias may be added before the scan, as it only meets sums. */
  readonly outerBias: boolean
}

const gate = (z: Tensor, index: number, units: number): Tensor =>
  prims.slice(z, [0, index * units], [z.shape[0]!, (index + 1) * units])

/** The plain cell: h' = f(x W + b + h R + b_r). */
export const rnnCell = (
  activation: (x: Tensor) => Tensor = (x) => x.tanh(),
): Cell<HiddenCarry> => ({
  name: 'rnn',
  gates: 1,
  outerBias: true,
  zero: (batch, units, like) => ({ h: fill([batch, units], 0, like.dtype) }),
  step: (projected, { h }, { recurrentKernel }) => ({
    h: activation(projected.add(h.matmul(recurrentKernel))),
  }),
})

/**
 * Long short-term memory; gates in the order i, f, g, o.
 * c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c').
 * @see Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 for the forget gate
 */
export const lstmCell: Cell<LstmCarry> = {
  name: 'lstm',
  gates: 4,
  outerBias: true,
  zero: (batch, units, like) => {
    const zero = fill([batch, units], 0, like.dtype)
    return { h: zero, c: zero }
  },
  step: (projected, { h, c }, { recurrentKernel }) => {
    const units = h.shape[1]!
    const z = projected.add(h.matmul(recurrentKernel))
    const [i, f, g, o] = [0, 1, 2, 3].map((n) => gate(z, n, units))
    const memory = prims.logistic(f!).mul(c).add(prims.logistic(i!).mul(g!.tanh()))
    return { h: prims.logistic(o!).mul(memory.tanh()), c: memory }
  },
}

/**
 * Gated recurrent unit; gates in the order r, z, n.
 * n = tanh(x W_n + b_n + σ(r) (h R_n + b_rn)), h' = (1 − σ(z)) n + σ(z) h.
 * @see Cho et al. 2014; the reset gate acts after the product, as in cuDNN
 */
export const gruCell: Cell<HiddenCarry> = {
  name: 'gru',
  gates: 3,
  outerBias: false,
  zero: (batch, units, like) => ({ h: fill([batch, units], 0, like.dtype) }),
  step: (projected, { h }, { recurrentKernel, recurrentBias }) => {
    const units = h.shape[1]!
    const product = h.matmul(recurrentKernel)
    const recurrent = recurrentBias === undefined ? product : product.add(recurrentBias)
    const reset = prims.logistic(gate(projected, 0, units).add(gate(recurrent, 0, units)))
    const update = prims.logistic(gate(projected, 1, units).add(gate(recurrent, 1, units)))
    const candidate = gate(projected, 2, units)
      .add(reset.mul(gate(recurrent, 2, units)))
      .tanh()
    return { h: candidate.add(update.mul(h.sub(candidate))) }
  },
}

const outerBias = <C extends HiddenCarry>(
  cell: Cell<C>,
  { bias, recurrentBias }: CellWeights,
): Tensor | undefined => {
  if (!cell.outerBias || recurrentBias === undefined) return bias
  return bias === undefined ? recurrentBias : bias.add(recurrentBias)
}

/** The input's part of all gates, for any leading axes: one product, outside of any loop. */
const project = <C extends HiddenCarry>(cell: Cell<C>, x: Tensor, weights: CellWeights): Tensor => {
  const bias = outerBias(cell, weights)
  const product = x.matmul(weights.kernel)
  return bias === undefined ? product : product.add(bias)
}

/** One step: `x: [batch, features]`. */
export const cellStep = <C extends HiddenCarry>(
  cell: Cell<C>,
  x: Tensor,
  carry: C,
  weights: CellWeights,
): C => cell.step(project(cell, x, weights), carry, weights)

export interface RunOptions<C> {
  /** The state before the first step; zeros by default. */
  readonly carry?: C | undefined
  /** From the last step to the first; outputs keep their places. */
  readonly reverse?: boolean
}

export interface Run<C> {
  /** The hidden state after every step: `[time, batch, units]`. */
  readonly outputs: Tensor
  /** The state after the last step (the first, in reverse). */
  readonly carry: C
}

/**
 * A cell over `x: [time, batch, features]`. The products with the input are one matrix product
 * before the loop; the loop is one `scan`.
 * @throws ShapeError where x and the weights do not fit.
 */
export const runCell = <C extends HiddenCarry>(
  cell: Cell<C>,
  x: Tensor,
  weights: CellWeights,
  { carry, reverse = false }: RunOptions<C> = {},
): Run<C> => {
  requireCell(cell, x, weights)
  const [time, batch, features] = x.shape
  const units = weights.recurrentKernel.shape[0]!
  const flat = x.reshape([time! * batch!, features!])
  const projected = project(cell, flat, weights).reshape([time!, batch!, cell.gates * units])
  const start = flatten(carry ?? cell.zero(batch!, units, projected))
  const [last, outputs] = scan(
    (state, step) => {
      const next = cell.step(step, unflatten<C>(start.structure, state), weights)
      return [flatten(next).leaves.map(leafTensor), next.h]
    },
    start.leaves.map(leafTensor),
    projected,
    { reverse },
  )
  return { outputs, carry: unflatten<C>(start.structure, last) }
}

const requireCell = <C extends HiddenCarry>(cell: Cell<C>, x: Tensor, w: CellWeights): void => {
  const [units, gates] = w.recurrentKernel.shape
  const [features] = w.kernel.shape
  const fits =
    x.ndim === 3 &&
    w.kernel.ndim === 2 &&
    x.shape[2] === features &&
    gates === cell.gates * units! &&
    w.kernel.shape[1] === gates
  if (fits) return
  throw new ShapeError({
    operation: cell.name,
    problem: 'sequence and weights do not fit',
    got: `x: ${showAval(x.aval)}, kernel: ${showAval(w.kernel.aval)}, recurrentKernel: ${showAval(w.recurrentKernel.aval)}`,
    want: `x [time, batch, features], kernel ${showShape([features ?? 0, cell.gates * units!])}, recurrentKernel ${showShape([units!, cell.gates * units!])}`,
    fix: 'put time first, and make the weights for this number of features',
  })
}

/** Weights of the layers of a stack: for each layer one cell, or a forward and a backward one. */
export type StackWeights = readonly (
  | readonly [forward: CellWeights]
  | readonly [forward: CellWeights, backward: CellWeights]
)[]

export interface StackOptions<C> {
  /** Initial states, layer by layer, forward before backward; zeros by default. */
  readonly carries?: readonly C[] | undefined
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
  { carries }: StackOptions<C> = {},
): StackRun<C> => {
  const final: C[] = []
  let outputs = x
  for (const directions of weights) {
    const below = outputs
    const runs = directions.map((w, d) => {
      const run = runCell(cell, below, w, { carry: carries?.[final.length], reverse: d === 1 })
      final.push(run.carry)
      return run.outputs
    })
    outputs = runs.length === 1 ? runs[0]! : prims.concatenate(runs, 2)
  }
  return { outputs, carries: final }
}

/** Weights as PyTorch keeps them: `weightIh: [gates · units, features]`, `weightHh: [gates · units, units]`. */
export interface TorchCellWeights {
  readonly weightIh: Tensor
  readonly weightHh: Tensor
  readonly biasIh?: Tensor | undefined
  readonly biasHh?: Tensor | undefined
}

/** PyTorch's weights as ours; the gates have the same order. */
export const fromTorchCell = (w: TorchCellWeights): CellWeights => ({
  kernel: transpose(w.weightIh, [1, 0]),
  recurrentKernel: transpose(w.weightHh, [1, 0]),
  bias: w.biasIh,
  recurrentBias: w.biasHh,
})

/** `[batch, time, features]` to `[time, batch, features]`, and back. */
export const swapBatchAndTime = (x: Tensor): Tensor =>
  transpose(x, [1, 0, ...range(x.ndim - 2).map((d) => d + 2)])
