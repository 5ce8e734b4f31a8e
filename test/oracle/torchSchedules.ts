/** PyTorch's learning rate schedulers, with PyTorch's defaults. */
import { tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import { type Json, type Outcome, type Tolerance, difference, failed, leftOut, passed } from './cases.ts'
import { type Attributes, attributesOf } from './torch.ts'

export interface ScheduleCase {
  readonly name: string
  readonly op: string
  readonly attrs: { readonly [name: string]: Json }
  readonly steps: number
  readonly lr: readonly number[]
  readonly momentum?: readonly number[]
  readonly tol: Tolerance
}

interface Rates {
  readonly rate: optim.Schedule
  readonly momentum?: optim.Schedule
}

const text = (a: Attributes, name: string, fallback: string): string =>
  a.has(name) ? a.text(name) : fallback

const cyclicModes = { triangular: 'triangular', triangular2: 'triangular2', exp_range: 'expRange' } as const
const isMode = (mode: string): mode is keyof typeof cyclicModes => Object.hasOwn(cyclicModes, mode)

const cyclic = (a: Attributes): Rates => {
  const mode = text(a, 'mode', 'triangular')
  if (!isMode(mode)) throw new Error(`the mode ${mode} is not known`)
  const up = a.number('step_size_up', 2000)
  const base = a.number(a.has('base') ? 'base' : 'base_lr')
  const shape = { up, down: a.number('step_size_down', up), mode: cyclicModes[mode], gamma: a.number('gamma', 1) }
  const momentum = { base: a.number('max_momentum', 0.9), peak: a.number('base_momentum', 0.8) }
  return {
    rate: optim.cyclic({ base, peak: a.number('max_lr'), ...shape }),
    momentum: optim.cyclic({ ...momentum, ...shape }),
  }
}

const oneCycle = (a: Attributes): Rates =>
  optim.oneCycle({
    peak: a.number('max_lr'),
    steps: a.number('total_steps'),
    percentStart: a.number('pct_start', 0.3),
    anneal: text(a, 'anneal_strategy', 'cos') === 'linear' ? 'linear' : 'cosine',
    divFactor: a.number('div_factor', 25),
    finalDivFactor: a.number('final_div_factor', 1e4),
    threePhase: a.flag('three_phase'),
    baseMomentum: a.number('base_momentum', 0.85),
    maxMomentum: a.number('max_momentum', 0.95),
  })

const multistep = (a: Attributes): Rates => {
  const factors: Record<number, number> = {}
  // A milestone that is given twice counts twice.
  for (const m of a.numbers('milestones')) factors[m] = (factors[m] ?? 1) * a.number('gamma', 0.1)
  return { rate: optim.piecewiseConstant(a.number('base_lr'), factors) }
}

const schedules: Readonly<Record<string, (a: Attributes, base: number) => Rates>> = {
  step: (a, base) => ({
    rate: optim.exponentialDecay({
      initial: base,
      steps: a.number('step_size'),
      rate: a.number('gamma', 0.1),
      staircase: true,
    }),
  }),
  multistep,
  exponential: (a, base) => ({
    rate: optim.exponentialDecay({ initial: base, steps: 1, rate: a.number('gamma') }),
  }),
  cosine: (a, base) => ({
    rate: optim.cosineAnnealing({ initial: base, period: a.number('T_max'), end: a.number('eta_min', 0) }),
  }),
  cosine_warm_restarts: (a, base) => ({
    rate: optim.cosineWarmRestarts({
      initial: base,
      period: a.number('T_0'),
      factor: a.number('T_mult', 1),
      end: a.number('eta_min', 0),
    }),
  }),
  one_cycle: oneCycle,
  linear_warmup: (a, base) => ({
    rate: optim.linear(
      base * a.number('start_factor', 1 / 3),
      base * a.number('end_factor', 1),
      a.number('total_iters', 5),
    ),
  }),
  constant: (a, base) => ({
    rate: optim.joinSchedules(
      [optim.constantSchedule(base * a.number('factor', 1 / 3)), optim.constantSchedule(base)],
      [a.number('total_iters', 5)],
    ),
  }),
  polynomial: (a, base) => ({
    rate: optim.polynomial({
      initial: base,
      end: 0,
      power: a.number('power', 1),
      steps: a.number('total_iters', 5),
    }),
  }),
  warmup_cosine: (a, base) => {
    const warmup = a.number('warmup_iters')
    return {
      rate: optim.joinSchedules(
        [
          optim.linear(base * a.number('warmup_start_factor'), base, warmup),
          optim.cosineAnnealing({ initial: base, period: a.number('T_max'), end: a.number('eta_min', 0) }),
        ],
        [warmup],
      ),
    }
  },
  inverse_sqrt: (a, base) => ({ rate: optim.inverseSquareRoot(base, a.number('warmup')) }),
  cyclic,
}
const alike: Readonly<Record<string, string>> = { linear: 'linear_warmup', multi_step: 'multistep' }

const judged = (
  what: string,
  schedule: optim.Schedule | undefined,
  expected: readonly number[],
  c: ScheduleCase,
): string | null => {
  if (schedule === undefined) return `no ${what}`
  const steps = tensor(Int32Array.from({ length: c.steps }, (_, i) => i))
  const json = { shape: [expected.length], dtype: 'float32', data: expected }
  const ways = [
    ['all at once', schedule(steps)],
    ['one by one', np.stack(Array.from({ length: c.steps }, (_, i) => schedule(i)))],
    ['compiled', jit(schedule)(steps)],
  ] as const
  for (const [way, got] of ways) {
    const message = difference(got, json, c.tol)
    if (message !== null) return `${what}, ${way}: ${message}`
  }
  return null
}

export const runTorchSchedule = (c: ScheduleCase): Outcome => {
  const make = schedules[alike[c.op] ?? c.op]
  if (make === undefined) return leftOut(`${c.op} is not known`)
  const a = attributesOf(c.attrs)
  const { rate, momentum } = make(a, a.number('base_lr'))
  const message =
    judged('rate', rate, c.lr, c) ??
    (c.momentum === undefined ? null : judged('momentum', momentum, c.momentum, c))
  return message === null ? passed : failed(message)
}
