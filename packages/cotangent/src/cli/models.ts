/** The networks that the command line can train. */
import { models as networks, type nn } from '@cotangent/nn'
import type { Tensor } from '@cotangent/core'
import type { Job } from './job.ts'
import type { Outcome } from './outcome.ts'
import { trainModel } from './trainModel.ts'

/** A network under its name: what it is, and how to train it. */
export interface KnownModel {
  readonly summary: string
  readonly train: (job: Job) => Promise<Outcome>
}

const known = <P>(
  summary: string,
  make: () => nn.Layer<P, nn.None, string, Tensor, Tensor>,
): KnownModel => ({
  summary,
  // The layer's parameter type stays inside.
  train: (job) => trainModel(make(), job),
})

export type ModelName = 'lenet5' | 'mlp' | 'softmax'

export const knownModels: Readonly<Record<ModelName, KnownModel>> = {
  lenet5: known('LeNet-5: two convolutions, three dense layers, 61,706 parameters', () =>
    networks.lenet5({ activation: 'relu', pooling: 'max' }),
  ),
  mlp: known('a perceptron with hidden layers of 256 and 128 units', () =>
    networks.mlp({ units: [256, 128, 10] }),
  ),
  softmax: known('softmax regression: the linear model to beat', () =>
    networks.softmaxRegression({ classes: 10 }),
  ),
}
