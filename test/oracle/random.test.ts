/** The samplers against JAX's own results. */
import { type DType, Tensor, isDType, tensor, vmap } from '@cotangent/core'
import '@cotangent/ops'
import type { Distribution } from '../../packages/ops/src/random/distribution.ts'
import * as random from '../../packages/ops/src/random/index.ts'
import {
  type Decoded,
  type GoldenCase,
  type Json,
  type Outcome,
  decodeInput,
  leftOut,
  mustThrow,
  oracle,
  outputsDifference,
  judge,
} from './cases.ts'

type Call = (key: Tensor, args: Arguments) => Tensor

/** Inputs and attributes by name, read with the type the sampler takes. */
interface Arguments {
  readonly numbers: (name: string) => number | Tensor | undefined
  readonly tensor: (name: string) => Tensor
  readonly options: { readonly shape?: readonly number[]; readonly dtype?: DType; readonly mode?: 'low' | 'high'; readonly axis?: number; readonly replace?: boolean; readonly independent?: boolean }
  readonly attr: (name: string) => Json | undefined
}

const isTensor = (value: Decoded | undefined): value is Tensor => value instanceof Tensor

const argumentsOf = ({ inputs, attrs }: GoldenCase): Arguments => {
  const read = (name: string): Decoded | undefined => {
    const json = inputs[name] ?? attrs[name]
    return json === undefined ? undefined : decodeInput(json)
  }
  const { shape, dtype, mode, axis, replace, independent } = attrs
  return {
    numbers: (name) => {
      const value = read(name)
      return typeof value === 'number' || isTensor(value) ? value : undefined
    },
    tensor: (name) => {
      const value = read(name)
      if (isTensor(value)) return value
      throw new Error(`${name} is no tensor`)
    },
    options: {
      ...(shape instanceof Array ? { shape: shape.map(Number) } : {}),
      ...(typeof dtype === 'string' && isDType(dtype) ? { dtype } : {}),
      ...(mode === 'low' || mode === 'high' ? { mode } : {}),
      ...(typeof axis === 'number' ? { axis } : {}),
      ...(typeof replace === 'boolean' ? { replace } : {}),
      ...(typeof independent === 'boolean' ? { independent } : {}),
    },
    attr: (name) => attrs[name],
  }
}

const given = <K extends string>(args: Arguments, ...names: readonly K[]): { readonly [P in K]?: number | Tensor } => {
  const entries = names.flatMap((name) => {
    const value = args.numbers(name)
    return value === undefined ? [] : [[name, value]]
  })
  return Object.fromEntries(entries)
}

const population = (args: Arguments, name: string): number | Tensor => args.numbers(name)!

const calls: Readonly<Record<string, Call>> = {
  split: (key, { attr }) => {
    const num = attr('num')
    return random.split(key, num instanceof Array ? num.map(Number) : Number(num))
  },
  fold_in: (key, args) => random.foldIn(key, args.numbers('data')!),
  bits: (key, { options }) => random.bits(key, options),
  uniform: (key, args) => random.uniform(key, { ...args.options, ...given(args, 'minval', 'maxval') }),
  normal: (key, { options }) => random.normal(key, options),
  truncated_normal: (key, args) => random.truncatedNormal(key, { ...args.options, ...given(args, 'lower', 'upper') }),
  bernoulli: (key, args) => random.bernoulli(key, { ...args.options, ...given(args, 'p') }),
  rademacher: (key, { options }) => random.rademacher(key, options),
  randint: (key, args) => {
    const { minval = 0, maxval = 0 } = given(args, 'minval', 'maxval')
    return random.randint(key, { ...args.options, minval, maxval })
  },
  permutation: (key, args) => random.permutation(key, population(args, 'x'), args.options),
  choice: (key, args) => {
    const p = args.numbers('p')
    return random.choice(key, population(args, 'a'), { ...args.options, ...(isTensor(p) ? { p } : {}) })
  },
  categorical: (key, args) => random.categorical(key, args.tensor('logits'), args.options),
  gumbel: (key, { options }) => random.gumbel(key, options),
  exponential: (key, { options }) => random.exponential(key, options),
  laplace: (key, { options }) => random.laplace(key, options),
  logistic: (key, { options }) => random.logistic(key, options),
  cauchy: (key, { options }) => random.cauchy(key, options),
  maxwell: (key, { options }) => random.maxwell(key, options),
  ball: (key, args) => random.ball(key, Number(args.numbers('d')), { ...args.options, p: Number(args.numbers('p')) }),
  dirichlet: (key, args) => random.dirichlet(key, args.tensor('alpha'), args.options),
  multinomial: (key, args) => random.multinomial(key, args.tensor('n'), args.tensor('p'), args.options),
}

const parametersOf: Readonly<Record<string, readonly string[]>> = {
  lognormal: ['sigma'],
  double_sided_maxwell: ['loc', 'scale'],
  rayleigh: ['scale'],
  pareto: ['b'],
  weibull_min: ['scale', 'concentration'],
  triangular: ['left', 'mode', 'right'],
  wald: ['mean'],
  geometric: ['p'],
  gamma: ['a'],
  loggamma: ['a'],
  beta: ['a', 'b'],
  chisquare: ['df'],
  t: ['df'],
  f: ['dfnum', 'dfden'],
  generalized_normal: ['p'],
  poisson: ['lam'],
  binomial: ['n', 'p'],
}

const distributions: Readonly<Record<string, Distribution<never>>> = {
  lognormal: random.lognormal,
  double_sided_maxwell: random.doubleSidedMaxwell,
  rayleigh: random.rayleigh,
  pareto: random.pareto,
  weibull_min: random.weibullMin,
  triangular: random.triangular,
  wald: random.wald,
  geometric: random.geometric,
  gamma: random.gamma,
  loggamma: random.loggamma,
  beta: random.beta,
  chisquare: random.chisquare,
  t: random.t,
  f: random.f,
  generalized_normal: random.generalizedNormal,
  poisson: random.poisson,
  binomial: random.binomial,
}

const callDistribution = (name: string): Call | undefined => {
  const draw = distributions[name]
  if (draw === undefined) return undefined
  return (key, { numbers, options: { shape, dtype } }) => {
    const values = parametersOf[name]!.map(numbers).filter((v) => v !== undefined)
    return draw(key, ...values, { ...(shape === undefined ? {} : { shape }), ...(dtype === undefined ? {} : { dtype }) })
  }
}

/** One key for each element of the result, through vmap. */
const overKeys = (c: GoldenCase, args: Arguments): Tensor => {
  if (c.attrs['fn'] === 'random.key') return vmap((seed: Tensor) => random.key(seed))(args.tensor('seed'))
  const draws: Readonly<Record<string, (key: Tensor) => Tensor>> = {
    'random.normal': (k) => random.normal(k, [2]),
    'random.uniform': (k) => random.uniform(k, [2]),
    'random.gumbel': (k) => random.gumbel(k, [2]),
  }
  return vmap(draws[String(c.attrs['fn'])]!)(random.split(args.tensor('key'), Number(c.attrs['num'])))
}

const seedOf = (c: GoldenCase): number | boolean | Tensor => {
  const seed = decodeInput(c.inputs['seed']!)
  if (typeof seed === 'number' || typeof seed === 'boolean' || isTensor(seed)) return seed
  throw new Error('the seed is no number')
}

const result = (c: GoldenCase): (() => Tensor) | null => {
  if (c.op === 'random.key') return () => random.key(seedOf(c))
  const args = argumentsOf(c)
  if (c.op === 'chain') {
    return () => {
      const key = args.tensor('key')
      const keys = random.split(random.foldIn(key, 9), 4)
      const third = takeKey(keys, 2)
      return random.uniform(takeKey(random.split(third, 2), 1), [5])
    }
  }
  if (c.op === 'vmap') return () => overKeys(c, args)
  const name = c.op.replace(/^random\./, '')
  const call = calls[name] ?? callDistribution(name)
  return call === undefined ? null : () => call(args.tensor('key'), args)
}

const takeKey = (keys: Tensor, i: number): Tensor =>
  tensor(keys.data().slice(2 * i, 2 * i + 2), { dtype: 'uint32' })

const run = (c: GoldenCase): Outcome => {
  const compute = result(c)
  if (compute === null) return leftOut(`no function ${c.op} here`)
  if (c.error !== undefined) return mustThrow(compute, c.error.message)
  return judge(outputsDifference(compute(), c))
}

oracle<GoldenCase>('jax/random.json', (c) => c.name, run)
