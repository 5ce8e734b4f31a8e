/** The training step of LeNet-5: forward, backward, optimiser and accuracy as one function. */
import { type Tensor, flatten, fromNDArray, leafTensor, unflatten } from '@cotangent/core'
import { models, nn, optim, train } from '@cotangent/nn'
import { random } from '@cotangent/ops'
import { labels, normal } from '../inputs.ts'

const model = models.lenet5()
const optimizer = optim.adam(1e-3)

/** `(state, images, labels, key, index) → { next, loss, metrics }`, as `train.fit` runs it. */
export const lenetStep: train.Step<
  models.LeNet5Params,
  nn.None,
  Tensor,
  Tensor,
  ReturnType<typeof optimizer.init>
> = train.makeStep({
  model,
  optimizer,
  loss: (logits: Tensor, y: Tensor) => nn.losses.softmaxCrossEntropy(logits, y),
  metrics: { accuracy: nn.metrics.accuracy },
})

export type LenetState = Parameters<typeof lenetStep>[0]

export interface LenetInputs {
  readonly images: Tensor
  readonly targets: Tensor
  readonly key: Tensor
}

export const lenetInputs = (batch: number): LenetInputs => ({
  images: normal(1, [batch, 1, 28, 28]),
  targets: labels(2, batch, 10),
  key: random.key(3),
})

/** A fresh state: every leaf has memory of its own, so that it can be donated. */
export const lenetState = (batch: number): LenetState => {
  const { params, state } = model.init(random.key(0), [batch, 1, 28, 28])
  return copy({ params, state, optimizerState: optimizer.init(params) })
}

const copy = <T>(tree: T): T => {
  const { leaves, structure } = flatten(tree)
  const copies = leaves.map((leaf) => {
    const x = leafTensor(leaf)
    return fromNDArray({ shape: x.shape, dtype: x.dtype, data: x.data() }, x.aval.weak)
  })
  return unflatten<T>(structure, copies)
}
