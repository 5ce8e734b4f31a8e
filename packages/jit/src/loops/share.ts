/**
 * Let-binding: an expression used more than once in a block is computed once, right before its
 * first use. Fusion hands over scalar DAGs in which one load may hang below hundreds of paths;
 * printed as a tree they would be exponentially large.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { foldScalar } from './fold.ts'
import { type Interner, makeInterner } from './intern.ts'
import { mapData, mapScalar } from './rewrite.ts'
import { branching, effectsOf, freshNames, scalarsOf } from './visit.ts'

const { literal, local } = scalars

/** Longer unshared expressions are cut by a local: parsers and readers have stacks. */
const deepest = 24

/** What values are held in, by number. */
interface Bound {
  readonly get: (id: number) => Scalar | undefined
  readonly set: (id: number, value: Scalar) => void
  /** Runs `use`, and forgets what it bound. */
  readonly within: <T>(use: () => T) => T
}

interface Context {
  readonly interner: Interner
  readonly bound: Bound
  readonly fresh: (prefix: string) => string
  /** Locals that may be assigned. */
  readonly variables: ReadonlySet<string>
}

const makeBound = (): Bound => {
  const values = new Map<number, Scalar>()
  const before: (readonly [id: number, value: Scalar | undefined])[] = []
  return {
    get: (id) => values.get(id),
    set: (id, value) => {
      before.push([id, values.get(id)])
      values.set(id, value)
    },
    within: (use) => {
      const since = before.length
      const result = use()
      while (before.length > since) {
        const [id, value] = before.pop()!
        if (value === undefined) values.delete(id)
        else values.set(id, value)
      }
      return result
    },
  }
}

/** Binds every expression used more than once to a local. */
export const share = (body: readonly Stmt[]): readonly Stmt[] => {
  const variables = variablesIn(body, new Set())
  const fresh = freshNames(body)
  const { stored } = effectsOf(body)
  const interner = makeInterner((buffer) => stored.has(buffer))
  return shareBlock(body, { interner, bound: makeBound(), fresh, variables })
}

/** Blocks that came out of here: they have nothing left to share. */
const done = new WeakSet<readonly Stmt[]>()

/** Whether nothing is left to share in a block. */
export const isShared = (body: readonly Stmt[]): boolean => done.has(body)

/** Says so of a block that was made from a shared one and repeats nothing that is bound around it. */
export const noteShared = (body: readonly Stmt[]): void => {
  done.add(body)
}

/** Blocks inside of these statements are looked at again. */
export const forgetShared = (body: readonly Stmt[]): void => {
  done.delete(body)
  for (const s of body) {
    if (s.tag === 'for' || s.tag === 'while') forgetShared(s.body)
    else if (s.tag === 'if') {
      forgetShared(s.then)
      forgetShared(s.otherwise)
    }
  }
}

const shareBlock = (body: readonly Stmt[], context: Context): readonly Stmt[] => {
  const { interner, bound, fresh, variables } = context
  const uses = countUses(body, context)
  const out: Stmt[] = []
  const depths = new Map<Scalar, number>()

  const rebuilt = (s: Scalar): Scalar =>
    s.tag === 'guard' ? guarded(s) : mapScalar(s, scalar, index)
  const depthOf = (s: Scalar): number => (s.tag === 'literal' ? 1 : (depths.get(s) ?? 0))
  const scalar = (s: Scalar): Scalar => {
    if (s.tag === 'literal') return s
    const id = interner.idOf(s)
    const known = bound.get(id)
    if (known !== undefined) return known
    const made = rebuilt(s)
    const depth = 1 + deepestOperand(made, depthOf)
    const wanted = (uses.get(id) ?? 0) > 1 || depth >= deepest
    if (!wanted || isTrivial(made)) {
      depths.set(made, depth)
      if (s.tag === 'guard') bound.set(id, made)
      return made
    }
    const name = fresh(prefixOf(made))
    out.push({ tag: 'let', name, value: made })
    bound.set(id, local(made.dtype, name))
    return local(made.dtype, name)
  }
  const index = (i: Index): Index => mapData(i, scalar)

  // A guard whose branches need locals of their own becomes an `if` around them.
  const guarded = (s: Extract<Scalar, { readonly tag: 'guard' }>): Scalar => {
    const condition = scalar(s.condition)
    const name = fresh('g')
    const branch = (value: Scalar): readonly Stmt[] => nested([{ tag: 'assign', name, value }])
    const [taken, other] = [branch(s.value), branch(s.otherwise)]
    const [value, otherwise] = [onlyValue(taken), onlyValue(other)]
    if (value !== null && otherwise !== null) {
      return foldScalar({ ...s, condition, value, otherwise })
    }
    const plain = otherwise !== null && isTrivial(otherwise)
    out.push({ tag: 'variable', name, value: plain ? otherwise : literal(s.dtype, 0) })
    out.push(branching(condition, taken, plain ? [] : other))
    return local(s.dtype, name)
  }

  const nested = (statements: readonly Stmt[]): readonly Stmt[] => {
    if (done.has(statements)) return statements
    return interner.within(() => bound.within(() => shareBlock(statements, context)))
  }

  for (const s of body) {
    switch (s.tag) {
      case 'comment':
        out.push(s)
        break
      case 'for':
      case 'while':
        // A while condition is evaluated each time round: no local before the loop can hold it.
        touchWritten(interner, s.body)
        out.push({ ...s, body: nested(s.body) })
        touchWritten(interner, s.body)
        break
      case 'if':
        out.push(branching(scalar(s.condition), nested(s.then), nested(s.otherwise)))
        touchWritten(interner, s.then)
        touchWritten(interner, s.otherwise)
        break
      case 'let': {
        const id = interner.idOf(s.value)
        // The local itself holds the value; one made before it would be another name for the same.
        const value = bound.get(id) ?? rebuilt(s.value)
        out.push({ ...s, value })
        interner.alias(s.name, id)
        // A copy of a variable keeps its own name: the variable may change.
        const plain = isTrivial(value) && !readsVariable(value, variables)
        bound.set(id, plain ? value : local(value.dtype, s.name))
        break
      }
      case 'variable':
      case 'assign':
        out.push({ ...s, value: scalar(s.value) })
        interner.touchOne(s.name)
        break
      case 'store':
        out.push({ ...s, at: index(s.at), value: scalar(s.value) })
        interner.touchOne(s.buffer)
        break
      default:
        s satisfies never
    }
  }
  done.add(out)
  return out
}

/** Uses of each expression by the block's own statements; those of inner blocks are theirs. */
const countUses = (
  body: readonly Stmt[],
  { interner, bound }: Context,
): ReadonlyMap<number, number> => {
  const uses = new Map<number, number>()
  const count = (s: Scalar): void => {
    if (s.tag === 'literal') return
    const id = interner.idOf(s)
    if (bound.get(id) !== undefined) return
    const sofar = uses.get(id) ?? 0
    uses.set(id, sofar + 1)
    if (sofar > 0) return
    switch (s.tag) {
      case 'binary':
      case 'compare':
        count(s.x)
        return count(s.y)
      case 'local':
        return
      case 'load':
        return countIndex(s.at)
      case 'unary':
      case 'convert':
      case 'bitcast':
      case 'across':
        return count(s.x)
      case 'within':
      case 'fromIndex':
        return countIndex(s.value)
      case 'select':
        count(s.condition)
        count(s.onTrue)
        return count(s.onFalse)
      case 'guard':
        return count(s.condition)
      default:
        return s satisfies never
    }
  }
  const countIndex = (i: Index): void => {
    if (i.tag === 'data') count(i.value)
    else if (i.tag === 'affine') {
      for (let n = 0; n < i.terms.length; n++) countIndex(i.terms[n]!.term)
    } else if (i.tag === 'floorDivide' || i.tag === 'modulo') countIndex(i.value)
  }
  const statement = (s: Stmt): void => {
    switch (s.tag) {
      case 'comment':
        return
      case 'for':
      case 'while':
        // Once before the loop and once after it: the versions that `shareBlock` will meet.
        interner.skip(touchesOfBody)
        return touchWritten(interner, s.body)
      case 'if':
        count(s.condition)
        touchWritten(interner, s.then)
        return touchWritten(interner, s.otherwise)
      case 'let': {
        const id = interner.idOf(s.value)
        count(s.value)
        return interner.alias(s.name, id)
      }
      case 'variable':
      case 'assign':
        count(s.value)
        return interner.touchOne(s.name)
      case 'store':
        countIndex(s.at)
        count(s.value)
        return interner.touchOne(s.buffer)
      default:
        return s satisfies never
    }
  }
  interner.within(() => body.forEach(statement))
  return uses
}

/** How often `touchWritten` calls `touch`. */
const touchesOfBody = 2

const touchWritten = (interner: Interner, body: readonly Stmt[]): void => {
  const { stored, assigned } = effectsOf(body)
  interner.touch(stored)
  interner.touch(assigned)
}

const deepestOperand = (s: Scalar, depthOf: (s: Scalar) => number): number => {
  switch (s.tag) {
    case 'binary':
    case 'compare':
      return Math.max(depthOf(s.x), depthOf(s.y))
    case 'literal':
    case 'local':
    case 'load':
    case 'within':
    case 'fromIndex':
      return 0
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'across':
      return depthOf(s.x)
    case 'select':
      return Math.max(depthOf(s.condition), depthOf(s.onTrue), depthOf(s.onFalse))
    case 'guard':
      return Math.max(depthOf(s.condition), depthOf(s.value), depthOf(s.otherwise))
    default:
      return s satisfies never
  }
}

const onlyValue = (branch: readonly Stmt[]): Scalar | null => {
  const only = branch[0]
  return branch.length === 1 && only?.tag === 'assign' ? only.value : null
}

const isTrivial = (s: Scalar): boolean => {
  if (s.tag === 'literal' || s.tag === 'local') return true
  if (s.tag === 'convert') return s.dtype === 'float64' && s.x.dtype === 'float32' && isTrivial(s.x)
  return s.tag === 'fromIndex' && s.value.tag === 'counter'
}

const variablesIn = (body: readonly Stmt[], found: Set<string>): ReadonlySet<string> => {
  for (const s of body) {
    if (s.tag === 'variable') found.add(s.name)
    else if (s.tag === 'for' || s.tag === 'while') variablesIn(s.body, found)
    else if (s.tag === 'if') variablesIn([...s.then, ...s.otherwise], found)
  }
  return found
}

const readsVariable = (s: Scalar, variables: ReadonlySet<string>): boolean =>
  s.tag === 'local' ? variables.has(s.name) : scalarsOf(s).some((x) => readsVariable(x, variables))

const prefixOf = (value: Scalar): string => {
  if (value.tag === 'load') return `${value.buffer}_`
  if (value.tag === 'convert' && value.x.tag === 'load') return `${value.x.buffer}_`
  return value.dtype === 'bool' ? 'c' : 't'
}
