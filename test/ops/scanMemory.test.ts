/** What the backward pass of a scan keeps, and what it does outside the loop. */
import {
  type Equation,
  type Graph,
  type Tensor,
  grad,
  makeIR,
  sizeOf,
  subgraphs,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { np, scan } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'
import { expectClose } from './agreement.ts'

const [steps, batch, features, units] = [6, 3, 5, 4] as const
const wave = (shape: readonly number[], phase: number): Tensor =>
  np
    .sin(np.arange(sizeOf(shape)).mul(0.7).add(phase))
    .mul(0.5)
    .reshape(shape)
const parameters = {
  w: wave([features, 4 * units], 0),
  u: wave([units, 4 * units], 1),
  b: wave([4 * units], 2),
}
const xs = wave([steps, batch, features], 3)
type Parameters = typeof parameters

const sigmoid = (x: Tensor): Tensor => x.mul(0.5).tanh().mul(0.5).add(0.5)
const cell =
  (p: Parameters) =>
  ([h, c]: readonly [Tensor, Tensor], x: Tensor): readonly [readonly [Tensor, Tensor], Tensor] => {
    const [i, f, o, z] = np.split(x.matmul(p.w).add(h.matmul(p.u)).add(p.b), 4, 1)
    const next = sigmoid(f!).mul(c).add(sigmoid(i!).mul(z!.tanh()))
    const out = sigmoid(o!).mul(next.tanh())
    return [[out, next], out]
  }
const start = [np.zeros([batch, units]), np.zeros([batch, units])] as const
const loss = (p: Parameters, items: Tensor): Tensor => {
  const [, ys] = scan(cell(p), start, items)
  return ys.mul(ys).sum()
}
const byHand = (p: Parameters, items: Tensor): Tensor => {
  let carry: readonly [Tensor, Tensor] = start
  const ys: Tensor[] = []
  for (const x of items) {
    const [next, y] = cell(p)(carry, x)
    carry = next
    ys.push(y)
  }
  const all = np.stack(ys)
  return all.mul(all).sum()
}

const scansOf = (graph: Graph): readonly Equation[] =>
  graph.equations.flatMap((e) => [
    ...(e.primitive.name === 'scan' ? [e] : []),
    ...subgraphs(e.params).flatMap(([, inner]) => scansOf(inner)),
  ])
const inLoop = ({ params }: Equation): readonly string[] =>
  subgraphs(params).flatMap(([, body]) => body.equations.map((e) => e.primitive.name))
const elements = (
  atoms: readonly { readonly aval: { readonly shape: readonly number[] } }[],
): number => atoms.reduce((n, a) => n + sizeOf(a.aval.shape), 0)

describe('the gradient of an LSTM over time', () => {
  const graph = makeIR(grad(loss))(parameters, xs).graph
  const [forward, backward] = scansOf(graph)

  test('is right', () => {
    expectClose(grad(loss)(parameters, xs), grad(byHand)(parameters, xs))
    expectClose(jit(grad(loss))(parameters, xs), grad(byHand)(parameters, xs))
  })
  test('keeps one array for a gate and its slope', () => {
    // The output, and h, c, four gates and tanh(c) for the backward pass; the carry besides.
    expect(elements(forward!.outputs)).toBeLessThanOrEqual((8 * steps + 2) * batch * units)
  })
  test('sums the gradients of the weights in one product over time', () => {
    // In the loop there is the way back through h alone.
    expect(inLoop(backward!).filter((name) => name === 'dotGeneral')).toHaveLength(1)
    expect(elements(backward!.outputs)).toBeLessThanOrEqual(
      4 * units + 2 * batch * units + steps * batch * 4 * units,
    )
  })
})

test('what is the same in every step is computed once and not stacked', () => {
  const f = (w: Tensor, items: Tensor): Tensor =>
    scan((s, x) => [w.mul(w).sin().exp().mul(s).add(x), null], np.zeros([4]), items)[0].sum()
  const [forward] = scansOf(makeIR(grad(f))(wave([4], 0), wave([50, 4], 1)).graph)
  // The carry, and the carry before each step.
  expect(elements(forward!.outputs)).toBeLessThanOrEqual(4 + 50 * 4)
  expect(inLoop(forward!)).not.toContain('exp')
})

test('slices of an input are not kept again', () => {
  const f = (w: Tensor, items: Tensor): Tensor =>
    scan((s, x) => [s.add(w.mul(x.mul(2))), x], np.zeros([4]), items)[0].sum()
  const scans = scansOf(makeIR(grad(f))(wave([4], 0), wave([50, 4], 1)).graph)
  expect(elements(scans[0]!.outputs)).toBeLessThanOrEqual(4)
})

test('checkpoints keep the carry of every few steps', () => {
  const long = wave([100, 8], 0)
  const f =
    (checkpoint: boolean) =>
    (items: Tensor): Tensor =>
      scan((s, x) => [s.mul(x.sin()).exp().sin(), null], wave([8], 1), items, {
        checkpoint,
      })[0].sum()
  const kept = (g: (items: Tensor) => Tensor): number => {
    const { equations } = makeIR(grad(g))(long).graph
    return elements(equations.find((e) => e.primitive.name === 'scan')!.outputs)
  }
  expect(kept(f(false))).toBeGreaterThanOrEqual(2 * 100 * 8)
  expect(kept(f(true))).toBeLessThanOrEqual(12 * 8)
  expectClose(grad(f(true))(long), grad(f(false))(long))
})
