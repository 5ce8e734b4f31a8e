/**
 * Hash-consing: structurally equal expressions get one number. A load's key holds the version of
 * its buffer and a local's that of its variable, so equal numbers mean equal values.
 */
import type { Index, Scalar } from '@cotangent/core'

export interface Interner {
  /** The number of a scalar under the current versions. */
  readonly idOf: (s: Scalar) => number
  /** Called where a buffer is stored to or a variable assigned: what reads it gets new numbers. */
  readonly touch: (names: Iterable<string>) => void
  /** Makes a local stand for a value, so that both have one number. */
  readonly alias: (name: string, id: number) => void
  readonly snapshot: () => Snapshot
  readonly restore: (snapshot: Snapshot) => void
}

export interface Snapshot {
  readonly versions: ReadonlyMap<string, number>
  readonly aliases: ReadonlyMap<string, number>
  readonly next: number
}

export const makeInterner = (): Interner => {
  const ids = new Map<string, number>()
  let versions = new Map<string, number>()
  let aliases = new Map<string, number>()
  let nextVersion = 1
  let scalarMemo = new Map<Scalar, number>()
  let indexMemo = new Map<Index, number>()

  const number = (key: string): number => {
    const known = ids.get(key)
    if (known !== undefined) return known
    ids.set(key, ids.size)
    return ids.size - 1
  }
  const forget = (): void => {
    scalarMemo = new Map()
    indexMemo = new Map()
  }
  const version = (name: string): number => versions.get(name) ?? 0

  const idOfIndex = (i: Index): number => {
    const known = indexMemo.get(i)
    if (known !== undefined) return known
    const id = number(indexKey(i))
    indexMemo.set(i, id)
    return id
  }
  const indexKey = (i: Index): string => {
    switch (i.tag) {
      case 'constant':
        return `constant ${i.value}`
      case 'counter':
        return `counter ${i.name}`
      case 'affine': {
        const terms = i.terms.map((t) => `${t.coefficient}*${idOfIndex(t.term)}`)
        return `affine ${i.constant} ${terms.sort().join('+')}`
      }
      case 'floorDivide':
      case 'modulo':
        return `${i.tag} ${idOfIndex(i.value)} ${i.by}`
      case 'data':
        return `data ${idOf(i.value)}`
      default:
        return i satisfies never
    }
  }
  const idOf = (s: Scalar): number => {
    const known = scalarMemo.get(s)
    if (known !== undefined) return known
    const alias = s.tag === 'local' ? aliases.get(s.name) : undefined
    const id = alias ?? number(scalarKey(s))
    scalarMemo.set(s, id)
    return id
  }
  const scalarKey = (s: Scalar): string => {
    switch (s.tag) {
      case 'literal':
        return `literal ${s.dtype} ${Object.is(s.value, -0) ? '-0' : s.value}`
      case 'load':
        return `load ${s.dtype} ${s.buffer} ${version(s.buffer)} ${idOfIndex(s.at)}`
      case 'local':
        return `local ${s.name} ${version(s.name)}`
      case 'unary':
        return `${s.op} ${s.dtype} ${idOf(s.x)}`
      case 'binary':
      case 'compare':
        return `${s.op} ${s.dtype} ${idOf(s.x)} ${idOf(s.y)}`
      case 'select':
        return `select ${idOf(s.condition)} ${idOf(s.onTrue)} ${idOf(s.onFalse)}`
      case 'guard':
        return `guard ${idOf(s.condition)} ${idOf(s.value)} ${idOf(s.otherwise)}`
      case 'within':
        return `within ${idOfIndex(s.value)} ${s.low} ${s.high}`
      case 'convert':
      case 'bitcast':
        return `${s.tag} ${s.dtype} ${idOf(s.x)}`
      case 'across':
        return `across ${s.op} ${s.dtype} ${idOf(s.x)}`
      case 'fromIndex':
        return `fromIndex ${s.dtype} ${idOfIndex(s.value)}`
      default:
        return s satisfies never
    }
  }
  return {
    idOf,
    touch: (names) => {
      for (const name of names) {
        versions.set(name, nextVersion++)
        aliases.delete(name)
      }
      forget()
    },
    alias: (name, id) => {
      aliases.set(name, id)
      forget()
    },
    snapshot: () => ({
      versions: new Map(versions),
      aliases: new Map(aliases),
      next: nextVersion,
    }),
    restore: (snapshot) => {
      versions = new Map(snapshot.versions)
      aliases = new Map(snapshot.aliases)
      nextVersion = snapshot.next
      forget()
    },
  }
}
