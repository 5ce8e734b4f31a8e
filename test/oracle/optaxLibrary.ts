/** Optax's functions on ours, for formulas: names, parameters in their order, and what they become. */
import { type DType, Tensor, isDType } from '@cotangent/core'
import { optim } from '@cotangent/nn'
import { camel } from './python/library.ts'
import { type Keywords, PyFloat, PyFunction, isDict, isFunction, missing } from './python/values.ts'

/** Plain values: numbers for floats, functions of tensors for lambdas. */
const ours = (value: unknown): unknown => {
  if (value instanceof PyFloat) return value.value
  if (value instanceof PyFunction) return (...args: readonly unknown[]) => ours(value.call(args, {}))
  if (Array.isArray(value)) return value.map(ours)
  if (isDict(value)) return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, ours(v)]))
  return value
}

const renamed: Readonly<Record<string, string>> = {
  eps: 'epsilon',
  eps_root: 'epsilonRoot',
  eps_in_sqrt: 'epsilonInSqrt',
  step_offset: 'decayOffset',
  tol: 'tolerance',
  clip_value_fn: 'clipValue',
  ns_coeffs: 'coefficients',
  ns_steps: 'steps',
  weight_lr_power: 'weightRatePower',
  estim_lr0: 'initialRate',
  estim_lr_coef: 'rateCoefficient',
  every_k_schedule: 'every',
  should_skip_update_fn: 'shouldSkip',
  transition_steps: 'steps',
  transition_begin: 'begin',
  decay_steps: 'steps',
  warmup_steps: 'warmup',
  decay_rate: 'rate',
  init_value: 'initial',
  peak_value: 'peak',
  end_value: 'end',
  pct_start: 'percentStart',
  pct_final: 'percentFinal',
}

const notScheduled = new Set(['scale_by_factored_rms', 'adafactor', 'schedule_free_sgd', 'schedule_free_adamw'])

const optionsOf = (name: string, kwargs: Keywords): Readonly<Record<string, unknown>> => {
  const options: Record<string, unknown> = {}
  for (const [key, value] of Object.entries(kwargs)) {
    const keepsName = notScheduled.has(name) && (key === 'decay_rate' || key === 'warmup_steps')
    const option = keepsName ? camel(key) : (renamed[key] ?? camel(key))
    const plain = key.endsWith('dtype') || key === 'dtype_momentum' ? dtypeOf(value) : ours(value)
    if (plain !== null || key === 'clipping_threshold' || key === 'linesearch' || key === 'approx_dec_rtol') {
      options[option] = plain
    }
  }
  return options
}

const dtypeOf = (value: unknown): DType | null =>
  typeof value === 'string' && isDType(value) ? value : null

interface Entry {
  /** Python's parameters, in order. */
  readonly parameters: readonly string[]
  /** How many of them stand before the options. */
  readonly positional: number
  readonly name: string
}

const entry = (positional: number, name: string, parameters: string): Entry => ({
  parameters: parameters === '' ? [] : parameters.split(' '),
  positional,
  name,
})

const adamLike = 'learning_rate b1 b2 eps eps_root'
const moments = 'b1 b2 eps eps_root'
const rms = 'decay eps initial_scale eps_in_sqrt bias_correction'

/** Optax's name → ours, where parameters become arguments one by one and then options. */
const entries: Readonly<Record<string, Entry>> = {
  adabelief: entry(1, 'adabelief', `${adamLike} nesterov`),
  adadelta: entry(1, 'adadelta', 'learning_rate rho eps weight_decay weight_decay_mask'),
  adafactor: entry(1, 'adafactor', 'learning_rate min_dim_size_to_factor decay_rate decay_offset multiply_by_parameter_scale clipping_threshold momentum dtype_momentum weight_decay_rate eps factored weight_decay_mask'),
  adagrad: entry(1, 'adagrad', 'learning_rate initial_accumulator_value eps'),
  adam: entry(1, 'adam', `${adamLike} mu_dtype nesterov`),
  adamw: entry(1, 'adamw', `${adamLike} mu_dtype weight_decay mask nesterov`),
  nadam: entry(1, 'nadam', `${adamLike} mu_dtype`),
  nadamw: entry(1, 'nadamw', `${adamLike} mu_dtype weight_decay mask`),
  adan: entry(1, 'adan', 'learning_rate b1 b2 b3 eps eps_root weight_decay mask'),
  lion: entry(1, 'lion', 'learning_rate b1 b2 mu_dtype weight_decay mask'),
  amsgrad: entry(1, 'amsgrad', `${adamLike} mu_dtype bias_correction_mu bias_correction_nu`),
  fromage: entry(1, 'fromage', 'learning_rate min_norm'),
  lars: entry(1, 'lars', 'learning_rate weight_decay weight_decay_mask trust_coefficient eps trust_ratio_mask momentum nesterov'),
  lamb: entry(1, 'lamb', `${adamLike} weight_decay mask`),
  noisy_sgd: entry(1, 'noisySgd', 'learning_rate eta gamma key seed'),
  sign_sgd: entry(1, 'signSgd', 'learning_rate'),
  signum: entry(1, 'signum', 'learning_rate beta accumulator_dtype'),
  novograd: entry(1, 'novograd', `${adamLike} weight_decay`),
  optimistic_gradient_descent: entry(1, 'optimisticGradientDescent', 'learning_rate alpha beta'),
  optimistic_adam: entry(1, 'optimisticAdam', `learning_rate optimism ${moments} mu_dtype nesterov`),
  optimistic_adam_v2: entry(1, 'optimisticAdamV2', `learning_rate alpha beta ${moments} mu_dtype nesterov`),
  radam: entry(1, 'radam', `${adamLike} threshold nesterov`),
  rmsprop: entry(1, 'rmsprop', 'learning_rate decay eps initial_scale eps_in_sqrt centered momentum nesterov bias_correction'),
  sgd: entry(1, 'sgd', 'learning_rate momentum nesterov accumulator_dtype'),
  sm3: entry(1, 'sm3', 'learning_rate momentum'),
  yogi: entry(1, 'yogi', 'learning_rate b1 b2 eps'),
  adamax: entry(1, 'adamax', 'learning_rate b1 b2 eps'),
  adamaxw: entry(1, 'adamaxw', 'learning_rate b1 b2 eps weight_decay mask'),
  rprop: entry(1, 'rprop', 'learning_rate eta_minus eta_plus min_step_size max_step_size'),
  polyak_sgd: entry(0, 'polyakSgd', 'max_learning_rate scaling f_min eps variant'),
  lbfgs: entry(1, 'lbfgs', 'learning_rate memory_size scale_init_precond linesearch'),
  identity: entry(0, 'identity', ''),
  set_to_zero: entry(0, 'setToZero', ''),
  stateless_with_tree_map: entry(1, 'stateless', 'f'),
  scale_by_factored_rms: entry(0, 'scaleByFactoredRms', 'factored decay_rate step_offset min_dim_size_to_factor epsilon'),
  scale_by_backtracking_linesearch: entry(0, 'scaleByBacktrackingLinesearch', 'max_backtracking_steps slope_rtol decrease_factor increase_factor max_learning_rate atol rtol store_grad'),
  scale_by_zoom_linesearch: entry(0, 'scaleByZoomLinesearch', 'max_linesearch_steps max_learning_rate tol increase_factor slope_rtol curv_rtol approx_dec_rtol stepsize_precision initial_guess_strategy'),
  lookahead: entry(1, 'lookahead', 'fast_optimizer sync_period slow_step_size reset_state'),
  scale_by_rss: entry(0, 'scaleByRss', 'initial_accumulator_value eps'),
  scale_by_rms: entry(0, 'scaleByRms', rms),
  scale_by_stddev: entry(0, 'scaleByStddev', rms),
  scale_by_adam: entry(0, 'scaleByAdam', `${moments} mu_dtype nesterov`),
  scale_by_amsgrad: entry(0, 'scaleByAmsgrad', `${moments} mu_dtype bias_correction_mu bias_correction_nu`),
  scale_by_adamax: entry(0, 'scaleByAdamax', 'b1 b2 eps'),
  scale_by_lion: entry(0, 'scaleByLion', 'b1 b2 mu_dtype mode smooth_beta'),
  scale: entry(1, 'scale', 'step_size'),
  scale_by_param_block_norm: entry(1, 'scaleByParamBlockNorm', 'min_scale'),
  scale_by_param_block_rms: entry(1, 'scaleByParamBlockRms', 'min_scale'),
  scale_by_adadelta: entry(0, 'scaleByAdadelta', 'rho eps'),
  scale_by_adan: entry(0, 'scaleByAdan', 'b1 b2 b3 eps eps_root'),
  scale_by_belief: entry(0, 'scaleByBelief', `${moments} nesterov`),
  scale_by_yogi: entry(0, 'scaleByYogi', `${moments} initial_accumulator_value`),
  scale_by_radam: entry(0, 'scaleByRadam', `${moments} threshold nesterov`),
  scale_by_rprop: entry(1, 'scaleByRprop', 'learning_rate eta_minus eta_plus min_step_size max_step_size'),
  scale_by_sign: entry(0, 'scaleBySign', ''),
  scale_by_learning_rate: entry(1, 'scaleByLearningRate', 'learning_rate flip_sign'),
  scale_by_schedule: entry(1, 'scaleBySchedule', 'step_size_fn'),
  scale_by_trust_ratio: entry(0, 'scaleByTrustRatio', 'min_norm trust_coefficient eps'),
  apply_every: entry(1, 'applyEvery', 'k'),
  centralize: entry(0, 'centralize', ''),
  scale_by_sm3: entry(0, 'scaleBySm3', 'b1 b2 eps'),
  scale_by_novograd: entry(0, 'scaleByNovograd', `${moments} weight_decay mu_dtype`),
  scale_by_optimistic_gradient: entry(0, 'scaleByOptimisticGradient', 'alpha beta'),
  scale_by_distance_over_gradients: entry(0, 'scaleByDistanceOverGradients', 'reps_rel eps param_dtype global_scale'),
  scale_by_polyak: entry(0, 'scaleByPolyak', 'f_min max_learning_rate eps variant'),
  scale_by_lbfgs: entry(0, 'scaleByLbfgs', 'memory_size scale_init_precond'),
  normalize_by_update_norm: entry(0, 'normalizeByUpdateNorm', 'scale_factor eps'),
  trace: entry(1, 'trace', 'decay nesterov accumulator_dtype'),
  ema: entry(1, 'ema', 'decay debias accumulator_dtype'),
  add_decayed_weights: entry(2, 'addDecayedWeights', 'weight_decay mask'),
  add_noise: entry(0, 'addNoise', 'eta gamma key seed'),
  clip: entry(1, 'clipByValue', 'max_delta'),
  clip_by_block_rms: entry(1, 'clipByBlockRms', 'threshold'),
  clip_by_global_norm: entry(1, 'clipByGlobalNorm', 'max_norm'),
  adaptive_grad_clip: entry(1, 'adaptiveGradClip', 'clipping eps axis'),
  keep_params_nonnegative: entry(0, 'keepParamsNonnegative', ''),
  zero_nans: entry(0, 'zeroNans', ''),
  freeze: entry(1, 'freeze', 'mask'),
  selective_transform: entry(1, 'selectiveTransform', 'optimizer freeze_mask'),
  masked: entry(2, 'masked', 'inner mask'),
  flatten: entry(1, 'flatten', 'inner'),
  partition: entry(2, 'partition', 'transforms param_labels'),
  multi_transform: entry(2, 'multiTransform', 'transforms param_labels'),
  apply_if_finite: entry(2, 'applyIfFinite', 'inner max_consecutive_errors'),
  conditionally_transform: entry(2, 'conditionallyTransform', 'inner should_transform_fn'),
  conditionally_mask: entry(2, 'conditionallyMask', 'inner should_transform_fn'),
  constant_schedule: entry(1, 'constantSchedule', 'value'),
  polynomial_schedule: entry(0, 'polynomial', 'init_value end_value power transition_steps transition_begin'),
  linear_schedule: entry(4, 'linear', 'init_value end_value transition_steps transition_begin'),
  piecewise_constant_schedule: entry(2, 'piecewiseConstant', 'init_value boundaries_and_scales'),
  exponential_decay: entry(0, 'exponentialDecay', 'init_value transition_steps decay_rate transition_begin staircase end_value'),
  cosine_decay_schedule: entry(2, 'cosineDecay', 'init_value decay_steps alpha exponent'),
  piecewise_interpolate_schedule: entry(3, 'piecewiseInterpolate', 'interpolate_type init_value boundaries_and_scales'),
  linear_onecycle_schedule: entry(0, 'linearOneCycle', 'transition_steps peak_value pct_start pct_final div_factor final_div_factor'),
  cosine_onecycle_schedule: entry(0, 'cosineOneCycle', 'transition_steps peak_value pct_start div_factor final_div_factor'),
  warmup_constant_schedule: entry(3, 'warmupConstant', 'init_value peak_value warmup_steps'),
  warmup_cosine_decay_schedule: entry(0, 'warmupCosine', 'init_value peak_value warmup_steps decay_steps end_value exponent'),
  warmup_exponential_decay_schedule: entry(0, 'warmupExponential', 'init_value peak_value warmup_steps transition_steps decay_rate transition_begin staircase end_value'),
  join_schedules: entry(2, 'joinSchedules', 'schedules boundaries'),
}

const contributed: Readonly<Record<string, Entry>> = {
  acprop: entry(1, 'acprop', `${adamLike} weight_decay mask`),
  scale_by_acprop: entry(0, 'scaleByAcprop', moments),
  ademamix: entry(1, 'ademamix', 'learning_rate b1 b2 b3 alpha eps eps_root mu_dtype weight_decay mask'),
  scale_by_ademamix: entry(0, 'scaleByAdemamix', 'b1 b2 b3 alpha eps eps_root mu_dtype'),
  simplified_ademamix: entry(1, 'simplifiedAdemamix', 'learning_rate b1 b2 alpha eps eps_root weight_decay mask'),
  scale_by_simplified_ademamix: entry(0, 'scaleBySimplifiedAdemamix', 'b1 b2 alpha eps eps_root'),
  adopt: entry(1, 'adopt', 'learning_rate b1 b2 eps mu_dtype nesterov use_clipping clip_value_fn'),
  scale_by_adopt: entry(0, 'scaleByAdopt', 'b1 b2 eps mu_dtype nesterov use_clipping clip_value_fn'),
  cocob: entry(1, 'cocob', 'learning_rate alpha eps weight_decay mask'),
  scale_by_cocob: entry(0, 'scaleByCocob', 'alpha eps'),
  dog: entry(1, 'dog', 'learning_rate init_step eps weight_decay mask'),
  scale_by_dog: entry(0, 'scaleByDog', 'init_step eps'),
  dowg: entry(1, 'dowg', 'learning_rate init_estim_sq_dist eps weight_decay mask'),
  scale_by_dowg: entry(0, 'scaleByDowg', 'init_estim_sq_dist eps'),
  madgrad: entry(1, 'madgrad', 'learning_rate momentum weight_decay eps'),
  scale_by_madgrad: entry(1, 'scaleByMadgrad', 'learning_rate momentum eps'),
  scale_by_muon: entry(0, 'scaleByMuon', 'ns_coeffs ns_steps beta eps mu_dtype nesterov adaptive preconditioning'),
  normalize: entry(0, 'normalize', ''),
  prodigy: entry(1, 'prodigy', 'learning_rate betas beta3 eps estim_lr0 estim_lr_coef weight_decay safeguard_warmup'),
  reduce_on_plateau: entry(0, 'reduceOnPlateau', 'factor patience rtol atol cooldown accumulation_size min_scale'),
  sam: entry(2, 'sam', 'optimizer adv_optimizer sync_period reset_state opaque_mode'),
  schedule_free: entry(2, 'scheduleFree', 'base_optimizer learning_rate b1 weight_lr_power state_dtype'),
  schedule_free_sgd: entry(1, 'scheduleFreeSgd', 'learning_rate warmup_steps b1 weight_decay weight_lr_power state_dtype'),
  schedule_free_adamw: entry(1, 'scheduleFreeAdamW', 'learning_rate warmup_steps b1 b2 eps weight_decay weight_lr_power state_dtype'),
  dadapt_adamw: entry(1, 'dadaptAdamW', 'learning_rate betas eps estim_lr0 weight_decay'),
  momo: entry(1, 'momo', 'learning_rate beta lower_bound weight_decay adapt_lower_bound'),
  momo_adam: entry(1, 'momoAdam', 'learning_rate b1 b2 eps lower_bound weight_decay adapt_lower_bound'),
  mechanize: entry(1, 'mechanize', 'base_optimizer weight_decay eps s_init num_betas'),
}

/** Arguments by Python's names. */
const bound = (parameters: readonly string[], args: readonly unknown[], kwargs: Keywords): Keywords => ({
  ...Object.fromEntries(args.map((value, i) => [parameters[i] ?? `argument ${i}`, value])),
  ...kwargs,
})

const callOurs = (name: string, args: readonly unknown[]): unknown => {
  const f: unknown = Reflect.get(optim, name)
  if (!isFunction(f)) throw missing(`optim.${name}`)
  return f(...args)
}

const calls = (name: string, { parameters, positional, name: our }: Entry): PyFunction =>
  new PyFunction((args, kwargs) => {
    const given = { ...bound(parameters, args, kwargs) }
    const first = parameters.slice(0, positional).map((parameter) => {
      const value = ours(given[parameter])
      delete given[parameter]
      return value === null ? undefined : value
    })
    const options = optionsOf(name, given)
    if (Object.keys(options).length > 0 || positional === 0) return callOurs(our, [...first, options])
    // A parameter that was not given takes our own default.
    while (first.length > 0 && first.at(-1) === undefined) first.pop()
    return callOurs(our, first)
  })

const adapter = (parameters: string, f: (given: Keywords) => unknown): PyFunction =>
  new PyFunction((args, kwargs) => f(bound(parameters.split(' '), args, kwargs)))

const noise = (name: string, parameters: string, hasRate: boolean): PyFunction =>
  adapter(parameters, ({ learning_rate: rate, seed, key, ...rest }) => {
    const options = { key: ours(key ?? seed ?? 0), ...optionsOf(name, rest) }
    return callOurs(name, hasRate ? [ours(rate), options] : [options])
  })

const names = (entriesByName: Readonly<Record<string, Entry>>): Readonly<Record<string, PyFunction>> =>
  Object.fromEntries(Object.entries(entriesByName).map(([name, e]) => [name, calls(name, e)]))

const parts = (args: readonly unknown[]): readonly unknown[] => args.map(ours)

const multiSteps = adapter(
  'opt every_k_schedule use_grad_mean should_skip_update_fn accumulator_dtype',
  ({ opt, every_k_schedule: every, ...rest }) => {
    const made = callOurs('accumulate', [ours(opt), ours(every), optionsOf('MultiSteps', rest)])
    return { gradient_transformation: new PyFunction(() => made) }
  },
)

const sgdr = adapter('cosine_kwargs', ({ cosine_kwargs: cycles }) => {
  if (!Array.isArray(cycles)) throw missing('sgdr_schedule of something else than a list')
  return callOurs('sgdr', [cycles.map((c: Keywords) => optionsOf('sgdr', c))])
})

/** `inject_hyperparams(f)(**hyperparameters)`: numbers and schedules become hyperparameters. */
const inject = adapter('inner_factory static_args', ({ inner_factory: factory, static_args: fixed = [] }) => {
  if (!(factory instanceof PyFunction)) throw missing('inject_hyperparams of something else')
  const isFixed = (name: string): boolean => fixed === name || (Array.isArray(fixed) && fixed.includes(name))
  return new PyFunction((args, kwargs) => {
    const keyed = Object.entries(kwargs).map(([name, value]) => [name, ours(value)] as const)
    const isHyper = (value: unknown): boolean => typeof value === 'number' || isFunction(value)
    const hyper = keyed.filter(([name, value]) => isHyper(value) && !isFixed(name))
    const rest = Object.fromEntries(keyed.filter(([name, value]) => !isHyper(value) || isFixed(name)))
    const first = args.map((value, i) => [`${i}`, ours(value)] as const)
    const make = (values: Keywords): unknown => {
      const [positional, named] = [args.map((_, i) => values[`${i}`]), hyper.map(([name]) => [name, values[name]])]
      return factory.call(positional, { ...rest, ...Object.fromEntries(named) })
    }
    return callOurs('injectHyperparams', [make, Object.fromEntries([...first, ...hyper])])
  })
})

const muon = adapter(
  'learning_rate ns_coeffs ns_steps beta eps weight_decay weight_decay_mask mu_dtype nesterov adaptive preconditioning adam_b1 adam_b2 adam_eps_root adam_weight_decay adam_learning_rate muon_weight_dimension_numbers consistent_rms',
  (given) => {
    const { learning_rate: rate, adam_learning_rate: adamRate, ...rest } = given
    if (rest['muon_weight_dimension_numbers'] !== undefined) throw missing('muon_weight_dimension_numbers')
    const isAdam = (key: string): boolean => key.startsWith('adam_')
    const of = (keep: boolean): Keywords =>
      Object.fromEntries(Object.entries(rest).filter(([key]) => isAdam(key) === keep))
    const adam = Object.fromEntries(Object.entries(of(true)).map(([key, v]) => [key.slice('adam_'.length), v]))
    return callOurs('muon', [
      ours(rate),
      {
        ...optionsOf('muon', of(false)),
        adam: optionsOf('adamw', adam),
        ...(adamRate === undefined || adamRate === null ? {} : { adamRate: ours(adamRate) }),
      },
    ])
  },
)

/** A function of all updates and parameters at once. */
const stateless = adapter('f', ({ f }) => {
  if (!(f instanceof PyFunction)) throw missing('stateless of something else than a function')
  return {
    init: () => ({}),
    update: (grads: unknown, state: unknown, params: unknown) => [ours(f.call([grads, params ?? null], {})), state],
  }
})

const everything: Keywords = {
  ...names(entries),
  chain: new PyFunction((args) => callOurs('chain', parts(args))),
  named_chain: new PyFunction((args) => callOurs('namedChain', parts(args))),
  MultiSteps: multiSteps,
  noisy_sgd: noise('noisySgd', 'learning_rate eta gamma key seed', true),
  add_noise: noise('addNoise', 'eta gamma key seed', false),
  skip_not_finite: new PyFunction((args) => callOurs('skipNotFinite', parts(args))),
  sgdr_schedule: sgdr,
  inject_hyperparams: inject,
  stateless,
}

/** What `optax` is in formulas. */
export const optax: Keywords = {
  ...everything,
  transforms: everything,
  schedules: everything,
  contrib: { ...names(contributed), muon },
}

const isTransformation = (value: unknown): value is optim.AnyTransformation =>
  typeof value === 'object' && value !== null && 'init' in value && 'update' in value

export const asTransformation = (value: unknown): optim.AnyTransformation => {
  if (isTransformation(value)) return value
  throw missing('a formula that gives something else than a transformation')
}

export const asSchedule = (value: unknown): ((step: Tensor | number) => Tensor | number) => {
  const f = ours(value)
  if (!isFunction(f)) throw missing('a formula that gives something else than a schedule')
  return (step) => {
    const y = f(step)
    if (y instanceof Tensor || typeof y === 'number') return y
    throw missing('a schedule that gives something else than a number')
  }
}
