/**
 * A convolutional network sees, an LSTM tells: captions for drawn scenes of one or two shapes, such
 * as "a red circle left of a blue square".
 *     node examples/dist/captioner.js
 * Scenes differ in place, size, brightness and noise; drawing them is a compiled function too. A
 * caption counts as right where every word is: 99.3 % of 2,000 new scenes, after 2,500 steps, or 42 s
 * on two cores.
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, jit, models, nn, np, optim, random, tensor, train } from 'cotangent'

const usual = { units: 96, batch: 64, steps: 2500, rate: 3e-3, test: 2000, print: console.log }

const shapes = ['circle', 'square', 'triangle']
const colours = ['red', 'green', 'blue', 'yellow']
const relations = ['left of', 'above']
const words = ['.', 'a', ...colours, ...shapes, ...relations]
const [stop, article] = [0, 1]
const codeOf = (list: readonly string[]): number => words.indexOf(list[0]!)
const side = 24
const length = 8
const paint = tensor([
  [1, 0.1, 0.1],
  [0.1, 0.9, 0.1],
  [0.2, 0.2, 1],
  [0.9, 0.9, 0.1],
])

/** So many scenes and their captions, the second a word late: `image`, `caption`, `wanted`. */
const draw = (key: Tensor, count: number) => {
  const keys = random.split(key, 8)
  const pick = (i: number, most: number): Tensor =>
    random.randint(keys.at(i), [count, 2], { maxval: most })
  const between = (i: number, shape: readonly number[], minval: number, maxval: number): Tensor =>
    random.uniform(keys.at(i), shape, { minval, maxval })
  const [shape, colour] = [pick(0, shapes.length), pick(1, colours.length)]
  // 0: side by side, 1: one above the other, 2: the first alone.
  const layout = pick(2, 3).at(':', 0)
  const isPair = layout.less(2)
  const along = between(3, [count, 2], 5, 7).add(tensor([0, 11]))
  const across = between(4, [count, 2], 7, 17)
  const isUpright = layout.equal(1).expandDims(1)
  const spread = (x: Tensor): Tensor => x.reshape([count, 2, 1, 1])
  const x = np.arange(side).sub(spread(across.where(isUpright, along)))
  const y = np
    .arange(side)
    .reshape([side, 1])
    .sub(spread(along.where(isUpright, across)))
  const radius = spread(between(5, [count, 2], 3.5, 5))
  const circle = x.square().add(y.square()).less(radius.square())
  const square = x.abs().maximum(y.abs()).less(radius.mul(0.9))
  const triangle = x.abs().less(y.add(radius).mul(0.5)).logicalAnd(y.less(radius))
  const kind = spread(shape)
  const inside = circle.where(kind.equal(0), square.where(kind.equal(1), triangle))
  const mask = inside.logicalAnd(spread(np.stack([np.onesLike(isPair), isPair], 1)))
  const hue = np.take(paint, colour, { axis: 0 }).reshape([count, 2, 3, 1, 1])
  const ground = np.broadcastTo(between(6, [count, 1, 1, 1], 0, 0.4), [count, 3, side, side])
  const clean = [0, 1].reduce(
    (image, i) => hue.at(':', i).where(mask.at(':', i).expandDims(1), image),
    ground,
  )
  const image = clean.add(random.normal(keys.at(7), clean.shape).mul(0.05))

  const always = (code: number): Tensor => np.full([count], code, { dtype: 'int32' })
  const named = (i: number): readonly Tensor[] => [
    always(article),
    colour.at(':', i).add(codeOf(colours)),
    shape.at(':', i).add(codeOf(shapes)),
  ]
  const more = [layout.add(codeOf(relations)), ...named(1), always(stop)]
  const wanted = np.stack([...named(0), ...more.map((word) => word.where(isPair, stop))], 1)
  const caption = np.append(always(stop).reshape([count, 1]), wanted.at(':', ':-1'), 1)
  return { image, caption, wanted }
}

const spell = (codes: Tensor): string =>
  Array.from(codes, (code) => words[code.item()]!)
    .join(' ')
    .replace(/( \.)+$/, '')

export const main = async (options: Partial<typeof usual> = {}) => {
  const { units, batch, steps, rate, test, print } = { ...usual, ...options }
  const model = models.imageCaptioner({ vocabulary: words.length, units, embedding: 48 })
  const [fitKey, dataKey, testKey] = random.split(random.key(0), 3)
  const drawBatch = jit((key: Tensor) => draw(key, batch))
  const batches = function* () {
    for (let i = 0; i < steps; i++) {
      const { wanted, ...x } = drawBatch(random.foldIn(dataKey!, i))
      yield [x, wanted] as const
    }
  }
  const schedule = { initial: 0, peak: rate, warmup: Math.ceil(steps / 20), steps }
  const run = train.fit({
    model,
    loss: nn.losses.softmaxCrossEntropy,
    optimizer: optim.adam(optim.warmupCosine(schedule)),
    data: batches,
    key: fitKey!,
  })
  const { image, wanted } = jit((key: Tensor) => draw(key, test))(testKey!)
  type Params = nn.ParamsOf<typeof model>
  const describe = jit((p: Params) => model.describe(p, image, { length, start: stop }))
  for await (const now of run) {
    if (now.step % Math.ceil(steps / 10) === 0)
      print(`step ${now.step}: loss ${now.loss.toFixed(4)}`)
    if (now.step < steps) continue
    const told = describe(now.params)
    const exact = told.equal(wanted).all({ axis: 1 }).astype('float32').mean().item()
    for (const i of [0, 1, 2, 3])
      print(`told: ${spell(told.at(i))}   shown: ${spell(wanted.at(i))}`)
    print(`exact captions: ${(100 * exact).toFixed(2)} %`)
    return { exact, told, wanted }
  }
  throw new Error(`training ended before step ${steps}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
