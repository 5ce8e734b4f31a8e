/** Derivatives, Jacobians and vectorised functions against JAX. */
import { type Gradient, Tensor, UnsupportedError, asTensor, full, grad, jvp, tree } from '@cotangent/core'
import { type GoldenCase, type Json, type Outcome, type TensorJson, decodeInput, difference, failed, isTensorJson, judge, leavesByPath, leftOut, oracle, outputsDifference } from './cases.ts'
import { compileFormula } from './python/run.ts'
import { LeftOut, PyFloat, isDict, toApi } from './python/values.ts'

type Values = readonly unknown[]

// Plain numbers in results are scalars.
const asTensors = (value: unknown): unknown => {
  if (typeof value === 'number' || typeof value === 'boolean') return asTensor(value)
  if (Array.isArray(value)) return value.map(asTensors)
  return isDict(value) ? Object.fromEntries(Object.entries(value).map(([k, v]) => [k, asTensors(v)])) : value
}

const inputOf = (json: Json): unknown => {
  if (json !== null && typeof json === 'object' && !(json instanceof Array) && json['weak'] === 'float') return new PyFloat(Number(json['value']))
  if (json !== null && typeof json === 'object' && !(json instanceof Array) && isTensorJson(json) && json.dtype.startsWith('complex')) throw new LeftOut('complex64 arithmetic')
  return decodeInput(json)
}

interface Problem {
  readonly names: readonly string[]
  readonly values: Values
  readonly f: (...args: Values) => unknown
}

const problemOf = (c: GoldenCase): Problem => {
  const names = Object.keys(c.inputs)
  const compiled = compileFormula(c.formula ?? '', names)
  return { names, values: Object.values(c.inputs).map(inputOf), f: (...args) => asTensors(toApi(compiled.call(args, {}))) }
}

// The function of the differentiable inputs alone.
const restrict = ({ names, values, f }: Problem, chosen: readonly string[]) => {
  const places = chosen.map((name) => names.indexOf(name))
  const g = (...free: Values): unknown => {
    const args = [...values]
    places.forEach((place, i) => {
      args[place] = free[i]
    })
    return f(...args)
  }
  return { g, free: places.map((place) => values[place]) }
}

const weighted = (g: (...free: Values) => unknown, cotangents: { readonly [path: string]: TensorJson }) => {
  const cts = new Map(leavesByPath(decodeInput(cotangents as unknown as Json)).map(([path, ct]) => [path, ct]))
  return (...free: Values): Tensor => {
    const terms = leavesByPath(g(...free)).flatMap(([path, y]) => {
      const ct = cts.get(path)
      return ct === undefined ? [] : [y.mul(ct).sum()]
    })
    return terms.reduce((a, b) => a.add(b), full([], 0, 'float32'))
  }
}

const isRefusal = (record: unknown): boolean => isDict(record) && isDict(record['error']) && 'type' in record['error']

// Expected leaves of a record of trees, by path.
const expectedLeaves = (json: Json, path: string): readonly (readonly [string, TensorJson])[] => {
  if (json === null || typeof json !== 'object') return []
  if (isTensorJson(json)) return [[path, json]]
  const entries = json instanceof Array ? [...json.entries()].map(([i, v]) => [String(i), v] as const) : Object.entries(json)
  return entries.flatMap(([key, value]) => expectedLeaves(value, path === '' ? key : `${path}/${key}`))
}

const compareTrees = (label: string, got: unknown, expected: Json, c: GoldenCase): string | null => {
  const leaves = new Map(leavesByPath(got))
  for (const [path, wanted] of expectedLeaves(expected, '')) {
    const leaf = leaves.get(path) ?? (leaves.size === 1 ? leaves.get('y') : undefined)
    if (leaf === undefined) return `${label}: no leaf ${path}; there are ${[...leaves.keys()].join(', ')}`
    const wrong = difference(leaf, wanted, c.tol ?? 'exact')
    if (wrong !== null) return `${label} ${path}: ${wrong}`
  }
  return null
}

const named = (names: readonly string[], values: Values): unknown => Object.fromEntries(names.map((name, i) => [name, values[i]]))

// Forward over reverse; a function that has no forward mode is differentiated backwards twice.
const secondDerivative = (gradient: (...xs: Values) => unknown, free: Values, dx: Values): Values => {
  try {
    const [, second] = jvp((...xs: Values) => gradient(...xs) as Gradient<Values>, free, dx as never)
    return second as unknown as Values
  } catch (error) {
    if (!(error instanceof UnsupportedError)) throw error
  }
  const along = (...xs: Values): Tensor => {
    const pairs = tree.leaves(gradient(...xs) as never).map((g, i) => asTensor(g).mul(asTensor(tree.leaves(dx as never)[i]!)).sum())
    return pairs.reduce((a, b) => a.add(b))
  }
  return grad(along, { argnums: free.map((_, i) => i) })(...free) as Values
}

const derivatives = (c: GoldenCase, problem: Problem): string | null => {
  const wrongOutput = outputsDifference(problem.f(...problem.values), c)
  if (wrongOutput !== null) return `output ${wrongOutput}`
  const checks: (() => string | null)[] = []
  if (c.grads !== undefined && c.cotangents !== undefined && !isRefusal(c.grads)) {
    const chosen = Object.keys(c.grads)
    const { g, free } = restrict(problem, chosen)
    const gradient = grad(weighted(g, c.cotangents), { argnums: chosen.map((_, i) => i) })
    const expected = c.grads
    checks.push(() => compareTrees('grads', named(chosen, gradient(...free) as Values), expected, c))
    const { hvp, tangents } = c
    if (hvp !== undefined && tangents !== undefined && !isRefusal(hvp)) {
      checks.push(() => {
        const dx = chosen.map((name) => decodeInput(tangents[name]!))
        return compareTrees('hvp', named(chosen, secondDerivative(gradient, free, dx)), hvp, c)
      })
    }
  }
  const { jvp: forward, tangents } = c
  if (forward !== undefined && tangents !== undefined && !isRefusal(forward)) {
    checks.push(() => {
      const chosen = Object.keys(tangents)
      const { g, free } = restrict(problem, chosen)
      const dx = chosen.map((name) => decodeInput(tangents[name]!))
      const [, tangent] = jvp(g, free, dx as never)
      return compareTrees('jvp', tangent, forward, c)
    })
  }
  for (const check of checks) {
    const wrong = check()
    if (wrong !== null) return wrong
  }
  return null
}

// Where our answer differs on purpose, or JAX's own two modes disagree.
const exceptions: Readonly<Record<string, string>> = {
  'vmap/collective/pmax_grad': 'pmax has a derivative here',
  'vmap/collective/pmin_grad': 'pmin has a derivative here',
  'reduce_window/lax.reduce_window(x, -np.inf, lax.max, (2, 2), (1, 1), ((1, 0), (0, 1)))':
    'the recorded jvp and grads choose different elements among equal ones',
}

const runCase = (c: GoldenCase): Outcome => {
  const exception = exceptions[c.name]
  if (exception !== undefined) return leftOut(exception)
  try {
    const problem = problemOf(c)
    if (c.error !== undefined) {
      const result = problem.f(...problem.values)
      return c.lenient === undefined ? failed(`was accepted, expected ${c.error.type}: ${c.error.message}, got ${String(tree.leaves(result as never))}`) : { kind: 'passed' }
    }
    if (c.op === 'derivatives') return judge(derivatives(c, problem))
    return judge(outputsDifference(problem.f(...problem.values), c))
  } catch (error) {
    if (error instanceof LeftOut) return leftOut(error.message)
    if (c.error !== undefined && !(error instanceof SyntaxError)) return { kind: 'passed' }
    throw error
  }
}

oracle<GoldenCase>('jax/grads.json', (c) => c.name, runCase)
