/** What to say when the loss is no longer a number. */
import { NumericsError, flatten, leafPaths, leafTensor } from '@cotangent/core'

const isAllFinite = (values: ArrayLike<number>): boolean => {
  for (let i = 0; i < values.length; i++) if (!Number.isFinite(values[i])) return false
  return true
}

const nonFiniteLeaves = (params: unknown): readonly string[] => {
  const { leaves, structure } = flatten(params, 'train.fit')
  const paths = leafPaths(structure)
  return paths.filter((_, i) => !isAllFinite(leafTensor(leaves[i]!).data()))
}

/** The error for a step whose loss is NaN or infinite. */
export const divergence = (
  step: number,
  epoch: number,
  loss: number,
  lastFinite: number | null,
  params: unknown,
): NumericsError => {
  const broken = nonFiniteLeaves(params)
  const before =
    lastFinite === null ? 'it was so from the first step' : `the loss before was ${lastFinite}`
  const where =
    broken.length === 0
      ? 'all parameters are still finite'
      : `parameters that are not finite: ${broken.join(', ')}`
  return new NumericsError({
    operation: 'train.fit',
    problem: `training diverged: the loss is ${loss} at step ${step} of epoch ${epoch}`,
    got: `${before}; ${where}`,
    fix: 'lower the learning rate, clip with optim.clipByGlobalNorm, or check the data; debug.nans(loss) names the first operation that made it',
  })
}
