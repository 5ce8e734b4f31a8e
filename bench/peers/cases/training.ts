/** Whole training steps: forward, backward and update as one compiled function that donates its state. */
import { type Tensor, optim, valueAndGrad } from 'cotangent'
import type { Case, Context } from '../workload.ts'

interface Training<P, S> {
  readonly params: P
  readonly optimizerState: S
}

interface StepResult<P, S> {
  readonly next: Training<P, S>
  readonly loss: Tensor
}

export interface TrainingOptions<P, S> {
  readonly params: P
  readonly loss: (params: P, x: Tensor, y: Tensor) => Tensor
  readonly optimizer: optim.GradientTransformation<S>
  readonly batch: readonly [x: Tensor, y: Tensor]
}

/** Steps on from its own last state, as training does: every iteration does the same work. */
export const trainingCase = <P, S>(
  { compile }: Context,
  { params, loss, optimizer, batch }: TrainingOptions<P, S>,
): Case => {
  const step = (
    { params: current, optimizerState }: Training<P, S>,
    x: Tensor,
    y: Tensor,
  ): StepResult<P, S> => {
    const [value, gradients] = valueAndGrad(loss)(current, x, y)
    const [updates, next] = optimizer.update(gradients, optimizerState, current)
    return {
      next: { params: optim.applyUpdates(current, updates), optimizerState: next },
      loss: value,
    }
  }
  const compiled = compile(step, { donate: [0] })
  let training: Training<P, S> = { params, optimizerState: optimizer.init(params) }
  const run = (): StepResult<P, S> => {
    const result = compiled(training, ...batch)
    training = result.next
    // Part of the step: nobody trains without looking.
    result.loss.item()
    return result
  }
  const lossOf = ({ loss: value }: StepResult<P, S>): number => value.item()
  return {
    run,
    check: () => [lossOf(run()), lossOf(run()), lossOf(run())],
    lower: () => compiled.lower(training, ...batch),
  }
}
