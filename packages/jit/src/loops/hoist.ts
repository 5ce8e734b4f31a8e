/**
 * What a loop computes anew each round though it never changes moves out of it: locals, loads,
 * and the part of every index that the counter has no say in.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { type Interner, makeInterner } from './intern.ts'
import { mapData, mapIndex, mapScalar, replaceEach, withBodies } from './rewrite.ts'
import { forgetShared, isShared, noteShared } from './share.ts'
import { branching, effectsOf, freshNames } from './visit.ts'

const { affine, boundsOf, dataIndex, fromIndex, local } = scalars

type Loop = Extract<Stmt, { readonly tag: 'for' }>
interface Fresh {
  readonly name: (prefix: string) => string
  /** Whether the parts of indices that stand still are bound, too. */
  readonly indices: boolean
  /** Locals that have moved out of a loop. */
  readonly arrived: Set<Stmt>
}

/** Moves invariant work out of loops, innermost loops first. Names are unique. */
export const hoist = (body: readonly Stmt[]): readonly Stmt[] =>
  hoistBlock(body, { name: freshNames(body), indices: true, arrived: new Set() })

/**
 * The same, but indices stay as they are: a printer that advances pointers wants them whole. Where
 * nothing moves, the statements are the very same.
 */
export const hoistValues = (body: readonly Stmt[]): readonly Stmt[] =>
  hoistBlock(body, { name: freshNames(body), indices: false, arrived: new Set() })

const hoistBlock = (body: readonly Stmt[], fresh: Fresh): readonly Stmt[] => {
  const made = replaceEach(body, (s) =>
    s.tag === 'for' ? hoistLoop(s, fresh) : withBodies(s, (inner) => hoistBlock(inner, fresh)),
  )
  // Of equal values one will be left, and loops inside then read that one.
  if (made !== body && hasEqual(made.filter((s) => fresh.arrived.has(s)))) forgetShared(made)
  return made
}

const hasEqual = (lets: readonly Stmt[]): boolean => {
  if (lets.length < 2) return false
  const { idOf } = makeInterner()
  const ids = new Set<number>()
  for (const s of lets) if (s.tag === 'let') ids.add(idOf(s.value))
  return ids.size < lets.length
}

const hoistLoop = (loop: Loop, fresh: Fresh): readonly Stmt[] | Stmt => {
  const inner = hoistBlock(loop.body, fresh)
  const mover = makeMover(loop, inner, fresh)
  const kept = replaceEach(inner, (s) => mover.statement(s, true))
  if (mover.isComplete && isShared(loop.body) && kept.every((s) => isAsShared(s, fresh.arrived))) {
    // What is left changes in the loop, so it equals nothing outside; inside, nothing has come.
    noteShared(kept)
  }
  const left = kept === loop.body ? loop : { ...loop, body: kept }
  for (const s of mover.moved) fresh.arrived.add(s)
  return mover.moved.length === 0 ? left : [...mover.moved, left]
}

const isAsShared = (s: Stmt, arrived: ReadonlySet<Stmt>): boolean => {
  if (s.tag === 'for' || s.tag === 'while') return isShared(s.body)
  if (s.tag === 'if') return isShared(s.then) && isShared(s.otherwise)
  return !arrived.has(s)
}

/** Decides what is invariant in one loop, and collects what moves before it. */
interface Mover {
  readonly moved: readonly Stmt[]
  /** Whether all that could move did: nothing stands where it may not run. */
  readonly isComplete: boolean
  /** `sure`: the statement runs in every round, so its loads may run before the loop. */
  readonly statement: (s: Stmt, sure: boolean) => readonly Stmt[] | Stmt
}

const makeMover = (loop: Loop, body: readonly Stmt[], fresh: Fresh): Mover => {
  const { stored, assigned, declared } = effectsOf(body)
  /** Locals that were declared inside and are so no longer. */
  const freed = new Set<string>()
  const varies = (name: string): boolean =>
    name === loop.counter || assigned.has(name) || (declared.has(name) && !freed.has(name))
  const moved: Stmt[] = []
  let isComplete = true
  let interner: Interner | null = null
  const known = new Map<number, string>()
  const memo = new Map<Scalar, boolean>()

  const still = (s: Scalar): boolean => {
    if (s.tag === 'local') return !varies(s.name)
    if (s.tag === 'literal') return true
    const done = memo.get(s)
    if (done !== undefined) return done
    const result = isStill(s)
    memo.set(s, result)
    return result
  }
  const isStill = (s: Scalar): boolean => {
    switch (s.tag) {
      case 'literal':
        return true
      case 'local':
        return !varies(s.name)
      case 'load':
        return !stored.has(s.buffer) && stillIndex(s.at)
      case 'binary':
      case 'compare':
        return still(s.x) && still(s.y)
      case 'unary':
      case 'convert':
      case 'bitcast':
      case 'across':
        return still(s.x)
      case 'select':
        return still(s.condition) && still(s.onTrue) && still(s.onFalse)
      case 'guard':
        return still(s.condition) && still(s.value) && still(s.otherwise)
      case 'within':
      case 'fromIndex':
        return stillIndex(s.value)
      default:
        return s satisfies never
    }
  }
  const stillIndex = (i: Index): boolean => {
    switch (i.tag) {
      case 'constant':
        return true
      case 'counter':
        return !varies(i.name)
      case 'affine':
        return i.terms.every((t) => stillIndex(t.term))
      case 'floorDivide':
      case 'modulo':
        return stillIndex(i.value)
      case 'data':
        return still(i.value)
      default:
        return i satisfies never
    }
  }
  const bind = (value: Scalar, prefix: string): Scalar => {
    interner ??= makeInterner(() => false)
    const id = interner.idOf(value)
    const name = known.get(id) ?? fresh.name(prefix)
    if (!known.has(id)) moved.push({ tag: 'let', name, value })
    known.set(id, name)
    return local(value.dtype, name)
  }
  const scalar = (s: Scalar, sure: boolean): Scalar => {
    if (sure && !isCheap(s) && still(s)) return bind(s, 'h')
    if (!sure) isComplete = false
    if (s.tag === 'guard') {
      const condition = scalar(s.condition, sure)
      const [value, otherwise] = [scalar(s.value, false), scalar(s.otherwise, false)]
      const same = condition === s.condition && value === s.value && otherwise === s.otherwise
      return same ? s : { ...s, condition, value, otherwise }
    }
    return sure ? mapScalar(s, always, indexAlways) : mapScalar(s, sometimes, indexSometimes)
  }
  const always = (s: Scalar): Scalar => scalar(s, true)
  const sometimes = (s: Scalar): Scalar => scalar(s, false)
  const indexAlways = (i: Index): Index => index(i, true)
  const indexSometimes = (i: Index): Index => index(i, false)
  const index = (i: Index, sure: boolean): Index => {
    if (!fresh.indices) return mapData(i, sure ? always : sometimes)
    if (i.tag === 'data')
      return mapIndex(
        i,
        (x) => x,
        (s) => scalar(s, sure),
      )
    if (i.tag === 'floorDivide' || i.tag === 'modulo') {
      if (stillIndex(i) && (sure || !readsData(i))) return base(i)
      return mapIndex(
        i,
        (x) => index(x, sure),
        (s) => scalar(s, sure),
      )
    }
    if (i.tag !== 'affine') return i
    const fixed = i.terms.filter((t) => stillIndex(t.term) && (sure || !readsData(t.term)))
    const rest = i.terms
      .filter((t) => !fixed.includes(t))
      .map((t) => [t.coefficient, index(t.term, sure)] as const)
    const only = fixed[0]
    const plain = fixed.length === 1 && only?.coefficient === 1 && isPlain(only.term)
    if (only === undefined || plain) {
      return affine([...fixed.map((t) => [t.coefficient, t.term] as const), ...rest], i.constant)
    }
    const sum = affine(fixed.map((t) => [t.coefficient, t.term] as const))
    return affine([[1, base(sum)], ...rest], i.constant)
  }
  const base = (i: Index): Index => {
    if (isPlain(i)) return i
    const [low, high] = boundsOf(i)
    return dataIndex(bind(fromIndex('int32', i), 'b'), low, high)
  }
  const statement = (s: Stmt, sure: boolean): readonly Stmt[] | Stmt => {
    const value = (x: Scalar): Scalar => scalar(x, sure)
    switch (s.tag) {
      case 'comment':
      case 'for':
      case 'while':
        return s
      case 'if': {
        const branch = (b: readonly Stmt[]): readonly Stmt[] =>
          replaceEach(b, (x) => statement(x, false))
        const condition = value(s.condition)
        const [taken, otherwise] = [branch(s.then), branch(s.otherwise)]
        const same = condition === s.condition && taken === s.then && otherwise === s.otherwise
        return same ? s : branching(condition, taken, otherwise)
      }
      case 'let':
        if (!sure || !still(s.value)) return withValue(s, value(s.value))
        moved.push(s)
        freed.add(s.name)
        memo.clear()
        return []
      case 'variable':
      case 'assign':
        return withValue(s, value(s.value))
      case 'store': {
        const at = index(s.at, sure)
        return withValue(at === s.at ? s : { ...s, at }, value(s.value))
      }
      default:
        return s satisfies never
    }
  }
  return {
    moved,
    get isComplete() {
      return isComplete
    },
    statement,
  }
}

const withValue = <S extends Stmt & { readonly value: Scalar }>(s: S, value: Scalar): S =>
  value === s.value ? s : { ...s, value }

const isPlain = (i: Index): boolean =>
  i.tag === 'constant' || i.tag === 'counter' || (i.tag === 'data' && i.value.tag === 'local')

const readsData = (i: Index): boolean => {
  if (i.tag === 'data') return i.value.tag !== 'local'
  if (i.tag === 'affine') return i.terms.some((t) => readsData(t.term))
  return (i.tag === 'floorDivide' || i.tag === 'modulo') && readsData(i.value)
}

// Not worth a register across the loop.
const isCheap = (s: Scalar): boolean => {
  if (s.tag === 'literal' || s.tag === 'local') return true
  if (s.tag === 'convert') return isCheap(s.x)
  return s.tag === 'fromIndex' && isPlain(s.value)
}
