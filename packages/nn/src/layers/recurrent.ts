/** Recurrent layers over sequences `[batch, time, features]`. */
import { type Shape, type Tensor, erase, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireRank, requireSize } from '../errors.ts'
import {
  type Cell,
  type CellWeights,
  type HiddenCarry,
  type LstmCarry,
  gruCell,
  lstmCell,
  rnnCell,
  runCell,
  swapBatchAndTime,
} from '../functional/recurrent.ts'
import { type Initializer, lecunNormal, uniformAround, zeros } from '../initializers.ts'
import { type Layer, type None, defineLayer, none } from '../layer.ts'

export interface RecurrentParams {
  /** `[features, gates · units]`. */
  readonly kernel: Tensor
  /** `[units, gates · units]`. */
  readonly recurrentKernel: Tensor
  /** `[gates · units]`. */
  readonly bias: Tensor
}
/** The reset gate of a GRU acts on the recurrent product and its own bias. */
export interface GruParams extends RecurrentParams {
  readonly recurrentBias: Tensor
}

export interface RecurrentOptions {
  /** Give the hidden state after every step, `[batch, time, units]`, or only the last; true. */
  readonly returnSequences?: boolean
  /** Give `{ outputs, carry }`: the final state too. False by default. */
  readonly returnCarry?: boolean
  /** From the last step to the first; outputs keep their places. */
  readonly reverse?: boolean
  readonly kernelInit?: Initializer
  /** Uniform on ±1/√units by default. */
  readonly recurrentInit?: Initializer
  readonly biasInit?: Initializer
}
export interface RnnOptions extends RecurrentOptions {
  /** tanh by default. */
  readonly activation?: (x: Tensor) => Tensor
}

/** A sequence alone, or with the state before its first step. */
export type RecurrentInput<C> = Tensor | SequenceWithCarry<C>
export interface SequenceWithCarry<C> {
  readonly inputs: Tensor
  readonly carry: C
}
/** With `returnCarry`: the outputs and the state after the last step. */
export interface RecurrentOutput<C> {
  readonly outputs: Tensor
  readonly carry: C
}

type OrCarry<C> = Tensor | RecurrentOutput<C>

const hasCarry = <C>(x: RecurrentInput<C>): x is SequenceWithCarry<C> => 'carry' in x

const cellWeights = <P extends CellWeights>(
  cell: Cell<HiddenCarry> | Cell<LstmCarry>,
  units: number,
  options: RecurrentOptions,
  extra: (key: Tensor, gates: number) => Omit<P, keyof RecurrentParams>,
  key: Tensor,
  features: number,
): RecurrentParams & Omit<P, keyof RecurrentParams> => {
  const { kernelInit = lecunNormal(), biasInit = zeros } = options
  const { recurrentInit = uniformAround(1 / Math.sqrt(units)) } = options
  const [kernelKey, recurrentKey, biasKey, extraKey] = random.split(key, 4)
  const gates = cell.gates * units
  return {
    kernel: kernelInit(kernelKey!, [features, gates]),
    recurrentKernel: recurrentInit(recurrentKey!, [units, gates]),
    bias: biasInit(biasKey!, [gates]),
    ...extra(extraKey!, gates),
  }
}

const recurrent = <C extends HiddenCarry, P extends CellWeights, const Name extends string>(
  name: Name,
  cell: Cell<C>,
  units: number,
  options: RecurrentOptions,
  makeParams: (key: Tensor, features: number) => P,
): Layer<P, None, Name, OrCarry<C>, RecurrentInput<C>> => {
  const { returnSequences = true, returnCarry = false, reverse = false } = options
  requireSize(name, 'units', units)
  const check = (shape: Shape): void =>
    requireRank(name, shape, (rank) => rank === 3, '[batch, time, features]')
  return defineLayer({
    name,
    init: (key, inputShape) => {
      check(inputShape)
      const [batch, time, features] = inputShape
      return {
        params: makeParams(key, features!),
        state: none,
        outputShape: returnSequences ? [batch!, time!, units] : [batch!, units],
      }
    },
    apply: ({ params, state }, input) => {
      const x = hasCarry(input) ? input.inputs : input
      check(x.shape)
      requireExtent(name, x.shape, 2, params.kernel.shape[0]!, 'features')
      const carry = hasCarry(input) ? input.carry : undefined
      const run = runCell(cell, swapBatchAndTime(x), params, { carry, reverse })
      const outputs = returnSequences ? swapBatchAndTime(run.outputs) : run.carry.h
      return [returnCarry ? Object.freeze({ outputs, carry: run.carry }) : outputs, state]
    },
  })
}

/** The overloads of a recurrent layer: with `returnCarry` the state comes out too. */
export interface RecurrentLayer<C, P, O extends RecurrentOptions, Name extends string> {
  (
    units: number,
    options: O & { readonly returnCarry: true },
  ): Layer<P, None, Name, RecurrentOutput<C>, RecurrentInput<C>>
  (
    units: number,
    options?: O & { readonly returnCarry?: false },
  ): Layer<P, None, Name, Tensor, RecurrentInput<C>>
}

const buildRnn = (units: number, options: RnnOptions = {}): unknown => {
  const cell = rnnCell(options.activation)
  return recurrent('rnn', cell, units, options, (key, features) =>
    cellWeights(cell, units, options, () => ({}), key, features),
  )
}

const buildLstm = (units: number, options: RecurrentOptions = {}): unknown =>
  recurrent('lstm', lstmCell, units, options, (key, features) =>
    cellWeights(lstmCell, units, options, () => ({}), key, features),
  )

const buildGru = (units: number, options: RecurrentOptions = {}): unknown =>
  recurrent('gru', gruCell, units, options, (key, features) =>
    cellWeights<GruParams>(
      gruCell,
      units,
      options,
      (extraKey, gates) => ({ recurrentBias: (options.biasInit ?? zeros)(extraKey, [gates]) }),
      key,
      features,
    ),
  )

/**
 * The plain recurrent layer: h' = tanh(x W + h R + b), `[batch, time, features]` to
 * `[batch, time, units]`. The input is a tensor, or `{ inputs, carry }` with the initial state
 * `{ h: [batch, units] }`.
 * @example
 * rnn(32, { returnSequences: false }) // many to one
 */
export const rnn: RecurrentLayer<HiddenCarry, RecurrentParams, RnnOptions, 'rnn'> = typed(
  erase(buildRnn),
)
/**
 * Long short-term memory; gates i, f, g, o side by side in the kernels. The carry is
 * `{ h, c }`, `[batch, units]` each.
 * @example
 * const [{ outputs, carry }] = lstm(64, { returnCarry: true }).apply(variables, { inputs: x, carry: last })
 */
export const lstm: RecurrentLayer<LstmCarry, RecurrentParams, RecurrentOptions, 'lstm'> = typed(
  erase(buildLstm),
)
/** Gated recurrent unit; gates r, z, n side by side in the kernels. The carry is `{ h }`. */
export const gru: RecurrentLayer<HiddenCarry, GruParams, RecurrentOptions, 'gru'> = typed(
  erase(buildGru),
)
