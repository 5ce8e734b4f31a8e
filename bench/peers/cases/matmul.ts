/** Square matrix products. */
import { np } from 'cotangent'
import { type TimedWorkload, functionCase } from '../workload.ts'

const square = (n: number): TimedWorkload => ({
  id: `matmul_${n}`,
  group: 'matmul',
  title: `matmul ${n}³`,
  unit: 'ms',
  flops: 2 * n ** 3,
  prepare: (context) =>
    functionCase(context, np.matmul, [context.normal([n, n], 1), context.normal([n, n], 2)]),
})

export const matmuls: readonly TimedWorkload[] = [square(256), square(512), square(1024)]
