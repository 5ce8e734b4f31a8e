/** Samples of control flow. */
import { type Tensor, tensor } from '@cotangent/core'
import { lax, prims } from '@cotangent/ops'
import { sample, uniform } from '../sample.ts'

const cell = (w: Tensor, c: Tensor, x: Tensor): Tensor => prims.sin(prims.mul(w, prims.mul(c, x)))

const scanned = (reverse: boolean) =>
  sample(
    reverse ? 'backwards' : 'forwards',
    (r) => [uniform(r, [2]), uniform(r, [2]), uniform(r, [4, 2])],
    (w, init, xs) => {
      const [last, ys] = lax.scan(
        (c: Tensor, x: Tensor) => [cell(w!, c, x), prims.mul(c, c)] as const,
        init!,
        xs!,
        { reverse },
      )
      return [last, ys]
    },
    { derivatives: 'smooth' },
  )

const three = tensor(3, { dtype: 'int32' })
const one = tensor(1, { dtype: 'int32' })

export const control = {
  scan: [scanned(false), scanned(true)],
  while: [
    sample(
      'as many times as said',
      (r) => [uniform(r, [], 'int32', 0, 4), uniform(r, [2]), uniform(r, [2])],
      (times, w, init) => {
        const [, result] = lax.whileLoop(
          ([i]: readonly [Tensor, Tensor]) => prims.lt(i, times!),
          ([i, c]: readonly [Tensor, Tensor]) => [prims.sub(i, prims.neg(one)), cell(w!, c, c)],
          [prims.sub(three, three), init!],
        )
        return [result]
      },
      { derivatives: 'forward' },
    ),
  ],
  branch: [
    sample(
      'two ways',
      (r) => [uniform(r, [], 'bool', 0, 1), uniform(r, [2]), uniform(r, [2])],
      (condition, x, y) => [
        lax.cond(
          condition!,
          (a: Tensor, b: Tensor) => prims.mul(a, prims.sin(b)),
          (a: Tensor) => prims.exp(a),
          x!,
          y!,
        ),
      ],
      { derivatives: 'smooth' },
    ),
    sample(
      'three ways',
      (r) => [uniform(r, [], 'int32', -1, 3), uniform(r, [2])],
      (index, x) => [
        lax.switchCase(index!, [prims.sin, prims.exp, (a: Tensor) => prims.mul(a, a)], x!),
      ],
      { derivatives: 'smooth' },
    ),
  ],
}
