/** Laws of datasets: order, partition, and the same result from the same key. */
import { type Tensor, tensor } from '@cotangent/core'
import { type Dataset, epochs, fromArrays, shuffledFor } from '@cotangent/data'
import { random } from '@cotangent/ops'
import * as fc from 'fast-check'
import { describe, expect, test } from 'vitest'

interface Row {
  readonly x: Tensor
  readonly id: Tensor
}

/** `count` rows: `id` is the row's number, `x` three numbers made from it. */
const numbered = (count: number): Dataset<Row> =>
  fromArrays({
    x: tensor(
      Float32Array.from({ length: 3 * count }, (_, i) => i / 2),
      { shape: [count, 3] },
    ),
    id: tensor(Int32Array.from({ length: count }, (_, i) => i)),
  })

const ids = (dataset: Iterable<Row>): readonly number[] => [...dataset].map(({ id }) => id.item())
const sorted = (numbers: readonly number[]): readonly number[] => numbers.toSorted((a, b) => a - b)
const upTo = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i)

const counts = fc.integer({ min: 0, max: 60 })
const sizes = fc.integer({ min: 1, max: 70 })
const seeds = fc.integer()

describe('order', () => {
  test('shuffle is a permutation, the same for the same key, and lazy batches follow it', () => {
    fc.assert(
      fc.property(counts, sizes, seeds, (count, size, seed) => {
        const shuffled = numbered(count).shuffle(seed)
        const order = ids(shuffled)
        expect(sorted(order)).toEqual(upTo(count))
        expect(ids(numbered(count).shuffle(seed))).toEqual(order)
        expect(ids(numbered(count).shuffle(random.key(seed)))).toEqual(order)
        const batches = [...shuffled.batch(size)]
        expect(batches.flatMap(({ id }) => [...id.data()])).toEqual(order)
        expect(batches.flatMap(({ x }) => [...x.data()])).toEqual(
          order.flatMap((i) => [3 * i, 3 * i + 1, 3 * i + 2].map((j) => j / 2)),
        )
      }),
    )
  })

  test('different keys give different orders', () => {
    const orders = upTo(50).map((seed) => ids(numbered(10).shuffle(seed)).join())
    expect(new Set(orders).size).toBe(50)
    expect(ids(numbered(10).shuffle(-1)).join()).toBe(
      ids(numbered(10).shuffle(random.key(-1))).join(),
    )
  })

  test('every order of four elements comes up about equally often', () => {
    const seen = new Map<string, number>()
    for (let seed = 0; seed < 2400; seed++) {
      const order = ids(numbered(4).shuffle(seed)).join()
      seen.set(order, (seen.get(order) ?? 0) + 1)
    }
    expect(seen.size).toBe(24)
    // 100 expected of each, with a standard deviation of 9.8.
    for (const times of seen.values()) expect(Math.abs(times - 100)).toBeLessThan(45)
  })

  test('epochs shuffle anew by the key that random.foldIn gives', () => {
    const key = random.key(3)
    const orders = [...epochs(numbered(20), key, 3)].map(ids)
    orders.forEach((order, epoch) => {
      expect(order).toEqual(ids(numbered(20).shuffle(random.foldIn(key, epoch))))
      expect(order).toEqual(ids(shuffledFor(numbered(20), 3, epoch)))
    })
    expect(new Set(orders.map(String)).size).toBe(3)
  })
})

describe('batch', () => {
  test('joined again, batches are the dataset', () => {
    fc.assert(
      fc.property(counts, sizes, (count, size) => {
        const batches = numbered(count).batch(size)
        expect(batches.size).toBe(Math.ceil(count / size))
        expect([...batches].flatMap(({ id }) => [...id.data()])).toEqual(upTo(count))
        const dropped = numbered(count).batch(size, { dropRemainder: true })
        expect(dropped.size).toBe(Math.floor(count / size))
        for (const { x, id } of dropped) expect([x.shape, id.shape]).toEqual([[size, 3], [size]])
        const padded = numbered(count).batch(size, { pad: { x: 0, id: -1 } })
        expect(padded.size).toBe(batches.size)
        for (const { x, id } of padded) expect([x.shape, id.shape]).toEqual([[size, 3], [size]])
        const filled = [...padded].flatMap(({ id }) => [...id.data()])
        expect(filled.slice(0, count)).toEqual(upTo(count))
        expect(filled.slice(count).every((id) => id === -1)).toBe(true)
      }),
    )
  })

  test('mapped elements are stacked: numbers as float32, booleans as bool', () => {
    const [batch] = numbered(2)
      .map(({ id }, i) => ({ double: 2 * id.item(), even: i % 2 === 0, nested: [id] }))
      .batch(2)
    expect(batch?.double.dtype).toBe('float32')
    expect(batch?.double.toArray()).toEqual([0, 2])
    expect(batch?.even.toArray()).toEqual([true, false])
    expect(batch?.nested[0]?.toArray()).toEqual([0, 1])
  })

  test('elements and batches are frozen, and batches of batches have two more axes', () => {
    const [batch] = numbered(4).batch(2).batch(2)
    expect(batch?.x.shape).toEqual([2, 2, 3])
    expect(Object.isFrozen(batch)).toBe(true)
    expect(Object.isFrozen(numbered(1).get(0))).toBe(true)
  })

  test('elements that do not stack are refused', () => {
    const ragged = numbered(3).map((_, i) => ({ x: tensor(new Float32Array(i)) }))
    expect(() => [...ragged.batch(2)]).toThrow(
      /elements differ at x[^]*float32\[0\] and float32\[1\]/,
    )
    expect(() => numbered(3).batch(0)).toThrow(/batch: the batch size is out of range/)
    expect(() => numbered(3).batch(2, { dropRemainder: true, pad: 0 })).toThrow(
      /exclude each other/,
    )
  })
})

describe('parts', () => {
  test('split: disjoint parts of the right sizes that together are everything', () => {
    fc.assert(
      fc.property(counts, seeds, fc.integer({ min: 1, max: 9 }), (count, seed, tenths) => {
        const fractions = [tenths / 10, 1 - tenths / 10] as const
        const [a, b] = numbered(count).split(fractions, seed)
        expect(Math.abs(a.size - fractions[0] * count)).toBeLessThan(1)
        expect(a.size + b.size).toBe(count)
        expect(sorted([...ids(a), ...ids(b)])).toEqual(upTo(count))
        expect(ids(numbered(count).split(fractions)[0])).toEqual(upTo(a.size))
      }),
    )
    expect(
      numbered(10)
        .split(new Array<number>(10).fill(0.1))
        .map(({ size }) => size),
    ).toEqual(new Array<number>(10).fill(1))
    expect(() => numbered(3).split([0.7, 0.7])).toThrow(/split: the fractions/)
    expect(() => numbered(3).split([0.7, -0.1])).toThrow(/split: the fractions/)
  })

  test('kFold: the test parts partition the dataset, and each training part is the rest', () => {
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 40 }), seeds, fc.nat(), (count, seed, n) => {
        const k = 2 + (n % (count - 1))
        const folds = numbered(count).kFold(k, seed)
        expect(folds.length).toBe(k)
        expect(sorted(folds.flatMap((fold) => ids(fold.test)))).toEqual(upTo(count))
        for (const fold of folds) {
          expect(fold.test.size - Math.floor(count / k)).toBeLessThanOrEqual(1)
          expect(sorted([...ids(fold.train), ...ids(fold.test)])).toEqual(upTo(count))
        }
      }),
    )
    expect(() => numbered(3).kFold(4)).toThrow(/kFold: there are more folds than elements/)
  })

  test('bootstrap draws with replacement, the same for the same key', () => {
    const drawn = ids(numbered(1000).bootstrap(7))
    expect(drawn).toEqual(ids(numbered(1000).bootstrap(7)))
    expect(drawn.length).toBe(1000)
    // 1 − 1/e of the elements are expected, with a standard deviation of about 10.
    expect(Math.abs(new Set(drawn).size - 632)).toBeLessThan(50)
  })

  test('take, skip, filter and repeat are those of lists', () => {
    fc.assert(
      fc.property(counts, counts, fc.integer({ min: 0, max: 3 }), (count, n, times) => {
        const list = upTo(count)
        expect(ids(numbered(count).take(n))).toEqual(list.slice(0, n))
        expect(ids(numbered(count).skip(n))).toEqual(list.slice(n))
        expect(ids(numbered(count).filter(({ id }) => id.item() % 3 === 0))).toEqual(
          list.filter((i) => i % 3 === 0),
        )
        expect(ids(numbered(count).repeat(times))).toEqual(upTo(times).flatMap(() => list))
        expect(ids(numbered(count).repeat().take(n)).length).toBe(count === 0 ? 0 : n)
      }),
    )
  })

  test('what would never end is refused', () => {
    const endless = numbered(3).repeat()
    expect(endless.size).toBe(Infinity)
    expect(endless.batch(2).get(1000).id.toArray()).toEqual([2, 0])
    expect(() => endless.shuffle(0).get(0)).toThrow(/put shuffle before repeat/)
    expect(() => endless.filter(() => true).size).toThrow(/put filter before repeat/)
    expect(() => endless.toArrays()).toThrow(/repeats without end/)
  })
})

describe('use', () => {
  test('nothing is read before it is asked for, and reading twice gives the same', () => {
    let reads = 0
    const counted = numbered(100).map((row) => {
      reads++
      return row
    })
    const batches = counted.shuffle(1).batch(10).take(2)
    expect(reads).toBe(0)
    const first = [...batches].map(({ id }) => id.toArray())
    expect(reads).toBe(20)
    expect([...batches].map(({ id }) => id.toArray())).toEqual(first)
  })

  test('arrays of different lengths, bad keys and bad numbers are refused', () => {
    expect(() => fromArrays({ x: [1, 2], y: [1] })).toThrow(/x 2 rows, y 1 rows/)
    expect(() => fromArrays({})).toThrow(/no array/)
    expect(() => fromArrays({ x: 1 })).toThrow(/a scalar/)
    expect(() => numbered(2).get(2)).toThrow(/an integer from 0 to 1/)
    expect(() => numbered(2).shuffle(0.5)).toThrow(/neither a key nor a seed/)
    expect(() => numbered(2).shuffle(tensor([1, 2]))).toThrow(/neither a key nor a seed/)
  })

  test('half floats and bools survive a batch', () => {
    const x = tensor([0.5, 1.5, 2.5], { dtype: 'bfloat16' })
    const { x: batch, b } = fromArrays({ x, b: [true, false, true] })
      .skip(1)
      .toArrays()
    expect([batch.dtype, batch.toArray()]).toEqual(['bfloat16', [1.5, 2.5]])
    expect([b.dtype, b.toArray()]).toEqual(['bool', [false, true]])
  })
})

describe('prefetch', () => {
  const collect = async <E>(source: AsyncIterable<E>): Promise<readonly E[]> => {
    const all: E[] = []
    for await (const element of source) all.push(element)
    return all
  }

  test('gives the same elements in the same order, each time', async () => {
    const stream = numbered(17).batch(3).prefetch(4)
    expect(stream.size).toBe(6)
    for (const _ of [1, 2]) {
      const batches = await collect(stream)
      expect(batches.flatMap(({ id }) => [...id.data()])).toEqual(upTo(17))
    }
  })

  test('prepares elements while the consumer waits, and no more than it may', async () => {
    let made = 0
    const stream = numbered(10)
      .map((row) => {
        made++
        return row
      })
      .prefetch(3)
    let taken = 0
    for await (const _ of stream) {
      taken++
      await new Promise((resolve) => setTimeout(resolve, 20))
      expect(made).toBe(Math.min(10, taken + 3))
    }
    expect(taken).toBe(10)
  })

  test('asynchronous maps keep the order', async () => {
    const stream = numbered(5)
      .prefetch(2)
      .map(async ({ id }, i) => {
        await new Promise((resolve) => setTimeout(resolve, 5 - i))
        return id.item() + i
      })
      .prefetch(2)
    expect(await collect(stream)).toEqual([0, 2, 4, 6, 8])
  })

  test('an error comes in its place, after the elements before it', async () => {
    const seen: number[] = []
    const stream = numbered(5)
      .map(({ id }) => {
        if (id.item() === 2) throw new Error('broken row')
        return id.item()
      })
      .prefetch(4)
    await expect(
      (async () => {
        for await (const id of stream) seen.push(id)
      })(),
    ).rejects.toThrow('broken row')
    expect(seen).toEqual([0, 1])
  })

  test('a consumer that stops early closes the source', async () => {
    let made = 0
    const endless = numbered(3)
      .repeat()
      .map((row) => {
        made++
        return row
      })
    for await (const _ of endless.prefetch(2)) break
    const atEnd = made
    await new Promise((resolve) => setTimeout(resolve, 20))
    expect(made).toBe(atEnd)
  })
})
