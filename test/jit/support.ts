/** Comparing trees of tensors in tests. */
import { type Tensor, flatten, interpret, leafPaths, leafTensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { expect } from 'vitest'

/** Same structure, shapes and dtypes; values within `tolerance` relative to 1 + |want|. */
export const expectClose = (got: unknown, want: unknown, tolerance = 1e-6): void => {
  const a = flatten(got)
  const b = flatten(want)
  expect(a.structure.key).toBe(b.structure.key)
  const paths = leafPaths(b.structure)
  a.leaves.forEach((leaf, i) => {
    const x: Tensor = leafTensor(leaf)
    const y: Tensor = leafTensor(b.leaves[i]!)
    expect([paths[i], x.dtype, x.shape]).toEqual([paths[i], y.dtype, y.shape])
    const xs = x.data()
    const ys = y.data()
    for (let k = 0; k < ys.length; k++) {
      const same = Object.is(xs[k], ys[k]) || xs[k] === ys[k]
      const near = Math.abs(xs[k]! - ys[k]!) <= tolerance * (1 + Math.abs(ys[k]!))
      if (!same && !near) throw new Error(`${paths[i] ?? ''}[${k}]: got ${xs[k]}, want ${ys[k]}`)
    }
  })
}

/** `jit(f)` gives what the interpreter gives on every back end, and every step of it is compiled. */
export const expectCompiled = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  ...args: A
): void => {
  const want = interpret(f)(...args)
  // Small programs are JavaScript unless WebAssembly is asked for.
  for (const backend of ['js', 'wasm'] as const) {
    const compiled = jit(f, { backend })
    expectClose(compiled(...args), want)
    expect(compiled.lower(...args).kernels.length).toBeGreaterThan(0)
  }
}
