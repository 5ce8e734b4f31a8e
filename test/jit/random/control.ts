/** Operations of random programs that hold programs: loops, branches, transforms, compiled calls. */
import {
  type Tensor,
  checkpoint,
  customJvp,
  customVjp,
  grad,
  jvp,
  stopGradient,
  vmap,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { cond, foriLoop, np, scan, switchCase, whileLoop } from '@cotangent/ops'
import { type Operation, elementwise } from './elementwise.ts'
import { arrays } from './arrays.ts'
import {
  Pool,
  type PoolOptions,
  type Step,
  type Value,
  close,
  coerce,
  isReal,
  isWhole,
  worst,
} from './pool.ts'

/** Runs steps over a pool. */
export const runSteps = (pool: Pool, steps: readonly Step[]): void => {
  for (const step of steps) operations[step.op % operations.length]!(pool, step)
}

interface Inner {
  readonly options: PoolOptions
  /** Values that the inner program may close over. */
  readonly outer: readonly Value[]
  /** How far results may be off. */
  readonly tolerance: number
}

// A loop whose carry feeds back is either exact throughout or never jumps.
const innerOf = (pool: Pool, { c }: Step, arguments_: readonly Value[]): Inner => {
  const outer = pool.values.slice(-3)
  const exactOnly =
    pool.options.exactOnly || (c % 2 === 1 && arguments_.every((v) => v.tolerance === 0))
  return {
    options: { ...pool.options, exactOnly },
    outer,
    tolerance: exactOnly ? 0 : Math.max(close, worst(...outer, ...arguments_)),
  }
}

// Runs a body on arguments and gives its results as the types wanted.
const runBody = (
  inner: Inner,
  body: readonly Step[],
  arguments_: readonly Tensor[],
  wanted: readonly Tensor[],
): readonly Tensor[] => {
  const values = arguments_.map((tensor) => ({ tensor, tolerance: toleranceOf(inner, tensor) }))
  const pool = new Pool([...inner.outer, ...values], inner.options)
  runSteps(pool, body)
  return wanted.map((type, i) => {
    const real = isReal({ tensor: type, tolerance: 0 })
    // Integers must not be made of approximate floats.
    const found = pool.pick(i, (v) => real || v.tolerance === 0)?.tensor ?? type
    const result = coerce(found, type.shape, type.dtype)
    return real ? np.nanToNum(result.clip(-8, 8)) : result
  })
}

// Integer arguments count as exact even where floats of the loop are not.
const usable = (pool: Pool, n: number, fits: (v: Value) => boolean = () => true): Value =>
  pool.pick(n, (v) => fits(v) && (isReal(v) || v.tolerance === 0)) ?? pool.values[0]!

const toleranceOf = (inner: Inner, t: Tensor): number =>
  isReal({ tensor: t, tolerance: 0 }) ? inner.tolerance : 0

const scanned: Operation = (pool, step) => {
  const { a, b, c, body } = step
  const carry = usable(pool, a)
  const xs = pool.pick(b, ({ tensor }) => tensor.ndim > 0 && tensor.shape[0]! < 6)
  const inner = innerOf(pool, step, xs === undefined ? [carry] : [carry, xs])
  const floats = inner.options.exactOnly || isReal(carry)
  if (!floats && inner.tolerance > 0 && !isWhole(carry.tensor)) return
  const single = (state: Tensor, x: Tensor | null): readonly [Tensor, readonly Tensor[]] => {
    const given = x === null ? [state] : [state, x]
    const [next, y] = runBody(inner, body, given, [state, x ?? state])
    return [next!, c % 3 === 0 ? [y!, state] : [y!]]
  }
  const options = { reverse: b % 2 === 1 }
  const [final, ys] =
    xs === undefined || c % 5 === 4
      ? scan((s: Tensor) => single(s, null), carry.tensor, null, { ...options, length: c % 4 })
      : scan((s: Tensor, x: Tensor) => single(s, x), carry.tensor, xs.tensor, options)
  for (const t of [final, ...ys]) pool.add(t, toleranceOf(inner, t))
}

const looped: Operation = (pool, step) => {
  const { a, b, c, body } = step
  const carry = usable(pool, a)
  const inner = innerOf(pool, step, [carry])
  const next = (i: Tensor, x: Tensor): Tensor => runBody(inner, body, [i, x], [x])[0]!
  const bound = pool.exactly(b, (t) => t.dtype === 'int32' && t.size > 0)
  if (c % 3 === 0 || pool.options.reversible || bound === undefined) {
    pool.add(foriLoop(0, b % 4, next, carry.tensor), toleranceOf(inner, carry.tensor))
    return
  }
  const limit = bound.ravel().at(0).mod(4)
  const result =
    c % 3 === 1
      ? foriLoop(0, limit, next, carry.tensor)
      : whileLoop(
          ([i]) => i.less(limit),
          ([i, x]) => [i.add(1), next(i, x)] as const,
          [np.asarray(0).astype('int32'), carry.tensor] as const,
        )[1]
  pool.add(result, toleranceOf(inner, result))
}

const branched: Operation = (pool, step) => {
  const { a, b, c, body } = step
  const x = usable(pool, a)
  const inner = innerOf(pool, step, [x])
  const half = Math.ceil(body.length / 2)
  const branches = [body.slice(0, half), body.slice(half), []].map(
    (steps) =>
      (y: Tensor): Tensor =>
        runBody(inner, steps, [y], [y])[0]!,
  )
  const whole = pool.exactly(b, (t) => t.dtype === 'int32' && t.size > 0)
  const choice = whole?.ravel().at(0)
  const result =
    c % 4 < 2 || choice === undefined
      ? cond(choice?.greater(0) ?? b % 2 === 0, branches[0]!, branches[1]!, x.tensor)
      : switchCase(choice.mod(5).sub(1), branches, x.tensor)
  pool.add(result, toleranceOf(inner, result))
}

const wrappers: readonly ((f: (x: Tensor) => Tensor) => (x: Tensor) => Tensor)[] = [
  (f) => jit(f),
  (f) => checkpoint(f),
  (f) => (x) => f(stopGradient(x)),
  (f) =>
    customJvp(f, ([x], [dx]) => {
      const y = f(x)
      return [y, coerce(dx.mul(3), y.shape, y.dtype)]
    }),
  (f) =>
    customVjp(
      f,
      (x) => [f(x), x],
      (x, ct) => [coerce(ct.mul(2), x.shape, x.dtype)],
    ),
  (f) => (x) => jvp(f, [x], [x])[1],
  (f) => (x) => grad((y: Tensor) => f(y).mul(y).sum())(x),
]

const wrapped: Operation = (pool, step) => {
  const { a, b, body } = step
  const x = pool.pick(a, (v) => isReal(v) && v.tensor.dtype === 'float32')
  if (x === undefined) return
  const wrap = wrappers[b % wrappers.length]!
  const derivative = b % wrappers.length > 4
  const inner = innerOf(pool, step, [x])
  if (wrap === wrappers[4] && pool.options.forward) return
  const options = derivative
    ? { ...inner.options, reversible: true, forward: wrap === wrappers[5] || inner.options.forward }
    : inner.options
  // A custom rule must not close over what is being differentiated.
  const outer = wrap === wrappers[3] || wrap === wrappers[4] ? [] : inner.outer
  const f = (y: Tensor): Tensor => runBody({ ...inner, options, outer }, body, [y], [y])[0]!
  pool.add(wrap(f)(x.tensor), derivative ? Math.max(close, inner.tolerance) : inner.tolerance)
}

const mapped: Operation = (pool, step) => {
  const { a, b, body } = step
  const x = usable(pool, a, ({ tensor }) => tensor.ndim > 0 && tensor.size > 0)
  if (x.tensor.ndim === 0) return
  const inner = innerOf(pool, step, [x])
  const axis = b % x.tensor.ndim
  const f = (y: Tensor): readonly Tensor[] => runBody(inner, body, [y], [y, y])
  const results = vmap(f, { inAxes: axis, outAxes: b % 2 === 0 ? 0 : -1 })(x.tensor)
  for (const t of results) pool.add(t, toleranceOf(inner, t))
}

const operations: readonly Operation[] = [
  ...elementwise,
  ...arrays,
  scanned,
  looped,
  branched,
  wrapped,
  mapped,
]
