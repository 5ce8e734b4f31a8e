/** The networks that the command line can train. */
import { models as networks, nn } from '@cotangent/nn'
import type { Tensor } from '@cotangent/core'
import { np } from '@cotangent/ops'
import type { Job } from './job.ts'
import type { Outcome } from './outcome.ts'
import { smallInception } from './smallInception.ts'
import { trainModel } from './trainModel.ts'

/** A network under its name: what it is, and how to train it. */
export interface KnownModel {
  readonly summary: string
  readonly train: (job: Job) => Promise<Outcome>
}

const known = <P, S>(
  summary: string,
  make: () => nn.Layer<P, S, string, Tensor, Tensor>,
): KnownModel => ({
  summary,
  // The types of the layer's trees stay inside.
  train: (job) => trainModel(make(), job),
})

export type ModelName =
  | 'lenet5'
  | 'mlp'
  | 'softmax'
  | 'vgg11'
  | 'nin'
  | 'inception'
  | 'resnet8'
  | 'densenet'
  | 'lstm'
  | 'gru'

// Networks that halve their input five times get a border, so that something is left.
const to32 = (): nn.Layer<nn.None, nn.None, 'lambda'> =>
  nn.lambda(
    (x) =>
      np.pad(x, [
        [0, 0],
        [0, 0],
        [2, 2],
        [2, 2],
      ]),
    ([batch, channels]) => [batch!, channels!, 32, 32],
  )

const classes = 10

export const knownModels: Readonly<Record<ModelName, KnownModel>> = {
  lenet5: known('LeNet-5: two convolutions, three dense layers, 61,706 parameters', () =>
    networks.lenet5({ activation: 'relu', pooling: 'max' }),
  ),
  mlp: known('a perceptron with hidden layers of 256 and 128 units', () =>
    networks.mlp({ units: [256, 128, classes] }),
  ),
  softmax: known('softmax regression: the linear model to beat', () =>
    networks.softmaxRegression({ classes }),
  ),
  vgg11: known('VGG-11 with an eighth of its channels, normalised', () =>
    nn.serial({
      border: to32(),
      vgg: networks.vgg(11, { classes, width: 1 / 8, batchNorm: true }),
    }),
  ),
  nin: known('network in network with an eighth of its channels', () =>
    networks.nin({ classes, width: 1 / 8, dropout: 0 }),
  ),
  inception: known('an inception network: four blocks of windows of 1, 3 and 5 side by side', () =>
    smallInception(classes),
  ),
  resnet8: known('a residual network of eight layers with half their channels', () =>
    networks.resnet(8, { classes, width: 1 / 2 }),
  ),
  densenet: known('a densely connected network with four blocks of two layers', () =>
    nn.serial({
      border: to32(),
      densenet: networks.densenet(121, { classes, width: 1 / 4, blocks: [2, 2, 2, 2] }),
    }),
  ),
  lstm: known('an LSTM of 64 units that reads the image row by row', () =>
    nn.serial(nn.reshape([28, 28]), nn.lstm(64, { returnSequences: false }), nn.dense(classes)),
  ),
  gru: known('a GRU of 64 units that reads the image row by row', () =>
    nn.serial(nn.reshape([28, 28]), nn.gru(64, { returnSequences: false }), nn.dense(classes)),
  ),
}
