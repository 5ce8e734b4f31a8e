/** Any cell over sequences: stacked, in both directions, masked. */
import { type Shape, Tensor, erase, range, typed } from '@cotangent/core'
import { np, random } from '@cotangent/ops'
import { requireSize } from '../../errors.ts'
import { mergeDirections, overTime, swapBatchAndTime } from '../../functional/recurrent/index.ts'
import { type Layer, type Mode, type None, defineLayer, none, requireKey } from '../../layer.ts'
import { dropout as dropoutLayer } from '../dropout.ts'
import type { AnyCell, RecurrentCell } from './cell.ts'
import { partsOf, requireCarry } from './parts.ts'
import { maskOf, requireSequence } from './sequences.ts'
import type { OutputFor, PerCell, RecurrentInput, RecurrentOptions } from './types.ts'

// [batch, time, …] as one step sees it.
const stepShape = ([batch, , ...features]: Shape): Shape => [batch!, ...features]

const swapped = ([time, batch, ...features]: Shape): Shape => [batch!, time!, ...features]

// The output at the end of each sequence: at the last step (in reverse the first) that is there.
const lastOutput = (outputs: Tensor, reverse: boolean, mask: Tensor | undefined): Tensor => {
  if (mask === undefined) return outputs.at(reverse ? 0 : -1)
  const steps = np.arange(mask.shape[0]!).reshape([mask.shape[0]!, 1])
  const end = reverse
    ? steps.where(mask, mask.shape[0]!).min({ axis: 0 })
    : steps.where(mask, -1).max({ axis: 0 })
  const here = steps.equal(end)
  return outputs
    .where(here.reshape([...here.shape, ...range(outputs.ndim - 2).map(() => 1)]), 0)
    .sum({ axis: 0 })
}

const build = (
  cell: AnyCell,
  options: RecurrentOptions = {},
  name: string = cell.name,
): Layer<unknown, None, string, unknown, RecurrentInput<unknown>> => {
  const { returnSequences = true, returnCarry = false, reverse = false } = options
  const { layers = 1, bidirectional = false, merge = 'concat', dropout = 0, truncate } = options
  requireSize(name, 'layers', layers)
  const drop = dropoutLayer(dropout)
  const parts = partsOf(layers, bidirectional)
  const directions = bidirectional ? 2 : 1
  const { featureAxis } = cell
  const mergedShape = (shape: Shape): Shape =>
    bidirectional && merge === 'concat'
      ? shape.with(featureAxis, 2 * shape.at(featureAxis)!)
      : shape
  const mergeEnds = (ends: readonly Tensor[], axis: number): Tensor =>
    ends.length === 1 ? ends[0]! : mergeDirections(ends[0]!, ends[1]!, merge, axis)
  // Sequences have the time in front.
  const sequenceAxis = featureAxis < 0 ? featureAxis : featureAxis + 1

  const between = (x: Tensor, layer: number, mode: Mode): Tensor => {
    if (layer === 0 || dropout === 0 || mode.train !== true) return x
    const key = random.foldIn(requireKey(name, mode), layer)
    return drop.apply({ params: none, state: none }, x, { train: true, key })[0]
  }

  return defineLayer<unknown, None, string, unknown, RecurrentInput<unknown>>({
    name,
    isRandom: dropout > 0 && layers > 1,
    init: (key, inputShape) => {
      requireSequence(name, inputShape)
      const [batch, time] = inputShape
      let shape = stepShape(inputShape)
      let below = shape
      const params = parts.build((layer, direction) => {
        if (direction === 0) below = shape
        const n = layer * directions + direction
        const made = cell.init(n === 0 ? key : random.foldIn(key, n), below)
        shape = mergedShape(made.outputShape)
        return made.params
      })
      const features = shape.slice(1)
      return {
        params,
        state: none,
        outputShape: returnSequences ? [batch!, time!, ...features] : [batch!, ...features],
      }
    },
    apply: ({ params, state }, input, mode) => {
      const sequence = input instanceof Tensor ? { inputs: input } : input
      const { inputs, carry, ...steps } = sequence
      requireSequence(name, inputs.shape)
      const mask = maskOf(name, inputs, steps)
      let xs = swapBatchAndTime(inputs)
      let last = xs
      const carries: unknown[][] = []
      for (let layer = 0; layer < layers; layer++) {
        const below = between(xs, layer, mode)
        const slice = below.shape.slice(1)
        const runs = range(directions).map((direction) => {
          const own = parts.read(params, layer, direction)
          cell.check(own, swapped(below.shape), { layer: name, leading: 2 })
          const zero = cell.initCarry(own, slice, below.dtype)
          const start = carry === undefined ? zero : parts.read(carry, layer, direction)
          if (carry !== undefined) requireCarry(name, start, zero)
          const backwards = reverse !== (direction === 1)
          const time = { reverse: backwards, mask, truncate }
          const run = overTime<unknown>(
            (old, x) => cell.step(own, old, x),
            start,
            cell.project(own, below),
            time,
          )
          const isLast = layer === layers - 1 && !returnSequences
          return {
            ...run,
            last: isLast
              ? (cell.output(run.carry) ?? lastOutput(run.outputs, backwards, mask))
              : null,
          }
        })
        carries.push(runs.map((run) => run.carry))
        xs = mergeEnds(
          runs.map((run) => run.outputs),
          sequenceAxis,
        )
        const ends = runs.flatMap((run) => (run.last === null ? [] : [run.last]))
        if (ends.length > 0) last = mergeEnds(ends, featureAxis)
      }
      const outputs = returnSequences ? swapBatchAndTime(xs) : last
      if (!returnCarry) return [outputs, state]
      return [Object.freeze({ outputs, carry: parts.build((l, d) => carries[l]![d]!) }), state]
    },
  })
}

/**
 * A cell over sequences: `[batch, time, …features]` to `[batch, time, …]`, or with
 * `returnSequences: false` to the last output alone. The input is a tensor, or a record `{ inputs }`
 * with `carry` (the initial state), and `lengths: [batch]` or `mask: [batch, time]` of sequences that
 * differ in length: outputs past an end are zero, the state returned is the one at each sequence's
 * own end, and the reverse direction starts there. All of it is one `scan` a layer and direction.
 * @throws ShapeError where input, mask or parameters do not fit.
 * @example
 * recurrent(mguCell(32), { layers: 2, bidirectional: true }) // params.layer1.forward.kernel
 */
export const recurrent: <
  P,
  C,
  Name extends string,
  const O extends RecurrentOptions = Record<never, never>,
>(
  cell: RecurrentCell<P, C, Name>,
  options?: O,
) => Layer<PerCell<P, O>, None, Name, OutputFor<C, O>, RecurrentInput<PerCell<C, O>>> = typed(
  erase(build),
)

/** `recurrent` under a name of its own, for the layers of the library. */
export const namedRecurrent: (cell: AnyCell, options: RecurrentOptions, name: string) => unknown =
  build
