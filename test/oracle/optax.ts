/** Optax's optimisers, schedules and losses, and JAX's initialisers, by case name. */
import { type Tensor, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { nn, optim } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import {
  type GoldenCase,
  type Json,
  type Outcome,
  type TensorJson,
  decodeTensor,
  difference,
  failed,
  isTensorJson,
  leftOut,
  passed,
} from './cases.ts'
import { type Tensors, attributesOf } from './torch.ts'

const onlyW = { W: true, b: false, s: false }

/** By case name without `optim/`. */
const optimizers: Readonly<Record<string, () => optim.AnyTransformation>> = {
  sgd: () => optim.sgd(0.1),
  momentum: () => optim.sgd(0.1, { momentum: 0.9 }),
  nesterov: () => optim.sgd(0.1, { momentum: 0.9, nesterov: true }),
  adam: () => optim.adam(0.1),
  adam_betas: () => optim.adam(0.1, { b1: 0.8, b2: 0.99, epsilon: 1e-6 }),
  adam_eps_root: () => optim.adam(0.1, { epsilonRoot: 1e-4 }),
  adam_nesterov: () => optim.adam(0.1, { nesterov: true }),
  nadam: () => optim.adam(0.1, { nesterov: true }),
  nadamw: () => optim.adamw(0.1, { nesterov: true, weightDecay: 0.01 }),
  adamw: () => optim.adamw(0.1),
  adamw_decay: () => optim.adamw(0.1, { weightDecay: 0.1 }),
  adamw_mask: () => optim.adamw(0.1, { weightDecay: 0.2, mask: onlyW }),
  wrap_scale_by_adam: () => optim.chain(optim.scaleByAdam(), optim.scale(-0.05)),
  wrap_clip: () => optim.chain(optim.clipByValue(0.1), optim.sgd(0.1)),
  wrap_clip_by_global_norm: () =>
    optim.chain(optim.clipByGlobalNorm(0.5), optim.sgd(0.1, { momentum: 0.9 })),
  wrap_clip_by_global_norm_inactive: () =>
    optim.chain(optim.clipByGlobalNorm(1e6), optim.sgd(0.1)),
  wrap_trace: () => optim.chain(optim.trace(0.9), optim.scale(-0.05)),
  wrap_trace_after: () => optim.chain(optim.sgd(0.1), optim.trace(0.5)),
  wrap_add_decayed_weights: () => optim.chain(optim.addDecayedWeights(0.1), optim.sgd(0.1)),
  wrap_add_decayed_weights_mask: () =>
    optim.chain(optim.addDecayedWeights(0.3, () => onlyW), optim.adam(0.05)),
  wrap_identity: () => optim.chain(optim.identity(), optim.scale(-0.01)),
  wrap_schedule_warmup_cosine: () =>
    optim.adamw(optim.warmupCosine({ initial: 0, peak: 0.1, warmup: 3, steps: 8, end: 0.01 })),
  wrap_schedule_piecewise: () => optim.sgd(optim.piecewiseConstant(0.2, { 2: 0.5, 6: 0.1 })),
  wrap_schedule_exponential: () =>
    optim.chain(
      optim.clipByGlobalNorm(1),
      optim.scaleByAdam(),
      optim.addDecayedWeights(0.01),
      optim.scaleByLearningRate(optim.exponentialDecay({ initial: 0.1, steps: 2, rate: 0.9 })),
    ),
  wrap_scale_by_schedule: () =>
    optim.chain(
      optim.scaleBySchedule((t) => np.divide(-0.1, t.add(1))),
      optim.identity(),
    ),
  wrap_weight_decay_schedule: () => optim.adamw(0.05, { weightDecay: optim.linear(0, 0.5, 5) }),
}

const warmups = (
  parts: readonly { readonly initial: number; readonly peak: number; readonly warmup: number; readonly steps: number }[],
): optim.Schedule => {
  const ends = parts.map((_, i) => parts.slice(0, i + 1).reduce((sum, p) => sum + p.steps, 0))
  return optim.joinSchedules(parts.map(optim.warmupCosine), ends.slice(0, -1))
}

const schedules: Readonly<Record<string, () => optim.Schedule>> = {
  constant: () => optim.constantSchedule(0.3),
  linear: () => optim.linear(1, 0.1, 8),
  linear_begin: () => optim.linear(1, 0, 4, 3),
  linear_zero_steps: () => optim.linear(1, 0, 0),
  polynomial: () => optim.polynomial({ initial: 1, end: 0.1, power: 2, steps: 10 }),
  polynomial_begin: () => optim.polynomial({ initial: 0, end: 1, power: 3, steps: 6, begin: 2 }),
  exponential: () => optim.exponentialDecay({ initial: 1, steps: 3, rate: 0.5 }),
  exponential_staircase: () =>
    optim.exponentialDecay({ initial: 1, steps: 3, rate: 0.5, staircase: true }),
  exponential_begin_end: () =>
    optim.exponentialDecay({ initial: 1, steps: 2, rate: 0.6, begin: 2, end: 0.2 }),
  exponential_growing: () => optim.exponentialDecay({ initial: 0.1, steps: 2, rate: 1.5, end: 1 }),
  exponential_zero_rate: () => optim.exponentialDecay({ initial: 0.5, steps: 2, rate: 0 }),
  cosine: () => optim.cosineDecay(1, 10),
  cosine_alpha: () => optim.cosineDecay(0.5, 8, { alpha: 0.1, exponent: 1 }),
  piecewise_constant: () => optim.piecewiseConstant(1, { 3: 0.5, 7: 0.1 }),
  warmup_constant: () => optim.warmupConstant(0, 1, 5),
  warmup_cosine: () => optim.warmupCosine({ initial: 0, peak: 1, warmup: 4, steps: 12, end: 0.1 }),
  warmup_cosine_exponent: () =>
    optim.warmupCosine({ initial: 0.1, peak: 1, warmup: 2, steps: 10, exponent: 2 }),
  warmup_exponential: () =>
    optim.joinSchedules(
      [optim.linear(0, 1, 4), optim.exponentialDecay({ initial: 1, steps: 2, rate: 0.7 })],
      [4],
    ),
  sgdr: () =>
    warmups([
      { initial: 0, peak: 1, warmup: 2, steps: 6 },
      { initial: 0.1, peak: 0.5, warmup: 1, steps: 5 },
    ]),
  join: () => optim.joinSchedules([optim.linear(0, 1, 4), optim.cosineDecay(1, 8)], [4]),
}

export interface OptimCase extends GoldenCase {
  readonly params_after_step?: Readonly<Record<string, TensorJson>>
  readonly grads_per_step?: Readonly<Record<string, TensorJson>>
  readonly steps?: number | readonly number[]
  readonly values?: TensorJson
}

const decodeAll = (tensors: Readonly<Record<string, TensorJson>>): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, json]) => [name, decodeTensor(json)]))

const rows = (tensors: Tensors, t: number): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, x.at(t)]))

/** Feeds the recorded gradients through the compiled rule; every parameter after every step. */
export const runOptimizer = (c: OptimCase, initial: Tensors): Outcome => {
  if (c.op === 'problem') return passed
  const make = optimizers[c.name.split('/')[1]!]
  if (make === undefined) return leftOut('this optimiser is not built yet')
  const optimizer = make()
  const step = jit((grads: Tensors, state: unknown, params: Tensors) => {
    const [updates, next] = optimizer.update(grads, state, params)
    return { params: optim.applyUpdates(params, updates), state: next }
  })
  const grads = decodeAll(c.grads_per_step!)
  let current: { readonly params: Tensors; readonly state: unknown } = {
    params: initial,
    state: optimizer.init(initial),
  }
  const after: Tensors[] = []
  for (let t = 0; t < Number(c.steps); t++) {
    current = step(rows(grads, t), current.state, current.params)
    after.push(current.params)
  }
  for (const [name, expected] of Object.entries(c.params_after_step!)) {
    const got = np.stack(after.map((params) => params[name]!))
    const message = difference(got, expected, c.tol ?? 'exact')
    if (message !== null) return failed(`${name}: ${message}`)
  }
  return passed
}

export const runSchedule = (c: OptimCase): Outcome => {
  const make = schedules[c.name.split('/')[1]!]
  if (make === undefined) return leftOut('this schedule is not built yet')
  if (!(c.steps instanceof Array) || c.values === undefined) return failed('no steps')
  const schedule = make()
  const all = schedule(tensor(Int32Array.from(c.steps)))
  const one = np.stack(c.steps.map((step) => schedule(step)))
  const message =
    difference(all, c.values, c.tol ?? 'exact') ?? difference(one, c.values, c.tol ?? 'exact')
  return message === null ? passed : failed(message)
}

const fanModes: Readonly<Record<string, nn.initializers.FanMode>> = {
  fan_in: 'fanIn',
  fan_out: 'fanOut',
  fan_avg: 'fanAvg',
  fan_geo_avg: 'fanGeoAvg',
}
const distributions: Readonly<Record<string, nn.initializers.Distribution>> = {
  normal: 'normal',
  truncated_normal: 'truncatedNormal',
  uniform: 'uniform',
}

const axisOf = (json: Json | undefined): number | readonly number[] | undefined =>
  json instanceof Array ? json.map(Number) : typeof json === 'number' ? json : undefined

const fanAxes = (attrs: { readonly [name: string]: Json }): nn.initializers.FanAxes => {
  const entries = [
    ['inAxis', axisOf(attrs['in_axis'])],
    ['outAxis', axisOf(attrs['out_axis'])],
    ['batchAxis', axisOf(attrs['batch_axis'])],
  ] as const
  return Object.fromEntries(entries.filter(([, axis]) => axis !== undefined))
}

const initializerOf = ({ op, attrs }: GoldenCase): nn.initializers.Initializer | null => {
  const init = nn.initializers
  const a = attributesOf(attrs)
  switch (op.split('.').at(-1)!) {
    case 'zeros':
      return init.zeros
    case 'ones':
      return init.ones
    case 'constant':
      return init.constant(a.number('value'))
    case 'uniform':
      return init.uniform(a.number('scale', 0.01))
    case 'normal':
      return init.normal(a.number('stddev', 0.01))
    case 'truncated_normal':
      return init.truncatedNormal({
        standardDeviation: a.number('stddev', 0.01),
        lower: a.number('lower', -2),
        upper: a.number('upper', 2),
      })
    case 'glorot_uniform':
      return init.glorotUniform(fanAxes(attrs))
    case 'glorot_normal':
      return init.glorotNormal(fanAxes(attrs))
    case 'he_uniform':
      return init.heUniform(fanAxes(attrs))
    case 'he_normal':
      return init.heNormal(fanAxes(attrs))
    case 'lecun_uniform':
      return init.lecunUniform(fanAxes(attrs))
    case 'lecun_normal':
      return init.lecunNormal(fanAxes(attrs))
    case 'variance_scaling':
      return init.varianceScaling({
        scale: a.number('scale'),
        mode: fanModes[a.text('mode')]!,
        distribution: distributions[a.text('distribution')]!,
        ...fanAxes(attrs),
      })
    case 'orthogonal':
      return init.orthogonal({ scale: a.number('scale', 1), columnAxis: a.number('column_axis', -1) })
    case 'delta_orthogonal':
      return init.deltaOrthogonal()
    default:
      return null
  }
}

const statistics = (x: Tensor): Tensors => ({
  mean: x.mean(),
  std: x.std(),
  min: x.min(),
  max: x.max(),
  first: x.ravel().at(':6'),
})

export const runInitializer = (c: GoldenCase): Outcome => {
  const initializer = initializerOf(c)
  if (initializer === null) return leftOut('this initialiser is not built yet')
  const key = c.inputs['key']!
  if (!isTensorJson(key)) return failed('no key')
  const make = (k: Tensor): Tensor => initializer(k, attributesOf(c.attrs).numbers('shape'))
  for (const f of [make, jit(make)]) {
    const x = f(decodeTensor(key))
    const got: Tensors = c.name.startsWith('init_statistics/') ? statistics(x) : { y: x }
    for (const [name, expected] of Object.entries(c.outputs)) {
      const message = difference(got[name]!, expected, c.tol ?? 'exact')
      if (message !== null) return failed(`${f === make ? 'eager' : 'compiled'}, ${name}: ${message}`)
    }
  }
  return passed
}
