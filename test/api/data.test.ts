import { data, np, random, tensor } from 'cotangent'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'

const key = random.key(7)
const numbers = (n: number) => data.fromArrays({ x: np.arange(n) })
const collect = async <T>(source: AsyncIterable<T>): Promise<readonly T[]> => {
  const all: T[] = []
  for await (const item of source) all.push(item)
  return all
}
const values = async (
  source: AsyncIterable<{ readonly x: { data(): ArrayLike<number | boolean> } }>,
) => (await collect(source)).flatMap(({ x }) => Array.from(x.data(), Number))

describe('a dataset', () => {
  test('map, filter, take, repeat', async () => {
    expect(await values(numbers(4))).toEqual([0, 1, 2, 3])
    expect(await values(numbers(4).map(({ x }) => ({ x: x.mul(2) })))).toEqual([0, 2, 4, 6])
    expect(await values(numbers(4).filter(({ x }) => Number(x.item()) % 2 === 1))).toEqual([1, 3])
    expect(await values(numbers(9).take(2))).toEqual([0, 1])
    expect(await values(numbers(2).repeat(3))).toEqual([0, 1, 0, 1, 0, 1])
    expect(await values(numbers(2).repeat().take(5))).toEqual([0, 1, 0, 1, 0])
  })

  test('batch: the last is short, dropped or padded', async () => {
    const sizes = async (options: {
      readonly dropRemainder?: boolean
      readonly pad?: number | boolean
    }) => (await collect(numbers(5).batch(2, options))).map(({ x }) => x.shape[0])
    expect(await sizes({})).toEqual([2, 2, 1])
    expect(await sizes({ dropRemainder: true })).toEqual([2, 2])
    expect(await sizes({ pad: true })).toEqual([2, 2, 2])
    expect(await values(numbers(3).batch(2, { pad: true }))).toEqual([0, 1, 2, 0])
    expect(await values(numbers(3).batch(2, { pad: -1 }))).toEqual([0, 1, 2, -1])
  })

  test('shuffle is a permutation that the key decides', async () => {
    const a = await values(numbers(50).shuffle(key))
    const b = await values(numbers(50).shuffle(key))
    const c = await values(numbers(50).shuffle(random.key(8)))
    expect(a).toEqual(b)
    expect(a).not.toEqual(c)
    expect([...a].sort((x, y) => x - y)).toEqual(await values(numbers(50)))
  })

  test('is lazy and replays', async () => {
    let calls = 0
    const source = numbers(100).map((item) => {
      calls++
      return item
    })
    expect(calls).toBe(0)
    await collect(source.take(3))
    expect(calls).toBeLessThan(10)
    expect(await values(source.take(3))).toEqual(await values(source.take(3)))
  })

  test('split gives disjoint parts that make up the whole', async () => {
    const [a, b] = numbers(50).split([0.8, 0.2], key)
    const [x, y] = [await values(a!), await values(b!)]
    expect([x.length, y.length]).toEqual([40, 10])
    expect([...x, ...y].sort((p, q) => p - q)).toEqual(await values(numbers(50)))
  })

  test('laws, for any size, batch and key', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 30 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(1000),
        async (n, size, seed) => {
          const source = numbers(n)
          const all = await values(source)
          const k = random.key(seed)
          expect(await values(source.batch(size))).toEqual(all)
          expect(await values(source.shuffle(k).batch(size))).toEqual(
            await values(source.shuffle(k)),
          )
          expect(await values(source.prefetch(2))).toEqual(all)
          expect(await values(source.map((v) => v).filter(() => true))).toEqual(all)
          expect(await values(source.take(size))).toEqual(all.slice(0, size))
          expect([...(await values(source.shuffle(k)))].sort((x, y) => x - y)).toEqual(all)
          expect((await collect(source.batch(size, { dropRemainder: true }))).length).toBe(
            Math.floor(n / size),
          )
        },
      ),
      { numRuns: 25 },
    )
  })

  test('refuses arrays that do not match and sizes that make no sense', () => {
    expect(() => data.fromArrays({ x: np.arange(3), y: np.arange(4) })).toThrow(/3.*4|4.*3/s)
    expect(() => numbers(3).batch(0)).toThrow(/batch/)
    expect(() => numbers(3).batch(1.5)).toThrow(/batch/)
    expect(() => numbers(3).take(-1)).toThrow(/take/)
    expect(() => numbers(3).split([0.9, 0.9], key)).toThrow(/split/)
    expect(() => data.fromArrays({ x: tensor(1) })).toThrow(/fromArrays|axis|scalar/)
  })
})

describe('sources', () => {
  test('a file that is not there is a value, not an exception', async () => {
    const result = await data.mnist('/no/such/folder')()
    expect(result._tag).toBe('Left')
    if (result._tag === 'Left') expect(JSON.stringify(result.left)).toContain('/no/such/folder')
    const one = await data.idx('/no/such/file')()
    expect(one._tag).toBe('Left')
  })

  test('digits needs no file and is decided by its key', async () => {
    const { train, test: held } = data.digits({ key, train: 4, test: 2 })
    const a = await collect(train)
    const b = await collect(data.digits({ key, train: 4, test: 2 }).train)
    expect(a).toHaveLength(4)
    expect(await collect(held)).toHaveLength(2)
    expect(a[0]!.image.shape).toEqual([1, 28, 28])
    expect(a.map(({ image }) => image.toArray())).toEqual(b.map(({ image }) => image.toArray()))
    expect(a[0]!.label.dtype).toBe('int32')
  })
})
