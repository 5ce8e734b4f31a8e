/**
 * IDX, the format of the MNIST files: two zero bytes, a type code, the number of dimensions, each
 * dimension as a big-endian uint32, then the elements, big-endian, row-major.
 * @see LeCun, Cortes, Burges, "The MNIST database of handwritten digits"
 */
import {
  DTypeError,
  type DType,
  type Shape,
  type Tensor,
  type TypedArray,
  fromNDArray,
  makeStore,
  showShape,
  sizeOf,
} from '@cotangent/core'
import * as E from 'fp-ts/lib/Either.js'
import * as TE from 'fp-ts/lib/TaskEither.js'
import type { DataError } from '../errors.ts'
import { readContent } from './files.ts'

/** The dtypes that IDX can hold. */
export type IdxDType = 'uint8' | 'int8' | 'int16' | 'int32' | 'float32' | 'float64'

interface ElementType {
  readonly code: number
  readonly dtype: IdxDType
  readonly bytes: number
  readonly read: (view: DataView, offset: number) => number
  readonly write: (view: DataView, offset: number, value: number) => void
}

const elementTypes: readonly ElementType[] = [
  {
    code: 0x08,
    dtype: 'uint8',
    bytes: 1,
    read: (view, at) => view.getUint8(at),
    write: (view, at, value) => view.setUint8(at, value),
  },
  {
    code: 0x09,
    dtype: 'int8',
    bytes: 1,
    read: (view, at) => view.getInt8(at),
    write: (view, at, value) => view.setInt8(at, value),
  },
  {
    code: 0x0b,
    dtype: 'int16',
    bytes: 2,
    read: (view, at) => view.getInt16(at),
    write: (view, at, value) => view.setInt16(at, value),
  },
  {
    code: 0x0c,
    dtype: 'int32',
    bytes: 4,
    read: (view, at) => view.getInt32(at),
    write: (view, at, value) => view.setInt32(at, value),
  },
  {
    code: 0x0d,
    dtype: 'float32',
    bytes: 4,
    read: (view, at) => view.getFloat32(at),
    write: (view, at, value) => view.setFloat32(at, value),
  },
  {
    code: 0x0e,
    dtype: 'float64',
    bytes: 8,
    read: (view, at) => view.getFloat64(at),
    write: (view, at, value) => view.setFloat64(at, value),
  },
]

/** What an IDX file must hold; by default, anything. */
export interface IdxOptions {
  readonly dtype?: IdxDType
  /** The number of dimensions. */
  readonly rank?: number
}

/** The content of an IDX file. */
export interface IdxArray {
  readonly dtype: IdxDType
  readonly shape: Shape
  readonly data: TypedArray
}

const hex = (byte: number): string => `0x${byte.toString(16).padStart(2, '0')}`

interface Header {
  readonly type: ElementType
  readonly shape: Shape
  /** Where the elements begin. */
  readonly start: number
}

const readHeader = (
  content: Uint8Array,
  path: string,
  options: IdxOptions,
): E.Either<DataError, Header> => {
  const view = viewOf(content)
  const wrong =
    (tag: 'NotIdx' | 'WrongElementType' | 'WrongDimensions') =>
    (offset: number, found: string, wanted: string): E.Either<DataError, Header> =>
      E.left({ tag, path, offset, found, wanted })
  const zeroes = content.findIndex((byte, i) => i < 2 && byte !== 0)
  if (zeroes >= 0) return wrong('NotIdx')(zeroes, hex(content[zeroes]!), 'two zero bytes first')
  if (content.length < 4) return truncated(path, content.length, 4, 'a header')

  const code = content[2]!
  const type = elementTypes.find((candidate) => candidate.code === code)
  if (type === undefined) {
    const codes = elementTypes.map(({ code: c, dtype }) => `${hex(c)} (${dtype})`).join(', ')
    return wrong('NotIdx')(2, `type code ${hex(code)}`, `one of ${codes}`)
  }
  if (options.dtype !== undefined && type.dtype !== options.dtype)
    return wrong('WrongElementType')(2, type.dtype, options.dtype)
  const rank = content[3]!
  if (options.rank !== undefined && rank !== options.rank)
    return wrong('WrongDimensions')(3, `${rank} dimensions`, `${options.rank}`)
  const start = 4 + 4 * rank
  if (content.length < start)
    return truncated(path, content.length, start, `a header of ${rank} dimensions`)
  const shape = Array.from({ length: rank }, (_, i) => view.getUint32(4 + 4 * i))
  return E.right({ type, shape, start })
}

const truncated = (
  path: string,
  length: number,
  wanted: number,
  what: string,
): E.Either<DataError, never> =>
  E.left({
    tag: 'Truncated',
    path,
    offset: length,
    missingBytes: wanted - length,
    found: `${length} bytes`,
    wanted: `${wanted} bytes for ${what}`,
  })

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)

/** The array in the (decompressed) content of an IDX file; `path` is for the errors. */
export const decodeIdx = (
  content: Uint8Array,
  path: string,
  options: IdxOptions = {},
): E.Either<DataError, IdxArray> =>
  E.flatMap(readHeader(content, path, options), ({ type, shape, start }) => {
    const size = sizeOf(shape)
    const end = start + size * type.bytes
    const what = `${type.dtype}${showShape(shape)}`
    if (content.length < end) return truncated(path, content.length, end, what)
    if (content.length > end) {
      return E.left({
        tag: 'TrailingBytes',
        path,
        offset: end,
        extraBytes: content.length - end,
        found: `${content.length} bytes`,
        wanted: `${end} bytes for ${what}`,
      })
    }
    return E.right({ dtype: type.dtype, shape, data: readElements(content, type, start, size) })
  })

const readElements = (
  content: Uint8Array,
  type: ElementType,
  start: number,
  size: number,
): TypedArray => {
  if (type.dtype === 'uint8') return content.slice(start)
  const view = viewOf(content)
  const data = makeStore(type.dtype, size)
  for (let i = 0; i < size; i++) data[i] = type.read(view, start + i * type.bytes)
  return data
}

/**
 * A tensor as the bytes of an IDX file.
 * @throws DTypeError for a dtype that the format does not have.
 */
export const encodeIdx = (x: Tensor): Uint8Array => {
  const type = elementTypes.find(({ dtype }) => dtype === x.dtype)
  if (type === undefined || x.ndim > 255) throw notInIdx(x.dtype)
  const start = 4 + 4 * x.ndim
  const bytes = new Uint8Array(start + x.size * type.bytes)
  const view = viewOf(bytes)
  bytes.set([0, 0, type.code, x.ndim])
  x.shape.forEach((extent, axis) => view.setUint32(4 + 4 * axis, extent))
  x.data().forEach((value, i) => type.write(view, start + i * type.bytes, value))
  return bytes
}

const notInIdx = (dtype: DType): DTypeError =>
  new DTypeError({
    operation: 'encodeIdx',
    problem: 'IDX has no such element type',
    got: dtype,
    want: elementTypes.map((type) => type.dtype).join(', '),
    fix: 'convert it with astype first',
  })

/** `idx` without the tensor around it. */
export const readIdx = (
  path: string,
  options: IdxOptions = {},
): TE.TaskEither<DataError, IdxArray> =>
  TE.flatMapEither(readContent(path), (content) => decodeIdx(content, path, options))

/**
 * Reads an IDX file, plain or gzip (told by its content), as a tensor of its own type and shape.
 * @example
 * const images = await idx('train-images-idx3-ubyte.gz', { dtype: 'uint8', rank: 3 })()
 */
export const idx = (path: string, options: IdxOptions = {}): TE.TaskEither<DataError, Tensor> =>
  TE.map(fromNDArray)(readIdx(path, options))
