/** Writing with a language model: each choice is read before the next is made. */
import { IndexError, type Tensor, flatten, leafTensor, unflatten } from '@cotangent/core'
import { np, random, scan } from '@cotangent/ops'
import { requireSize } from '../errors.ts'

/** How a code is chosen from the logits of all. */
export interface Choices {
  /** Draws from the model's distribution; without a key the likeliest code is taken (greedy). */
  readonly key?: Tensor | undefined
  /** Divides the logits that are drawn from: below 1 bolder choices are rarer; 1 by default. */
  readonly temperature?: number
}

export interface GenerateOptions extends Choices {
  /** How many codes to write. */
  readonly length: number
}

/** The codes `[batch]` that logits `[batch, vocabulary]` lead to at step `i`. */
export const choose = (logits: Tensor, { key, temperature = 1 }: Choices, i: Tensor): Tensor =>
  key === undefined
    ? logits.argmax({ axis: -1 }).astype('int32')
    : random.categorical(random.foldIn(key, i), logits.div(temperature)).astype('int32')

/**
 * Codes `[batch, length]`: the first is chosen from `logits`, each other from what `step` gives for
 * the one before it. One `scan`, so it compiles to one loop.
 */
export const writeOn = <C>(
  step: (carry: C, codes: Tensor) => readonly [C, Tensor],
  carry: C,
  logits: Tensor,
  options: GenerateOptions,
): Tensor => {
  const { structure, leaves } = flatten(carry)
  const [, codes] = scan(
    ([state, scores], i) => {
      const code = choose(scores, options, i)
      const [next, y] = step(unflatten<C>(structure, state), code)
      return [[flatten(next).leaves.map(leafTensor), y], code]
    },
    [leaves.map(leafTensor), logits] as const,
    np.arange(options.length),
  )
  return codes.transpose([1, 0])
}

/** @throws IndexError unless there is something to go on from, and something to write. */
export const requirePrompt = (name: string, prompt: Tensor, { length }: GenerateOptions): void => {
  requireSize(name, 'codes to write', length)
  if (prompt.ndim === 2 && prompt.shape[1]! > 0) return
  throw new IndexError({
    operation: `${name}, generate`,
    problem: 'there is nothing to go on from',
    got: `prompt of shape [${prompt.shape.join(', ')}]`,
    want: '[batch, time] with one step at least',
    fix: 'begin with a code that starts every text, such as that of a line break',
  })
}
