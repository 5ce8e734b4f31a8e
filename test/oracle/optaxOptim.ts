/** Optax's optimisers and schedules, by the formulas of their cases. */
import { type Tensor, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { optim } from '@cotangent/nn'
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
  judge,
  leftOut,
  passed,
  readCases,
} from './cases.ts'
import { asSchedule, asTransformation, optax } from './optaxLibrary.ts'
import { compileFormula } from './python/run.ts'
import { LeftOut } from './python/values.ts'
import type { Tensors } from './torch.ts'

export interface OptimCase extends GoldenCase {
  readonly params_after_step?: Readonly<Record<string, TensorJson>>
  readonly grads_per_step?: Readonly<Record<string, TensorJson>>
  readonly losses_before_step?: TensorJson
  readonly steps?: number | readonly number[]
  readonly values?: TensorJson
  readonly extra?: string
}

type Loss = (params: Tensors) => Tensor

const tensorsIn = (tree: Json | undefined): Tensors =>
  Object.fromEntries(
    Object.entries(Object(tree)).flatMap(([name, json]): readonly (readonly [string, Tensor])[] => {
      const leaf: Json = JSON.parse(JSON.stringify(json))
      return isTensorJson(leaf) ? [[name, decodeTensor(leaf)]] : []
    }),
  )

/** The function that all optimisers' cases minimise. */
const lossOf = (c: GoldenCase): Loss => {
  const f = compileFormula(c.formula!, ['p', 'x', 'y'])
  const { x, y } = tensorsIn(c.inputs)
  return (params) => np.asarray(Object(f.call([params, x!, y!], {})))
}

let known: Loss | null = null
const theLoss = (): Loss => {
  if (known !== null) return known
  const cases = readCases<GoldenCase>('jax/nn_optax.json')
  known = lossOf(cases!.find((c) => c.name === 'optim/problem')!)
  return known
}

const decodeAll = (tensors: Readonly<Record<string, TensorJson>>): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, json]) => [name, decodeTensor(json)]))

const rows = (tensors: Tensors, t: number): Tensors =>
  Object.fromEntries(Object.entries(tensors).map(([name, x]) => [name, x.at(t)]))

interface Carry {
  readonly params: Tensors
  readonly state: unknown
}

type Step = (grads: Tensors, value: Tensor, carry: Carry) => Carry

/** What the case's record calls fast and slow: ours keeps the slow ones in its state. */
const recorded = ({ params, state }: Carry, path: string): Tensor => {
  if (!path.includes('/')) return params[path]!
  const [which, name] = path.split('/')
  if (which === 'fast') return params[name!]!
  const slow: unknown = Reflect.get(Object(state), 'slow')
  const leaf: unknown = Reflect.get(Object(slow), name!)
  return np.asarray(Object(leaf))
}

const walk = (step: Step, c: OptimCase, start: Carry): string | null => {
  const grads = decodeAll(c.grads_per_step!)
  const values = decodeTensor(c.losses_before_step!)
  const carries: Carry[] = []
  let current = start
  for (let t = 0; t < Number(c.steps); t++) {
    const row = rows(grads, t)
    const bad = c.extra === 'nan_at_3' && (t === 2 || t === 3)
    current = step(bad ? { ...row, b: row['b']!.mul(NaN) } : row, values.at(t), current)
    carries.push(current)
  }
  for (const [path, expected] of Object.entries(c.params_after_step!)) {
    const got = np.stack(carries.map((carry) => recorded(carry, path)))
    const message = difference(got, expected, c.tol ?? 'exact')
    if (message !== null) return `${path}: ${message}`
  }
  return null
}

const sources = (c: GoldenCase): string => {
  if (c.formula !== undefined) return c.formula
  throw new LeftOut('the case has no formula')
}

const attempted = (run: () => Outcome): Outcome => {
  try {
    return run()
  } catch (error) {
    if (error instanceof LeftOut) return leftOut(error.message)
    throw error
  }
}

/** Feeds the recorded gradients through the rule, eagerly and compiled; every parameter after every step. */
export const runOptimizer = (c: OptimCase, params: Tensors): Outcome => {
  if (c.op === 'problem') return judge(difference(theLoss()(params), c.outputs['loss']!, c.tol ?? 'exact'))
  return attempted(() => {
    const optimizer = asTransformation(compileFormula(sources(c), ['optax']).call([optax], {}))
    const step: Step = (grads, value, carry) => {
      const extra = { value, grad: grads, valueFn: theLoss() }
      const [updates, state] = optimizer.update(grads, carry.state, carry.params, extra)
      return { params: optim.applyUpdates(carry.params, updates), state }
    }
    const start = { params, state: optimizer.init(params) }
    const eager = walk(step, c, start)
    if (eager !== null) return failed(`eager, ${eager}`)
    const compiled = walk(jit(step), c, start)
    return compiled === null ? passed : failed(`compiled, ${compiled}`)
  })
}

export const runSchedule = (c: OptimCase): Outcome =>
  attempted(() => {
    if (!(c.steps instanceof Array) || c.values === undefined) return failed('no steps')
    const found = asSchedule(compileFormula(sources(c), ['optax']).call([optax], {}))
    const schedule = (step: Tensor | number): Tensor => np.asarray(found(step)).astype('float32')
    const steps = tensor(Int32Array.from(c.steps))
    const ways: readonly (readonly [string, Tensor])[] = [
      ['all steps at once', schedule(steps)],
      ['one by one', np.stack(c.steps.map((step) => schedule(step)))],
      ['compiled', jit(schedule)(steps)],
    ]
    for (const [way, got] of ways) {
      const message = difference(np.broadcastTo(got, steps.shape), c.values, c.tol ?? 'exact')
      if (message !== null) return failed(`${way}: ${message}`)
    }
    return passed
  })
