/** Prints and checks happen when the program runs, as often as it runs, under every transform. */
import {
  type Tensor,
  NumericsError,
  TreeError,
  checkpoint,
  customJvp,
  grad,
  jvp,
  tensor,
  vmap,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { cond, debug, np, scan, whileLoop } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

const printed = (run: () => unknown): readonly string[] => {
  const lines: string[] = []
  const previous = debug.printTo((line) => lines.push(line))
  try {
    run()
  } finally {
    debug.printTo(previous)
  }
  return lines
}

const thrown = (run: () => unknown): NumericsError => {
  try {
    run()
  } catch (error) {
    if (error instanceof NumericsError) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('debug.print', () => {
  const f = (x: Tensor): Tensor => {
    debug.print('x = {}', x)
    return x.mul(x)
  }
  test('once in each run', () => {
    expect(printed(() => f(tensor(2)))).toEqual(['x = 2'])
    expect(printed(() => grad(f)(tensor(2)))).toEqual(['x = 2'])
    expect(printed(() => grad(grad(f))(tensor(2)))).toEqual(['x = 2'])
    expect(printed(() => jvp(f, [tensor(2)], [tensor(1)]))).toEqual(['x = 2'])
    const compiled = jit(f)
    expect(printed(() => compiled(tensor(2)))).toEqual(['x = 2'])
    expect(printed(() => compiled(tensor(3)))).toEqual(['x = 3'])
    expect(printed(() => jit(grad(f))(tensor(2)))).toEqual(['x = 2'])
    expect(printed(() => grad(jit(f))(tensor(2)))).toEqual(['x = 2'])
  })
  test('once for each example, step and branch taken', () => {
    const batch = tensor([1, 2])
    expect(printed(() => vmap(f)(batch))).toEqual(['x = 1', 'x = 2'])
    expect(printed(() => jit(vmap(grad(f)))(batch))).toEqual(['x = 1', 'x = 2'])
    expect(
      printed(() =>
        vmap(vmap(f))(
          tensor([
            [1, 2],
            [3, 4],
          ]),
        ),
      ),
    ).toHaveLength(4)
    const loop = (xs: Tensor): Tensor => scan((s, x) => [s.add(f(x)), null], 0, xs)[0]
    for (const run of [loop, grad(loop), jit(loop), jit(grad(loop)), grad(jit(loop))]) {
      expect(printed(() => run(batch))).toEqual(['x = 1', 'x = 2'])
    }
    const choose = (x: Tensor): Tensor => cond(x.greater(0), f, (v) => v, x)
    expect(printed(() => choose(tensor(1)))).toEqual(['x = 1'])
    expect(printed(() => jit(grad(choose))(tensor(-1)))).toEqual([])
    expect(printed(() => whileLoop((s) => s.less(3), f, tensor(2)))).toEqual(['x = 2'])
    expect(printed(() => grad(checkpoint(f))(tensor(2)))).toEqual(['x = 2', 'x = 2'])
  })
  test('not while a value is looked at early', () => {
    const g = (x: Tensor): Tensor => {
      const y = scan(
        (s, v) => {
          debug.print('{}', v)
          return [s.add(v), null]
        },
        0,
        x,
      )[0]
      return y.item() > 0 ? y.mul(2) : y
    }
    expect(printed(() => grad(g)(tensor([1, 2])))).toEqual(['1', '2'])
  })
  test('trees and several values', () => {
    const lines = printed(() => debug.print('{} and {}', { a: tensor([1, 2]), b: [3, true] }, null))
    expect(lines).toEqual(['{a: [1, 2], b: [3, true]} and null'])
    expect(() => debug.print('{} {}', 1)).toThrow(TreeError)
  })
})

describe('debug.check', () => {
  const f = (x: Tensor): Tensor => {
    debug.check(x.greater(0), 'x must be positive')
    return x.log()
  }
  test('throws when it runs, under every transform', () => {
    const bad = tensor(-1)
    const fine = tensor(1)
    for (const run of [f, grad(f), jit(f), jit(grad(f)), grad(jit(f)), checkpoint(f)]) {
      expect(() => run(fine)).not.toThrow()
      expect(thrown(() => run(bad)).message).toMatch(/x must be positive[\s\S]*debug\.test\.ts/)
    }
    for (const run of [vmap(f), (x: Tensor) => scan((s, v) => [s.add(f(v)), null], 0, x)[0]]) {
      expect(() => run(tensor([1, 2]))).not.toThrow()
      expect(() => run(tensor([1, -2]))).toThrow(NumericsError)
      expect(() => jit(run)(tensor([1, -2]))).toThrow(NumericsError)
    }
  })
})

describe('debug.nans', () => {
  const f = (x: Tensor): Tensor => x.mul(2).log().mul(3).sum()
  test('names the operation, its values and the line', () => {
    const watched = debug.nans(f)
    expect(watched(tensor([1, 2])).item()).toBeCloseTo(f(tensor([1, 2])).item(), 6)
    const error = thrown(() => watched(tensor([1, 0])))
    expect(error.message).toMatch(
      /log made -Infinity from finite values[\s\S]*element 1 of f32\[2\][\s\S]*debug\.test\.ts/,
    )
    expect(thrown(() => watched(tensor([1, -1]))).message).toContain('log made NaN')
    // A NaN that comes in is not made here.
    expect(Number.isNaN(watched(tensor([1, NaN])).item())).toBe(true)
  })
  test('under transforms, and around them', () => {
    const bad = tensor([1, 0])
    const watched = debug.nans(f)
    for (const run of [
      jit(watched),
      grad(watched),
      jit(grad(watched)),
      debug.nans(jit(f)),
      checkpoint(watched),
    ]) {
      expect(thrown(() => run(bad)).message).toContain('log made -Infinity')
    }
    expect(thrown(() => vmap(watched)(np.stack([bad, bad]))).message).toContain('log made')
    // The function is finite at 0, its derivative is not.
    const root = (x: Tensor): Tensor => x.sqrt().sum()
    expect(debug.nans(root)(bad).item()).toBe(1)
    expect(() => debug.nans(grad(root))(bad)).toThrow(NumericsError)
  })
  test('inside loops, branches and custom rules', () => {
    const loop = (xs: Tensor): Tensor => scan((s, x) => [s.add(x.log()), null], 0, xs)[0]
    const branch = (xs: Tensor): Tensor =>
      cond(
        xs.at(1).equal(0),
        (x) => x.log().sum(),
        (x) => x.sum(),
        xs,
      )
    const rule = customJvp(
      (x: Tensor) => x.sum(),
      ([x], [dx]) => [x.sum(), x.log().mul(dx).sum()],
    )
    for (const g of [loop, branch, jit(loop), grad(loop), checkpoint(loop), grad(rule)]) {
      expect(thrown(() => debug.nans(g)(tensor([1, 0]))).message).toMatch(/log made|div made/)
      expect(() => debug.nans(g)(tensor([1, 2]))).not.toThrow()
    }
  })
})
