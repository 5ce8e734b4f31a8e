/**
 * A character-level LSTM learns to predict the next character of a text, then writes its own:
 *     node examples/dist/charLstm.js input.txt
 * The step is one compiled function, and so is the `scan` that samples. On Tiny Shakespeare the loss
 * on held-out text falls from 4.2 to 1.9 nats a character in 600 steps (about two minutes).
 */
import { readFile } from 'node:fs/promises'
import { pathToFileURL } from 'node:url'
import { type Tensor, grad, jit, nn, np, optim, random, scan, tensor } from 'cotangent'

const usual = { units: 128, time: 48, batch: 32, steps: 600, sample: 400, print: console.log }

export const main = (text: string, options: Partial<typeof usual> = {}) => {
  const { units, time, batch, steps, sample, print } = { ...usual, ...options }
  const alphabet = [...new Set(text)].sort()
  const codes = tensor(Int32Array.from(text, (character) => alphabet.indexOf(character)))
  const [seen, heldOut] = np.split(codes, [Math.floor(0.9 * codes.size)])
  const [embed, read] = [nn.embedding(alphabet.length, 32), nn.dense(alphabet.length)]
  const network = nn.serial(embed, nn.lstm(units), read)
  type Params = nn.ParamsOf<typeof network>
  const predict = (params: Params, x: Tensor) => network.apply({ params, state: {} }, x)[0]
  const loss = (params: Params, from: Tensor, key: Tensor): Tensor => {
    const first = random.randint(key, [batch, 1], { maxval: from.size - time })
    const window = np.take(from, first.add(np.arange(time + 1)))
    const logits = predict(params, window.at(':', ':-1'))
    return nn.losses.softmaxCrossEntropy(logits, window.at(':', '1:'))
  }
  const optimizer = optim.chain(optim.clipByGlobalNorm(1), optim.adam(5e-3))
  const step = (params: Params, state: ReturnType<typeof optimizer.init>, key: Tensor) => {
    const [updates, next] = optimizer.update(grad(loss)(params, seen!, key), state, params)
    return [optim.applyUpdates(params, updates), next] as const
  }
  const write = (params: Params, start: Tensor, keys: Tensor): Tensor => {
    const next = (window: Tensor, key: Tensor) => {
      const code = random.categorical(key, predict(params, window).at(0, -1))
      return [np.append(window.at(':', '1:'), code.reshape(1, 1), 1), code] as const
    }
    return scan(next, start, keys)[1]
  }
  const [learn, evaluate, dream] = [jit(step, { donate: [0, 1] }), jit(loss), jit(write)]
  const [initKey, testKey, writeKey] = random.split(random.key(0), 3)
  let { params } = network.init(initKey!, [batch, time])
  let state = optimizer.init(params)
  const losses = [evaluate(params, heldOut!, testKey!).item()]
  for (let i = 1; i <= steps; i++) {
    ;[params, state] = learn(params, state, random.foldIn(initKey!, i))
    if (i % Math.ceil(steps / 6) !== 0) continue
    losses.push(evaluate(params, heldOut!, testKey!).item())
    print(`step ${i}: loss on the held-out text ${losses.at(-1)!.toFixed(3)}`)
  }
  const written = dream(params, heldOut!.at(null, `:${time}`), random.split(writeKey!, sample))
  const story = Array.from(written, (code) => alphabet[code.item()]).join('')
  print(story)
  return { losses, story, alphabet }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  main(await readFile(process.argv[2] ?? 'input.txt', 'utf8'))
}
