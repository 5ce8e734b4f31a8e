import { heap } from '@cotangent/jit'
import { describe, expect, test } from 'vitest'

const { Budget, Collections } = heap

const MiB = 2 ** 20

interface Prices {
  readonly young: number
  readonly all: number
  /** Of one tensor of a MiB. */
  readonly tensor: number
}

/**
 * A heap of tensors of a MiB each, with a clock of its own: each says how many collections of the
 * young it outlives once it is dead, none being the usual.
 */
const simulate = ({ young, all, tensor }: Prices, ceiling = 4096 * MiB) => {
  let time = 0
  const asked = { young: 0, all: 0 }
  const dead = { young: 0, old: 0 }
  let [live, touched] = [0, 0]
  let swept = { blocks: 0, bytes: 0 }
  const collector = {
    collect: (everything: boolean): void => {
      time += everything ? all : young
      asked[everything ? 'all' : 'young'] += 1
      const blocks = dead.young + (everything ? dead.old : 0)
      swept = { blocks, bytes: blocks * MiB }
      dead.young = 0
      if (everything) dead.old = 0
    },
    tell: (): boolean => true,
  }
  const budget = new Budget(32 * MiB, ceiling)
  const watched = { witnesses: new WeakSet(), sweep: () => swept }
  const collections = new Collections(
    () => collector,
    watched,
    budget,
    () => time,
  )
  const inUse = (): number => (live + dead.young + dead.old) * MiB
  /** Makes so many tensors; returns how many there has been room for at once. */
  const make = (count: number, become: 'live' | 'young' | 'old'): number => {
    for (let i = 0; i < count; i++) {
      time += tensor
      // Memory that has been in use is filled again before anybody is asked.
      const wanted = inUse() + MiB
      if (wanted > touched && wanted > budget.limit) collections.relieve(inUse())
      if (become === 'live') live += 1
      else dead[become] += 1
      touched = Math.max(touched, inUse())
    }
    return touched / MiB
  }
  return { asked, budget, collections, make, inUse }
}

const quiet: Prices = { young: 0.3, all: 5, tensor: 1 }

describe('the collector is asked', () => {
  test('not at all within the budget', () => {
    const { asked, make } = simulate(quiet)
    make(32, 'live')
    expect(asked).toEqual({ young: 0, all: 0 })
  })

  test('thoroughly first, then about the young once for every budget of dropped tensors', () => {
    const { asked, make } = simulate(quiet)
    expect(make(3200, 'young')).toBe(32)
    expect(asked).toEqual({ young: 98, all: 1 })
  })

  test('about as much as before when much lives', () => {
    const { asked, make, budget } = simulate(quiet)
    make(1024, 'live')
    const { young, all } = { ...asked }
    expect(young + all).toBeLessThan(25)
    expect(all).toBeLessThan(8)
    expect(make(3200, 'young')).toBeLessThan(1024 + 300)
    expect(asked.all).toBe(all)
    expect(asked.young - young).toBeGreaterThan(10)
    // The larger step that the growth has brought about shrinks again.
    expect(budget.limit).toBe((1024 + 32) * MiB)
  })

  test('less often where it takes long, but never much less', () => {
    const dear = simulate({ young: 10, all: 20, tensor: 1 })
    expect(dear.make(3200, 'young')).toBe(64)
    expect(dear.asked.young).toBeLessThan(64)
    const once = simulate(quiet)
    expect(once.make(3200, 'young')).toBe(32)
  })

  test('thoroughly when as much as lived has grown old', () => {
    const { asked, make } = simulate(quiet)
    make(100, 'live')
    const before = asked.all
    expect(make(2000, 'old')).toBeLessThan(260)
    expect(asked.all - before).toBeGreaterThan(10)
    expect(asked.all - before).toBeLessThan(25)
  })

  test('thoroughly for a tenth of the time at most', () => {
    const { asked, make, collections, inUse } = simulate({ young: 0.3, all: 500, tensor: 1 })
    make(5000, 'old')
    expect(asked.all).toBe(2)
    expect(collections.relieveAll(inUse())).toBe(0)
    expect(asked.all).toBe(2)
  })

  test('thoroughly before live tensors are evicted', () => {
    const { asked, make, collections, inUse } = simulate(quiet)
    make(60, 'old')
    make(30, 'live')
    const { all } = asked
    const freed = collections.relieveAll(inUse())
    expect(asked.all).toBe(all + 1)
    expect(freed).toBeGreaterThan(20 * MiB)
    expect(inUse()).toBe(30 * MiB)
  })
})

test('where nobody can be asked, that is found out once', () => {
  let tried = 0
  const find = (): null => {
    tried += 1
    return null
  }
  const watched = { witnesses: new WeakSet(), sweep: () => ({ blocks: 0, bytes: 0 }) }
  const collections = new Collections(find, watched, new Budget(MiB, 4 * MiB))
  expect([collections.relieve(MiB), collections.relieve(MiB)]).toEqual([null, null])
  expect([tried, collections.count, collections.relieveAll(MiB)]).toEqual([1, 0, 0])
})
