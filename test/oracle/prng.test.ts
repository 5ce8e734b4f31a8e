/** The threefry generator and the samplers, against JAX's literals and a NumPy reference. */
import { type DType, type Tensor, tensor } from '@cotangent/core'
import * as random from '../../packages/ops/src/random/index.ts'
import { threefry2x32 } from '../../packages/ops/src/prims/threefry.ts'
import { type Outcome, type TensorJson, type Tolerance, difference, judge, leftOut, oracle } from './cases.ts'

interface PrngCase {
  readonly fn: string
  readonly mode: 'partitionable' | 'legacy' | 'any'
  readonly seed?: number | string
  readonly key?: readonly [number, number]
  readonly args: { readonly [name: string]: never }
  readonly expected: TensorJson
  readonly tol: Tolerance
}

interface Arguments {
  readonly shape?: readonly number[]
  readonly width?: number
  readonly num?: number
  readonly data?: number
  readonly index?: number
  readonly p?: number
  readonly minval?: number
  readonly maxval?: number
  readonly lower?: number
  readonly upper?: number
  readonly n?: number
  readonly logits?: readonly number[]
  readonly counter?: readonly [number, number]
  readonly mode?: 'low' | 'high'
  readonly x64?: boolean
  readonly dtype?: DType
}

const word = (value: number): Tensor => tensor(value, { dtype: 'uint32' })
const nth = (keys: Tensor, i: number): Tensor => tensor(keys.data().slice(2 * i, 2 * i + 2), { dtype: 'uint32' })

type Draw = (key: Tensor, args: Arguments) => Tensor

const samplers: Readonly<Record<string, Draw>> = {
  key: (key) => key,
  split: (key, { num = 2 }) => random.split(key, num),
  fold_in: (key, { data = 0 }) => random.foldIn(key, data),
  bits: (key, { shape = [], width = 32 }) => random.bits(key, { shape, width }),
  uniform: (key, { shape = [], minval = 0, maxval = 1, dtype = 'float32' }) => random.uniform(key, { shape, minval, maxval, dtype }),
  normal: (key, { shape = [] }) => random.normal(key, { shape }),
  truncated_normal: (key, { shape = [], lower = -2, upper = 2 }) => random.truncatedNormal(key, { shape, lower, upper }),
  bernoulli: (key, { shape = [], p = 0.5 }) => random.bernoulli(key, { shape, p }),
  randint: (key, { shape = [], minval = 0, maxval = 1 }) => random.randint(key, { shape, minval, maxval }),
  exponential: (key, { shape = [] }) => random.exponential(key, shape),
  gumbel: (key, { shape = [], mode = 'low' }) => random.gumbel(key, { shape, mode }),
  laplace: (key, { shape = [] }) => random.laplace(key, shape),
  logistic: (key, { shape = [] }) => random.logistic(key, shape),
  cauchy: (key, { shape = [] }) => random.cauchy(key, shape),
  rademacher: (key, { shape = [] }) => random.rademacher(key, shape),
  permutation: (key, { n = 0 }) => random.permutation(key, n),
  categorical: (key, { logits = [], shape = [] }) => random.categorical(key, tensor([...logits]), { shape }),
  threefry2x32_block: (key, { counter = [0, 0] }) => {
    const [k0, k1] = key.data()
    const words = threefry2x32(word(k0!), word(k1!), word(counter[0]), word(counter[1]))
    return tensor(words.map((w) => w.item()), { dtype: 'uint32' })
  },
  uniform_of_chain: (key, { shape = [] }) =>
    random.uniform(nth(random.split(nth(random.split(random.foldIn(key, 3), 3), 1), 2), 0), { shape }),
  uniform_of_split_1: (key, { shape = [], num = 2, index = 1 }) =>
    random.uniform(nth(random.split(key, num), index), { shape }),
  cov_of_normal: (key, { shape = [] }) => covariance(random.normal(key, { shape })),
  dct_of_normal: (key, { shape = [] }) => cosineTransform(random.normal(key, { shape })),
}

const rowsOf = (x: Tensor): readonly (readonly number[])[] => {
  const [rows, columns] = [x.shape[0]!, x.shape[1]!]
  const data = x.data()
  return Array.from({ length: rows }, (_, i) => Array.from(data.slice(i * columns, (i + 1) * columns)))
}

const covariance = (x: Tensor): Tensor => {
  const centred = rowsOf(x).map((row) => {
    const mean = row.reduce((a, b) => a + b, 0) / row.length
    return row.map((v) => v - mean)
  })
  const dot = (a: readonly number[], b: readonly number[]): number => a.reduce((s, v, i) => s + v * b[i]!, 0)
  return tensor(centred.map((a) => centred.map((b) => dot(a, b) / (a.length - 1))))
}

const cosineTransform = (x: Tensor): Tensor =>
  tensor(
    rowsOf(x).map((row) =>
      row.map((_, k) => 2 * row.reduce((s, v, n) => s + v * Math.cos((Math.PI * k * (2 * n + 1)) / (2 * row.length)), 0)),
    ),
  )

const keyOf = ({ key, seed }: PrngCase): Tensor =>
  key === undefined ? random.key(Number(seed ?? 0)) : tensor([...key], { dtype: 'uint32' })

const run = (c: PrngCase): Outcome => {
  const args: Arguments = c.args
  if (c.mode === 'legacy') return leftOut('legacy counter layout: only the partitionable one is provided')
  if (args.x64 === true) return leftOut('64-bit mode of JAX: a key keeps the low word of its seed')
  if (c.fn === 'bits' && args.width === 64) return leftOut('64-bit integers are no dtype here')
  const draw = samplers[c.fn]
  if (draw === undefined) return leftOut(`no sampler ${c.fn}`)
  if (c.seed !== undefined && !Number.isSafeInteger(Number(c.seed))) return leftOut('the seed is no safe integer of JavaScript')
  return judge(difference(draw(keyOf(c), args), c.expected, c.tol))
}

const nameOf = (c: PrngCase): string => `${c.fn} of ${c.seed ?? c.key} ${JSON.stringify(c.args)}`

for (const file of ['jax_literals', 'derived', 'algorithm_only']) oracle<PrngCase>(`prng/${file}.json`, nameOf, run)
