/** Loops and branches lose what nobody reads. */
import {
  type Equation,
  type Tensor,
  check,
  checkpoint,
  dropDead,
  grad,
  interpret,
  jacfwd,
  makeIR,
  sizeOf,
  subgraphs,
  tensor,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { cond, debug, np, scan, whileLoop } from '@cotangent/ops'
import { expect, test } from 'vitest'
import { expectClose } from '../ops/agreement.ts'

const xs = tensor([
  [1, 2],
  [3, 4],
  [5, 6],
])

const only = (f: (x: Tensor) => unknown, name: string): Equation => {
  const graph = check(dropDead(makeIR(f)(xs).graph), 'dropDead')
  const found = graph.equations.find((e) => e.primitive.name === name)
  if (found === undefined) throw new Error(`no ${name}`)
  return found
}
const work = (e: Equation): readonly string[] =>
  subgraphs(e.params).flatMap(([, g]) => g.equations.map((inner) => inner.primitive.name))

test('ys and carries of a scan', () => {
  const f = (x: Tensor): unknown => {
    const [[a], ys] = scan(
      ([s, t, unread], v) => [
        [s.add(t), t.mul(2), unread.add(v.sin())],
        [v.exp(), s],
      ],
      [np.zeros([2]), np.ones([2]), np.zeros([2])],
      x,
    )
    return [a, ys[1]]
  }
  const e = only(f, 'scan')
  // s needs t; the third carry, the first y and the xs are not needed.
  expect(e.outputs.map((v) => v.aval.shape)).toEqual([[2], [2], [3, 2]])
  expect(work(e)).not.toContain('exp')
  expect(work(e)).not.toContain('sin')
  expect(e.inputs).toHaveLength(2)
  expectClose(jit(f)(xs), f(xs))
})

test('carries of a while loop, except those its condition needs', () => {
  const f = (x: Tensor): Tensor =>
    whileLoop(
      ([i]) => i.less(3),
      ([i, a, b]) => [i.add(1), a.mul(2), b.add(x.sin())],
      [0, x, x],
    )[1]
  const e = only(f, 'while')
  expect(e.outputs).toHaveLength(2)
  expect(work(e)).not.toContain('sin')
  expectClose(jit(f)(xs), f(xs))
})

test('outputs and operands of branches', () => {
  const f = (x: Tensor): Tensor =>
    cond(
      x.at(0, 0).greater(0),
      (a, b) => [a.mul(2), b.sin()],
      (a, b) => [a, b.cos()],
      x,
      x.exp(),
    )[0]!
  const e = only(f, 'branch')
  expect(e.outputs).toHaveLength(1)
  expect(e.inputs).toHaveLength(2)
  expectClose(jit(f)(xs), f(xs))
})

test('effects keep what they need', () => {
  const lines: string[] = []
  const before = debug.printTo((line) => lines.push(line))
  const f = (x: Tensor): Tensor => {
    scan(
      (s, v) => {
        debug.print('{}', s)
        return [s.add(v.at(0)), v.exp()]
      },
      0,
      x,
    )
    return x
  }
  const e = only(f, 'scan')
  expect(work(e)).not.toContain('exp')
  jit(f)(xs)
  interpret(f)(xs)
  debug.printTo(before)
  expect(lines).toEqual(['0', '1', '4', '0', '1', '4'])
})

test('a checkpoint keeps no residuals of the loops it runs again', () => {
  const f = (x: Tensor): Tensor =>
    checkpoint((v: Tensor) =>
      scan((s, row) => [s.mul(row).sin().exp(), null], np.ones([2]), v)[0].sum(),
    )(x)
  const { graph } = makeIR(grad(f))(xs)
  const first = graph.equations.find((e) => e.primitive.name === 'call')!
  const inner = subgraphs(first.params)[0]![1].equations.find((e) => e.primitive.name === 'scan')!
  expect(inner.outputs.reduce((n, v) => n + sizeOf(v.aval.shape), 0)).toBe(2)
  expectClose(jit(jacfwd(grad(f)))(xs), jacfwd(grad(f))(xs))
})
