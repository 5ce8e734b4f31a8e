/** How one call differs from another that was compiled before it, and what to do about that. */
import type { Aval } from '@cotangent/core'
import {
  type Signature,
  type StaticValue,
  leavesByPath,
  sameAval,
  sameStatic,
  showType,
} from './signature.ts'

export type ChangeKind = 'batch' | 'shape' | 'rank' | 'dtype' | 'weak type' | 'tree' | 'static'

/** One difference between a call and the closest one before. */
export interface Change {
  readonly kind: ChangeKind
  /** The leaf: `args[0].x`. */
  readonly path: string
  readonly before: string
  readonly now: string
  /** What it is, and what to do so that nothing need be compiled. */
  readonly advice: string
}

/** More differences than this are counted, not described. */
const mostChanges = 8

/** The differences, the most telling first. Empty where the two are the same. */
export const changesBetween = (before: Signature, now: Signature): readonly Change[] => {
  const [old, young] = [leavesByPath(before), leavesByPath(now)]
  const changes: Change[] = []
  for (const [path, type] of young) {
    const was = old.get(path)
    if (was === undefined) changes.push(appeared(path, type))
    else if (!sameAval(was, type)) changes.push(changedType(path, was, type))
  }
  for (const [path, type] of old) if (!young.has(path)) changes.push(vanished(path, type))
  if (changes.length === 0 && before.structure.key !== now.structure.key) {
    changes.push(otherTree(before, now))
  }
  for (const value of now.statics) {
    const was = before.statics.find((s) => s.position === value.position)
    if (was !== undefined && !sameStatic(was, value)) changes.push(changedStatic(was, value))
  }
  return changes
}

/** How far apart two calls are: other trees are further than any number of other leaves. */
export const distance = (before: Signature, now: Signature): number => {
  if (before.structure.key !== now.structure.key) {
    return 1_000_000 + Math.abs(before.types.length - now.types.length)
  }
  const leaves = now.types.filter((type, i) => !sameAval(type, before.types[i]!)).length
  const statics = now.statics.filter((value, i) => {
    const was = before.statics[i]
    return was === undefined || !sameStatic(was, value)
  })
  return leaves + statics.length
}

const treeAdvice = 'another tree; give the arguments the same properties and lengths in every call'

const appeared = (path: string, type: Aval): Change => ({
  kind: 'tree',
  path,
  before: 'absent',
  now: showType(type),
  advice: treeAdvice,
})

const vanished = (path: string, type: Aval): Change => ({
  kind: 'tree',
  path,
  before: showType(type),
  now: 'absent',
  advice: treeAdvice,
})

const otherTree = (before: Signature, now: Signature): Change => ({
  kind: 'tree',
  path: 'args',
  before: before.structure.key,
  now: now.structure.key,
  advice: treeAdvice,
})

const changedType = (path: string, was: Aval, type: Aval): Change => {
  const change = { path, before: showType(was), now: showType(type) }
  if (was.weak !== type.weak) {
    const advice =
      'weak type: a JavaScript number in one call, a tensor in the other; pass the same kind in every call'
    return { ...change, kind: 'weak type', advice }
  }
  if (was.dtype !== type.dtype && type.weak) {
    const advice = `dtype of a JavaScript number, which may be whole or not; pass tensor(x, { dtype: 'float32' }) in every call`
    return { ...change, kind: 'dtype', advice }
  }
  if (was.dtype !== type.dtype) {
    const advice = `dtype; convert it before the call: x.astype('${was.dtype}')`
    return { ...change, kind: 'dtype', advice }
  }
  if (was.shape.length !== type.shape.length) {
    const advice = 'another number of axes; reshape it before the call'
    return { ...change, kind: 'rank', advice }
  }
  const axes = type.shape.flatMap((size, axis) => (size === was.shape[axis] ? [] : [axis]))
  if (axes.length === 1 && axes[0] === 0) {
    return { ...change, kind: 'batch', advice: 'batch size; pad or drop the remainder' }
  }
  const named = axes.length === 1 ? `size of axis ${axes[0]}` : `sizes of axes ${axes.join(', ')}`
  return { ...change, kind: 'shape', advice: `${named}; pad to a few fixed sizes` }
}

const changedStatic = (was: StaticValue, value: StaticValue): Change => ({
  kind: 'static',
  path: `args[${value.position}]`,
  before: was.shown,
  now: value.shown,
  advice: staticAdvice(was, value),
})

const staticAdvice = (was: StaticValue, value: StaticValue): string => {
  const [x, y] = [was.object(), value.object()]
  if (typeof y === 'function') {
    // A function whose object is gone was made for one call; one with the same text was made again.
    return x === null || (typeof x === 'function' && String(x) === String(y))
      ? 'a new function object every call; hoist it out, so that it is made once'
      : 'another function; each one is compiled anew'
  }
  if (y !== null) {
    return x === null || sameFields(x, y)
      ? 'a new object every call, and objects are compared by identity; hoist it out, so that it is made once'
      : 'another object; each one is compiled anew'
  }
  return 'another value of a static argument; each one is compiled anew, so leave it out of staticArgs unless shapes depend on it'
}

const sameFields = (a: object, b: object): boolean => {
  const [x, y] = [Object.entries(a), new Map(Object.entries(b))]
  return x.length === y.size && x.every(([name, value]) => Object.is(value, y.get(name)))
}

/** `args[0].x: float32[32,784] → float32[16,784]: batch size; pad or drop the remainder` */
export const showChange = ({ path, before, now, advice }: Change): string =>
  `${path}: ${before} → ${now}: ${advice}`

/** The first few changes in words. */
export const showChanges = (changes: readonly Change[]): readonly string[] => [
  ...changes.slice(0, mostChanges).map(showChange),
  ...(changes.length > mostChanges ? [`and ${changes.length - mostChanges} leaves more`] : []),
]
