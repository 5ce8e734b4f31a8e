/** Samples of the primitives that hold graphs and come from transforms. */
import { type Tensor, checkpoint, customJvp, customVjp } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import { sample, uniform } from '../sample.ts'

const sine = (x: Tensor): Tensor => prims.sin(x)

export const transforms = {
  call: [
    sample(
      'recomputed',
      (r) => [uniform(r, [3]), uniform(r, [3])],
      (x, y) => checkpoint((a: Tensor, b: Tensor) => sine(prims.mul(sine(a), b)))(x!, y!),
      { derivatives: 'smooth' },
    ),
  ],
  customJvp: [
    sample(
      'a sine with its own rule',
      (r) => [uniform(r, [3])],
      (x) => customJvp(sine, ([a], [da]) => [sine(a), prims.mul(prims.cos(a), da)])(x!),
      { derivatives: 'smooth' },
    ),
  ],
  customVjp: [
    sample(
      'a sine with its own rule',
      (r) => [uniform(r, [3])],
      (x) =>
        customVjp(
          sine,
          (a: Tensor) => [sine(a), a] as const,
          (a: Tensor, ct: Tensor) => [prims.mul(prims.cos(a), ct)],
        )(x!),
      { derivatives: 'reverse' },
    ),
  ],
}
