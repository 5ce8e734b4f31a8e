/** Operations of random programs that move, reduce and contract. */
import { type Tensor, range } from '@cotangent/core'
import { lax, np, prims, random } from '@cotangent/ops'
import type { Operation } from './elementwise.ts'
import { close, coerce, digit, isMatrix, isReal, worst } from './pool.ts'

const permutation = (rank: number, n: number): readonly number[] => {
  const left = [...range(rank)]
  return range(rank).map((d) => left.splice(digit(n, d, left.length), 1)[0]!)
}

const factors = (size: number, n: number): readonly number[] => {
  const divisors = range(size + 1).filter((d) => d > 0 && size % d === 0)
  const first = divisors[n % Math.max(1, divisors.length)] ?? 1
  return n % 3 === 0 ? [size] : n % 3 === 1 ? [first, -1] : [1, first, -1]
}

const axisOf = (x: Tensor, n: number): number => n % x.ndim

const movements: readonly ((x: Tensor, n: number, m: number) => Tensor)[] = [
  (x, n) => x.transpose(permutation(x.ndim, n)),
  (x, n) => (x.size === 0 ? x.ravel() : x.reshape(factors(x.size, n))),
  (x, n) => np.flip(x, axisOf(x, n)),
  (x, n, m) => {
    const limits = x.shape.map((extent, d) => extent - Math.min(extent, digit(m, d, 2)))
    const starts = x.shape.map((_, d) => Math.min(limits[d]!, digit(n, d, 3)))
    return lax.slice(
      x,
      starts,
      limits,
      x.shape.map((_, d) => 1 + digit(n + m, d, 3)),
    )
  },
  (x, n, m) =>
    lax.pad(
      x,
      n % 3,
      x.shape.map((extent, d) => [
        digit(n, d, 3) - (extent > 1 ? 1 : 0),
        digit(m, d, 3),
        digit(n + m, d, 2),
      ]),
    ),
  (x, n) => np.expandDims(x, n % (x.ndim + 1)),
  (x) => x.squeeze(),
  (x, n) => np.roll(x, (n % 5) - 2, { axis: axisOf(x, n) }),
  (x, n) =>
    np.tile(
      x,
      x.shape.map((_, d) => 1 + digit(n, d, 2)),
    ),
  (x, n) => np.broadcastTo(x, [1 + (n % 3), ...x.shape]),
  (x) => np.triu(x),
  (x, n) => np.repeat(x, 1 + (n % 2), { axis: axisOf(x, n) }),
]

const move: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a, ({ tensor }) => tensor.ndim > 0 && tensor.ndim < 5)
  if (x === undefined) return
  const f = movements[b % movements.length]!
  if (f === movements[10] && x.tensor.ndim < 2) return
  pool.add(f(x.tensor, c, c + 3 * b), x.tolerance)
}

const concatenate: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a, ({ tensor }) => tensor.ndim > 0)
  if (x === undefined) return
  const axis = axisOf(x.tensor, c)
  const y = pool.pick(
    b,
    ({ tensor }) =>
      tensor.ndim === x.tensor.ndim &&
      tensor.shape.every((n, d) => d === axis || n === x.tensor.shape[d]),
  )!
  const parts = c % 2 === 0 ? [x, y] : [y, x, x]
  pool.add(
    np.concatenate(
      parts.map((p) => p.tensor),
      { axis },
    ),
    worst(x, y),
  )
}

const reduce: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a)!
  const axis = range(x.tensor.ndim).filter((d) => digit(b + 1, d, 2) === 1)
  const keepdims = c % 2 === 1
  const options = c % 5 === 4 ? { keepdims } : { axis, keepdims }
  const approximate = isReal(x) ? Math.max(close, x.tolerance) : 0
  const full = axis.every((d) => x.tensor.shape[d]! > 0) && x.tensor.size > 0
  switch (b % 6) {
    case 0:
      return pool.add(x.tensor.sum(options), approximate)
    case 1:
      if (full) pool.add(x.tensor.max(options), x.tolerance)
      return
    case 2:
      if (full) pool.add(x.tensor.min(options), x.tolerance)
      return
    case 3:
      if (full) pool.add(x.tensor.mean(options), Math.max(close, x.tolerance))
      return
    case 4:
      return pool.add(x.tensor.prod(options), approximate)
    default:
      if (x.tolerance === 0) pool.add(x.tensor.any(options), 0)
  }
}

const position: Operation = (pool, { a, b, c }) => {
  const x = pool.exactly(a, (t) => t.ndim > 0 && t.size > 0)
  if (x === undefined) return
  const axis = axisOf(x, b)
  if (c % 4 === 0) pool.add(x.argmax({ axis }), 0)
  else if (c % 4 === 1) pool.add(x.argmin({ axis }), 0)
  else if (c % 4 === 2) pool.add(x.argsort({ axis }), 0)
  else {
    const [values, where] = lax.topK(x, 1 + (b % x.shape[axis]!), { axis })
    pool.add(values, 0)
    pool.add(where, 0)
  }
}

const order: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a, ({ tensor }) => tensor.ndim > 0)
  if (x === undefined) return
  const axis = axisOf(x.tensor, b)
  const tolerance = isReal(x) ? Math.max(close, x.tolerance) : 0
  if (c % 3 === 0) pool.add(x.tensor.sort({ axis }), x.tolerance)
  else if (c % 3 === 1) pool.add(x.tensor.cumsum({ axis }), tolerance)
  else if (x.tensor.dtype !== 'bool')
    pool.add(prims.cummax(x.tensor, axis, b % 2 === 1), x.tolerance)
}

const positions = (x: Tensor, extent: number): Tensor => np.mod(x, extent).astype('int32')

const index: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a, ({ tensor }) => tensor.ndim > 0 && tensor.shape[0]! > 0)
  const i = pool.exactly(b, (t) => t.dtype === 'int32' && t.ndim < 3)
  if (x === undefined || i === undefined) return
  const extent = x.tensor.shape[0]!
  switch (c % 5) {
    case 0:
      return pool.add(np.take(x.tensor, positions(i, extent), { axis: 0 }), x.tolerance)
    case 1:
      return pool.add(np.take(x.tensor, i, { axis: x.tensor.ndim - 1, mode: 'clip' }), x.tolerance)
    case 2:
      return pool.add(x.tensor.at(i), x.tolerance)
    case 3: {
      const start = i.size === 0 ? 0 : i.ravel().at(0)
      return pool.add(lax.dynamicSliceInDim(x.tensor, start, 1 + (b % extent), 0), x.tolerance)
    }
    default: {
      const j = coerce(i, x.tensor.shape, 'int32')
      return pool.add(np.takeAlongAxis(x.tensor, positions(j, extent), { axis: 0 }), x.tolerance)
    }
  }
}

const scatter: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a, ({ tensor: t }) => t.ndim > 0 && t.shape[0]! > 0 && t.dtype !== 'bool')
  const i = pool.exactly(b, (t) => t.dtype === 'int32' && t.ndim === 1)
  if (x === undefined || i === undefined) return
  const { shape, dtype } = x.tensor
  const y = pool.pick(c)!
  if (y.tolerance > 0 && !isReal(x)) return
  const update = coerce(y.tensor, [...i.shape, ...shape.slice(1)], dtype)
  const tolerance = isReal(x) ? Math.max(close, worst(x, y)) : 0
  switch (c % 4) {
    case 0:
      return pool.add(x.tensor.addAt([i], update), tolerance)
    case 1:
      return pool.add(x.tensor.maxAt([i], update), worst(x, y))
    case 2:
      // Equal positions: the last update wins, as in the interpreter.
      return pool.add(x.tensor.set([i], update), worst(x, y))
    default: {
      const part = coerce(y.tensor, [1, ...shape.slice(1)], dtype)
      const start = i.size === 0 ? 0 : i.at(0)
      return pool.add(lax.dynamicUpdateSliceInDim(x.tensor, part, start, 0), worst(x, y))
    }
  }
}

const contract: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a, isMatrix)
  const y = pool.pick(b, isReal)
  if (x === undefined || y === undefined || x.tensor.dtype === 'bool') return
  const tolerance = Math.max(close, worst(x, y))
  const [k, n] = [x.tensor.shape.at(-1)!, 1 + (c % 5)]
  const { dtype } = y.tensor
  switch (c % 4) {
    case 0:
      return pool.add(x.tensor.matmul(coerce(y.tensor, [k, n], dtype)), tolerance)
    case 1:
      return pool.add(
        coerce(y.tensor, [n, k], dtype).matmul(np.matrixTranspose(x.tensor)),
        tolerance,
      )
    case 2: {
      const batch = x.tensor.shape.slice(0, -2)
      return pool.add(x.tensor.matmul(coerce(y.tensor, [...batch, k, n], dtype)), tolerance)
    }
    default: {
      const rows = x.tensor.shape.at(-2)!
      const weights = coerce(y.tensor, [k, rows], dtype)
      return pool.add(np.einsum('...ij,ji->...', x.tensor, weights), tolerance)
    }
  }
}

// Padding takes part in compiled products (0 · ∞ is NaN) and is skipped by the interpreter.
const finite = (x: Tensor): Tensor => np.nanToNum(np.clip(x, -50, 50))

const convolve: Operation = (pool, { a, b, c }) => {
  const [x, y] = [pool.pick(a, isReal), pool.pick(b, isReal)]
  if (x === undefined || y === undefined) return
  const groups = 1 + (c % 2)
  const image = coerce(finite(x.tensor), [1 + (a % 2), 2, 4 + (b % 3), 5], 'float32')
  const kernel = coerce(finite(y.tensor), [2, 2 / groups, 1 + (a % 3), 2], 'float32')
  const result = lax.convGeneralDilated(
    image,
    kernel,
    [1 + (a % 2), 1 + (c % 2)],
    [
      [b % 2, a % 3],
      [c % 3, b % 2],
    ],
    { lhsDilation: [1 + (c % 2), 1], rhsDilation: [1, 1 + (b % 2)], featureGroupCount: groups },
  )
  pool.add(result, Math.max(close, worst(x, y)))
}

const pool2d: Operation = (pool, { a, b, c }) => {
  const x = pool.pick(a, (v) => isReal(v) && v.tensor.ndim > 0 && v.tensor.ndim < 4)
  if (x === undefined) return
  const size = x.tensor.shape.map((_, d) => 1 + digit(b, d, 3))
  const strides = x.tensor.shape.map((_, d) => 1 + digit(c, d, 2))
  const pads = size.map((n, d) => [digit(c, d, n), digit(b + c, d, n)] as const)
  if (x.tensor.shape.some((n, d) => n + pads[d]![0] + pads[d]![1] < size[d]!)) return
  if (c % 2 === 0) {
    pool.add(lax.reduceWindow(x.tensor, -Infinity, lax.max, size, strides, pads), x.tolerance)
  } else {
    const sums = lax.reduceWindow(x.tensor, 0, lax.add, size, strides, pads)
    pool.add(sums, Math.max(close, x.tolerance))
  }
}

const draw: Operation = (pool, { a, b, c }) => {
  const seed = pool.exactly(a, (t) => t.dtype === 'int32' && t.size > 0)
  const key = seed === undefined ? random.key(b) : random.foldIn(random.key(b), seed.ravel().at(0))
  const [first, second] = random.split(key)
  if (c % 4 === 0) pool.add(random.bits(first!, [3]), 0)
  else if (c % 4 === 1) pool.add(random.uniform(second!, [2, 3]), close)
  else if (c % 4 === 2) pool.add(random.randint(first!, [4], { minval: -3, maxval: 9 }), 0)
  else pool.add(random.normal(second!, [4]), close)
}

export const arrays: readonly Operation[] = [
  move,
  move,
  concatenate,
  reduce,
  reduce,
  position,
  order,
  index,
  scatter,
  contract,
  convolve,
  pool2d,
  draw,
]
