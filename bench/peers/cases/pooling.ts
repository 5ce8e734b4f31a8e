/** Pooling of 8×64×56×56. */
import { type Tensor, nn } from 'cotangent'
import { type TimedWorkload, functionCase, withCotangents } from '../workload.ts'

const { avgPool, maxPool } = nn.functional

const side = 56
const imageBytes = 4 * 8 * 64 * side * side

const both = (
  name: string,
  title: string,
  pool: (x: Tensor) => Tensor,
  pooledSide: number,
): readonly TimedWorkload[] => {
  const bytes = imageBytes + 4 * 8 * 64 * pooledSide * pooledSide
  return [
    {
      id: `${name}_fwd`,
      group: 'pool',
      title,
      unit: 'ms',
      bytes,
      prepare: (context) => functionCase(context, pool, [context.normal([8, 64, side, side], 21)]),
    },
    {
      id: `${name}_fb`,
      group: 'pool',
      title: `${title}, and gradient`,
      unit: 'ms',
      bytes: 2 * bytes,
      prepare: (context) =>
        functionCase(context, withCotangents(pool), [
          context.normal([8, 64, pooledSide, pooledSide], 22),
          context.normal([8, 64, side, side], 21),
        ]),
    },
  ]
}

export const poolings: readonly TimedWorkload[] = [
  ...both('maxpool', 'max pool 2×2', (x) => maxPool(x, { window: 2 }), 28),
  ...both('avgpool', 'average pool 3×3, stride 2', (x) => avgPool(x, { window: 3, stride: 2 }), 27),
]
