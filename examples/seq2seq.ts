/**
 * A GRU encoder and a GRU decoder with attention learn to say numbers backwards, and to add:
 *     12345 → 54321        47+58 → 501 (105, from its last digit, the way one adds by hand)
 * One network does both; what it is asked, it sees in the source. One number of ten is held out.
 *     node examples/dist/seq2seq.js
 *
 * After 3,500 steps, or 105 s on two cores, 100 % of a thousand held-out numbers are reversed, and
 * 99.4 % of a thousand held-out sums are right, in every digit.
 */
import { pathToFileURL } from 'node:url'
import { type Tensor, jit, models, nn, np, optim, random, train } from 'cotangent'

const usual = {
  places: 2,
  units: 128,
  batch: 128,
  steps: 3500,
  rate: 3e-3,
  test: 2000,
  print: console.log,
}

const symbols = '0123456789+.'
const [plus, stop] = [10, 11]
const int32 = { dtype: 'int32' } as const

/** The decimal digits of `n: [count]`: `[count, places]`, the first one first. */
const digits = (n: Tensor, places: number): Tensor => {
  const powers = Int32Array.from({ length: places }, (_, i) => 10 ** (places - 1 - i))
  return n.expandDims(1).floorDivide(np.array(powers)).mod(10)
}

/** Numbers below `most`. Those held out leave less than ten when divided by 97, the others do not. */
const numbers = (key: Tensor, count: number, most: number, isHeldOut: boolean): Tensor => {
  const n = random.randint(key, [count], { maxval: most })
  const rest = n.mod(97)
  if (isHeldOut) return n.sub(rest).add(rest.mod(10))
  return n.where(rest.greaterEqual(10), n.sub(10).where(n.greaterEqual(10), n.add(10)))
}

interface Exercises {
  readonly places: number
  readonly reversals: number
  readonly sums: number
  readonly isHeldOut: boolean
}

/** Sources `[reversals + sums, 2 · places + 1]`, what is wanted, and that a step late behind a stop. */
const draw = (key: Tensor, { places, reversals, sums, isHeldOut }: Exercises) => {
  const [length, most] = [2 * places + 1, 10 ** places]
  const [oneKey, twoKey] = random.split(key)
  const whole = digits(numbers(oneKey!, reversals, 10 * most ** 2, isHeldOut), length)
  const both = numbers(twoKey!, sums, most ** 2, isHeldOut)
  const [a, b] = [both.floorDivide(most), both.mod(most)]
  const filled = (width: number, code: number): Tensor => np.full([sums, width], code, int32)
  const signs = filled(1, plus)
  const added = np.concatenate([digits(a, places), signs, digits(b, places)], { axis: 1 })
  const total = np.flip(digits(a.add(b), places + 1), 1)
  const wanted = np.concatenate([np.flip(whole, 1), np.append(total, filled(places, stop), 1)])
  const starts = np.full([reversals + sums, 1], stop, int32)
  const target = np.append(starts, wanted.at(':', ':-1'), 1)
  return { source: np.concatenate([whole, added]), target, wanted }
}

const spell = (codes: Tensor): string =>
  Array.from(codes, (code) => symbols[code.item()]!)
    .join('')
    .replaceAll('.', '')

export const main = async (options: Partial<typeof usual> = {}) => {
  const { places, units, batch, steps, rate, test, print } = { ...usual, ...options }
  const model = models.seq2seq({ sourceVocabulary: symbols.length, embedding: 32, units })
  const [fitKey, dataKey, testKey] = random.split(random.key(0), 3)
  const length = 2 * places + 1
  const share = { places, reversals: batch / 4, sums: (3 * batch) / 4, isHeldOut: false }
  const drawBatch = jit((key: Tensor) => draw(key, share))
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
    optimizer: optim.chain(optim.clipByGlobalNorm(1), optim.adam(optim.warmupCosine(schedule))),
    data: batches,
    key: fitKey!,
  })

  // Greedy decoding of what was never seen: right is what is right in every digit.
  const { source, wanted } = draw(testKey!, {
    places,
    reversals: test / 2,
    sums: test / 2,
    isHeldOut: true,
  })
  type Params = nn.ParamsOf<typeof model>
  const translate = jit((p: Params) => model.translate(p, source, { length, start: stop }))
  for await (const now of run) {
    if (now.step % Math.ceil(steps / 10) === 0)
      print(`step ${now.step}: loss ${now.loss.toFixed(4)}`)
    if (now.step < steps) continue
    const { codes, weights } = translate(now.params)
    const [reversed, added] = np.split(codes.equal(wanted).all({ axis: 1 }).astype('float32'), 2)
    const exact = { reversed: reversed!.mean().item(), added: added!.mean().item() }
    for (const i of [0, 1, test / 2, test / 2 + 1])
      print(`${spell(source.at(i))} → ${spell(codes.at(i))}`)
    print(
      `exact: ${(100 * exact.reversed).toFixed(2)} % reversed, ${(100 * exact.added).toFixed(2)} % added`,
    )
    return { exact, weights }
  }
  throw new Error(`training ended before step ${steps}`)
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) await main()
