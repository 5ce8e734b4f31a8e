/** The decoder of `seq2seq`: one step of Bahdanau's and of Luong's, and many. */
import { type Tensor, flatten, leafTensor, unflatten } from '@cotangent/core'
import { np, random, scan } from '@cotangent/ops'
import {
  type AdditiveWeights,
  type Context,
  dotScores,
  readMemory,
} from '../functional/attention/index.ts'
import { maskOfLengths } from '../functional/recurrent/index.ts'
import { none } from '../layer.ts'
import {
  type GeneralAttentionParams,
  additiveAttention,
  generalAttention,
} from '../layers/attention/index.ts'
import { type KernelAndBias, dense } from '../layers/dense.ts'
import type { RecurrentCell } from '../layers/recurrent/index.ts'

export type AttentionKind = 'bahdanau' | 'luong'

export type AttentionParamsOf<O> = O extends { readonly attention: 'luong' }
  ? GeneralAttentionParams
  : AdditiveWeights

/** The state of an LSTM or a GRU. */
export interface CellState {
  readonly h: Tensor
  readonly c?: Tensor
}
export type DecoderCell = RecurrentCell<unknown, CellState>

/** The encoder's outputs as values, and as keys that need no more work at each step. */
export interface Memory {
  /** `[batch, s, 2 · units]`. */
  readonly values: Tensor
  /** `[batch, s, units]`. */
  readonly keys: Tensor
  /** `[batch, s]`, where sources differ in length. */
  readonly mask: Tensor | undefined
}

/** What goes on from step to step. */
export interface DecoderState {
  readonly carry: CellState
  /** What the last step gave: state and context (Bahdanau), or both joined (Luong). */
  readonly output: Tensor
}

/** A way of looking back; `P` are all parameters that it needs, `A` those of the attention. */
export interface Decoder<P, A> {
  /** Features of an output. */
  readonly outputs: number
  init(key: Tensor, features: number): P
  /** The memory, with the part of the scores that does not depend on the decoder. */
  remember(attention: A, values: Tensor, mask: Tensor | undefined): Memory
  /** One step from `x: [batch, features]`. */
  step(params: P, memory: Memory, state: DecoderState, x: Tensor): readonly [DecoderState, Context]
}

/** Which source steps are there. */
export const maskFor = (values: Tensor, lengths: Tensor | undefined): Tensor | undefined =>
  lengths === undefined ? undefined : maskOfLengths(lengths, values.shape[1]!)

const side = (...parts: readonly Tensor[]): Tensor => np.concatenate(parts, { axis: -1 })

export interface BahdanauParams {
  readonly attention: AdditiveWeights
  readonly decoder: unknown
}

/** The old state asks, and the step reads what it finds. @see Bahdanau, Cho & Bengio 2015 */
export const bahdanau = (
  cell: DecoderCell,
  units: number,
): Decoder<BahdanauParams, AdditiveWeights> => ({
  outputs: 3 * units,
  init: (key, features) => {
    const [attentionKey, cellKey] = random.split(key)
    const attention = additiveAttention(units, { queryFeatures: units })
    return {
      attention: attention.init(attentionKey!, [1, 1, 2 * units]).params,
      decoder: cell.init(cellKey!, [1, features + 2 * units]).params,
    }
  },
  remember: ({ memory, bias }, values, mask) => ({
    values,
    keys: np.einsum('bsf,fu->bsu', values, memory).add(bias),
    mask,
  }),
  step: (params, memory, { carry }, x) => {
    const { query, scale } = params.attention
    const asked = carry.h.matmul(query).expandDims(1)
    const scores = np.einsum('bsu,u->bs', memory.keys.add(asked).tanh(), scale)
    const found = readMemory(scores, memory.values, memory.mask)
    const projected = cell.project(params.decoder, side(x, found.context))
    const [next, y] = cell.step(params.decoder, carry, projected)
    return [{ carry: next, output: side(y, found.context) }, found]
  },
})

export interface LuongParams {
  readonly attention: GeneralAttentionParams
  readonly decoder: unknown
  /** From state and context to what is read and fed on: `[3 · units, units]`. */
  readonly join: KernelAndBias
}

/** The new state asks; what it says with what it finds is fed to the next step. @see Luong et al. 2015 */
export const luong = (
  cell: DecoderCell,
  units: number,
): Decoder<LuongParams, GeneralAttentionParams> => {
  const join = dense(units)
  return {
    outputs: units,
    init: (key, features) => {
      const [attentionKey, cellKey, joinKey] = random.split(key, 3)
      const attention = generalAttention({ queryFeatures: units })
      return {
        attention: attention.init(attentionKey!, [1, 1, 2 * units]).params,
        decoder: cell.init(cellKey!, [1, features + units]).params,
        join: join.init(joinKey!, [1, 3 * units]).params,
      }
    },
    remember: ({ kernel }, values, mask) => ({
      values,
      keys: np.einsum('bsf,uf->bsu', values, kernel),
      mask,
    }),
    step: (params, memory, { carry, output }, x) => {
      const projected = cell.project(params.decoder, side(x, output))
      const [next, y] = cell.step(params.decoder, carry, projected)
      const found = readMemory(dotScores(y, memory.keys), memory.values, memory.mask)
      const variables = { params: params.join, state: none }
      const [joined] = join.apply(variables, side(y, found.context))
      return [{ carry: next, output: joined.tanh() }, found]
    },
  }
}

/** The outputs `[time, batch, …]` of a decoder that reads `xs: [time, batch, features]`. */
export const runDecoder = <P, A>(
  decoder: Decoder<P, A>,
  params: P,
  memory: Memory,
  start: DecoderState,
  xs: Tensor,
): Tensor => {
  const { structure, leaves } = flatten(start)
  const [, outputs] = scan(
    (state, x) => {
      const [next] = decoder.step(params, memory, unflatten<DecoderState>(structure, state), x)
      return [flatten(next).leaves.map(leafTensor), next.output]
    },
    leaves.map(leafTensor),
    xs,
  )
  return outputs
}
