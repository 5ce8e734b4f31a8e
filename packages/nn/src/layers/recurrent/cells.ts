/** The cells of the plain and gated recurrent layers, on their own. */
import { type Tensor, erase, fill, typed } from '@cotangent/core'
import { random } from '@cotangent/ops'
import { requireExtent, requireSize } from '../../errors.ts'
import * as f from '../../functional/recurrent/index.ts'
import { type Initializer, lecunNormal, uniformAround, zeros } from '../../initializers.ts'
import { type RecurrentCell, defineCell } from './cell.ts'
import { requireFeatures } from './sequences.ts'

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
/** With a projection the hidden state is `[batch, projected]`, and the recurrent kernel as tall. */
export interface ProjectedParams extends RecurrentParams {
  /** `[units, projected]`. */
  readonly projection: Tensor
}

/** With peepholes the gates see the memory. */
export interface Peepholes {
  /** Of the gates i, f and o: `[3 · units]`. */
  readonly peephole: Tensor
}

export interface CellOptions {
  readonly kernelInit?: Initializer
  /** Uniform on ±1/√units by default. */
  readonly recurrentInit?: Initializer
  readonly biasInit?: Initializer
}
export interface RnnCellOptions extends CellOptions, f.RnnCellOptions {
  /** tanh by default. */
  readonly activation?: (x: Tensor) => Tensor
}
export interface LstmCellOptions extends CellOptions, f.GatedOptions {
  /** The width of a hidden state that is projected from the memory; the units by default. */
  readonly projection?: number
  /** Gates see the memory, the output gate the new one, by weights uniform on ±1/√units; false. */
  readonly peephole?: boolean
}
export interface GruCellOptions extends CellOptions, f.GatedOptions {}
export interface MguCellOptions extends CellOptions, f.MguCellOptions {}

interface Weights extends RecurrentParams {
  readonly recurrentBias?: Tensor
  readonly projection?: Tensor
  readonly peephole?: Tensor
}

const initWeights = (
  rules: { readonly gates: number; readonly outerBias: boolean },
  units: number,
  options: LstmCellOptions,
  key: Tensor,
  features: number,
): Weights => {
  const { kernelInit = lecunNormal(), biasInit = zeros, projection } = options
  const usual = uniformAround(1 / Math.sqrt(units))
  const { recurrentInit = usual } = options
  const [kernelKey, recurrentKey, biasKey, extraKey] = random.split(key, 4)
  const gates = rules.gates * units
  const weights = {
    kernel: kernelInit(kernelKey!, [features, gates]),
    recurrentKernel: recurrentInit(recurrentKey!, [projection ?? units, gates]),
    bias: biasInit(biasKey!, [gates]),
    ...(options.peephole === true
      ? { peephole: usual(random.foldIn(extraKey!, 1), [3 * units]) }
      : {}),
  }
  if (projection !== undefined) {
    return { ...weights, projection: recurrentInit(extraKey!, [units, projection]) }
  }
  return rules.outerBias ? weights : { ...weights, recurrentBias: biasInit(extraKey!, [gates]) }
}

const weightedCell = <C extends f.HiddenCarry, const Name extends string>(
  name: Name,
  rules: f.Cell<C>,
  units: number,
  options: LstmCellOptions,
): RecurrentCell<Weights, C, Name> => {
  requireSize(name, 'units', units)
  if (options.projection !== undefined) requireSize(name, 'projected units', options.projection)
  return defineCell<Weights, C, Name>({
    name,
    init: (key, inputShape) => {
      requireFeatures(name, inputShape, 1)
      const [batch, features] = inputShape
      const params = initWeights(rules, units, options, key, features!)
      return { params, outputShape: [batch!, options.projection ?? units] }
    },
    initCarry: (params, [batch], dtype) => rules.zero(batch!, params, fill([], 0, dtype)),
    project: (params, inputs) => f.projectInput(rules, inputs, params),
    step: (params, carry, projected) => {
      const next = rules.step(projected, carry, params)
      return [next, next.h]
    },
    output: ({ h }) => h,
    check: ({ kernel }, shape, { layer, leading }) => {
      requireFeatures(layer, shape, leading)
      requireExtent(layer, shape, leading, kernel.shape[0]!, 'features')
    },
  })
}

/** The plain cell: h' = tanh(x W + h R + b). The carry is `{ h: [batch, units] }`. */
export const rnnCell: (
  units: number,
  options?: RnnCellOptions,
) => RecurrentCell<RecurrentParams, f.HiddenCarry, 'rnnCell'> = typed(
  erase((units: number, options: RnnCellOptions = {}) =>
    weightedCell('rnnCell', f.rnnCell(options.activation, options), units, options),
  ),
)

export interface LstmCell {
  <const O extends LstmCellOptions = Record<never, never>>(
    units: number,
    options?: O,
  ): RecurrentCell<LstmParamsOf<O>, f.LstmCarry, 'lstmCell'>
}
/** The parameters that the options of an LSTM ask for. */
export type LstmParamsOf<O> = (O extends { readonly projection: number }
  ? ProjectedParams
  : RecurrentParams) &
  (O extends { readonly peephole: true } ? Peepholes : unknown)

/**
 * One step of an LSTM; the carry is `{ h, c }`, `[batch, units]` each.
 * @example
 * const cell = lstmCell(64)
 * const { params } = cell.init(random.key(0), [1, 8])
 * const carry = cell.initCarry(params, [1, 8])
 * const [[next, y]] = cell.apply({ params, state: none }, { inputs: np.ones([1, 8]), carry })
 */
export const lstmCell: LstmCell = typed(
  erase((units: number, options: LstmCellOptions = {}) =>
    weightedCell('lstmCell', f.lstmCellWith(options), units, options),
  ),
)

/** One step of a gated recurrent unit; the carry is `{ h }`. */
export const gruCell: (
  units: number,
  options?: GruCellOptions,
) => RecurrentCell<GruParams, f.HiddenCarry, 'gruCell'> = typed(
  erase((units: number, options: GruCellOptions = {}) =>
    weightedCell('gruCell', f.gruCellWith(options), units, options),
  ),
)

/** One step of a minimal gated unit; the carry is `{ h }`. @see Zhou et al. 2016 */
export const mguCell: (
  units: number,
  options?: MguCellOptions,
) => RecurrentCell<GruParams, f.HiddenCarry, 'mguCell'> = typed(
  erase((units: number, options: MguCellOptions = {}) =>
    weightedCell('mguCell', f.mguCell(options), units, options),
  ),
)
