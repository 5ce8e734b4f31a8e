/**
 * LeNet-5 on handwritten digits. The whole training step (forward, backward, Adam, metrics) is one
 * compiled function; the loop reads snapshots of it.
 *
 *     node examples/dist/lenet.js          generated digits, no file needed
 *     node examples/dist/lenet.js DIR      the MNIST files in DIR, gzipped or not
 *
 * On MNIST 99.2 % of the test images are read right after six epochs, or 30 s on two cores.
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, data, models, nn, optim, random, train } from 'cotangent'

const load = async (directory: string | undefined, count: number) => {
  if (directory === undefined) return data.digits({ seed: 0, train: count, test: 2000 })
  const loaded = await data.mnist(directory)()
  if (loaded._tag === 'Left') throw new Error(data.explain(loaded.left))
  return loaded.right
}

const asPair = ({ image, label }: { readonly image: Tensor; readonly label: Tensor }) =>
  [image, label] as const

export const main = async ({
  directory,
  examples = 8000,
  epochs = 3,
  batch = 64,
  print = console.log,
}: {
  readonly directory?: string | undefined
  readonly examples?: number
  readonly epochs?: number
  readonly batch?: number
  readonly print?: (line: string) => void
} = {}) => {
  const digits = await load(directory, examples)
  const key = random.key(0)
  const objective = {
    model: models.lenet5({ activation: 'relu', pooling: 'max' }),
    loss: nn.losses.softmaxCrossEntropy,
    metrics: { accuracy: nn.metrics.accuracy },
  }
  const evaluate = train.evaluator(objective)
  const batches = (epoch: number) =>
    data.shuffledFor(digits.train.take(examples), key, epoch).batch(batch).map(asPair)
  const optimizer = optim.adam(optim.cosineDecay(2e-3, epochs * Math.ceil(examples / batch)))
  const run = train.fit({ ...objective, optimizer, data: batches, key, epochs })

  let accuracy = 0
  for await (const now of run) {
    if (!now.isEndOfEpoch) continue
    const test = await evaluate(now, digits.test.batch(500).map(asPair))
    accuracy = test.metrics['accuracy']!
    print(`epoch ${now.epoch}: loss ${now.running.loss.toFixed(4)}, test accuracy ${accuracy}`)
  }
  return { accuracy }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const directory = process.argv[2]
  await main(directory === undefined ? {} : { directory, examples: 60_000, epochs: 6 })
}
