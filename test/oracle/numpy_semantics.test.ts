/** NumPy functions, dtypes, indexing and their edge cases against JAX. */
import { type DType, type IndexPart, Tensor, full, isDType, tensor } from '@cotangent/core'
import { np } from '@cotangent/ops'
import { type GoldenCase, type Json, type Outcome, failed, isTensorJson, judge, leftOut, oracle, outputsDifference, passed, decodeTensor } from './cases.ts'
import { callByName, compileFormula } from './python/run.ts'
import { type Keywords, LeftOut, PyFloat, toApi } from './python/values.ts'

interface TableCase extends GoldenCase {
  readonly table?: Json
}

const keywordInputs: ReadonlySet<string> = new Set(['where', 'weights', 'b', 'mask', 'bias'])

const value = (json: Json): unknown => {
  if (json === null || typeof json !== 'object') return json
  if (isTensorJson(json)) return json.dtype.startsWith('complex') ? refuseComplex() : decodeTensor(json)
  if (json instanceof Array) return json.map(value)
  const { weak } = json
  if (weak === undefined) return Object.fromEntries(Object.entries(json).map(([k, v]) => [k, value(v)]))
  const given = json['value']!
  if (weak === 'float') return new PyFloat(Number(given))
  return weak === 'bool' ? Boolean(given) : Number(given)
}

const refuseComplex = (): never => {
  throw new LeftOut('complex64 arithmetic')
}

// Floats are written with a point in the files, but JSON has forgotten it; attributes that are
// fractions stay plain numbers, and only exact integers are ambiguous.
const attributeValue = (json: Json): unknown => (json instanceof Array ? json.map(attributeValue) : json)

const indexPart = (json: Json): IndexPart => {
  if (typeof json === 'number' || json === null) return json
  if (typeof json !== 'object' || json instanceof Array) throw new LeftOut('an index of this form')
  const { slice, newaxis, ellipsis, array, mask } = json
  if (slice instanceof Array) {
    const [start, stop, step] = slice.map((part) => (part === null ? null : Number(part)))
    return { start: start ?? null, stop: stop ?? null, step: step ?? null }
  }
  if (newaxis !== undefined) return null
  if (ellipsis !== undefined) return '...'
  if (array instanceof Array) return tensor(array as never, { dtype: 'int32' })
  return tensor(mask as never, { dtype: 'bool' })
}

const parts = (json: Json): readonly IndexPart[] => (json instanceof Array ? json.map(indexPart) : [])

const options = (attrs: GoldenCase['attrs']): Record<string, unknown> => ({
  ...(attrs['mode'] === undefined ? {} : { mode: attrs['mode'] }),
  ...(attrs['fill_value'] === undefined ? {} : { fillValue: attrs['fill_value'] }),
  ...(attrs['wrap_negative_indices'] === undefined ? {} : { wrapNegativeIndices: attrs['wrap_negative_indices'] }),
})

const runAt = (c: GoldenCase): unknown => {
  const kind = c.op.slice('at.'.length)
  const { x, indices, ...rest } = Object.fromEntries(Object.entries(c.inputs).map(([k, v]) => [k, value(v)]))
  if (!(x instanceof Tensor)) throw new LeftOut('no tensor to index')
  const index = c.attrs['index'] === undefined ? [indices as Tensor] : parts(c.attrs['index'])
  if (kind === 'get') return np.at(x, index, options(c.attrs))
  return np.updateAt(x, index, kind as 'set', toApi(Object.values(rest)[0]) as Tensor, options(c.attrs))
}

const callOperation = (c: GoldenCase): unknown => {
  const entries = Object.entries(c.inputs).map(([k, v]) => [k, value(v)] as const)
  const positional = entries.filter(([k]) => !keywordInputs.has(k)).map(([, v]) => v)
  const named = Object.fromEntries(entries.filter(([k]) => keywordInputs.has(k)))
  const attrs = Object.fromEntries(Object.entries(c.attrs).map(([k, v]) => [k, attributeValue(v)]))
  const kwargs: Keywords = { ...named, ...attrs }
  return callByName(c.op, positional, kwargs)
}

const run = (c: GoldenCase): unknown => {
  if (c.op === 'index') return (value(c.inputs['x']!) as Tensor).at(...parts(c.attrs['index']!))
  if (c.formula !== undefined && c.op !== 'np.linalg.qr') {
    return compileFormula(c.formula, Object.keys(c.inputs)).call(Object.values(c.inputs).map(value), {})
  }
  if (c.op.startsWith('at.')) return runAt(c)
  return callOperation(c)
}

const sample = (label: string): unknown => {
  if (label === 'Python int') return 2
  if (label === 'Python float') return 2.5
  if (label === 'Python bool') return true
  if (!isDType(label) || label === 'complex64') throw new LeftOut('complex64 arithmetic')
  return np.ones([2], label)
}

const labelOf = (result: unknown): string => {
  if (typeof result === 'string') return result
  return result instanceof Tensor ? `${result.dtype}${result.aval.weak ? '*' : ''}` : String(result)
}

const resultLabel = (f: () => unknown): string => {
  try {
    return labelOf(f())
  } catch (error) {
    if (error instanceof LeftOut) throw error
    return '!Error'
  }
}

// There is one boolean type here: a weak one would promote no differently.
const sameLabel = (got: string, expected: string): boolean =>
  got === expected.replace('bool*', 'bool') || (got === '!Error' && expected.startsWith('!'))

const isUnary = (c: TableCase): boolean => c.name === 'dtypes/unary'

const cell = (c: TableCase, row: string, column: string): unknown => {
  if (c.name === 'dtypes/promote_types') return np.promoteTypes(row as DType, column as DType)
  if (isUnary(c)) return callByName(`np.${row}`, [sample(column)], {})
  return callByName(String(c.attrs['fn']), [sample(row), sample(column)], {})
}

const runTable = (c: TableCase): Outcome => {
  const { rows, columns } = c.attrs
  if (!(rows instanceof Array) || !(columns instanceof Array) || !(c.table instanceof Array)) return failed('no table')
  const wrong: string[] = []
  rows.forEach((row, i) => {
    columns.forEach((column, j) => {
      if ([row, column].includes('complex64') && c.name !== 'dtypes/promote_types') return
      if (isUnary(c) && (row === 'linalg.norm' || row === 'real') && Reflect.get(np, row) === undefined) return
      const line = c.table instanceof Array ? c.table[i] : null
      const expected = String(line instanceof Array ? line[j] : '')
      const got = resultLabel(() => cell(c, String(row), String(column)))
      if (!sameLabel(got, expected)) wrong.push(`${String(row)}, ${String(column)}: ${got}, expected ${expected}`)
    })
  })
  return judge(wrong.length === 0 ? null : `${wrong.length} entries: ${wrong.slice(0, 12).join('; ')}`)
}

const half = (dtype: DType): Tensor => np.ones([2], dtype)

// `1`, `True` and `2.5` of the host language are weak where `np.array` makes them scalars.
const makers: Readonly<Record<string, () => unknown>> = {
  'np.array(1)': () => full([], 1, 'int32', true),
  'np.array(True)': () => np.array(true),
  'np.array([1,2.5])': () => np.array([1, 2.5]),
  'np.asarray(1.5)': () => full([], 1.5, 'float32', true),
  'np.full(2, 1)': () => np.full(2, 1),
  'np.full(2, True)': () => np.full(2, true),
  'np.arange(3.)': () => np.arange(3, null, 1, 'float32'),
  'np.eye(2)': () => np.eye(2),
  'np.full_like(int8, 2.5)': () => np.fullLike(half('int8'), 2.5),
  'np.asarray(1.5)+float16': () => np.add(1.5, half('float16')),
  'np.sum([True,True])': () => np.sum([true, true]),
  'np.stack([int8, bool])': () => np.stack([half('int8'), half('bool')]),
  '~True array': () => np.invert([true]),
}

const runMakers = (c: TableCase): Outcome => {
  const wrong = Object.entries(Object(c.table)).flatMap(([name, expected]) => {
    const make = makers[name]
    if (make === undefined) return [`${name} is not known`]
    const got = resultLabel(make)
    return got === expected ? [] : [`${name}: ${got}, expected ${String(expected)}`]
  })
  return judge(wrong.length === 0 ? null : wrong.join('; '))
}

const runShapes = (c: TableCase): Outcome => {
  if (!(c.table instanceof Array)) return failed('no table')
  for (const row of c.table) {
    const { shapes, result } = Object(row)
    const got = np.broadcastShapes(...shapes)
    if (got.join() !== result.join()) return failed(`${JSON.stringify(shapes)}: [${got.join()}]`)
  }
  return passed
}

const lenientElements = (c: GoldenCase): boolean => c.lenient !== undefined

const judgeResult = (c: GoldenCase): Outcome => {
  const result = toApi(run(c))
  if (c.error !== undefined) {
    return lenientElements(c) ? passed : failed(`was accepted, expected ${c.error.type}: ${c.error.message}`)
  }
  return judge(outputsDifference(result, c))
}

const runCase = (c: TableCase): Outcome => {
  try {
    if (c.op === 'dtype_table') return runTable(c)
    if (c.op === 'dtype_of') return runMakers(c)
    if (c.name === 'broadcast/shapes') return runShapes(c)
    return judgeResult(c)
  } catch (error) {
    if (error instanceof LeftOut) return leftOut(error.message)
    if (error instanceof SyntaxError) return leftOut('a formula in words')
    if (c.error !== undefined) return passed
    throw error
  }
}

oracle<TableCase>('jax/numpy_semantics.json', (c) => c.name, runCase)
