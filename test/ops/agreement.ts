/** Two ways to write one function must agree under every transform. */
import {
  type Tensor,
  erase,
  flatten,
  fromNDArray,
  grad,
  jvp,
  leafTensor,
  vmap,
} from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { np } from '@cotangent/ops'
import { expect } from 'vitest'

/** A function of float tensors with a tree of tensors as its result. */
export type Law = (...args: readonly Tensor[]) => unknown
type Loss = (...args: readonly Tensor[]) => Tensor
type Many = (...args: readonly Tensor[]) => readonly Tensor[]

const leavesOf = (tree: unknown): readonly Tensor[] => flatten(tree).leaves.map(leafTensor)

/** A smooth weighted sum of all float results, so that every one of them matters. */
export const lossOf =
  (f: Law): Loss =>
  (...args) =>
    leavesOf(f(...args))
      .filter((y) => y.dtype === 'float32' || y.dtype === 'float64')
      .map((y, i) => np.sum(y.mul(1 + i / 3).add(y.mul(y).mul(0.25))))
      .reduce((a, b) => a.add(b))

const all = (args: readonly Tensor[]): readonly number[] => args.map((_, i) => i)

const gradients =
  (f: Loss): Many =>
  (...args) =>
    grad(f, { argnums: all(args) })(...args)

const waves = (x: Tensor, phase: number): Tensor => {
  const data = Float32Array.from({ length: x.size }, (_, i) => Math.cos(1.7 * i + phase))
  return fromNDArray({ shape: x.shape, dtype: 'float32', data }).astype(x.dtype)
}

/** The transforms that both are put through. */
export const transforms: Readonly<Record<string, (f: Law) => Law>> = {
  value: (f) => f,
  jvp:
    (f) =>
    (...args) =>
      jvp(
        f,
        args,
        args.map((x, i) => waves(x, i)),
      )[1],
  grad: (f) => gradients(lossOf(f)),
  'grad of grad': (f) => gradients(lossOf(gradients(lossOf(f)))),
  'jvp of grad':
    (f) =>
    (...args) =>
      jvp(
        gradients(lossOf(f)),
        args,
        args.map((x, i) => waves(x, i)),
      )[1],
  'grad of jvp': (f) =>
    gradients(
      lossOf(
        (...args) =>
          jvp(
            f,
            args,
            args.map((x, i) => waves(x, i)),
          )[1],
      ),
    ),
  jit:
    (f) =>
    (...args) =>
      jit(erase(f))(...args),
  'jit of grad':
    (f) =>
    (...args) =>
      jit(gradients(lossOf(f)))(...args),
  'grad of jit': (f) => gradients(lossOf((...args) => jit(erase(f))(...args))),
}

/** vmap over every choice of arguments; those not mapped are shared. */
export const batched = (count: number): Readonly<Record<string, (f: Law) => Law>> =>
  Object.fromEntries(
    Array.from({ length: 2 ** count - 1 }, (_, n) => {
      const mapped = Array.from({ length: count }, (__, i) => (((n + 1) >> i) & 1) === 1)
      const inAxes = mapped.map((m) => (m ? 0 : null))
      const stack = (x: Tensor, i: number): Tensor =>
        mapped[i]! ? np.stack([x, x.mul(0.5).add(0.1), x.neg()]) : x
      const over =
        (f: Law): Law =>
        (...args) =>
          vmap(erase(f), { inAxes })(...args.map(stack))
      return [`vmap ${mapped.map((m) => (m ? 'B' : '-')).join('')}`, over]
    }),
  )

export const expectClose = (got: unknown, want: unknown, tolerance = 2e-4): void => {
  const [a, b] = [flatten(got), flatten(want)]
  expect(a.structure.key).toBe(b.structure.key)
  a.leaves.forEach((leaf, i) => {
    const [x, y] = [leafTensor(leaf), leafTensor(b.leaves[i]!)]
    expect([x.dtype, ...x.shape]).toEqual([y.dtype, ...y.shape])
    const [u, v] = [x.data(), y.data()]
    const scale = Math.max(1, ...v.filter(Number.isFinite).map(Math.abs))
    for (let k = 0; k < v.length; k++) {
      if (Object.is(u[k], v[k]) || u[k] === v[k]) continue
      expect(Math.abs(u[k]! - v[k]!), `leaf ${i}, element ${k}: ${u[k]} and ${v[k]}`).toBeLessThan(
        tolerance * scale,
      )
    }
  })
}

/** Both under each of the transforms; names of the failures. */
export const expectSame = (
  looped: Law,
  plain: Law,
  args: readonly Tensor[],
  under: Readonly<Record<string, (f: Law) => Law>> = {
    ...transforms,
    ...batchedAll(args.length),
  },
): void => {
  const failures: string[] = []
  for (const [name, transform] of Object.entries(under)) {
    try {
      expectClose(transform(looped)(...args), transform(plain)(...args))
    } catch (error) {
      failures.push(
        `${name}: ${error instanceof Error ? error.message.slice(0, 600) : String(error)}`,
      )
    }
  }
  expect(failures).toEqual([])
}

/** Values and gradients over every choice of batched arguments; compiled gradients over the last. */
const batchedAll = (count: number): Readonly<Record<string, (f: Law) => Law>> =>
  Object.fromEntries(
    Object.entries(batched(count)).flatMap(([name, over]) => [
      [name, over],
      [`${name} of grad`, (f: Law) => over(transforms['grad']!(f))],
      [`grad of ${name}`, (f: Law) => transforms['grad']!(over(f))],
      ...(name.includes('-')
        ? []
        : [
            [
              `jit of ${name} of grad`,
              (f: Law) => transforms['jit']!(over(transforms['grad']!(f))),
            ] as const,
          ]),
    ]),
  )
