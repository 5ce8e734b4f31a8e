/**
 * A small residual network on handwritten digits, written out of combinators: a convolution that
 * halves the image, and residual blocks, one of which halves it again. Each step sees its images
 * shifted by a pixel at most; the rate rises and falls with the steps.
 *
 *     node examples/dist/resnet.js          generated digits, no file needed
 *     node examples/dist/resnet.js DIR      the MNIST files in DIR, gzipped or not
 *
 * On MNIST 99.58 % of the test images are read right after eight epochs, or 169 s on two cores.
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, data, jit, lax, nn, np, optim, random, train, vmap } from 'cotangent'

const conv = (features: number, window: number, stride = 1) =>
  nn.conv2d(features, window, { stride, padding: 'same', useBias: false })

/** Two 3×3 convolutions. */
const body = (features: number, stride = 1) =>
  nn.serial(conv(features, 3, stride), nn.batchNorm(), nn.relu, conv(features, 3), nn.batchNorm())
const keep = (features: number) => nn.residual(body(features), { activation: nn.relu })
/** Half as high and wide: the shortcut then projects. */
const halve = (features: number) => {
  const shortcut = nn.serial(conv(features, 1, 2), nn.batchNorm())
  return nn.residual(body(features, 2), { shortcut, activation: nn.relu })
}
const networkOf = (width: number) =>
  nn.serial(
    nn.serial(conv(width, 5, 2), nn.batchNorm(), nn.relu),
    keep(width),
    halve(2 * width),
    keep(2 * width),
    nn.globalAvgPool(),
    nn.dense(10),
  )

/** Every image of a batch by its own random step, of one pixel at most each way. */
const shifted = jit((images: Tensor, key: Tensor): Tensor => {
  const corners = random.randint(key, [images.shape[0]!, 2], { maxval: 3 })
  const framed = np.pad(images, [
    [0, 0],
    [0, 0],
    [1, 1],
    [1, 1],
  ])
  const cut = (image: Tensor, corner: Tensor): Tensor =>
    lax.dynamicSlice(image, [0, corner.at(0), corner.at(1)], images.shape.slice(1))
  return vmap(cut)(framed, corners)
})

const load = async (directory: string | undefined, count: number) => {
  if (directory === undefined) return data.digits({ seed: 0, train: count, test: 2000 })
  const loaded = await data.mnist(directory)()
  if (loaded._tag === 'Left') throw new Error(data.explain(loaded.left))
  return loaded.right
}

const usual = { examples: 8000, epochs: 8, batch: 100, width: 16, peak: 5e-3, print: console.log }

export const main = async (directory?: string, options: Partial<typeof usual> = {}) => {
  const { examples, epochs, batch, width, peak, print } = { ...usual, ...options }
  const digits = await load(directory, examples)
  const [key, shiftKey] = random.split(random.key(0))
  const objective = {
    model: networkOf(width),
    loss: nn.losses.softmaxCrossEntropy,
    metrics: { accuracy: nn.metrics.accuracy },
  }
  const steps = epochs * Math.ceil(examples / batch)
  const rate = optim.warmupCosine({ initial: 0, peak, warmup: Math.ceil(steps / 10), steps })
  const evaluate = train.evaluator(objective)
  const run = train.fit({
    ...objective,
    optimizer: optim.adamw(rate, { weightDecay: 0.01 }),
    data: (epoch) =>
      data
        .shuffledFor(digits.train.take(examples), key!, epoch)
        .batch(batch)
        .map(({ image, label }, i) => {
          const own = random.foldIn(shiftKey!, epoch * steps + i)
          return [shifted(image, own), label] as const
        }),
    key: key!,
    epochs,
  })
  let accuracy = 0
  for await (const now of run) {
    if (!now.isEndOfEpoch) continue
    const batches = digits.test.batch(500).map(({ image, label }) => [image, label] as const)
    accuracy = (await evaluate(now, batches)).metrics['accuracy']!
    const [loss, percent] = [now.running.loss.toFixed(4), (100 * accuracy).toFixed(2)]
    print(`epoch ${now.epoch}: loss ${loss}, test accuracy ${percent} %`)
  }
  return { accuracy }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const directory = process.argv[2]
  await main(directory, directory === undefined ? {} : { examples: 60_000 })
}
