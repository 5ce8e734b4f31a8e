/** Normalisation with its gradient, and cross-entropy. */
import { type Shape, type Tensor, nn, valueAndGrad } from 'cotangent'
import { type Context, type TimedWorkload, functionCase, withCotangents } from '../workload.ts'

const { batchNormTraining, layerNorm } = nn.functional

const image: Shape = [8, 64, 56, 56]
const imageBytes = 4 * 8 * 64 * 56 * 56
const rows: Shape = [4096, 512]

const batchNormRelu = (x: Tensor, scale: Tensor, bias: Tensor): Tensor =>
  nn.relu(batchNormTraining(x, { scale, bias }).y)

const imageArgs = ({ normal }: Context): [Tensor, Tensor, Tensor] => [
  normal(image, 31),
  normal([64], 32, 0.2, 1),
  normal([64], 33),
]

export const normalisations: readonly TimedWorkload[] = [
  {
    id: 'bnrelu_fwd',
    group: 'norm',
    title: 'batch norm and ReLU, 8×64×56×56',
    unit: 'ms',
    bytes: 2 * imageBytes,
    prepare: (context) => functionCase(context, batchNormRelu, imageArgs(context)),
  },
  {
    id: 'bnrelu_fb',
    group: 'norm',
    title: 'batch norm, relu, and gradient',
    unit: 'ms',
    bytes: 6 * imageBytes,
    prepare: (context) =>
      functionCase(context, withCotangents(batchNormRelu), [
        context.normal(image, 34),
        ...imageArgs(context),
      ]),
  },
  {
    id: 'layernorm_fb',
    group: 'norm',
    title: 'layer norm 4096×512, and gradient',
    unit: 'ms',
    bytes: 5 * 4 * 4096 * 512,
    prepare: (context) =>
      functionCase(
        context,
        withCotangents((x: Tensor, scale: Tensor, bias: Tensor) => layerNorm(x, { scale, bias })),
        [
          context.normal(rows, 44),
          context.normal(rows, 41),
          context.normal([512], 42, 0.2, 1),
          context.normal([512], 43),
        ],
      ),
  },
  {
    id: 'softmaxce_fb',
    group: 'norm',
    title: 'softmax cross-entropy 1024×1000, and gradient',
    unit: 'ms',
    bytes: 3 * 4 * 1024 * 1000,
    prepare: (context) =>
      functionCase(
        context,
        valueAndGrad((logits: Tensor, labels: Tensor) =>
          nn.losses.softmaxCrossEntropy(logits, labels),
        ),
        [context.normal([1024, 1000], 45), context.integers([1024], 46, 1000)],
      ),
  },
]
