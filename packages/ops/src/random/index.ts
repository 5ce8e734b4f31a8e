/** Random numbers: JAX's, to the bit where integers decide. Every function takes its key first. */
export { binomial, multinomial } from './binomial.ts'
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
export { geometric, poisson } from './counts.ts'
export {
  type BernoulliOptions,
  type CategoricalOptions,
  type RademacherOptions,
  bernoulli,
  categorical,
  rademacher,
} from './discrete.ts'
export { type Distribution, type NamedParameters, type Parameter } from './distribution.ts'
export {
  ball,
  type BallOptions,
  beta,
  chisquare,
  dirichlet,
  f,
  gamma,
  generalizedNormal,
  loggamma,
  t,
} from './gamma.ts'
export { foldIn, key, split } from './key.ts'
export { normal, truncatedNormal } from './normal.ts'
export { type RandintOptions, randint } from './randint.ts'
export type { SampleOptions, ShapeOr } from './options.ts'
export { type ChoiceOptions, type PermutationOptions, choice, permutation } from './shuffle.ts'
export {
  doubleSidedMaxwell,
  lognormal,
  maxwell,
  pareto,
  rayleigh,
  triangular,
  wald,
  weibullMin,
} from './transformed.ts'
export { type BitsOptions, type UniformOptions, bits, uniform } from './uniform.ts'
