/** What one small call costs. */
import { type Tensor, np, valueAndGrad } from 'cotangent'
import { checksum } from '../generator.ts'
import { type Case, type TimedWorkload, arraysIn, functionCase } from '../workload.ts'

/** Results go here, so that no engine can leave out computing them. */
export const kept: { last: unknown } = { last: undefined }

const repeated = (one: () => unknown, operations: number): Case => ({
  run: () => {
    for (let i = 0; i < operations; i++) kept.last = one()
    return kept.last
  },
  check: () => checksum(arraysIn(one())),
  operations,
})

const repeatedCase = ({ run, ...rest }: Case, operations: number): Case => ({
  ...rest,
  ...repeated(run, operations),
})

const tinyLoss = (
  [weight1, bias1, weight2, bias2]: readonly [Tensor, Tensor, Tensor, Tensor],
  x: Tensor,
  y: Tensor,
): Tensor => {
  const hidden = np.tanh(x.matmul(weight1.T).add(bias1))
  return hidden.matmul(weight2.T).add(bias2).sub(y).square().mean()
}

export const micro: readonly TimedWorkload[] = [
  {
    id: 'eager_add10',
    group: 'micro',
    title: 'eager addition, 10 elements',
    unit: 'us',
    prepare: ({ normal }) => {
      const [x, y] = [normal([10], 81), normal([10], 82)]
      return repeated(() => x.add(y), 1000)
    },
  },
  {
    id: 'jit_tiny',
    group: 'micro',
    title: 'call of a compiled three-operation function, 10 elements',
    unit: 'us',
    prepare: (context) => {
      const args: [Tensor, Tensor] = [context.normal([10], 81), context.normal([10], 82)]
      const f = (x: Tensor, y: Tensor): Tensor => np.tanh(x.mul(y).add(x))
      return repeatedCase(functionCase(context, f, args), 500)
    },
  },
  {
    id: 'vg_mlp_tiny',
    group: 'micro',
    title: 'value and gradient of a 4-8-1 MLP, batch 4',
    unit: 'us',
    prepare: (context) => {
      const { normal } = context
      const weights = [
        normal([8, 4], 83),
        normal([8], 84),
        normal([1, 8], 85),
        normal([1], 86),
      ] as const
      const [x, y] = [normal([4, 4], 87), normal([4, 1], 88)]
      return repeatedCase(functionCase(context, valueAndGrad(tinyLoss), [weights, x, y]), 200)
    },
  },
]
