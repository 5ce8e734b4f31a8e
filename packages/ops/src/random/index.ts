/** Random numbers: JAX's, to the bit where integers decide. Every function takes its key first. */
export {
  type GumbelOptions,
  type Sampler,
  type TailMode,
  cauchy,
  exponential,
  gumbel,
  laplace,
  logistic,
} from './continuous.ts'
export {
  type BernoulliOptions,
  type CategoricalOptions,
  type RademacherOptions,
  bernoulli,
  categorical,
  rademacher,
} from './discrete.ts'
export { foldIn, key, split } from './key.ts'
export { type TruncatedNormalOptions, normal, truncatedNormal } from './normal.ts'
export { type RandintOptions, randint } from './randint.ts'
export type { SampleOptions, ShapeOr } from './options.ts'
export { type ChoiceOptions, type PermutationOptions, choice, permutation } from './shuffle.ts'
export { type BitsOptions, type UniformOptions, bits, uniform } from './uniform.ts'
