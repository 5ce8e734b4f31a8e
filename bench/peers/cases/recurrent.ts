/** Recurrent layers over 64 steps: batch 32, input 128, hidden 256. */
import { type Tensor, nn } from 'cotangent'
import { type Context, type TimedWorkload, functionCase, withCotangents } from '../workload.ts'

const { fromTorchCell, gruCell, lstmCell, runCell } = nn.functional

const [time, batch, input, hidden] = [64, 32, 128, 256]
const scale = 1 / Math.sqrt(hidden)

/** The sequence, and the weights as PyTorch keeps them. */
type Sequence = [x: Tensor, weightIh: Tensor, weightHh: Tensor, biasIh: Tensor, biasHh: Tensor]

/** The hidden state after every step: `[time, batch, hidden]`. */
export const lstm = (...[x, weightIh, weightHh, biasIh, biasHh]: Sequence): Tensor =>
  runCell(lstmCell, x, fromTorchCell({ weightIh, weightHh, biasIh, biasHh })).outputs

const gru = (...[x, weightIh, weightHh, biasIh, biasHh]: Sequence): Tensor =>
  runCell(gruCell, x, fromTorchCell({ weightIh, weightHh, biasIh, biasHh })).outputs

const sequence = ({ normal }: Context, gates: number): Sequence => [
  normal([time, batch, input], 51),
  normal([gates * hidden, input], 400, scale),
  normal([gates * hidden, hidden], 401, scale),
  normal([gates * hidden], 402, scale),
  normal([gates * hidden], 403, scale),
]

const both = (
  name: string,
  layer: (...args: Sequence) => Tensor,
  gates: number,
): readonly TimedWorkload[] => {
  const flops = 2 * time * batch * (input + hidden) * gates * hidden
  const title = `${name.toUpperCase()}, 64 steps, batch 32, 128 to 256`
  return [
    {
      id: `${name}_fwd`,
      group: 'rnn',
      title,
      unit: 'ms',
      flops,
      prepare: (context) => functionCase(context, layer, sequence(context, gates)),
    },
    {
      id: `${name}_fb`,
      group: 'rnn',
      title: `${title}, and gradient`,
      unit: 'ms',
      flops: 3 * flops,
      prepare: (context) =>
        functionCase(context, withCotangents(layer), [
          context.normal([time, batch, hidden], 52),
          ...sequence(context, gates),
        ]),
    },
  ]
}

export const recurrents: readonly TimedWorkload[] = [
  ...both('lstm', lstm, 4),
  ...both('gru', gru, 3),
]
