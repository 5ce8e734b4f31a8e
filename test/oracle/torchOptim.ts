/** PyTorch's optimisers and rate schedules, with PyTorch's defaults. */
import { type Tensor, valueAndGrad } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
import { np } from '@cotangent/ops'
import {
  type Json,
  type Outcome,
  type TensorJson,
  type Tolerance,
  decodeTensor,
  difference,
  failed,
  leftOut,
  passed,
} from './cases.ts'
import { type Attributes, type Tensors, attributesOf } from './torch.ts'

export interface TorchOptimCase {
  readonly name: string
  readonly op: string
  readonly attrs: { readonly [name: string]: Json }
  readonly mode: 'problem' | 'grad_sequence'
  readonly steps: number
  readonly init: Readonly<Record<string, TensorJson>>
  readonly grads_per_step: Readonly<Record<string, TensorJson>>
  readonly params_after_step: Readonly<Record<string, TensorJson>>
  readonly problem?: { readonly X: TensorJson; readonly Y: TensorJson; readonly loss: string }
  readonly losses_before_step?: TensorJson
  readonly tol: Tolerance
}

type Make = (attributes: Attributes) => optim.AnyTransformation

const betas = (a: Attributes): { readonly b1: number; readonly b2: number } => {
  const [b1 = 0.9, b2 = 0.999] = a.maybeNumbers('betas') ?? []
  return { b1, b2 }
}

/** L2 regularisation, as PyTorch's `weight_decay` mostly is. */
const coupled =
  (make: Make): Make =>
  (a) => {
    const decay = a.number('weight_decay', 0)
    const optimizer = make(a)
    return decay === 0 ? optimizer : optim.chain(optim.addDecayedWeights(decay), optimizer)
  }

const sgd: Make = coupled((a) => {
  const momentum = a.number('momentum', 0)
  const options = { nesterov: a.flag('nesterov'), dampening: a.number('dampening', 0) }
  return optim.sgd(a.number('lr', 1e-3), momentum === 0 ? {} : { momentum, ...options })
})

const adam: Make = (a) => {
  const options = { ...betas(a), epsilon: a.number('eps', 1e-8) }
  const rate = a.number('lr', 1e-3)
  return a.flag('amsgrad')
    ? optim.amsgrad(rate, { ...options, maximumFirst: true })
    : optim.adam(rate, options)
}

const adamw: Make = (a) => {
  const options = {
    ...betas(a),
    epsilon: a.number('eps', 1e-8),
    weightDecay: a.number('weight_decay', 0.01),
  }
  const rate = a.number('lr', 1e-3)
  return a.flag('amsgrad')
    ? optim.amsgradw(rate, { ...options, maximumFirst: true })
    : optim.adamw(rate, options)
}

const optimizers: Readonly<Record<string, Make>> = {
  sgd,
  adam: coupled(adam),
  adamw,
  adagrad: coupled((a) =>
    optim.adagrad(a.number('lr', 0.01), {
      rateDecay: a.number('lr_decay', 0),
      initialAccumulatorValue: a.number('initial_accumulator_value', 0),
      epsilon: a.number('eps', 1e-10),
      epsilonInSqrt: false,
    }),
  ),
  rmsprop: coupled((a) => {
    const momentum = a.number('momentum', 0)
    return optim.rmsprop(a.number('lr', 0.01), {
      decay: a.number('alpha', 0.99),
      epsilon: a.number('eps', 1e-8),
      epsilonInSqrt: false,
      centered: a.flag('centered'),
      ...(momentum === 0 ? {} : { momentum }),
    })
  }),
  adadelta: coupled((a) =>
    optim.adadelta(a.number('lr', 1), { rho: a.number('rho', 0.9), epsilon: a.number('eps', 1e-6) }),
  ),
  adamax: coupled((a) =>
    optim.adamax(a.number('lr', 2e-3), { ...betas(a), epsilon: a.number('eps', 1e-8) }),
  ),
  nadam: coupled((a) =>
    optim.nadam(a.number('lr', 2e-3), {
      ...betas(a),
      epsilon: a.number('eps', 1e-8),
      momentumDecay: a.number('momentum_decay', 4e-3),
    }),
  ),
  radam: coupled((a) =>
    optim.radam(a.number('lr', 1e-3), {
      ...betas(a),
      epsilon: a.number('eps', 1e-8),
      correctLast: true,
    }),
  ),
  rprop: (a) => {
    const [etaMinus = 0.5, etaPlus = 1.2] = a.maybeNumbers('etas') ?? []
    const [minStepSize = 1e-6, maxStepSize = 50] = a.maybeNumbers('step_sizes') ?? []
    const sizes = { etaMinus, etaPlus, minStepSize, maxStepSize }
    return optim.rprop(a.number('lr', 0.01), { ...sizes, immediate: true })
  },
  sgd_clip_by_global_norm: (a) =>
    optim.chain(optim.clipByGlobalNorm(a.number('max_norm'), { epsilon: 1e-6 }), sgd(a)),
  sgd_clip_by_value: (a) => optim.chain(optim.clipByValue(a.number('clip_value')), sgd(a)),
}

const decodeAll = (tensors: Readonly<Record<string, TensorJson>>): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, json]) => [name, decodeTensor(json)]))

interface Carry {
  readonly params: Tensors
  readonly state: unknown
}

interface Taken extends Carry {
  readonly loss: Tensor
  readonly grads: Tensors
}

type Step = (grads: Tensors, carry: Carry) => Taken

const theLoss = 'mean((tanh(X @ W1 + b1) @ W2 - Y)^2) over all elements'

/** From recorded gradients, or from those of the problem's loss. */
const stepOf = (c: TorchOptimCase, optimizer: optim.AnyTransformation): Step => {
  const loss = (params: Tensors): Tensor => {
    const hidden = decodeTensor(c.problem!.X).matmul(params['W1']!).add(params['b1']!).tanh()
    return hidden.matmul(params['W2']!).sub(decodeTensor(c.problem!.Y)).square().mean()
  }
  return (recorded, { params, state }) => {
    const [value, grads] =
      c.mode === 'problem' ? valueAndGrad(loss)(params) : [np.zeros([]), recorded]
    const [updates, next] = optimizer.update(grads, state, params)
    return { params: optim.applyUpdates(params, updates), state: next, loss: value, grads }
  }
}

const compare = (c: TorchOptimCase, taken: readonly Taken[]): string | null => {
  const against = (
    what: string,
    expected: Readonly<Record<string, TensorJson>>,
    of: (t: Taken) => Tensors,
  ): string | null => {
    for (const [name, json] of Object.entries(expected)) {
      const got = np.stack(taken.map((t) => of(t)[name]!))
      const message = difference(got, json, c.tol, { scaled: true })
      if (message !== null) return `${what} ${name}: ${message}`
    }
    return null
  }
  const ofLoss = c.losses_before_step === undefined ? {} : { loss: c.losses_before_step }
  return (
    against('after each step', c.params_after_step, (t) => t.params) ??
    against('before each step', ofLoss, (t) => ({ loss: t.loss })) ??
    against('gradient of', c.grads_per_step, (t) => t.grads)
  )
}

const walk = (c: TorchOptimCase, step: Step, start: Carry): string | null => {
  const grads = decodeAll(c.grads_per_step)
  const taken: Taken[] = []
  for (let t = 0; t < c.steps; t++) {
    const row = Object.fromEntries(Object.entries(grads).map(([name, g]) => [name, g.at(t)]))
    const { params, state } = taken.at(-1) ?? start
    taken.push(step(row, { params, state }))
  }
  return compare(c, taken)
}

export const runTorchOptimizer = (c: TorchOptimCase): Outcome => {
  const make = optimizers[c.op]
  if (make === undefined) return leftOut(`${c.op} is not known`)
  if (c.mode === 'problem' && c.problem?.loss !== theLoss) return leftOut('another loss')
  const a = attributesOf(c.attrs)
  const optimizer = a.flag('maximize') ? optim.chain(optim.scale(-1), make(a)) : make(a)
  const params = decodeAll(c.init)
  const start = { params, state: optimizer.init(params) }
  const step = stepOf(c, optimizer)
  const eager = walk(c, step, start)
  if (eager !== null) return failed(`eager, ${eager}`)
  const compiled = walk(c, jit(step), start)
  return compiled === null ? passed : failed(`compiled, ${compiled}`)
}
