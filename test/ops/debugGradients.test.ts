/** Which layer loses its gradient, and how that is said. */
import { type Tensor, ShapeError, TreeError, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { debug, np } from '@cotangent/ops'
import { describe, expect, test } from 'vitest'

interface Stack {
  readonly [layer: string]: { readonly w: Tensor }
}

/** So many square layers, one after the other, each a multiple of the identity. */
const stack = (scales: readonly number[]): Stack =>
  Object.fromEntries(scales.map((s, i) => [`dense${i + 1}`, { w: np.eye(3).mul(s) }]))

const loss = (params: Stack, x: Tensor): Tensor => {
  let y = x
  for (let i = 1; i <= Object.keys(params).length; i++) y = y.matmul(params[`dense${i}`]!.w)
  return y.square().sum()
}

const x = tensor([[1, 2, 3]])
const names = (report: debug.GradientReport): readonly string[] =>
  report.layers.map(({ layer }) => layer)
const verdicts = (report: debug.GradientReport): readonly string[] =>
  report.layers.map(({ verdict }) => verdict)

describe('debug.gradients', () => {
  test('measures what it says', () => {
    const { value, layers } = debug.gradients(loss)(stack([2]), x)
    // d/dw Σ(xw)² = 2 xᵀ(xw); x = [1, 2, 3], w = 2I.
    const norm = 4 * 14
    expect(value).toBe(4 * 14)
    expect(layers[0]).toMatchObject({ layer: 'dense1', parameters: 9, largest: 36, zeros: 0 })
    expect(layers[0]!.norm).toBeCloseTo(norm, 4)
    expect(layers[0]!.parameterNorm).toBeCloseTo(2 * Math.sqrt(3), 5)
    expect(layers[0]!.ratio).toBeCloseTo(norm / (2 * Math.sqrt(3)), 4)
  })
  test('lists layers as they are used, not as they are named', () => {
    const params = stack(Array.from({ length: 11 }, () => 1))
    expect(names(debug.gradients(loss)(params, x))).toEqual(
      Array.from({ length: 11 }, (_, i) => `dense${i + 1}`),
    )
    const f = (p: { readonly a: Tensor; readonly z: Tensor }): Tensor => p.z.mul(2).add(p.a).sum()
    expect(names(debug.gradients(f)({ a: tensor(1), z: tensor(1) }))).toEqual(['z', 'a'])
  })
  test('a parameter without a parent is a layer of its own name', () => {
    const f = (p: { readonly kernel: Tensor; readonly bias: Tensor }): Tensor =>
      p.kernel.mul(2).add(p.bias).sum()
    expect(names(debug.gradients(f)({ kernel: tensor(1), bias: tensor(1) }))).toEqual([
      'kernel',
      'bias',
    ])
    const list = (xs: readonly Tensor[]): Tensor => np.stack(xs).sum()
    expect(names(debug.gradients(list)([tensor(1), tensor(2)]))).toEqual(['[0]', '[1]'])
  })
  test('healthy layers', () => {
    const report = debug.gradients(loss)(stack([1, 1, 1]), x)
    expect(report.first).toBe(null)
    expect(String(report)).toMatch(/^value 14; all gradients are healthy/)
  })
  test('the first that vanishes is the one nearest to the value', () => {
    // The gradient of a layer has the factor of every other layer, so the tiny one itself is well.
    const report = debug.gradients(loss)(stack([1, 1, 1e-4]), x)
    expect(verdicts(report)).toEqual(['vanishes', 'vanishes', 'healthy'])
    expect(report.first?.layer).toBe('dense2')
    expect(String(report)).toMatch(/dense2 is the first that vanishes/)
  })
  test('explodes, beyond what a float32 square can hold', () => {
    const report = debug.gradients(loss)(stack([1, 1e11]), x)
    expect(verdicts(report)).toEqual(['explodes', 'healthy'])
    expect(report.first?.norm).toBeGreaterThan(1e22)
    const infinite = debug.gradients(loss)(stack([1, 1e20]), x)
    expect(infinite.layers[0]).toMatchObject({ verdict: 'explodes', norm: Infinity })
  })
  test('NaN', () => {
    const f = (p: { readonly a: { readonly w: Tensor }; readonly b: { readonly w: Tensor } }) =>
      p.a.w.sqrt().add(p.b.w).sum()
    const report = debug.gradients(f)({ a: { w: tensor([-1, 4]) }, b: { w: tensor([1, 1]) } })
    expect(verdicts(report)).toEqual(['nan', 'healthy'])
    expect(report.first?.layer).toBe('a')
    expect(report.first?.largest).toBe(Number.NaN)
    expect(String(report)).toMatch(/a is the first that is NaN/)
  })
  test('a parameter without use has no gradient, and comes last', () => {
    const f = (p: { readonly a: Tensor; readonly b: Tensor }): Tensor => p.b.square().sum()
    const report = debug.gradients(f)({ a: tensor([1, 2]), b: tensor([3]) })
    expect(names(report)).toEqual(['b', 'a'])
    expect(report.first).toMatchObject({ layer: 'a', zeros: 1, norm: 0, verdict: 'vanishes' })
  })
  test('limits can be set', () => {
    const report = debug.gradients(loss, { vanishing: 1e-9, exploding: 1e30 })
    expect(report(stack([1, 1, 1e-4]), x).first).toBe(null)
  })
  test('compiled functions too; other arguments may be anything', () => {
    const scaled = (params: Stack, batch: { readonly x: Tensor }): Tensor => loss(params, batch.x)
    const params = stack([2, 3])
    const plain = debug.gradients(scaled)(params, { x })
    const compiled = debug.gradients(jit(scaled))(params, { x })
    expect(names(compiled)).toEqual(names(plain))
    expect(compiled.layers[0]!.norm).toBeCloseTo(plain.layers[0]!.norm, 3)
  })
  test('refuses what has no gradient', () => {
    expect(() => debug.gradients((w: Tensor) => w.square())(tensor([1, 2]))).toThrow(ShapeError)
    const misspelt = { vanishes: 1 } as unknown as debug.GradientLimits
    expect(() => debug.gradients(loss, misspelt)).toThrow(TreeError)
  })
})
