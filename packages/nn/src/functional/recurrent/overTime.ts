/** Steps over time: one `scan`, in either direction, that passes over what is masked. */
import {
  ShapeError,
  type Tensor,
  flatten,
  leafTensor,
  range,
  showAval,
  stopGradient,
  transpose,
  unflatten,
} from '@cotangent/core'
import { np, prims, scan } from '@cotangent/ops'
import { requireSize } from '../../errors.ts'

export interface TimeOptions {
  /** From the last step to the first; outputs keep their places. */
  readonly reverse?: boolean | undefined
  /** `[time, batch]`, true where a sequence has a step; everywhere by default. */
  readonly mask?: Tensor | undefined
  /** Gradients flow back through windows of so many steps alone; through all by default. */
  readonly truncate?: number | undefined
}

/** What comes of running over time. */
export interface TimeRun<C> {
  /** After every step: `[time, batch, …]`; zeros where the mask is false. */
  readonly outputs: Tensor
  /** The carry after the last step (in reverse the first) that is not masked. */
  readonly carry: C
}

/** A mask `[batch]` as one that spreads over the axes of a value `[batch, …]`. */
const spread = (mask: Tensor, rank: number): Tensor =>
  mask.reshape([mask.size, ...range(rank - 1).map(() => 1)])

/**
 * `[carry, y] = step(carry, x)` for each slice of `xs: [time, batch, …]`. A masked step leaves its
 * sequence's carry as it is and gives zeros, so in reverse each sequence starts at its own end.
 * @throws ShapeError where the mask is not `[time, batch]`.
 */
export const overTime = <C>(
  step: (carry: C, x: Tensor) => readonly [C, Tensor],
  carry: C,
  xs: Tensor,
  options: TimeOptions = {},
): TimeRun<C> => {
  const { reverse = false, mask, truncate } = options
  if (truncate !== undefined) return truncated(step, carry, xs, options, truncate)
  const { structure, leaves } = flatten(carry)
  const start = leaves.map(leafTensor)
  const advance = (state: readonly Tensor[], x: Tensor): readonly [readonly Tensor[], Tensor] => {
    const [next, y] = step(unflatten<C>(structure, state), x)
    return [flatten(next).leaves.map(leafTensor), y]
  }
  if (mask === undefined) {
    const [last, outputs] = scan(advance, start, xs, { reverse })
    return { outputs, carry: unflatten<C>(structure, last) }
  }
  requireMask(xs, mask)
  const [last, outputs] = scan(
    (state, [x, kept]) => {
      const [next, y] = advance(state, x)
      const chosen = next.map((value, i) => value.where(spread(kept, value.ndim), state[i]!))
      return [chosen, y.where(spread(kept, y.ndim), 0)]
    },
    start,
    [xs, mask] as const,
    { reverse },
  )
  return { outputs, carry: unflatten<C>(structure, last) }
}

// One run a window: the backward pass of a window ends where it began.
const truncated = <C>(
  step: (carry: C, x: Tensor) => readonly [C, Tensor],
  carry: C,
  xs: Tensor,
  { reverse = false, mask }: TimeOptions,
  window: number,
): TimeRun<C> => {
  requireSize('recurrent', 'steps to truncate after', window)
  const time = xs.shape[0]!
  const starts = range(Math.ceil(time / window)).map((n) => n * window)
  const part = (x: Tensor, from: number): Tensor => x.at(`${from}:${Math.min(from + window, time)}`)
  let state = carry
  const parts = (reverse ? starts.toReversed() : starts).map((from) => {
    const kept = mask === undefined ? undefined : part(mask, from)
    const run = overTime(step, stopGradient(state), part(xs, from), { reverse, mask: kept })
    state = run.carry
    return run.outputs
  })
  const outputs =
    parts.length === 1 ? parts[0]! : prims.concatenate(reverse ? parts.toReversed() : parts, 0)
  return { outputs, carry: state }
}

const requireMask = (xs: Tensor, mask: Tensor): void => {
  const fits =
    mask.ndim === 2 && mask.shape.every((n, d) => n === xs.shape[d]) && mask.dtype === 'bool'
  if (fits) return
  throw new ShapeError({
    operation: 'recurrent',
    problem: 'the mask does not fit the sequences',
    got: `mask: ${showAval(mask.aval)}, sequences [time, batch, …]: ${showAval(xs.aval)}`,
    want: `a bool mask of ${xs.shape[0]} steps and ${xs.shape[1]} sequences`,
    fix: 'make it with functional.maskOfLengths(lengths, time)',
  })
}

/** `[batch, time, …]` to `[time, batch, …]`, and back. */
export const swapBatchAndTime = (x: Tensor): Tensor =>
  transpose(x, [1, 0, ...range(x.ndim - 2).map((d) => d + 2)])

/**
 * The mask `[batch, time]` of sequences of these lengths: true before the end.
 * @example
 * functional.maskOfLengths(tensor([1, 3]), 3) // [[true, false, false], [true, true, true]]
 */
export const maskOfLengths = (lengths: Tensor, time: number): Tensor =>
  np.arange(time).less(lengths.reshape([lengths.size, 1]))

/**
 * Each of `x: [batch, time, …]` backwards from its own end: steps past `lengths` stay behind, in
 * reverse too. Its own inverse.
 */
export const reverseSequences = (x: Tensor, lengths?: Tensor): Tensor => {
  if (lengths === undefined) return np.flip(x, 1)
  const time = x.shape[1]!
  const steps = np.arange(time)
  const ends = lengths.astype('int32').reshape([lengths.size, 1])
  const from = np.mod(ends.sub(1).sub(steps), time)
  const index = from.reshape([...from.shape, ...range(x.ndim - 2).map(() => 1)])
  return np.takeAlongAxis(x, np.broadcastTo(index, x.shape), 1)
}
