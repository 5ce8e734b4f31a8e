/** Parameters of primitives as keys: plain data by content, everything else by identity. */

type Plain = Readonly<Record<string, unknown>>

const isPlain = (value: object): value is Plain => Object.getPrototypeOf(value) === Object.prototype

const isList = (value: object): value is readonly unknown[] => Array.isArray(value)

export const mix = (hash: number, value: number): number => (Math.imul(hash, 31) + value) | 0

const ids = new WeakMap<object, number>()
let nextId = 1

/** A number for an object, always the same one. */
export const idOf = (value: object): number => {
  let id = ids.get(value)
  if (id === undefined) {
    id = nextId++
    ids.set(value, id)
  }
  return id
}

const bits = new Float64Array(1)
const words = new Int32Array(bits.buffer)

const hashNumber = (hash: number, value: number): number => {
  if ((value | 0) === value) return mix(hash, value)
  bits[0] = value
  return mix(mix(hash, words[0]!), words[1]!)
}

/** Equal parameters have equal hashes. */
export const hashParams = (hash: number, value: unknown): number => {
  switch (typeof value) {
    case 'number':
      return hashNumber(hash, value)
    case 'boolean':
      return mix(hash, value ? 1 : 2)
    case 'string': {
      let result = mix(hash, value.length)
      for (let i = 0; i < value.length; i++) result = mix(result, value.charCodeAt(i))
      return result
    }
    case 'object':
      return value === null ? mix(hash, 3) : hashObject(hash, value)
    case 'function':
      return mix(hash, idOf(value))
    case 'undefined':
    case 'symbol':
    case 'bigint':
      return mix(hash, 4)
    default:
      return hash
  }
}

const hashObject = (hash: number, value: object): number => {
  if (isList(value)) {
    let result = mix(hash, value.length)
    for (let i = 0; i < value.length; i++) result = hashParams(result, value[i])
    return result
  }
  if (!isPlain(value)) return mix(hash, idOf(value))
  let result = hash
  for (const name in value) result = hashParams(result, value[name])
  return result
}

/** -0 is not 0 here, and NaN is NaN. */
export const sameParams = (a: unknown, b: unknown): boolean => {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (isList(a)) return isList(b) && sameList(a, b)
  return isPlain(a) && isPlain(b) && sameRecord(a, b)
}

const sameList = (a: readonly unknown[], b: readonly unknown[]): boolean => {
  if (a.length !== b.length) return false
  for (let i = 0; i < a.length; i++) if (!sameParams(a[i], b[i])) return false
  return true
}

const sameRecord = (a: Plain, b: Plain): boolean => {
  let surplus = 0
  for (const name in a) {
    const [x, y] = [a[name], b[name]]
    if (!sameParams(x, y) || (x === undefined && !(name in b))) return false
    surplus += 1
  }
  for (const _ in b) surplus -= 1
  return surplus === 0
}

/** A copy of the plain parts, which nobody else can change. */
export const copyParams = (value: unknown): unknown => {
  if (typeof value !== 'object' || value === null) return value
  if (isList(value)) return value.map(copyParams)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([name, part]) => [name, copyParams(part)]))
}
