/** Samples of the elementwise primitives. */
import { type DType, type Tensor, add } from '@cotangent/core'
import { prims } from '@cotangent/ops'
import {
  type Derivatives,
  type Random,
  type Sample,
  filled,
  floatTypes,
  integerTypes,
  integers,
  sample,
  uniform,
} from '../sample.ts'

type One = (x: Tensor) => Tensor
type Two = (x: Tensor, y: Tensor) => Tensor
type Range = readonly [low: number, high: number]

const floats1 = (
  f: One,
  [low, high]: Range,
  derivatives: Derivatives = 'smooth',
): readonly Sample[] =>
  floatTypes.map((dtype) =>
    sample(
      dtype,
      (random) => [uniform(random, [2, 3], dtype, low, high)],
      (x) => f(x!),
      {
        derivatives: dtype === 'float64' ? derivatives : 'none',
      },
    ),
  )

const integers1 = (f: One, dtypes: readonly DType[] = integerTypes): readonly Sample[] =>
  dtypes.map((dtype) =>
    sample(
      dtype,
      (random) => [integers(random, [4], dtype)],
      (x) => f(x!),
    ),
  )

const booleans = (random: Random): Tensor => uniform(random, [4], 'bool', 0, 1)

const bool1 = (f: One): Sample =>
  sample(
    'bool',
    (random) => [booleans(random)],
    (x) => f(x!),
  )

const bool2 = (f: Two): Sample =>
  sample(
    'bool',
    (random) => [booleans(random), booleans(random)],
    (x, y) => f(x!, y!),
  )

const floats2 = (
  f: Two,
  x: Range,
  y: Range = x,
  derivatives: Derivatives = 'smooth',
): readonly Sample[] =>
  floatTypes.map((dtype) =>
    sample(
      dtype,
      (random) => [uniform(random, [2, 3], dtype, ...x), uniform(random, [2, 3], dtype, ...y)],
      (a, b) => f(a!, b!),
      { derivatives: dtype === 'float64' ? derivatives : 'none' },
    ),
  )

const integers2 = (f: Two): readonly Sample[] =>
  integerTypes.map((dtype) =>
    sample(
      dtype,
      (random) => [integers(random, [4], dtype), integers(random, [4], dtype)],
      (x, y) => f(x!, y!),
    ),
  )

// Small operands, zero among them.
const smallIntegers2 = (f: Two, low = -3, high = 3): readonly Sample[] =>
  integerTypes.map((dtype) => {
    const least = dtype.startsWith('u') ? Math.max(0, low) : low
    return sample(
      `${dtype}, small`,
      (random) => [
        integers(random, [9], dtype),
        filled([9], dtype, () => Math.floor(least + (high - least + 1) * random())),
      ],
      (x, y) => f(x!, y!),
    )
  })

// Fractions between 0.1 and 0.4 of a step: no rounding boundary is near.
const awayFromSteps = (f: One): readonly Sample[] =>
  floatTypes.map((dtype) =>
    sample(
      dtype,
      (random) => [
        filled([2, 3], dtype, () => Math.floor(random() * 9) - 4 + 0.1 + 0.3 * random()),
      ],
      (x) => f(x!),
      { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
    ),
  )

const apart = (f: Two): readonly Sample[] =>
  floatTypes.map((dtype) =>
    sample(
      dtype,
      (random) => {
        const x = uniform(random, [2, 3], dtype)
        const gap = filled([2, 3], dtype, () => (random() < 0.5 ? -1 : 1) * (0.2 + random()))
        return [x, add(x, gap)]
      },
      (x, y) => f(x!, y!),
      { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
    ),
  )

const compare = (f: Two): readonly Sample[] => [
  ...floats2(f, [-1, 1]),
  ...smallIntegers2(f),
  bool2(f),
  sample(
    'equal',
    (random) => [uniform(random, [3]), filled([3], 'float64', () => 0)],
    (x, y) => {
      const z = add(x!, y!)
      return f(z, x!)
    },
  ),
]

const power = (n: number): readonly Sample[] =>
  floats1((x) => prims.integerPow(x, n), n < 0 ? [0.4, 2] : [-2, 2]).map((s) => ({
    ...s,
    label: `${s.label}, n = ${n}`,
  }))

const bits = (f: Two): readonly Sample[] => [...integers2(f), bool2(f)]
const shifts = (f: Two): readonly Sample[] => smallIntegers2(f, -2, 34)

const converted = (from: DType, to: DType, low: number, high: number): Sample =>
  sample(
    `${from} to ${to}`,
    (random) => [uniform(random, [8], from, low, high)],
    (x) => prims.convert(x!, to),
    { derivatives: from === 'float64' && to === 'float64' ? 'smooth' : 'none' },
  )

const conversions = (): readonly Sample[] => [
  ...(['int32', 'uint8', 'int8', 'bool', 'float16', 'bfloat16'] as const).map((to) =>
    converted('float32', to, -300, 300),
  ),
  ...(['float32', 'int8', 'uint16', 'bool', 'float16'] as const).map((to) =>
    converted('int32', to, -70000, 70000),
  ),
  converted('uint32', 'float32', 0, 2 ** 32 - 1),
  converted('bool', 'int32', 0, 1),
  converted('float64', 'float32', -1, 1),
  converted('bfloat16', 'float32', -9, 9),
  sample(
    'float64 by way of a weak float64',
    (random) => [uniform(random, [3])],
    (x) => prims.convert(x!, 'float64', true),
    { derivatives: 'smooth' },
  ),
]

const bitcasts = (): readonly Sample[] => [
  sample(
    'float32 to int32',
    (r) => [uniform(r, [5], 'float32')],
    (x) => prims.bitcast(x!, 'int32'),
  ),
  sample(
    'uint32 to float32',
    (r) => [uniform(r, [5], 'uint32', 0, 2 ** 31)],
    (x) => prims.bitcast(x!, 'float32'),
  ),
  sample(
    'float16 to uint16',
    (r) => [uniform(r, [5], 'float16')],
    (x) => prims.bitcast(x!, 'uint16'),
  ),
  sample(
    'int16 to bfloat16',
    (r) => [uniform(r, [5], 'int16', 0, 30000)],
    (x) => prims.bitcast(x!, 'bfloat16'),
  ),
  sample(
    'int8 to uint8',
    (r) => [uniform(r, [5], 'int8', -128, 127)],
    (x) => prims.bitcast(x!, 'uint8'),
  ),
]

const selects = (): readonly Sample[] => [
  ...floatTypes.map((dtype) =>
    sample(
      dtype,
      (r) => [
        uniform(r, [2, 3], 'bool', 0, 1),
        uniform(r, [2, 3], dtype),
        uniform(r, [2, 3], dtype),
      ],
      (condition, onTrue, onFalse) => prims.select(condition!, onTrue!, onFalse!),
      { derivatives: dtype === 'float64' ? 'smooth' : 'none' },
    ),
  ),
  sample(
    'one input in both branches',
    (r) => [uniform(r, [2, 3], 'bool', 0, 1), uniform(r, [2, 3])],
    (condition, x) => prims.select(condition!, prims.sin(x!), x!),
    { derivatives: 'smooth' },
  ),
]

export const elementwise = {
  add: [...floats2(add, [-2, 2]), ...integers2(add)],
  neg: [...floats1(prims.neg, [-2, 2]), ...integers1(prims.neg)],
  sub: [...floats2(prims.sub, [-2, 2]), ...integers2(prims.sub)],
  mul: [
    ...floats2(prims.mul, [-2, 2]),
    ...integers2(prims.mul),
    sample(
      'a square',
      (r) => [uniform(r, [3])],
      (x) => prims.mul(x!, x!),
      { derivatives: 'smooth' },
    ),
  ],
  div: [
    ...floats2(prims.div, [-2, 2], [0.5, 2]),
    ...integers2(prims.div),
    ...smallIntegers2(prims.div),
  ],
  rem: [
    ...floats2(prims.rem, [4.1, 4.3], [1.5, 1.9]),
    ...floats2(prims.rem, [-5, 5], [0.5, 2], 'none'),
    ...integers2(prims.rem),
    ...smallIntegers2(prims.rem),
  ],
  pow: [...floats2(prims.pow, [0.5, 2], [-2, 2]), ...smallIntegers2(prims.pow)],
  max: [...apart(prims.max), ...integers2(prims.max), bool2(prims.max)],
  min: [...apart(prims.min), ...integers2(prims.min), bool2(prims.min)],
  atan2: floats2(prims.atan2, [0.3, 2], [-2, 2]),
  nextAfter: floats2(prims.nextAfter, [-2, 2], [-2, 2], 'none'),
  and: bits(prims.and),
  or: bits(prims.or),
  xor: bits(prims.xor),
  shiftLeft: shifts(prims.shiftLeft),
  shiftRightLogical: shifts(prims.shiftRightLogical),
  shiftRightArithmetic: shifts(prims.shiftRightArithmetic),
  eq: compare(prims.eq),
  ne: compare(prims.ne),
  lt: compare(prims.lt),
  le: compare(prims.le),
  gt: compare(prims.gt),
  ge: compare(prims.ge),
  select: selects(),
  convert: conversions(),
  bitcast: bitcasts(),
  abs: [
    ...floats1(prims.abs, [0.1, 2]),
    ...floats1(prims.abs, [-2, -0.1]),
    ...integers1(prims.abs),
  ],
  sign: [...floats1(prims.sign, [0.1, 2]), ...integers1(prims.sign)],
  floor: awayFromSteps(prims.floor),
  ceil: awayFromSteps(prims.ceil),
  round: awayFromSteps(prims.round),
  sqrt: floats1(prims.sqrt, [0.3, 2]),
  rsqrt: floats1(prims.rsqrt, [0.3, 2]),
  cbrt: [...floats1(prims.cbrt, [0.3, 2]), ...floats1(prims.cbrt, [-2, -0.3])],
  exp: floats1(prims.exp, [-2, 2]),
  exp2: floats1(prims.exp2, [-2, 2]),
  expm1: floats1(prims.expm1, [-2, 2]),
  log: floats1(prims.log, [0.3, 3]),
  log1p: floats1(prims.log1p, [-0.6, 3]),
  logistic: floats1(prims.logistic, [-4, 4]),
  sin: floats1(prims.sin, [-4, 4]),
  cos: floats1(prims.cos, [-4, 4]),
  tan: floats1(prims.tan, [-1.2, 1.2]),
  asin: floats1(prims.asin, [-0.8, 0.8]),
  acos: floats1(prims.acos, [-0.8, 0.8]),
  atan: floats1(prims.atan, [-3, 3]),
  sinh: floats1(prims.sinh, [-2, 2]),
  cosh: floats1(prims.cosh, [-2, 2]),
  tanh: floats1(prims.tanh, [-2, 2]),
  asinh: floats1(prims.asinh, [-3, 3]),
  acosh: floats1(prims.acosh, [1.3, 4]),
  atanh: floats1(prims.atanh, [-0.8, 0.8]),
  erf: floats1(prims.erf, [-2.5, 2.5]),
  erfc: floats1(prims.erfc, [-2, 3]),
  erfInv: floats1(prims.erfInv, [-0.9, 0.9]),
  lgamma: [...floats1(prims.lgamma, [0.3, 6]), ...floats1(prims.lgamma, [-0.8, -0.2])],
  digamma: [...floats1(prims.digamma, [0.5, 6]), ...floats1(prims.digamma, [-0.8, -0.2])],
  not: [...integers1(prims.not), bool1(prims.not)],
  populationCount: integers1(prims.populationCount),
  countLeadingZeros: integers1(prims.countLeadingZeros),
  isFinite: [
    ...floats1(prims.isFinite, [-2, 2]),
    sample(
      'not finite',
      () => [filled([4], 'float32', (i) => [NaN, Infinity, -Infinity, 3][i]!)],
      (x) => prims.isFinite(x!),
    ),
  ],
  integerPow: [
    ...[-3, -1, 0, 1, 2, 3, 7].flatMap(power),
    ...integers1((x) => prims.integerPow(x, 5)),
  ],
} as const
