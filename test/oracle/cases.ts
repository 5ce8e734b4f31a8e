/**
 * Cases with values from other programs: reading, decoding, comparing, and a table of what was read,
 * passed and left out. The folder is `$COTANGENT_CASES`, or `../shared/cases` beside the repository.
 */
import { existsSync, readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type DType, Tensor, isDType, tensor } from '@cotangent/core'
import { describe, expect, test } from 'vitest'

export interface TensorJson {
  readonly shape: readonly number[]
  readonly dtype: string
  readonly data: readonly (number | string)[]
}

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json }

export type Tolerance =
  | 'exact'
  | { readonly rtol: number; readonly atol: number }
  | { readonly ulp: number; readonly atol: number }

/** One case of the `goldens/1` format; files with fields of their own read them from `raw`. */
export interface GoldenCase {
  readonly name: string
  readonly op: string
  readonly formula?: string
  readonly inputs: { readonly [name: string]: Json }
  readonly attrs: { readonly [name: string]: Json }
  readonly outputs: { readonly [path: string]: TensorJson }
  readonly error?: { readonly type: string; readonly message: string }
  readonly lenient?: string
  readonly cotangents?: { readonly [path: string]: TensorJson }
  readonly grads?: { readonly [name: string]: Json }
  readonly tangents?: { readonly [name: string]: Json }
  readonly jvp?: { readonly [name: string]: Json }
  readonly hvp?: { readonly [name: string]: Json }
  readonly tol?: Tolerance
  readonly signed_zero?: boolean
  readonly note?: string
}

const folder = (): string =>
  process.env['COTANGENT_CASES'] ?? resolve(fileURLToPath(new URL('../../../shared/cases', import.meta.url)))

/** The cases of a file such as `jax/random.json`; null where the folder is not there. */
export const readCases = <C>(path: string): readonly C[] | null => {
  const file = join(folder(), path)
  if (!existsSync(file)) return null
  const parsed: { readonly cases: readonly C[] } = JSON.parse(readFileSync(file, 'utf8'))
  return parsed.cases
}

export const isTensorJson = (value: Json): value is Json & TensorJson =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && 'shape' in value && 'dtype' in value

const numberOf = (value: number | string): number => Number(value)

export const decodeTensor = (json: TensorJson): Tensor => {
  if (!isDType(json.dtype)) throw new Error(`unknown dtype ${json.dtype}`)
  return tensor(Float64Array.from(json.data, numberOf), { shape: json.shape, dtype: json.dtype })
}

export type Decoded = null | boolean | number | Tensor | readonly Decoded[] | { readonly [key: string]: Decoded }

/** An input: a tensor, a plain number of the host language, null, or a tree of inputs. */
export const decodeInput = (json: Json): Decoded => {
  if (json === null || typeof json === 'number' || typeof json === 'boolean') return json
  if (typeof json === 'string') return numberOf(json)
  if (isTensorJson(json)) return decodeTensor(json)
  if (json instanceof Array) return json.map(decodeInput)
  const record = Object.entries(json)
  const weak = json['weak']
  if (weak !== undefined && 'value' in json) return decodeWeak(weak, json['value']!)
  return Object.fromEntries(record.map(([key, value]) => [key, decodeInput(value)]))
}

const decodeWeak = (kind: Json, value: Json): Decoded => {
  if (kind === 'bool') return Boolean(value)
  return typeof value === 'number' || typeof value === 'string' ? numberOf(value) : null
}

/** Leaves by path, as `outputs` names them: `y` for a lone result, `0`, `1/a` inside a tree. */
export const leavesByPath = (value: unknown, path = ''): readonly (readonly [string, Tensor])[] => {
  if (value instanceof Tensor) return [[path === '' ? 'y' : path, value]]
  if (value === null || typeof value !== 'object') return []
  return Object.entries(value).flatMap(([key, inner]) => leavesByPath(inner, path === '' ? key : `${path}/${key}`))
}

const epsilons: Partial<Record<DType, number>> = { float16: 2 ** -10, bfloat16: 2 ** -7, float64: 2 ** -52 }

/** The spacing of floats of a dtype at a magnitude. */
const spacing = (value: number, dtype: DType): number => {
  const least = dtype === 'float64' ? 2 ** -1022 : dtype === 'float16' ? 2 ** -14 : 2 ** -126
  const exponent = Math.floor(Math.log2(Math.max(Math.abs(value), least)))
  return 2 ** exponent * (epsilons[dtype] ?? 2 ** -23)
}

const allowance = (expected: number, tolerance: Tolerance, dtype: DType, scale: number): number => {
  if (tolerance === 'exact') return 0
  if ('ulp' in tolerance) return Math.max(tolerance.ulp * spacing(expected, dtype), tolerance.atol)
  return tolerance.atol * scale + tolerance.rtol * Math.abs(expected)
}

export interface CompareOptions {
  /** Scale atol by the largest expected magnitude, as the `torch/` cases do. */
  readonly scaled?: boolean
  readonly signedZero?: boolean
  /** Compare values only. */
  readonly anyDType?: boolean
}

/** What is wrong with a result, or null. */
export const difference = (
  got: Tensor,
  expected: TensorJson,
  tolerance: Tolerance,
  options: CompareOptions = {},
): string | null => {
  if (got.shape.join() !== expected.shape.join()) return `shape [${got.shape.join()}], expected [${expected.shape.join()}]`
  if (options.anyDType !== true && got.dtype !== expected.dtype) return `dtype ${got.dtype}, expected ${expected.dtype}`
  const values = got.data()
  // Printed digits that read back to the same float32 are that float32.
  const wanted = [...decodeTensor(expected).data()]
  const scale = options.scaled === true ? Math.max(1, ...wanted.filter(Number.isFinite).map(Math.abs)) : 1
  for (let i = 0; i < wanted.length; i++) {
    const [g, e] = [values[i]!, wanted[i]!]
    const same = options.signedZero === true ? Object.is(g, e) : g === e || (Number.isNaN(g) && Number.isNaN(e))
    if (same) continue
    const both = Number.isFinite(g) && Number.isFinite(e)
    const zeros = options.signedZero === true && g === 0 && e === 0
    if (!zeros && both && Math.abs(g - e) <= allowance(e, tolerance, got.dtype, scale)) continue
    return `element ${i}: ${g}, expected ${e} (tolerance ${JSON.stringify(tolerance)})`
  }
  return null
}

/** All outputs of a case against a result tree. */
export const outputsDifference = (
  result: unknown,
  { outputs, tol = 'exact', signed_zero = false }: GoldenCase,
  options: CompareOptions = {},
): string | null => {
  const got = new Map(leavesByPath(result))
  for (const [path, expected] of Object.entries(outputs)) {
    const leaf = got.get(path)
    if (leaf === undefined) return `no output ${path}; there are ${[...got.keys()].join(', ')}`
    const wrong = difference(leaf, expected, tol, { signedZero: signed_zero, ...options })
    if (wrong !== null) return `${path}: ${wrong}`
  }
  return null
}

/** What became of a case. */
export type Outcome =
  | { readonly kind: 'passed' }
  | { readonly kind: 'failed'; readonly message: string }
  | { readonly kind: 'left out'; readonly reason: string }

export const passed: Outcome = { kind: 'passed' }
export const failed = (message: string): Outcome => ({ kind: 'failed', message })
export const leftOut = (reason: string): Outcome => ({ kind: 'left out', reason })

/** A comparison's outcome. */
export const judge = (wrong: string | null): Outcome => (wrong === null ? passed : failed(wrong))

/** A case that must be refused. */
export const mustThrow = (run: () => unknown, what: string): Outcome => {
  try {
    run()
  } catch {
    return passed
  }
  return failed(`was accepted, expected a refusal: ${what}`)
}

const attempt = (run: () => Outcome): Outcome => {
  try {
    return run()
  } catch (error) {
    return failed(error instanceof Error ? `${error.name}: ${error.message}` : String(error))
  }
}

const tally = (reasons: readonly string[]): readonly (readonly [string, number])[] => {
  const counts = new Map<string, number>()
  for (const reason of reasons) counts.set(reason, (counts.get(reason) ?? 0) + 1)
  return [...counts].sort(([, a], [, b]) => b - a)
}

const printTable = (title: string, outcomes: readonly Outcome[]): void => {
  const count = (kind: Outcome['kind']): number => outcomes.filter((o) => o.kind === kind).length
  const lines = [`${title}: ${outcomes.length} read, ${count('passed')} passed, ${count('failed')} failed, ${count('left out')} left out`]
  const reasons = outcomes.flatMap((o) => (o.kind === 'left out' ? [o.reason] : []))
  for (const [reason, n] of tally(reasons)) lines.push(`  ${String(n).padStart(5)} left out: ${reason}`)
  console.info(lines.join('\n'))
}

/**
 * One test for a file of cases: runs every case, prints the table, and fails with the first
 * failures. Where the file is not there the test says so and is skipped.
 */
export const oracle = <C>(path: string, nameOf: (c: C) => string, run: (c: C) => Outcome): void => {
  const cases = readCases<C>(path)
  describe(path, () => {
    test.skipIf(cases === null)(cases === null ? 'not there: set COTANGENT_CASES' : `${cases.length} cases`, () => {
      const outcomes = cases!.map((c) => attempt(() => run(c)))
      printTable(path, outcomes)
      const failures = outcomes.flatMap((o, i) => (o.kind === 'failed' ? [`${nameOf(cases![i]!)}: ${o.message}`] : []))
      expect(failures.slice(0, 40), `${failures.length} of ${outcomes.length} failed`).toEqual([])
      // Hundreds of compilations, on a machine that may have other work.
    }, 300_000)
  })
}
