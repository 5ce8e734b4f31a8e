/** What holds for every gradient transformation: one compiled step, frozen states, falling losses. */
import { type Tensor, tensor, tree, valueAndGrad } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
import { describe, expect, test } from 'vitest'

interface Params {
  readonly kernel: Tensor
  readonly bias: Tensor
}

const start: Params = {
  kernel: tensor([
    [0.9, -0.4, 0.3],
    [0.2, 1.1, -0.7],
  ]),
  bias: tensor([0.5, -0.2, 0.1]),
}
const x = tensor([
  [1, 0.5],
  [-0.3, 2],
  [0.7, -1],
  [0.1, 0.4],
])

const loss = ({ kernel, bias }: Params): Tensor =>
  x.matmul(kernel).add(bias).tanh().sub(0.2).square().mean().add(kernel.square().sum().mul(0.01))

/** Each with a rate at which a dozen steps lower the loss. */
const all: Readonly<Record<string, optim.AnyTransformation>> = {
  sgd: optim.sgd(0.3),
  momentum: optim.sgd(0.1, { momentum: 0.9, dampening: 0.1, nesterov: true }),
  noisySgd: optim.noisySgd(0.3, { key: 7 }),
  signSgd: optim.signSgd(0.03),
  signum: optim.signum(0.03),
  adagrad: optim.adagrad(0.3, { rateDecay: 0.01 }),
  adadelta: optim.adadelta(1, { rho: 0.5, epsilon: 1e-3 }),
  rmsprop: optim.rmsprop(0.03, { centered: true, momentum: 0.5, epsilon: 0.01 }),
  adam: optim.adam(0.1),
  adamw: optim.adamw(optim.linear(0.1, 0.01, 10), { weightDecay: 0.1 }),
  amsgrad: optim.amsgrad(0.1),
  amsgradw: optim.amsgradw(0.1, { maximumFirst: true }),
  adamax: optim.adamax(0.1),
  adamaxw: optim.adamaxw(0.1),
  nadam: optim.nadam(0.1),
  nadamScheduled: optim.nadam(0.1, { momentumDecay: 0.004 }),
  nadamw: optim.nadamw(0.1),
  radam: optim.radam(0.1, { b2: 0.9 }),
  radamw: optim.radamw(0.1, { correctLast: true }),
  lamb: optim.lamb(0.05),
  lars: optim.lars(0.1, { trustCoefficient: 0.1 }),
  fromage: optim.fromage(0.05),
  lion: optim.lion(0.03),
  adafactor: optim.adafactor(0.1, { minDimSizeToFactor: 2, momentum: 0.5 }),
  adabelief: optim.adabelief(0.1),
  acprop: optim.acprop(0.01),
  adan: optim.adan(0.1),
  yogi: optim.yogi(0.1),
  novograd: optim.novograd(0.05),
  rprop: optim.rprop(0.01),
  rpropImmediate: optim.rprop(0.01, { immediate: true }),
  sm3: optim.sm3(0.3),
  lbfgs: optim.lbfgs(),
  lbfgsFixedRate: optim.lbfgs(0.1, { linesearch: null, memorySize: 3 }),
  backtracking: optim.chain(
    optim.scale(-1),
    optim.scaleByBacktrackingLinesearch({ maxBacktrackingSteps: 10, storeGrad: true }),
  ),
  optimisticGradientDescent: optim.optimisticGradientDescent(0.2),
  optimisticAdam: optim.optimisticAdam(0.05),
  optimisticAdamV2: optim.optimisticAdamV2(0.05),
  polyakSgd: optim.polyakSgd({ maxLearningRate: 0.5 }),
  ademamix: optim.ademamix(0.05),
  simplifiedAdemamix: optim.simplifiedAdemamix(0.002),
  adopt: optim.adopt(0.05),
  cocob: optim.cocob(),
  dog: optim.dog(1, { initStep: ['distance', 0.05] }),
  dowg: optim.dowg(1, { initEstimSqDist: 0.01 }),
  madgrad: optim.madgrad(0.1),
  muon: optim.muon(0.05),
  dadaptAdamW: optim.dadaptAdamW(1, { initialRate: 0.03, weightDecay: 0.01 }),
  momo: optim.momo(1, { adaptLowerBound: true, weightDecay: 0.01 }),
  momoAdam: optim.momoAdam(0.1, { adaptLowerBound: true }),
  mechanize: optim.mechanize(optim.sgd(0.3), { sInit: 0.5 }),
  prodigy: optim.prodigy(1, { initialRate: 1e-2 }),
  scheduleFreeSgd: optim.scheduleFreeSgd(0.3, { warmupSteps: 2 }),
  scheduleFreeAdamW: optim.scheduleFreeAdamW(0.1),
  sam: optim.sam(optim.sgd(0.3), optim.chain(optim.normalize(), optim.sgd(0.05)), {
    opaqueMode: true,
  }),
  reduceOnPlateau: optim.chain(optim.sgd(0.3), optim.reduceOnPlateau({ patience: 2 })),
  distanceOverGradients: optim.chain(
    optim.scaleByDistanceOverGradients({ repsRel: 0.05 }),
    optim.scale(-1),
  ),
  clipped: optim.chain(
    optim.clipByValue(0.1),
    optim.clipByBlockRms(0.5),
    optim.adaptiveGradClip(0.5),
    optim.clipByGlobalNorm(1),
    optim.centralize(),
    optim.zeroNans(),
    optim.adam(0.1),
    optim.keepParamsNonnegative(),
  ),
  scaled: optim.chain(
    optim.normalizeByUpdateNorm(),
    optim.scaleByParamBlockNorm(),
    optim.scaleByParamBlockRms(),
    optim.ema(0.5),
    optim.sgd(0.1),
  ),
  accumulate: optim.accumulate(optim.adam(0.1), 2, { shouldSkip: optim.skipNotFinite }),
  applyEvery: optim.chain(optim.applyEvery(2), optim.sgd(0.2)),
  masked: optim.chain(
    optim.masked(optim.clipByGlobalNorm(0.1), { kernel: true, bias: false }),
    optim.sgd(0.3),
  ),
  partition: optim.partition(
    { fast: optim.adam(0.1), slow: optim.sgd(0.1) },
    { kernel: 'fast', bias: 'slow' },
  ),
  lookahead: optim.lookahead(optim.adam(0.1), { syncPeriod: 2, slowStepSize: 0.5 }),
  injected: optim.injectHyperparams(({ rate, b1 }) => optim.adam(rate, { b1 }), {
    rate: optim.linear(0.1, 0.05, 5),
    b1: 0.9,
  }),
  flattened: optim.flatten(optim.adam(0.1)),
  applyIfFinite: optim.applyIfFinite(optim.adam(0.1), 3),
  conditionallyTransform: optim.chain(
    optim.conditionallyTransform(optim.clipByGlobalNorm(0.1), (step) => step.less(3)),
    optim.sgd(0.3),
  ),
  conditionallyMask: optim.conditionallyMask(optim.sgd(0.5), (step) => step.mod(2).equal(0)),
}

/** Without a line search, negative curvature may lead uphill. */
const mayRise = new Set(['lbfgsFixedRate'])

interface Carry {
  readonly params: Params
  readonly state: unknown
}

const stepOf =
  (optimizer: optim.AnyTransformation) =>
  ({ params, state }: Carry): Carry => {
    const [value, grad] = valueAndGrad(loss)(params)
    const gradFn = (p: Params): Params => valueAndGrad(loss)(p)[1]
    const extra = { value, grad, valueFn: loss, gradFn }
    const [updates, next] = optimizer.update(grad, state, params, extra)
    return { params: optim.applyUpdates(params, updates), state: next }
  }

const walk = (step: (carry: Carry) => Carry, first: Carry, steps: number): Carry => {
  let carry = first
  for (let i = 0; i < steps; i++) carry = step(carry)
  return carry
}

const isFrozen = (value: unknown): boolean =>
  value === null || typeof value !== 'object' || 'aval' in value
    ? true
    : Object.isFrozen(value) && Object.values(value).every(isFrozen)

describe('every transformation', () => {
  for (const [name, optimizer] of Object.entries(all)) {
    test(name, () => {
      const first: Carry = { params: start, state: optimizer.init(start) }
      const step = stepOf(optimizer)
      const eager = walk(step, first, 4)
      const fast = jit(step)
      const compiled = walk(fast, first, 4)
      expect(tree.allClose(compiled.params, eager.params, { rtol: 1e-4, atol: 1e-5 })).toBe(true)
      expect(isFrozen(first.state)).toBe(true)
      expect(isFrozen(eager.state)).toBe(true)
      // The state keeps its structure and types, so that one compiled step serves all.
      expect(String(tree.structure(eager.state).key)).toBe(tree.structure(first.state).key)
      const types = (t: unknown): readonly string[] =>
        tree.leaves(t).map((leaf) => String(Object(leaf).dtype) + String(Object(leaf).shape))
      expect(types(eager.state)).toEqual(types(first.state))
      if (mayRise.has(name)) return
      const last = walk(fast, compiled, 12)
      expect(fast.cacheSize).toBe(1)
      expect(loss(last.params).item()).toBeLessThan(loss(start).item())
    })
  }
})
