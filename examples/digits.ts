/**
 * A multi-layer perceptron on the UCI digits: 3,823 images of 8×8 pixels to learn from, and 1,797 by
 * other writers to be tested on. What it learns from are images moved and stretched by parts of a
 * pixel, mixed in pairs, with mixed labels.
 *
 *     node examples/dist/digits.js optdigits_train.csv               # chooses: the first file alone
 *     node examples/dist/digits.js optdigits_train.csv digits.csv    # learns, then reads the second
 *
 * A four-fold cross-validation on the first file cannot tell the settings apart: 98.61 % with nothing
 * moved or mixed, 98.56 and 98.69 % mixed by Beta(1, 1) and Beta(0.4, 0.4), 98.61 % moved, too. It is
 * the last that is used: 98.7 % of the second file are read right after 40 epochs, 13 s on two cores.
 */
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { type Tensor, data, jit, nn, np, optim, random, tensor, train } from 'cotangent'

/** Rows of 64 pixels from 0 to 16, then the digit. */
const parse = (csv: string) => {
  const lines = csv.trim().split('\n')
  const rows = tensor(lines.map((line) => line.split(',').map(Number)))
  return data.fromArrays({ x: rows.at(':', ':64').div(16), y: rows.at(':', 64).astype('int32') })
}
type Digits = ReturnType<typeof parse>

const usual = {
  units: 512,
  epochs: 40,
  batch: 64,
  peak: 2e-3,
  mix: 0.4,
  shift: 0.7,
  stretch: 0.1,
  print: console.log,
}
type Options = Partial<typeof usual>

const place = np.arange(8).sub(3.5)

/** For each image a matrix that samples a line of it between its pixels, moved and stretched. */
const sampling = (key: Tensor, count: number, { shift, stretch }: typeof usual): Tensor => {
  const [first, second] = random.split(key)
  const upTo = (limit: number, k: Tensor): Tensor =>
    random
      .uniform(k, [count, 1, 1])
      .sub(0.5)
      .mul(2 * limit)
  const from = place.reshape([8, 1]).mul(upTo(stretch, first!).add(1)).add(upTo(shift, second!))
  return nn.relu(np.abs(from.sub(place)).neg().add(1))
}

/** Images and labels to learn from. @see Zhang et al. 2018 (mixup) */
const altered = (options: typeof usual) =>
  jit((x: Tensor, y: Tensor, key: Tensor): readonly [Tensor, Tensor] => {
    const [rows, columns, share] = random.split(key, 3)
    const count = x.shape[0]!
    const tall = sampling(rows!, count, options).matmul(x.reshape([count, 8, 8]))
    const moved = tall.matmul(np.swapaxes(sampling(columns!, count, options), 1, 2))
    const labels = nn.oneHot(y, 10)
    if (options.mix === 0) return [moved.reshape([count, 64]), labels]
    const part = random.beta(share!, options.mix, options.mix)
    const mixed = (v: Tensor): Tensor => v.mul(part).add(np.flip(v, 0).mul(part.neg().add(1)))
    return [mixed(moved.reshape([count, 64])), mixed(labels)]
  })

/** Learns from some digits, and tells the share of others that is read right in the end. */
const accuracyOf = async (learned: Digits, tested: Digits, options: Options = {}) => {
  const all = { ...usual, ...options }
  const { units, epochs, batch, peak } = all
  const hidden = nn.serial(nn.dense(units), nn.relu, nn.dropout(0.3))
  const model = nn.serial(hidden, hidden, nn.dense(10))
  const loss = nn.losses.softmaxCrossEntropy
  const [key, alterKey] = random.split(random.key(0))
  const steps = epochs * Math.ceil(learned.size / batch)
  const alter = altered(all)
  const run = train.fit({
    model,
    loss,
    optimizer: optim.adamw(optim.cosineDecay(peak, steps), { weightDecay: 0.01 }),
    data: (epoch) =>
      data
        .shuffledFor(learned, key!, epoch)
        .batch(batch)
        .map(({ x, y }, i) => alter(x, y, random.foldIn(alterKey!, epoch * steps + i))),
    key: key!,
    epochs,
  })
  const evaluate = train.evaluator({ model, loss, metrics: { accuracy: nn.metrics.accuracy } })
  let accuracy = 0
  for await (const now of run) {
    if (!now.isEndOfEpoch || now.epoch !== epochs) continue
    accuracy = (await evaluate(now, tested.batch(tested.size))).metrics['accuracy']!
  }
  return accuracy
}

/** The mean accuracy of every setting over four parts of the file, the best first. */
export const choose = async (seen: string, settings: readonly Options[], folds = 4) => {
  // Not shuffled: neighbouring rows are by one writer, and what counts is how others are read.
  const parts = parse(seen).kFold(folds)
  const results: { readonly setting: Options; readonly accuracy: number }[] = []
  for (const setting of settings) {
    let sum = 0
    for (const part of parts) sum += await accuracyOf(part.train, part.test, setting)
    results.push({ setting, accuracy: sum / folds })
  }
  return results.sort((a, b) => b.accuracy - a.accuracy)
}

export const main = async (seen: string, unseen: string, options: Options = {}) => {
  const accuracy = await accuracyOf(parse(seen), parse(unseen), options)
  const { print } = { ...usual, ...options }
  print(`test accuracy ${(100 * accuracy).toFixed(2)} %`)
  return { accuracy }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const [seen, unseen] = process.argv.slice(2)
  if (seen === undefined) throw new Error('give a file to learn from, and one to test on')
  const learned = await readFile(seen, 'utf8')
  if (unseen !== undefined) await main(learned, await readFile(unseen, 'utf8'))
  else {
    const still = { shift: 0, stretch: 0 }
    const settings = [{ ...still, mix: 0 }, { ...still, mix: 1 }, { ...still, mix: 0.4 }, {}]
    for (const { setting, accuracy } of await choose(learned, settings))
      console.log(JSON.stringify(setting), `${(100 * accuracy).toFixed(2)} %`)
  }
}
