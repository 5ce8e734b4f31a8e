import { describe, expect, test } from 'vitest'
import { type Scalar, type Stmt, scalars } from '@cotangent/core'
import { branchOnGuards } from '../../../packages/jit/src/wasm/passes/guards.ts'
import { runWasmPasses } from '../../../packages/jit/src/wasm/passes/passes.ts'
import { mapKernel, wasmKernel } from './mathsSupport.ts'

const { affine, binaryOp, compareOp, constant, counter, guard, literal, load } = scalars

const number = (value: number): Scalar => literal('float32', value)
const plus = (x: Scalar, y: Scalar): Scalar => binaryOp('add', x, y)
const times = (x: Scalar, y: Scalar): Scalar => binaryOp('multiply', x, y)

/** Doubles forty times, each time from the value before: a tree of it would have 2^40 leaves. */
const laborious = (x: Scalar): Scalar => {
  let value = x
  for (let k = 0; k < 40; k++) value = times(plus(value, value), number(k === 0 ? 1 : 0.5))
  return value
}

const tagsOf = (body: readonly Stmt[]): readonly string[] =>
  body.flatMap((s) => [s.tag, ...(s.tag === 'for' || s.tag === 'while' ? tagsOf(s.body) : [])])

describe('guards around much work', () => {
  const f = (x: Scalar): Scalar =>
    guard(compareOp('greater', x, number(1)), laborious(x), times(x, number(3)))

  test('become a branch, and lanes choose by themselves', () => {
    const kernel = mapKernel(37, ['float32'], (x) => f(x!))
    const ready = runWasmPasses(kernel)
    expect(tagsOf(ready.body)).toContain('if')
    const compiled = wasmKernel(kernel)
    expect(compiled.hasLanes).toBe(true)
    const [x, out] = compiled.arrays
    for (const from of [-40, -2, 3]) {
      x!.set(Array.from({ length: 37 }, (_, i) => from + i * 0.25))
      compiled.run()
      expect(Array.from(out!)).toEqual(Array.from(x!).map((v) => (v > 1 ? 2 * v : 3 * v)))
    }
  })

  test('are computed only where the condition holds, without lanes', () => {
    const kernel = mapKernel(8, ['float32'], (x) => f(x!))
    const body = kernel.body.map((s) => (s.tag === 'for' ? { ...s, parallel: false } : s))
    const compiled = wasmKernel({ ...kernel, body })
    expect(compiled.hasLanes).toBe(false)
    const [x, out] = compiled.arrays
    x!.set([-1, 0, 0.5, 1, 1.5, 2, NaN, 4])
    compiled.run()
    expect(Array.from(out!)).toEqual([-3, 0, 1.5, 3, 3, 4, NaN, 8])
  })

  test('that read where they may not stay out of lanes', () => {
    const far = load('x0', 'float32', affine([[2 ** 26, counter('i', 8)]]))
    const kernel = mapKernel(8, ['float32'], (x) =>
      guard(compareOp('greater', x!, number(0)), laborious(far), number(7)),
    )
    const compiled = wasmKernel(kernel)
    expect(compiled.hasLanes).toBe(false)
    const [x, out] = compiled.arrays
    x!.set([5, -2, -3, -4, 0, -6, -7, NaN])
    compiled.run()
    expect(Array.from(out!)).toEqual([10, 7, 7, 7, 7, 7, 7, 7])
  })

  test('stay in the condition of a while', () => {
    const condition = compareOp('less', f(load('x0', 'float32', constant(0))), number(0))
    const body: readonly Stmt[] = [{ tag: 'while', condition, body: [] }]
    expect(branchOnGuards(body)).toEqual(body)
  })
})
