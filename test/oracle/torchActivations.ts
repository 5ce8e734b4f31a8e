/** The operations of `torch/activations.json`, as our activations and layers. */
import type { Tensor } from '@cotangent/core'
import { nn } from '@cotangent/nn'
import type { Attributes, Operation } from './torch.ts'

const elementwise =
  (f: (x: Tensor, a: Attributes) => Tensor): Operation =>
  ({ x }, a) => ({ y: f(x!, a) })

const layer =
  (make: (a: Attributes) => nn.Layer<nn.None>): Operation =>
  ({ x }, a) => ({ y: make(a).apply({ params: nn.none, state: nn.none }, x!)[0] })

// PyTorch's softplus is the identity where beta · x is above a threshold.
const softplus = (x: Tensor, a: Attributes): Tensor => {
  const beta = a.number('beta', 1)
  return x.where(x.mul(beta).greater(a.number('threshold', 20)), nn.softplus(x, beta))
}

export const activationOperations: Readonly<Record<string, Operation>> = {
  relu: layer(() => nn.relu()),
  leaky_relu: layer((a) => nn.leakyRelu.with(a.number('negative_slope', 0.01))),
  elu: layer((a) => nn.elu.with(a.number('alpha', 1))),
  selu: layer(() => nn.selu()),
  celu: layer((a) => nn.celu.with(a.number('alpha', 1))),
  gelu: layer((a) => nn.gelu.with(a.text('approximate') === 'tanh')),
  silu: layer(() => nn.silu()),
  mish: layer(() => nn.mish()),
  softplus: elementwise(softplus),
  softsign: layer(() => nn.softSign()),
  hardtanh: layer((a) => nn.hardTanh.with(a.number('min_val', -1), a.number('max_val', 1))),
  sigmoid: layer(() => nn.sigmoid()),
  logsigmoid: layer(() => nn.logSigmoid()),
  tanh: layer(() => nn.tanh()),
  hardsigmoid: layer(() => nn.hardSigmoid()),
  hardswish: layer(() => nn.hardSwish()),
  relu6: layer(() => nn.relu6()),
  tanhshrink: layer(() => nn.tanhShrink()),
  softshrink: layer((a) => nn.softShrink.with(a.number('lambd', 0.5))),
  hardshrink: layer((a) => nn.hardShrink.with(a.number('lambd', 0.5))),
  threshold: layer((a) => nn.threshold.with(a.number('threshold'), a.number('value'))),
  softmax: layer((a) => nn.softmax.with(a.number('axis'))),
  log_softmax: layer((a) => nn.logSoftmax.with(a.number('axis'))),
  softmin: layer((a) => nn.softmin.with(a.number('axis'))),
  glu: layer((a) => nn.glu.with(a.number('axis', -1))),
  prelu: ({ x, weight }, a) => {
    const axis = a.number('axis', 1)
    const one = nn.prelu({ perChannel: weight!.size > 1, axis })
    return { y: one.apply({ params: { slope: weight! }, state: nn.none }, x!)[0] }
  },
}
