/** IDX files: what is written is read back, and no damage goes unnoticed. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { tensor } from '@cotangent/core'
import { type IdxDType, decodeIdx, encodeIdx, explain, idx } from '@cotangent/data'
import * as fc from 'fast-check'
import * as E from 'fp-ts/lib/Either.js'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

let folder = ''
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cotangent-idx-'))
})
afterAll(() => rm(folder, { recursive: true }))

const values: Readonly<Record<IdxDType, fc.Arbitrary<number>>> = {
  uint8: fc.integer({ min: 0, max: 255 }),
  int8: fc.integer({ min: -128, max: 127 }),
  int16: fc.integer({ min: -32768, max: 32767 }),
  int32: fc.integer(),
  float32: fc.float({ noNaN: true }),
  float64: fc.double({ noNaN: true }),
}
const dtypes = Object.keys(values) as readonly IdxDType[]

const arrays = fc.constantFrom(...dtypes).chain((dtype) =>
  fc.array(fc.integer({ min: 0, max: 4 }), { maxLength: 4 }).chain((shape) => {
    const length = shape.reduce((n, d) => n * d, 1)
    return fc
      .array(values[dtype], { minLength: length, maxLength: length })
      .map((data) => tensor(Float64Array.from(data), { dtype, shape }))
  }),
)

describe('idx', () => {
  test('what is written is read back, for every element type', () => {
    fc.assert(
      fc.property(arrays, (x) => {
        const read = decodeIdx(encodeIdx(x), 'x')
        if (E.isLeft(read)) throw new Error(explain(read.left))
        expect(read.right.dtype).toBe(x.dtype)
        expect(read.right.shape).toEqual(x.shape)
        expect(Array.from(read.right.data)).toEqual(Array.from(x.data()))
      }),
      { numRuns: 300 },
    )
  })

  test('plain and gzip files give the same tensor, whatever their name', async () => {
    const x = tensor(Int16Array.from([-1, 2, 3, 256, 5, -32768]), { shape: [2, 3] })
    const plain = join(folder, 'plain')
    const packed = join(folder, 'packed')
    await writeFile(plain, encodeIdx(x))
    await writeFile(packed, gzipSync(encodeIdx(x)))
    for (const path of [plain, packed]) {
      const read = await idx(path)()
      if (E.isLeft(read)) throw new Error(explain(read.left))
      expect(read.right.dtype).toBe('int16')
      expect(read.right.toArray()).toEqual([
        [-1, 2, 3],
        [256, 5, -32768],
      ])
    }
  })

  test('cut off at any byte, a file gives a tagged error and no result', () => {
    fc.assert(
      fc.property(arrays, (x) => {
        const bytes = encodeIdx(x)
        for (let length = 0; length < bytes.length; length++) {
          const read = decodeIdx(bytes.subarray(0, length), 'x')
          if (E.isRight(read) || read.left.tag !== 'Truncated') throw new Error(`byte ${length}`)
          expect(read.left.offset).toBe(length)
          const header = 4 + 4 * x.ndim
          const wanted = length < 4 ? 4 : length < header ? header : bytes.length
          expect(read.left.missingBytes).toBe(wanted - length)
        }
      }),
      { numRuns: 60 },
    )
  })

  test('cut off at any byte, a gzip file gives a tagged error and no result', async () => {
    const packed = gzipSync(encodeIdx(tensor(Float32Array.from([1, 2, 3, 4]))))
    const tags = new Set<string>()
    for (let length = 0; length < packed.length; length++) {
      const path = join(folder, 'cut.gz')
      await writeFile(path, packed.subarray(0, length))
      const read = await idx(path)()
      if (E.isRight(read)) throw new Error(`a result from ${length} bytes`)
      tags.add(read.left.tag)
    }
    expect(tags).toEqual(new Set(['Truncated', 'NotIdx', 'BrokenGzip']))
  })

  test('a changed byte in a gzip file is noticed by its checksum', async () => {
    const packed = gzipSync(encodeIdx(tensor(Float32Array.from([1, 2, 3, 4]))))
    packed[packed.length - 6]! ^= 1
    const path = join(folder, 'changed.gz')
    await writeFile(path, packed)
    const read = await idx(path)()
    expect(E.isLeft(read) && read.left.tag).toBe('BrokenGzip')
  })

  const bytes = encodeIdx(tensor(Uint8Array.from([7, 8, 9])))
  const changed = (at: number, byte: number): Uint8Array =>
    bytes.map((b, i) => (i === at ? byte : b))
  const failures: readonly (readonly [string, Uint8Array, object, RegExp])[] = [
    ['NotIdx', changed(0, 0x50), {}, /^x: not an IDX file \(byte 0\): found 0x50/],
    ['NotIdx', changed(2, 0x0a), {}, /found type code 0x0a, wanted one of 0x08 \(uint8\)/],
    ['WrongElementType', bytes, { dtype: 'float32' }, /found uint8, wanted float32/],
    ['WrongDimensions', bytes, { rank: 3 }, /found 1 dimensions, wanted 3/],
    ['Truncated', changed(7, 5), {}, /truncated at byte 11, 2 bytes missing/],
    ['Truncated', changed(4, 255), {}, /truncated at byte 11, 4278190080 bytes missing/],
    ['TrailingBytes', changed(7, 2), {}, /1 byte too many after byte 10/],
  ]
  test.each(failures)('%s', (tag, content, options, message) => {
    const read = decodeIdx(content, 'x', options)
    if (E.isRight(read)) throw new Error('a result')
    expect(read.left.tag).toBe(tag)
    expect(explain(read.left)).toMatch(message)
    expect(explain(read.left)).not.toContain('\n')
  })

  test('a missing file, a directory, and a file in place of a directory', async () => {
    const file = join(folder, 'file')
    await writeFile(file, bytes)
    const tagOf = async (path: string): Promise<string> => {
      const read = await idx(path)()
      return E.isLeft(read) ? read.left.tag : 'none'
    }
    expect(await tagOf(join(folder, 'nowhere'))).toBe('FileMissing')
    expect(await tagOf(join(file, 'below'))).toBe('FileMissing')
    expect(await tagOf(folder)).toBe('FileUnreadable')
  })

  test('a dtype that the format does not have is refused', () => {
    expect(() => encodeIdx(tensor([true]))).toThrow(/encodeIdx: IDX has no such element type/)
  })
})
