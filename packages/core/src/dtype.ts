/** Element types, how each is stored, and JAX's promotion lattice with weak types. */

import { DTypeError, ShapeError } from './errors.ts'

export type DType =
  | 'bool'
  | 'int8'
  | 'uint8'
  | 'int16'
  | 'uint16'
  | 'int32'
  | 'uint32'
  | 'float16'
  | 'bfloat16'
  | 'float32'
  | 'float64'
  | 'complex64'

export type TypedArray =
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array

/** What kind of number a dtype holds; `float` counts the half-width storage types. */
export type Kind = 'bool' | 'signed' | 'unsigned' | 'float' | 'complex'

interface DTypeInfo {
  readonly kind: Kind
  /** Bytes of one element in memory. */
  readonly bytes: number
  /** The name used in printed types. */
  readonly short: string
}

export const dtypeInfo: Readonly<Record<DType, DTypeInfo>> = {
  bool: { kind: 'bool', bytes: 1, short: 'bool' },
  int8: { kind: 'signed', bytes: 1, short: 'i8' },
  uint8: { kind: 'unsigned', bytes: 1, short: 'u8' },
  int16: { kind: 'signed', bytes: 2, short: 'i16' },
  uint16: { kind: 'unsigned', bytes: 2, short: 'u16' },
  int32: { kind: 'signed', bytes: 4, short: 'i32' },
  uint32: { kind: 'unsigned', bytes: 4, short: 'u32' },
  float16: { kind: 'float', bytes: 2, short: 'f16' },
  bfloat16: { kind: 'float', bytes: 2, short: 'bf16' },
  float32: { kind: 'float', bytes: 4, short: 'f32' },
  float64: { kind: 'float', bytes: 8, short: 'f64' },
  complex64: { kind: 'complex', bytes: 8, short: 'c64' },
}

export const dtypes: readonly DType[] = [
  'bool',
  'int8',
  'uint8',
  'int16',
  'uint16',
  'int32',
  'uint32',
  'float16',
  'bfloat16',
  'float32',
  'float64',
  'complex64',
]

export const isDType = (name: string): name is DType => Object.hasOwn(dtypeInfo, name)
/** @throws DTypeError for what code without types may give instead of a dtype. */
export const kindOf = (dtype: DType): Kind => {
  const info: DTypeInfo | undefined = dtypeInfo[dtype]
  if (info !== undefined) return info.kind
  throw new DTypeError({
    operation: 'dtype',
    problem: 'there is no such dtype',
    got: typeof dtype === 'string' ? JSON.stringify(dtype) : typeof dtype,
    want: dtypes.join(', '),
    fix: 'write one of these names; int64 and uint64 do not exist here',
  })
}
export const isFloat = (dtype: DType): boolean => kindOf(dtype) === 'float'
export const isComplex = (dtype: DType): boolean => kindOf(dtype) === 'complex'
export const isInexact = (dtype: DType): boolean => isFloat(dtype) || isComplex(dtype)
export const isInteger = (dtype: DType): boolean =>
  kindOf(dtype) === 'signed' || kindOf(dtype) === 'unsigned'
/** float16 and bfloat16: stored as 16-bit codes, computed in float32. */
export const isHalf = (dtype: DType): dtype is 'float16' | 'bfloat16' =>
  dtype === 'float16' || dtype === 'bfloat16'

/** The smallest and largest value of an integer dtype (bool: 0 and 1). */
export const integerRange = (dtype: DType): readonly [number, number] => {
  const { kind, bytes } = dtypeInfo[dtype]
  if (kind === 'bool') return [0, 1]
  const bits = bytes * 8
  return kind === 'signed' ? [-(2 ** (bits - 1)), 2 ** (bits - 1) - 1] : [0, 2 ** bits - 1]
}

/**
 * A fresh zeroed array able to store `size` elements of `dtype`: half floats as 16-bit codes,
 * bools as bytes, complex64 as interleaved pairs.
 */
export const makeStore = (dtype: DType, size: number): TypedArray => {
  try {
    return allocate(dtype, size)
  } catch (error) {
    if (error instanceof RangeError) throw tooLarge(dtype, size)
    throw error
  }
}

const tooLarge = (dtype: DType, size: number): ShapeError =>
  new ShapeError({
    operation: 'allocate',
    problem: 'the tensor does not fit in memory',
    got: `${size} elements of ${dtype}: ${(size * dtypeInfo[dtype].bytes) / 2 ** 30} GiB`,
    want: 'an array that JavaScript can allocate',
    fix: 'work on smaller batches, or avoid the large intermediate result',
  })

const allocate = (dtype: DType, size: number): TypedArray => {
  switch (dtype) {
    case 'bool':
    case 'uint8':
      return new Uint8Array(size)
    case 'int8':
      return new Int8Array(size)
    case 'int16':
      return new Int16Array(size)
    case 'uint16':
    case 'float16':
    case 'bfloat16':
      return new Uint16Array(size)
    case 'int32':
      return new Int32Array(size)
    case 'uint32':
      return new Uint32Array(size)
    case 'float32':
      return new Float32Array(size)
    case 'float64':
      return new Float64Array(size)
    case 'complex64':
      return new Float32Array(2 * size)
    default:
      return dtype satisfies never
  }
}

/** A dtype together with JAX's weak flag: what promotion works on. */
export interface Promotable {
  readonly dtype: DType
  readonly weak: boolean
}

// JAX's lattice (jax.dtypes): bool < weak int < {u8 < u16 < u32, i8 < i16 < i32} < weak float
// < {f16, bf16} < f32 < f64 < complex. Each node lists what stands directly above it.
type Node = DType | 'weakInt' | 'weakFloat'

const above: Readonly<Record<Node, readonly Node[]>> = {
  bool: ['weakInt'],
  weakInt: ['uint8', 'int8'],
  uint8: ['int16', 'uint16'],
  uint16: ['int32', 'uint32'],
  uint32: ['weakFloat'],
  int8: ['int16'],
  int16: ['int32'],
  int32: ['weakFloat'],
  weakFloat: ['float16', 'bfloat16'],
  float16: ['float32'],
  bfloat16: ['float32'],
  float32: ['float64', 'complex64'],
  float64: ['complex64'],
  complex64: [],
}

const upwards = (node: Node): ReadonlySet<Node> => {
  const reached = new Set<Node>([node])
  for (const next of reached) for (const higher of above[next]) reached.add(higher)
  return reached
}

const nodes: readonly Node[] = [...dtypes, 'weakInt', 'weakFloat']
const reach: ReadonlyMap<Node, ReadonlySet<Node>> = new Map(nodes.map((n) => [n, upwards(n)]))

const nodeOf = ({ dtype, weak }: Promotable): Node => {
  if (!weak || dtype === 'bool') return dtype
  const kind = kindOf(dtype)
  if (kind === 'signed' || kind === 'unsigned') return 'weakInt'
  return kind === 'float' ? 'weakFloat' : dtype
}

// 32-bit integers are as wide as JAX's default mode goes, so int32 with uint32 promotes to int32's
// wider neighbour int64 in x64 mode and to int32 otherwise.
const join = (a: Node, b: Node): Node => {
  if ((a === 'int32' && b === 'uint32') || (a === 'uint32' && b === 'int32')) return 'int32'
  const signedWith32 = (x: Node, y: Node): boolean =>
    x === 'uint32' && (y === 'int8' || y === 'int16')
  if (signedWith32(a, b) || signedWith32(b, a)) return 'int32'
  const common = nodes.filter((n) => reach.get(a)?.has(n) && reach.get(b)?.has(n))
  const least = common.find((n) => common.every((m) => reach.get(n)?.has(m)))
  return least ?? 'float32'
}

/**
 * The dtype in which two or more operands meet, as `jnp.promote_types` with weak types decides.
 * The result is weak only when every operand is.
 */
export const promote = (operands: readonly Promotable[]): Promotable => {
  const first = operands[0]
  if (first === undefined) return { dtype: 'float32', weak: true }
  const node = operands.slice(1).reduce<Node>((acc, x) => join(acc, nodeOf(x)), nodeOf(first))
  const weak = operands.every((x) => x.weak)
  if (node === 'weakInt') return { dtype: widest(operands, 'int32'), weak: true }
  if (node === 'weakFloat') return { dtype: widest(operands, 'float32'), weak: true }
  return { dtype: node, weak: weak && node !== 'bool' }
}

// Weak operands normally carry the default width; one that does not (a weak float64 scalar) keeps it.
const widest = (operands: readonly Promotable[], fallback: DType): DType =>
  operands.some((x) => x.weak && x.dtype === 'float64') && fallback === 'float32'
    ? 'float64'
    : fallback

/** The float dtype that a function such as `sin` or a true division computes in. */
export const toInexact = (type: Promotable): Promotable =>
  isInexact(type.dtype) ? type : { dtype: 'float32', weak: type.weak }
