/** An inception network for images of 28×28, written with the combinators. */
import type { Tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'

type Stage = nn.Layer<unknown, unknown, string, Tensor, Tensor>

const unit = (features: number, window: number): Stage =>
  nn.serial(
    nn.conv2d(features, window, { padding: 'same', useBias: false }),
    nn.batchNorm(),
    nn.relu,
  )

/** Windows of 1, 3 and 5 and a pooling, side by side: four times `n` features. */
const inception = (n: number): Stage =>
  nn.serial(
    nn.branches(
      unit(n, 1),
      nn.serial(unit(n, 1), unit(n, 3)),
      nn.serial(unit(n, 1), unit(n, 3), unit(n, 3)),
      nn.serial(nn.maxPool2d(3, { stride: 1, padding: 1 }), unit(n, 1)),
    ),
    nn.concat(),
  )

/** A convolution, two inception blocks at 14×14, two at 7×7, and one logit for each class. */
export const smallInception = (classes: number): Stage =>
  nn.serial(
    unit(16, 3),
    nn.maxPool2d(2),
    inception(8),
    inception(8),
    nn.maxPool2d(2),
    inception(16),
    inception(16),
    nn.globalAvgPool(),
    nn.dense(classes),
  )
