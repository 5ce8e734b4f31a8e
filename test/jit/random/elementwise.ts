/** Elementwise operations of random programs. */
import { type DType, type Tensor, isFloat, isHalf } from '@cotangent/core'
import { lax, np } from '@cotangent/ops'
import { type Pool, type Step, close, compatible, isWhole, rough, worst } from './pool.ts'

export type Operation = (pool: Pool, step: Step) => void

const unaries: readonly ((x: Tensor) => Tensor)[] = [
  (x) => x.neg(),
  (x) => x.abs(),
  (x) => np.square(x),
  (x) => x.maximum(0),
  (x) => np.sqrt(x.abs().add(0.25)),
  (x) => x.mul(2).add(1),
  (x) => np.clip(x, -2, 3),
  (x) => np.where(x.astype('bool'), x, 7),
]

const unary: Operation = (pool, { a, b }) => {
  const x = pool.pick(a)!
  const f = unaries[b % unaries.length]!
  if (x.tensor.dtype === 'bool') pool.add(x.tensor.logicalNot(), x.tolerance)
  else pool.add(f(x.tensor), x.tolerance)
}

const transcendentals: readonly ((x: Tensor) => Tensor)[] = [
  (x) => np.sin(x),
  (x) => np.tanh(x),
  (x) => np.exp(np.clip(x, -5, 2)),
  (x) => np.log1p(x.abs()),
  (x) => lax.logistic(x),
  (x) => lax.erf(x),
  (x) => np.arctan(x),
  (x) => lax.rsqrt(np.square(x).add(0.5)),
  (x) => np.power(x.abs().add(0.5), 1.5),
  (x) => np.log(x.abs().add(0.1)),
]

const transcendental: Operation = (pool, { a, b }) => {
  const x = pool.pick(a)!
  if (x.tensor.dtype === 'bool') return
  pool.add(transcendentals[b % transcendentals.length]!(x.tensor), Math.max(x.tolerance, close))
}

const steps: readonly ((x: Tensor) => Tensor)[] = [
  (x) => np.floor(x),
  (x) => np.sign(x),
  (x) => np.round(x),
  (x) => np.ceil(x),
  (x) => np.isfinite(x),
  (x) => np.isnan(x),
]

/** Functions with jumps take exact operands only. */
const jump: Operation = (pool, { a, b }) => {
  const x = pool.exactly(a, (t) => t.dtype !== 'bool')
  if (x !== undefined) pool.add(steps[b % steps.length]!(x), 0)
}

const binaries: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x, y) => x.add(y),
  (x, y) => x.mul(y),
  (x, y) => np.maximum(x, y),
  (x, y) => np.minimum(x, y),
  (x, y) => x.div(np.abs(y).add(1)),
]

const binary: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a)!
  const y = pool.pick(b, ({ tensor }) => compatible(tensor.shape, x.tensor.shape))!
  if (x.tensor.dtype === 'bool' && y.tensor.dtype === 'bool') {
    pool.add(np.logicalXor(x.tensor, y.tensor), worst(x, y))
    return
  }
  const result =
    c % 6 === 5 && x.tensor.dtype !== 'bool' && y.tensor.dtype !== 'bool'
      ? x.tensor.sub(y.tensor)
      : binaries[c % binaries.length]!(x.tensor, y.tensor)
  pool.add(result, worst(x, y))
}

const integers: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x, y) => x.floorDivide(y),
  (x, y) => np.remainder(x, y),
  (x, y) => np.bitwiseAnd(x, y),
  (x, y) => np.bitwiseOr(x, y),
  (x, y) => np.bitwiseXor(x, y),
  (x, y) => np.leftShift(x, y),
  (x, y) => np.rightShift(x, y),
  (x, y) => np.power(x, y.mod(4).abs().astype(x.dtype)),
]

const integer: Operation = (pool, { a, b, c }) => {
  const x = pool.exactly(a, isWhole)
  const y =
    x && pool.exactly(b, (t) => isWhole(t) && t.dtype === x.dtype && compatible(t.shape, x.shape))
  if (x !== undefined && y !== undefined) pool.add(integers[c % integers.length]!(x, y), 0)
}

const comparisons: readonly ((x: Tensor, y: Tensor) => Tensor)[] = [
  (x, y) => x.less(y),
  (x, y) => x.greaterEqual(y),
  (x, y) => x.equal(y),
  (x, y) => x.notEqual(y),
]

const comparison: Operation = (pool, { a, b, c }) => {
  const x = pool.exactly(a)
  const y = x && pool.exactly(b, (t) => compatible(t.shape, x.shape))
  if (x !== undefined && y !== undefined) pool.add(comparisons[c % comparisons.length]!(x, y), 0)
}

const choose: Operation = (pool, { a, b, c }) => {
  const condition = pool.exactly(a, (t) => t.dtype === 'bool')
  if (condition === undefined) return
  const x = pool.pick(b, ({ tensor }) => compatible(tensor.shape, condition.shape))!
  const y = pool.pick(
    c,
    ({ tensor }) =>
      compatible(tensor.shape, condition.shape) && compatible(tensor.shape, x.tensor.shape),
  )!
  pool.add(np.where(condition, x.tensor, y.tensor), worst(x, y))
}

const targets: readonly DType[] = [
  'float32',
  'int32',
  'bool',
  'float64',
  'uint8',
  'int8',
  'uint32',
  'float16',
  'bfloat16',
  'int16',
]

const convert: Operation = (pool, { a, b }) => {
  const x = pool.pick(a)!
  const dtype = targets[b % targets.length]!
  // From an approximate float to an integer is a jump.
  if (x.tolerance > 0 && !isFloat(dtype)) return
  pool.add(x.tensor.astype(dtype), isHalf(dtype) ? rough : x.tolerance)
}

const constants: Operation = (pool, { a, b, c }) => {
  const made = [
    () => np.arange(1 + (a % 6)),
    () => np.full([1 + (a % 3), 4], (b % 9) - 4),
    () => np.array([0.5, -1.25, 3]).astype('float32'),
    () => np.eye(2 + (a % 3)),
    () => np.zeros([a % 3, 2]),
    () => np.linspace(0, 1, 1 + (b % 5)),
  ]
  pool.add(made[c % made.length]!(), 0)
}

export const elementwise: readonly Operation[] = [
  unary,
  binary,
  binary,
  transcendental,
  jump,
  integer,
  comparison,
  choose,
  convert,
  constants,
]
