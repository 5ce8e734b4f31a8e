/** A loop around a recurrent step: outputs fed back as inputs. */
import { type Tensor, flatten, leafTensor, unflatten } from '@cotangent/core'
import { np, scan } from '@cotangent/ops'

export interface FeedbackOptions {
  /** How many steps. */
  readonly length: number
  /** The next input from an output and the step's number; the output itself by default. */
  readonly next?: (output: Tensor, step: Tensor) => Tensor
}

/** The outputs `[length, …]` and the carry after the last step. */
export interface Feedback<C> {
  readonly outputs: Tensor
  readonly carry: C
}

/**
 * One to many: each output becomes the next input, all in one `scan`. Sampling goes in `next`, with
 * a key folded from the step.
 * @example
 * const step = (carry, code) => read(params, carry, embed(params, code))
 * const { outputs } = functional.feedback(step, carry, start, {
 *   length: 100,
 *   next: (logits, i) => random.categorical(random.foldIn(key, i), logits),
 * })
 */
export const feedback = <C>(
  step: (carry: C, x: Tensor) => readonly [C, Tensor],
  carry: C,
  first: Tensor,
  { length, next = (y) => y }: FeedbackOptions,
): Feedback<C> => {
  const { structure, leaves } = flatten(carry)
  const [[last], outputs] = scan(
    ([state, x], i) => {
      const [carried, y] = step(unflatten<C>(structure, state), x)
      return [[flatten(carried).leaves.map(leafTensor), next(y, i).astype(x.dtype)], y]
    },
    [leaves.map(leafTensor), first] as const,
    np.arange(length),
  )
  return { outputs, carry: unflatten<C>(structure, last) }
}
