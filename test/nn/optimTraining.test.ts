/** What looks at the loss, in the training loop. */
import type { Tensor } from '@cotangent/core'
import { nn, optim, train } from '@cotangent/nn'
import { np, random } from '@cotangent/ops'
import { expect, test } from 'vitest'

const x = random.normal(random.key(1), [32, 2])
const y = np.stack([x.at(':', 0).mul(x.at(':', 1)), x.sum(1)], 1)
const model = nn.serial(nn.dense(8), nn.tanh, nn.dense(2))
const loss = (output: Tensor, target: Tensor): Tensor => output.sub(target).square().mean()

const losses = async <S>(
  optimizer: optim.GradientTransformation<S>,
): Promise<readonly number[]> => {
  const found: number[] = []
  const data = [[x, y]] as const
  for await (const snapshot of train.fit({
    model,
    loss,
    data,
    epochs: 15,
    key: random.key(2),
    optimizer,
  })) {
    found.push(snapshot.loss)
  }
  return found
}

test('L-BFGS with its line search never rises', async () => {
  const found = await losses(optim.lbfgs())
  expect(found.every((v, i) => i === 0 || v <= found[i - 1]! + 1e-6)).toBe(true)
  expect(found.at(-1)!).toBeLessThan(found[0]! / 10)
})

test('rates by the loss, averages and wrapped optimisers', async () => {
  const all: readonly optim.AnyTransformation[] = [
    optim.chain(optim.adam(0.05), optim.reduceOnPlateau({ patience: 3 })),
    optim.polyakSgd({ maxLearningRate: 0.3 }),
    optim.lookahead(optim.adam(0.05), { syncPeriod: 3, slowStepSize: 0.5 }),
    optim.accumulate(optim.adam(0.1), 2),
    optim.partition(
      { head: optim.adam(0.05), body: optim.sgd(0.1) },
      { dense1: 'body', dense2: 'head' },
    ),
  ]
  for (const optimizer of all) {
    const found = await losses(optimizer)
    expect(found.at(-1)!).toBeLessThan(found[0]!)
  }
})
