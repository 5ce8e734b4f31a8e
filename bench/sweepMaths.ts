/**
 * Every float32, or every nth, through the compiled functions: how far each result is from the truth,
 * in units in the last place, and where. A compiled function goes through many of them and compares
 * with the float64 version, which is a different expansion of the same function; where that finds a result
 * further off than any before, JavaScript's own functions say how far it really is.
 */
import { parseArgs } from 'node:util'
import { type Tensor, type UnaryOp, maths, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { lax, np } from '@cotangent/ops'
import { floats } from './inputs.ts'

const usage = `npm run bench:maths -- [functions …] [options]

  --stride N           every Nth bit pattern (1, which takes a minute for each function)
  --backend NAME       wasm (the default) or js
  --limit N            fails where a result is more units away from the truth (2)
  --help               this text`

const chunk = 2 ** 16
const patterns = 2 ** 32

type Truth = (x: number) => number

// 1 / (1 + exp(−x)) loses its digits where the exponential overflows.
const logistic: Truth = (x) => {
  const z = Math.exp(-Math.abs(x))
  return (x < 0 ? z : 1) / (1 + z)
}
const exact = (op: UnaryOp): Truth => maths.unaryFunction(op, 'float64')

const functions: Readonly<Record<string, readonly [(x: Tensor) => Tensor, Truth]>> = {
  exp: [lax.exp, exact('exp')],
  exp2: [lax.exp2, exact('exp2')],
  expm1: [lax.expm1, exact('expm1')],
  log: [lax.log, exact('log')],
  log1p: [lax.log1p, exact('log1p')],
  sin: [lax.sin, exact('sin')],
  cos: [lax.cos, exact('cos')],
  tan: [lax.tan, exact('tan')],
  asin: [lax.asin, exact('asin')],
  acos: [lax.acos, exact('acos')],
  atan: [lax.atan, exact('atan')],
  sinh: [lax.sinh, exact('sinh')],
  cosh: [lax.cosh, exact('cosh')],
  tanh: [lax.tanh, exact('tanh')],
  asinh: [lax.asinh, exact('asinh')],
  acosh: [lax.acosh, exact('acosh')],
  atanh: [lax.atanh, exact('atanh')],
  logistic: [lax.logistic, logistic],
  erf: [lax.erf, exact('erf')],
  erfc: [lax.erfc, exact('erfc')],
  erfInverse: [lax.erfInv, exact('erfInverse')],
  logGamma: [lax.lgamma, exact('logGamma')],
  digamma: [lax.digamma, exact('digamma')],
  cbrt: [lax.cbrt, exact('cbrt')],
  rsqrt: [lax.rsqrt, exact('rsqrt')],
}

const single = new Float32Array(1)
const singleBits = new Int32Array(single.buffer)

/** The distance between the float32 around a number, down to that of denormals. */
const unitAt = (x: number): number => {
  single[0] = Math.abs(x)
  const exponent = Math.max(1, singleBits[0]! >>> 23)
  return 2 ** (exponent - 150)
}

/** The error of a result in units in the last place; Infinity where NaN, an infinity or a sign is wrong. */
const errorOf = (found: number, truth: number): number => {
  const rounded = Math.fround(truth)
  if (Object.is(found, rounded) && !Number.isFinite(found)) return 0
  if (found === 0 && rounded === 0) return Object.is(found, rounded) ? 0 : Infinity
  if (!Number.isFinite(found) || !Number.isFinite(rounded)) {
    // One unit beyond the largest number is infinity.
    const nearly = Math.max(Math.abs(found), Math.abs(rounded)) === Infinity
    return nearly && Math.min(Math.abs(found), Math.abs(rounded)) > 3.402823e38 ? 1 : Infinity
  }
  return Math.abs(found - truth) / unitAt(truth)
}

interface Worst {
  readonly error: number
  readonly at: number
}

const progress = (name: string, fraction: number, seconds: number): void => {
  if (!process.stderr.isTTY) return
  const bar = '█'.repeat(Math.floor(fraction * 30)).padEnd(30)
  const left = fraction > 0 ? `${Math.ceil((seconds / fraction) * (1 - fraction))} s left` : ''
  process.stderr.write(`\r${name.padEnd(10)} ▕${bar}▏ ${Math.floor(fraction * 100)} % ${left}   `)
}

const bitsOf = (x: Tensor): Tensor => lax.bitcastConvertType(x, 'int32')

/** As `errorOf`, for all elements; `truth` is float64. */
const errorsOf = (found: Tensor, truth: Tensor): Tensor => {
  const rounded = truth.astype('float32')
  const power = lax.bitcastConvertType(np.bitwiseAnd(bitsOf(rounded), 0x7f800000), 'float32')
  const unit = np
    .maximum(power, 2 ** -126)
    .astype('float64')
    .mul(2 ** -23)
  const error = np.abs(found.astype('float64').sub(truth)).div(unit)
  const isSame = np.equal(bitsOf(found), bitsOf(rounded))
  const areNaN = np.logicalAnd(np.isnan(found), np.isnan(rounded))
  const areZero = np.logicalAnd(np.equal(found, 0), np.equal(rounded, 0))
  const areFinite = np.logicalAnd(np.isfinite(found), np.isfinite(rounded))
  const [a, b] = [np.abs(found), np.abs(rounded)]
  const isNearly = np.logicalAnd(
    np.equal(np.maximum(a, b), Infinity),
    np.greater(np.minimum(a, b), 3.402823e38),
  )
  const elsewhere = np.where(isNearly, 1, Infinity)
  const wrong = np.where(areZero, Infinity, np.where(areFinite, error, elsewhere))
  return np.where(
    np.logicalOr(isSame, areNaN),
    np.where(areFinite, np.where(areZero, 0, error), 0),
    wrong,
  )
}

/** The greatest error of a chunk of patterns: `base`, `base + stride`, … */
const greatestError = (f: (x: Tensor) => Tensor, stride: number, backend: 'wasm' | 'js') =>
  jit(
    (base: Tensor): Tensor => {
      const bits = lax.iota('int32', chunk).mul(stride).add(base)
      const x = lax.bitcastConvertType(bits, 'float32')
      return errorsOf(f(x), f(x.astype('float64'))).max()
    },
    { backend },
  )

const sweep = (name: string, stride: number, backend: 'wasm' | 'js'): Worst => {
  const [f, truth] = functions[name]!
  const compiled = jit(f, { backend })
  const greatest = greatestError(f, stride, backend)
  const bits = new Int32Array(chunk)
  const inputs = new Float32Array(bits.buffer)
  const start = performance.now()
  let worst: Worst = { error: 0.5, at: 0 }
  for (let from = 0; from < patterns; from += chunk * stride) {
    progress(name, from / patterns, (performance.now() - start) / 1000)
    // Correctly rounded results are half a unit off at most.
    if (greatest(tensor(from | 0, { dtype: 'int32' })).item() <= worst.error) continue
    for (let i = 0; i < chunk; i++) bits[i] = from + i * stride
    const results = floats(compiled(tensor(inputs)))
    for (let i = 0; i < chunk; i++) {
      const error = errorOf(results[i]!, truth(inputs[i]!))
      if (error > worst.error) worst = { error, at: inputs[i]! }
    }
  }
  if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
  return worst
}

const main = (): number => {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      stride: { type: 'string', default: '1' },
      backend: { type: 'string', default: 'wasm' },
      limit: { type: 'string', default: '2' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(usage)
    return 0
  }
  const unknown = positionals.find((name) => functions[name] === undefined)
  if (unknown !== undefined) {
    console.error(`there is no function ${unknown}; there are ${Object.keys(functions).join(', ')}`)
    return 1
  }
  const [stride, limit] = [Number(values.stride), Number(values.limit)]
  if (!Number.isInteger(stride) || stride < 1 || !(limit > 0)) {
    console.error('--stride wants a whole number of at least 1, --limit a positive number')
    return 1
  }
  const backend = values.backend === 'js' ? 'js' : 'wasm'
  let failed = false
  for (const name of positionals.length > 0 ? positionals : Object.keys(functions)) {
    const start = performance.now()
    const { error, at } = sweep(name, stride, backend)
    if (error > limit) failed = true
    const seconds = ((performance.now() - start) / 1000).toFixed(0)
    console.log(`${name.padEnd(10)} ${error.toFixed(3)} units at ${at} (${seconds} s)`)
  }
  return failed ? 1 : 0
}

process.exitCode = main()
