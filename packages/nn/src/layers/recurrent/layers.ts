/** The recurrent layers: plain, LSTM and GRU. */
import { erase, typed } from '@cotangent/core'
import type { HiddenCarry, LstmCarry } from '../../functional/recurrent/index.ts'
import type { Layer, None } from '../../layer.ts'
import {
  type GruCellOptions,
  type GruParams,
  type LstmCellOptions,
  type LstmParamsOf,
  type RecurrentParams,
  type RnnCellOptions,
  gruCell,
  lstmCell,
  rnnCell,
} from './cells.ts'
import { namedRecurrent } from './recurrent.ts'
import type { OutputFor, PerCell, RecurrentInput, RecurrentOptions } from './types.ts'

export interface RnnOptions extends RecurrentOptions, RnnCellOptions {}
export interface LstmOptions extends RecurrentOptions, LstmCellOptions {}
export interface GruOptions extends RecurrentOptions, GruCellOptions {}

/** A layer typed by its options: trees by layer and direction, the state where it is asked for. */
type RecurrentLayer<P, C, O, Name extends string> = Layer<
  PerCell<P, O>,
  None,
  Name,
  OutputFor<C, O>,
  RecurrentInput<PerCell<C, O>>
>

/**
 * The plain recurrent layer: h' = tanh(x W + h R + b), `[batch, time, features]` to
 * `[batch, time, units]`. Inputs, masks, states and options as for `recurrent`; the carry is
 * `{ h: [batch, units] }`.
 * @example
 * rnn(32, { returnSequences: false }) // many to one
 */
export const rnn: <const O extends RnnOptions = Record<never, never>>(
  units: number,
  options?: O,
) => RecurrentLayer<RecurrentParams, HiddenCarry, O, 'rnn'> = typed(
  erase((units: number, options: RnnOptions = {}) =>
    namedRecurrent(rnnCell(units, options), options, 'rnn'),
  ),
)

/**
 * Long short-term memory; gates i, f, g, o side by side in the kernels (`gates(params)` names them).
 * The carry is `{ h, c }`, `[batch, units]` each.
 * @example
 * const layer = lstm(64, { layers: 2, dropout: 0.2, returnCarry: true })
 * const [{ outputs, carry }] = layer.apply(variables, { inputs: x, lengths, carry: last })
 */
export const lstm: <const O extends LstmOptions = Record<never, never>>(
  units: number,
  options?: O,
) => RecurrentLayer<LstmParamsOf<O>, LstmCarry, O, 'lstm'> = typed(
  erase((units: number, options: LstmOptions = {}) =>
    namedRecurrent(lstmCell(units, options), options, 'lstm'),
  ),
)

/** Gated recurrent unit; gates r, z, n side by side in the kernels. The carry is `{ h }`. */
export const gru: <const O extends GruOptions = Record<never, never>>(
  units: number,
  options?: O,
) => RecurrentLayer<GruParams, HiddenCarry, O, 'gru'> = typed(
  erase((units: number, options: GruOptions = {}) =>
    namedRecurrent(gruCell(units, options), options, 'gru'),
  ),
)
