/** Whole training steps: forward, backward and update as one compiled function that donates its state. */
import { type Tensor, jit, nn, optim, random, train, valueAndGrad } from 'cotangent'
import type { Case, Context } from '../workload.ts'

type Batch = readonly [x: Tensor, y: Tensor]

interface StepResult<T> {
  readonly next: T
  readonly loss: Tensor
}

/** Steps on from its own last state, as training does: every iteration does the same work. */
const steppingCase = <T>(
  { compile }: Context,
  step: (current: T, x: Tensor, y: Tensor) => StepResult<T>,
  start: T,
  batch: Batch,
): Case => {
  const compiled = compile(step, { donate: [0] })
  let current = start
  const run = (): StepResult<T> => {
    const result = compiled(current, ...batch)
    current = result.next
    // Part of the step: nobody trains without looking.
    result.loss.item()
    return result
  }
  const lossOf = ({ loss }: StepResult<T>): number => loss.item()
  return {
    run,
    check: () => [lossOf(run()), lossOf(run()), lossOf(run())],
    lower: () => compiled.lower(current, ...batch),
    profile: () => jit.profile(compiled)(current, ...batch),
  }
}

interface Training<P, S> {
  readonly params: P
  readonly optimizerState: S
}

export interface TrainingOptions<P, S> {
  readonly params: P
  readonly loss: (params: P, x: Tensor, y: Tensor) => Tensor
  readonly optimizer: optim.GradientTransformation<S>
  readonly batch: Batch
}

/** The step of a function of parameters. */
export const trainingCase = <P, S>(
  context: Context,
  { params, loss, optimizer, batch }: TrainingOptions<P, S>,
): Case => {
  const step = (
    { params: current, optimizerState }: Training<P, S>,
    x: Tensor,
    y: Tensor,
  ): StepResult<Training<P, S>> => {
    const [value, gradients] = valueAndGrad(loss)(current, x, y)
    const [updates, next] = optimizer.update(gradients, optimizerState, current)
    return {
      next: { params: optim.applyUpdates(current, updates), optimizerState: next },
      loss: value,
    }
  }
  return steppingCase(context, step, { params, optimizerState: optimizer.init(params) }, batch)
}

export interface LayerTrainingOptions<P, S, O> {
  readonly layer: nn.Layer<P, S>
  readonly params: P
  readonly optimizer: optim.GradientTransformation<O>
  /** What goes in, and what should come out. */
  readonly batch: Batch
}

/** The step of a layer under the mean squared error; its own state, running statistics, goes along. */
export const layerTrainingCase = <P, S, O>(
  context: Context,
  { layer, params, optimizer, batch }: LayerTrainingOptions<P, S, O>,
): Case => {
  const step = train.makeStep({ model: layer, loss: nn.losses.meanSquaredError, optimizer })
  // Only layers that drop would draw from it.
  const key = random.key(0)
  const { state } = layer.init(key, batch[0].shape)
  return steppingCase(
    context,
    (current: Parameters<typeof step>[0], x, y) => step(current, x, y, key, 0),
    { params, state, optimizerState: optimizer.init(params) },
    batch,
  )
}
