/** Control flow against JAX's own results, eagerly and compiled. */
import { CotangentError, type Tensor, erase, typed } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { cond, foriLoop, lax, np, random, scan, switchCase, whileLoop } from '@cotangent/ops'
import {
  type Decoded,
  type GoldenCase,
  type Outcome,
  decodeInput,
  failed,
  judge,
  leftOut,
  oracle,
  outputsDifference,
  passed,
} from './cases.ts'

type Program = (...args: never[]) => unknown
/** A function whose result is meant to break a rule that its type would refuse. */
const loose = (f: Program): never => typed(erase(f))

type Pair = readonly [Tensor, Tensor]
type X = Tensor
const sigmoid = (x: X): X => np.exp(x.neg()).add(1).pow(-1)

const scans: Readonly<Record<string, Program>> = {
  tree: (c: { readonly a: X; readonly n: X }, xs: { readonly p: X; readonly r: X }) =>
    scan(
      (s, x) => {
        const next = { a: s.a.mul(x.p).add(1), n: s.n.add(1) }
        return [next, [next.a.sum(), { q: x.r.add(next.n) }]]
      },
      c,
      xs,
    ),
  reverse: (c: X, xs: X) => scan((s, x) => [s.mul(0.5).add(x), s], c, xs, { reverse: true }),
  reverse_tree: (c: X, xs: Pair) =>
    scan((s, [a, b]) => [s.add(a.mul(b)), [s, b]], c, xs, { reverse: true }),
  length_only: (c: X) => scan((s) => [s.mul(1.5).add(1), s], c, null, { length: 4 }),
  length_and_inputs: (c: X, xs: X) => scan((s, x) => [s.add(x), s.mul(x)], c, xs, { length: 4 }),
  length_mismatch: (c: X, xs: X) => scan((s, x) => [s.add(x), s], c, xs, { length: 5 }),
  inputs_mismatch: (xs: X, zs: X) => scan((s, x) => [s, x], 0, [xs, zs]),
  no_length: (c: X) => scan((s, x) => [s, x], c, null),
  carry_type_changes: (c: X, xs: X) => scan((s, x) => [s.add(x), s], c, xs),
  carry_shape_changes: (c: X) =>
    scan((s) => [np.concatenate([s, s]), null], c, null, { length: 2 }),
  carry_structure_changes: (c: X) =>
    scan(loose((s: X) => [[s, s], null]), c, null, { length: 2 }),
  weak_carry: (xs: X) => scan((s, x) => [s.add(x), s], 0, xs),
  weak_carry_int8: (xs: X) => scan((s, x) => [s.add(x), s], 0, xs),
  ys_none: (c: X, xs: X) => scan((s, x) => [s.add(x), null], c, xs),
  ys_partly_none: (c: X, xs: X) => scan((s, x) => [s.add(x), { a: null, b: s }], c, xs),
  no_carry: (xs: X) => scan((_, x) => [null, x.sin()], null, xs),
  empty_tuple_carry: (xs: X) => scan((_, x) => [[] as const, x.mul(2)], [], xs),
  zero_length: (c: X, xs: X) => scan((s, x) => [s.add(x), np.stack([s, x])], c, xs),
  length_one: (c: X, xs: X) => scan((s, x) => [s.add(x), s], c, xs),
  unroll_2: (c: X, xs: X) => scan((s, x) => [s.mul(x).add(1), s], c, xs, { unroll: 2 }),
  unroll_True: (c: X, xs: X) => scan((s, x) => [s.mul(x).add(1), s], c, xs, { unroll: true }),
  closure: (w: X, xs: X) => scan((s, x) => [w.matmul(s).add(x).tanh(), s], np.zeros(2), xs),
  nested: (x: X) =>
    scan((c, v) => scan((s, u) => [s.add(u), s.mul(u)], c, v, { reverse: true }), 0, x),
  fibonacci: (c: Pair) => scan(([a, b]) => [[b, a.add(b)], a], c, null, { length: 8 }),
  bool_ys: (xs: X) =>
    scan((s, x) => [np.logicalXor(s, x), np.logicalAnd(s, x)], true, xs),
  integer_overflow: (c: X) => scan((s) => [s.mul(3), s], c, null, { length: 25 }),
  nan_propagates: (xs: X) => scan((s, x) => [s.maximum(x), s], -Infinity, xs),
  lstm: (w: X, u: X, b: X, c0: Pair, xs: X) =>
    scan(
      ([h, c], x) => {
        const [i, g, o, z] = np.split(x.matmul(w).add(h.matmul(u)).add(b), 4)
        const next = sigmoid(i!).mul(c).add(sigmoid(g!).mul(z!.tanh()))
        const out = sigmoid(o!).mul(next.tanh())
        return [[out, next], out]
      },
      c0,
      xs,
    ),
  random_key: (k: X) =>
    scan((q) => [random.split(q).at(0), random.uniform(q)], k, null, { length: 4 }),
  in_place_update: (x: X) =>
    scan((b, i) => [b.addAt([i], b.at(i.sub(1))), b.sum()], x, np.arange(x.size)),
  dynamic_slice_window: (x: X) =>
    scan((c, i) => [c, lax.dynamicSlice(x, [i], [3]).sum()], null, np.arange(5)),
}

const whiles: Readonly<Record<string, Program>> = {
  collatz: (n: X) =>
    whileLoop(
      ([s]) => s.notEqual(1),
      ([s, k]) => [np.where(s.mod(2).equal(0), s.floorDivide(2), s.mul(3).add(1)), k.add(1)],
      [n, 0],
    ),
  newton: (a: X) =>
    whileLoop(
      (s) => s.mul(s).sub(a).abs().greater(1e-3),
      (s) => s.add(a.div(s)).mul(0.5),
      a,
    ),
  never: (x: X) => whileLoop(() => false, (s) => s.mul(NaN), x),
  tree: (x: X) =>
    whileLoop(
      (s) => s.i.less(4),
      (s) => ({ i: s.i.add(1), v: s.v.mul(0.5).add(s.i) }),
      { i: 0, v: x },
    ),
  condition_not_scalar: (x: X) => whileLoop((s) => s.less(3), (s) => s.add(1), x),
  condition_not_bool: (x: X) => whileLoop((s) => s, (s) => s.sub(1), x),
  body_type_changes: (x: X) => whileLoop((s) => s.less(3), (s) => s.add(0.5), x),
  nested: (x: X) =>
    whileLoop(
      (s) => s.less(50),
      (s) => whileLoop((q) => q.less(s.mul(2)), (q) => q.add(3), s),
      x,
    ),
}

const bounded =
  (low: number, high: number): Program =>
  (x: X) =>
    foriLoop(low, high, (i, [s, n]) => [s.mul(3).add(i), n.add(1)], [x, 0])

const foris: Readonly<Record<string, Program>> = {
  sum: (x: X) => foriLoop(0, x.size, (i, s) => s.add(x.at(i).mul(i)), 0),
  bounds_2_5: bounded(2, 5),
  bounds_3_3: bounded(3, 3),
  bounds_5_2: bounded(5, 2),
  traced_bounds: (lo: X, hi: X) => foriLoop(lo, hi, (i, s) => s.mul(2).add(i), 1),
  matrix_power: (m: X) => foriLoop(0, 3, (_, s) => s.matmul(m), np.eye(2)),
  bubble_sort: (x: X) =>
    foriLoop(
      0,
      x.size,
      (_, v) =>
        foriLoop(
          0,
          x.size - 1,
          (j, w) => {
            const [a, b] = [w.at(j), w.at(j.add(1))]
            return w.set([j], a.minimum(b)).set([j.add(1)], a.maximum(b))
          },
          v,
        ),
      x,
    ),
  float_bounds: (x: X) => foriLoop(0, 3, (i, s) => s.add(i), x),
  unroll: (x: X) => foriLoop(0, 4, (i, s) => s.sin().add(i), x, { unroll: 3 }),
}

interface AB {
  readonly a: X
  readonly b: X
}
const operands = (p: X, x: X, z: X): unknown => cond(p, (a, b) => a.add(b), (a, b) => a.mul(b), x, z)
const trees = (p: X, t: AB): unknown =>
  cond(
    p,
    (q) => ({ u: q.a.mul(2), v: [q.b] }),
    (q) => ({ u: q.a.sub(1), v: [q.b.add(1)] }),
    t,
  )
const noOperands = (p: X, x: X): unknown => cond(p, () => x.sum(), () => x.prod())
const negated = (p: X, x: X): unknown => cond(p, (v) => v, (v) => v.neg(), x)

const conds: Readonly<Record<string, Program>> = {
  operands_True: operands,
  tree_True: trees,
  no_operands_True: noOperands,
  operands_False: operands,
  tree_False: trees,
  no_operands_False: noOperands,
  numeric_predicate: negated,
  nan_predicate: negated,
  vector_predicate: negated,
  different_dtypes: (x: X) => cond(true, (v) => v, (v) => v.astype('int32'), x),
  different_shapes: (x: X) => cond(true, (v) => v, (v) => v.at(0), x),
  different_trees: (x: X) => cond(true, (v: X) => [v, v], loose((v: X) => v), x),
  weak_and_strong: (p: X, x: X) => cond(p, () => 1.5 - 0.5, (v) => v.at(0), x),
  untaken_nan: (x: X) => cond(x.greater(0), (v) => v.log(), (v) => v, x),
  nested: (x: X) =>
    cond(
      x.greater(0),
      (v) => cond(v.greater(1), (u) => u.mul(10), (u) => u.mul(2), v),
      (v) => v.neg(),
      x,
    ),
}

const three = (i: X, x: X): unknown =>
  switchCase(i, [(v) => v.add(1), (v) => v.mul(2), (v) => v.neg()], x)
const two = (i: X, x: X): unknown => switchCase(i, [(v) => v, (v) => v.neg()], x)

const switches: Readonly<Record<string, Program>> = {
  '0': three,
  '1': three,
  '2': three,
  '-1': three,
  '3': three,
  '99': three,
  one_branch: (i: X, x: X) => switchCase(i, [(v) => v.mul(3)], x),
  no_branches: (i: X, x: X) => switchCase(i, [], x),
  float_index: (i: X, x: X) => switchCase(i, [(v) => v.sin(), (v) => v.cos()], x),
  multiple_operands: (i: X, x: X, z: X) =>
    switchCase(i, [(a) => a, (_, b) => b, (a, b) => a.dot(b).mul(np.ones(2))], x, z),
  bool_index: two,
  uint8_index: two,
}

type Join = (a: X, b: X) => X
const over =
  (f: Join, options = {}): Program =>
  (x: X) =>
    lax.associativeScan(f, x, options)
const add: Join = (a, b) => a.add(b)
const multiply: Join = (a, b) => a.mul(b)
const maximum: Join = (a, b) => a.maximum(b)
const matmul: Join = (a, b) => a.matmul(b)

const associative: Readonly<Record<string, Program>> = {
  add: over(add),
  add_reverse: over(add, { reverse: true }),
  multiply: over(multiply),
  multiply_reverse: over(multiply, { reverse: true }),
  maximum: over(maximum),
  maximum_reverse: over(maximum, { reverse: true }),
  matmul: over(matmul),
  matmul_reverse: over(matmul, { reverse: true }),
  axis: over(add, { axis: -1 }),
  axis_1_reverse: over(add, { axis: 1, reverse: true }),
  linear_recurrence: (a: X, b: X) =>
    lax.associativeScan((p, q) => [p[0].mul(q[0]), q[0].mul(p[1]).add(q[1])], [a, b]),
  tree: (t: { readonly s: X; readonly m: X }) =>
    lax.associativeScan((p, q) => ({ s: p.s.add(q.s), m: p.m.minimum(q.m) }), t),
  one: over(add),
  empty: over(add),
  last_seen: (v: X, m: X) =>
    lax.associativeScan((p, q) => [np.where(q[1], q[0], p[0]), p[1].logicalOr(q[1])], [v, m]),
  size_mismatch: (x: X, z: X) =>
    lax.associativeScan((p, q) => [p[0].add(q[0]), p[1].add(q[1])], [x, z]),
}

const maps: Readonly<Record<string, Program>> = {
  vector: (x: X) => lax.map((v) => v.dot(v), x),
  tree: (t: Pair) => lax.map(([a, b]) => ({ u: a.add(b.sum()), n: b.mul(2) }), t),
  empty: (x: X) => lax.map((v) => np.stack([v, v]), x),
  batch_size_2: (x: X) => lax.map((v) => v.sort(), x, { batchSize: 2 }),
  none_result: (x: X) => lax.map(() => null, x),
}

const programs: Readonly<Record<string, Readonly<Record<string, Program>>>> = {
  scan: scans,
  while: whiles,
  fori: foris,
  cond: conds,
  switch: switches,
  associative_scan: associative,
  map: maps,
}

const modes = { eager: (f: Program) => erase(f), jit: (f: Program) => erase(jit(erase(f))) }

// A refusal is one of the library's own errors, with a fix or what was got.
const mustRefuse = (attempt: () => unknown, what: string): Outcome => {
  try {
    attempt()
  } catch (error) {
    if (error instanceof CotangentError && error.got !== undefined) return passed
    if (error instanceof CotangentError && error.want !== undefined) return passed
    return failed(`refused by something else: ${String(error)}`)
  }
  return failed(`was accepted, expected a refusal: ${what}`)
}

const run = (c: GoldenCase): Outcome => {
  const [group, name] = c.name.split('/')
  const program = programs[group!]?.[name!]
  if (program === undefined) return leftOut(`no translation of ${c.name}`)
  const inputs: readonly Decoded[] = Object.values(c.inputs).map(decodeInput)
  for (const [mode, apply] of Object.entries(modes)) {
    const f = apply(program)
    const outcome = c.error
      ? mustRefuse(() => f(...inputs), c.error.message)
      : judge(outputsDifference(f(...inputs), c))
    if (outcome.kind === 'failed') return failed(`${mode}: ${outcome.message}`)
  }
  return passed
}

oracle<GoldenCase>('jax/control.json', (c) => c.name, run)
