/**
 * Every float32, or every nth, through the compiled functions: how far each result is from the truth,
 * in units in the last place, and where.
 */
import { parseArgs } from 'node:util'
import { type Tensor, type UnaryOp, maths, tensor } from '@cotangent/core'
import { jit } from '@cotangent/jit'
import { lax } from '@cotangent/ops'
import { floats } from './inputs.ts'

const usage = `npm run bench:maths -- [functions …] [options]

  --stride N           every Nth bit pattern (1, which takes minutes for each function)
  --backend NAME       wasm (the default) or js
  --limit N            fails where a result is more units away from the truth (2)
  --help               this text`

const chunk = 2 ** 20
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

const sweep = (name: string, stride: number, backend: 'wasm' | 'js'): Worst => {
  const [f, truth] = functions[name]!
  const compiled = jit(f, { backend })
  const bits = new Int32Array(chunk)
  const inputs = new Float32Array(bits.buffer)
  const start = performance.now()
  let worst: Worst = { error: 0.5, at: 0 }
  for (let from = 0; from < patterns; from += chunk * stride) {
    for (let i = 0; i < chunk; i++) bits[i] = Math.min(patterns - 1, from + i * stride)
    const results = floats(compiled(tensor(inputs)))
    for (let i = 0; i < chunk; i++) {
      const found = results[i]!
      const exactly = truth(inputs[i]!)
      // Most are the correctly rounded result, whose error is half a unit at most.
      if (found !== 0 && found === Math.fround(exactly)) continue
      const error = errorOf(found, exactly)
      if (error > worst.error) worst = { error, at: inputs[i]! }
    }
    progress(name, from / patterns, (performance.now() - start) / 1000)
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
