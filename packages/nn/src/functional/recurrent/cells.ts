/** Recurrent cells: how one step goes. */
import { type Tensor, fill } from '@cotangent/core'
import { prims } from '@cotangent/ops'

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
  /** Makes a narrower hidden state of the memory of an LSTM: `[units, projected]`. */
  readonly projection?: Tensor | undefined
  /** What the gates i, f and o of an LSTM see of its memory: `[3 · units]`. */
  readonly peephole?: Tensor | undefined
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
  /** The carry before the first step, of the dtype of `like`. */
  readonly zero: (batch: number, weights: CellWeights, like: Tensor) => C
  /** Whether the recurrent bias may be added before the scan, as it only meets sums. */
  readonly outerBias: boolean
}

const gate = (z: Tensor, index: number, units: number): Tensor =>
  prims.slice(z, [0, index * units], [z.shape[0]!, (index + 1) * units])

const zeroHidden = (
  batch: number,
  { recurrentKernel }: CellWeights,
  like: Tensor,
): HiddenCarry => ({
  h: fill([batch, recurrentKernel.shape[0]!], 0, like.dtype),
})

/** The functions in a gated cell. */
export interface GatedOptions {
  /** Of candidates and memories; tanh by default. */
  readonly activation?: (x: Tensor) => Tensor
  /** Of gates; the logistic function by default. */
  readonly gateActivation?: (x: Tensor) => Tensor
}

const gated = ({
  activation = (x) => x.tanh(),
  gateActivation = prims.logistic,
}: GatedOptions): Required<GatedOptions> => ({ activation, gateActivation })

export interface RnnCellOptions {
  /** Adds the old state to the sum before the activation, as Flax's `SimpleCell` can. */
  readonly residual?: boolean
}

/** The plain cell: h' = f(x W + b + h R + b_r). @see Elman 1990 */
export const rnnCell = (
  activation: (x: Tensor) => Tensor = (x) => x.tanh(),
  { residual = false }: RnnCellOptions = {},
): Cell<HiddenCarry> => ({
  name: 'rnn',
  gates: 1,
  outerBias: true,
  zero: zeroHidden,
  step: (projected, { h }, { recurrentKernel }) => {
    const sum = projected.add(h.matmul(recurrentKernel))
    return { h: activation(residual ? sum.add(h) : sum) }
  },
})

/** An LSTM with functions of your choice; `lstmCell` is the usual one. */
export const lstmCellWith = (options: GatedOptions = {}): Cell<LstmCarry> => {
  const { activation, gateActivation } = gated(options)
  return {
    name: 'lstm',
    gates: 4,
    outerBias: true,
    zero: (batch, { recurrentKernel }, like) => {
      const [width, gates] = recurrentKernel.shape
      const h = fill([batch, width!], 0, like.dtype)
      return { h, c: gates === 4 * width! ? h : fill([batch, gates! / 4], 0, like.dtype) }
    },
    step: (projected, { h, c }, { recurrentKernel, projection, peephole }) => {
      const units = c.shape[1]!
      const z = projected.add(h.matmul(recurrentKernel))
      const [i, f, g, o] = [0, 1, 2, 3].map((n) => gate(z, n, units))
      const seeing = (sum: Tensor, n: number, seen: Tensor): Tensor => {
        if (peephole === undefined) return gateActivation(sum)
        const weights = prims.slice(peephole, [n * units], [(n + 1) * units])
        return gateActivation(sum.add(weights.mul(seen)))
      }
      const kept = seeing(f!, 1, c).mul(c)
      const memory = kept.add(seeing(i!, 0, c).mul(activation(g!)))
      const hidden = seeing(o!, 2, memory).mul(activation(memory))
      return { h: projection === undefined ? hidden : hidden.matmul(projection), c: memory }
    },
  }
}

/**
 * Long short-term memory; gates in the order i, f, g, o.
 * c' = σ(f) c + σ(i) tanh(g), h' = σ(o) tanh(c'), times the projection where there is one. With
 * peepholes p the gates are σ(i + p_i c), σ(f + p_f c) and σ(o + p_o c').
 * @see Hochreiter & Schmidhuber 1997; Gers, Schmidhuber & Cummins 2000 for the forget gate; Gers &
 * Schmidhuber 2000 for peepholes; Sak, Senior & Beaufays 2014 for the projection
 */
export const lstmCell: Cell<LstmCarry> = lstmCellWith()

// What each gate gets from the input, and from the old state with the bias on that side.
const sides = (
  projected: Tensor,
  h: Tensor,
  { recurrentKernel, recurrentBias }: CellWeights,
): readonly [(index: number) => Tensor, (index: number) => Tensor] => {
  const units = h.shape[1]!
  const product = h.matmul(recurrentKernel)
  const recurrent = recurrentBias === undefined ? product : product.add(recurrentBias)
  return [(index) => gate(projected, index, units), (index) => gate(recurrent, index, units)]
}

/** A gated recurrent unit with functions of your choice; `gruCell` is the usual one. */
export const gruCellWith = (options: GatedOptions = {}): Cell<HiddenCarry> => {
  const { activation, gateActivation } = gated(options)
  return {
    name: 'gru',
    gates: 3,
    outerBias: false,
    zero: zeroHidden,
    step: (projected, { h }, weights) => {
      const [inputs, old] = sides(projected, h, weights)
      const reset = gateActivation(inputs(0).add(old(0)))
      const update = gateActivation(inputs(1).add(old(1)))
      const candidate = activation(inputs(2).add(reset.mul(old(2))))
      return { h: candidate.add(update.mul(h.sub(candidate))) }
    },
  }
}

/**
 * Gated recurrent unit; gates in the order r, z, n.
 * n = tanh(x W_n + b_n + σ(r) (h R_n + b_rn)), h' = (1 − σ(z)) n + σ(z) h.
 * @see Cho et al. 2014; the reset gate acts after the product, as in cuDNN
 */
export const gruCell: Cell<HiddenCarry> = gruCellWith()

export interface MguCellOptions extends GatedOptions {
  /** The forget gate also weighs what the candidate sees of the old state; true by default. */
  readonly resetGate?: boolean
}

/**
 * Minimal gated unit: one gate both forgets and resets; gates in the order f, n.
 * n = tanh(x W_n + b_n + σ(f) (h R_n + b_rn)), h' = (1 − σ(f)) n + σ(f) h.
 * @see Zhou et al. 2016
 */
export const mguCell = (options: MguCellOptions = {}): Cell<HiddenCarry> => {
  const { activation, gateActivation } = gated(options)
  const { resetGate = true } = options
  return {
    name: 'mgu',
    gates: 2,
    outerBias: false,
    zero: zeroHidden,
    step: (projected, { h }, weights) => {
      const [inputs, old] = sides(projected, h, weights)
      const forget = gateActivation(inputs(0).add(old(0)))
      const candidate = activation(inputs(1).add(resetGate ? forget.mul(old(1)) : old(1)))
      return { h: candidate.add(forget.mul(h.sub(candidate))) }
    },
  }
}
