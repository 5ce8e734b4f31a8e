/** Layers, losses, optimisers, schedules and initialisers against JAX, Flax and Optax. */
import { type GoldenCase, type Json, type Outcome, isTensorJson, leftOut, oracle, readCases } from './cases.ts'
import { flaxAttention } from './flaxAttention.ts'
import { flaxLayers } from './flaxLayers.ts'
import { flaxRecurrent } from './flaxRecurrent.ts'
import { type OptimCase, runInitializer, runOptimizer, runSchedule } from './optax.ts'
import { optaxLosses } from './optaxLosses.ts'
import { type Tensors, decodeInputs, runCase } from './torch.ts'

const file = 'jax/nn_optax.json'

/** Trees as records of leaves by path: `params/kernel`, `carry/0`. */
const byPath = (
  inputs: { readonly [name: string]: Json },
  prefix = '',
): { readonly [path: string]: Json } =>
  Object.fromEntries(
    Object.entries(inputs).flatMap(([name, json]): readonly (readonly [string, Json])[] => {
      if (json === null || typeof json !== 'object' || isTensorJson(json)) return [[prefix + name, json]]
      return Object.entries(byPath(Object.fromEntries(Object.entries(json)), `${prefix + name}/`))
    }),
  )

const initialParameters = (): Tensors => {
  const problem = readCases<GoldenCase>(file)?.find((c) => c.name === 'optim/problem')
  const params = byPath(problem!.inputs)
  return decodeInputs(
    Object.fromEntries(
      Object.entries(params).flatMap(([path, json]) =>
        path.startsWith('params/') ? [[path.slice('params/'.length), json]] : [],
      ),
    ),
  )
}

const flat = (c: GoldenCase): GoldenCase => ({
  ...c,
  inputs: byPath(c.inputs),
  ...(c.grads === undefined ? {} : { grads: byPath(c.grads) }),
})

const run = (c: OptimCase): Outcome => {
  const [kind, name] = [c.name.slice(0, c.name.indexOf('/')), c.name.slice(c.name.indexOf('/') + 1)]
  switch (kind) {
    case 'optim':
      return runOptimizer(c, initialParameters())
    case 'schedule':
      return runSchedule(c)
    case 'init':
    case 'init_statistics':
      return runInitializer(c)
    case 'loss': {
      const outcome = runCase(optaxLosses, flat(c), {})
      return outcome.kind === 'left out' ? leftOut('this loss is not built yet') : outcome
    }
    case 'flax': {
      const operation = flaxRecurrent(c) ?? flaxAttention(c) ?? flaxLayers(c)
      if (operation === undefined) return leftOut('this layer is not built yet')
      return runCase({ [c.op]: operation }, flat(c), {})
    }
    default:
      return leftOut(`${kind} is not known`)
  }
}

oracle<OptimCase>(file, (c) => c.name, run)
