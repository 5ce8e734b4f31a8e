/**
 * Rebuilding of loop IR: one function that knows the children of every node. Scalars are DAGs, so
 * every rewrite is memoised by identity and keeps a node in which nothing changed.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { foldScalar } from './fold.ts'
import { branching } from './visit.ts'

const { affine, constant, counter, floorDivide, modulo } = scalars

/** Applies functions to the direct children of an index, simplifying. */
export const mapIndex = (
  i: Index,
  onIndex: (i: Index) => Index,
  onScalar: (s: Scalar) => Scalar,
): Index => {
  switch (i.tag) {
    case 'constant':
    case 'counter':
      return i
    case 'affine': {
      let parts: (readonly [coefficient: number, term: Index])[] | null = null
      for (let n = 0; n < i.terms.length; n++) {
        const { coefficient, term } = i.terms[n]!
        const made = onIndex(term)
        if (parts === null && made !== term) {
          parts = i.terms.slice(0, n).map((t) => [t.coefficient, t.term])
        }
        parts?.push([coefficient, made])
      }
      return parts === null ? i : affine(parts, i.constant)
    }
    case 'floorDivide': {
      const value = onIndex(i.value)
      return value === i.value ? i : floorDivide(value, i.by)
    }
    case 'modulo': {
      const value = onIndex(i.value)
      return value === i.value ? i : modulo(value, i.by)
    }
    case 'data': {
      const value = onScalar(i.value)
      if (value === i.value) return i
      return value.tag === 'literal' ? constant(value.value) : { ...i, value }
    }
    default:
      return i satisfies never
  }
}

/** Whether an index has scalars in it. */
export const readsScalars = (i: Index): boolean => {
  switch (i.tag) {
    case 'constant':
    case 'counter':
      return false
    case 'affine':
      for (let n = 0; n < i.terms.length; n++) {
        const { term } = i.terms[n]!
        if (term.tag !== 'counter' && readsScalars(term)) return true
      }
      return false
    case 'floorDivide':
    case 'modulo':
      return readsScalars(i.value)
    case 'data':
      return true
    default:
      return i satisfies never
  }
}

/** Applies a function to the scalars in an index, simplifying. Most indices have none. */
export const mapData = (i: Index, onScalar: (s: Scalar) => Scalar): Index =>
  readsScalars(i) ? mapIndex(i, (inner) => mapData(inner, onScalar), onScalar) : i

/**
 * Applies functions to the direct children of a scalar, folding constants. Nodes are written out, not
 * spread: each kind then has one layout for the engine, and a new process makes them in the fast way at once.
 */
export const mapScalar = (
  s: Scalar,
  onScalar: (s: Scalar) => Scalar,
  onIndex: (i: Index) => Index,
): Scalar => {
  switch (s.tag) {
    case 'literal':
    case 'local':
      return s
    case 'load': {
      const at = onIndex(s.at)
      return at === s.at ? s : { tag: 'load', dtype: s.dtype, buffer: s.buffer, at }
    }
    case 'unary': {
      const x = onScalar(s.x)
      return x === s.x ? s : foldScalar({ tag: 'unary', dtype: s.dtype, op: s.op, x })
    }
    case 'convert':
    case 'bitcast': {
      const x = onScalar(s.x)
      return x === s.x ? s : foldScalar({ tag: s.tag, dtype: s.dtype, x })
    }
    case 'across': {
      const x = onScalar(s.x)
      return x === s.x ? s : foldScalar({ tag: 'across', dtype: s.dtype, op: s.op, x })
    }
    case 'binary': {
      const x = onScalar(s.x)
      const y = onScalar(s.y)
      if (x === s.x && y === s.y) return s
      return foldScalar({ tag: 'binary', dtype: s.dtype, op: s.op, x, y })
    }
    case 'compare': {
      const x = onScalar(s.x)
      const y = onScalar(s.y)
      if (x === s.x && y === s.y) return s
      return foldScalar({ tag: 'compare', dtype: 'bool', op: s.op, x, y })
    }
    case 'select': {
      const condition = onScalar(s.condition)
      const onTrue = onScalar(s.onTrue)
      const onFalse = onScalar(s.onFalse)
      if (condition === s.condition && onTrue === s.onTrue && onFalse === s.onFalse) return s
      return foldScalar({ tag: 'select', dtype: s.dtype, condition, onTrue, onFalse })
    }
    case 'guard': {
      const condition = onScalar(s.condition)
      const value = onScalar(s.value)
      const otherwise = onScalar(s.otherwise)
      if (condition === s.condition && value === s.value && otherwise === s.otherwise) return s
      return foldScalar({ tag: 'guard', dtype: s.dtype, condition, value, otherwise })
    }
    case 'within': {
      const value = onIndex(s.value)
      if (value === s.value) return s
      return foldScalar({ tag: 'within', dtype: 'bool', value, low: s.low, high: s.high })
    }
    case 'fromIndex': {
      const value = onIndex(s.value)
      return value === s.value ? s : foldScalar({ tag: 'fromIndex', dtype: s.dtype, value })
    }
    default:
      return s satisfies never
  }
}

/** Applies functions to the scalars, indices and bodies directly inside a statement. */
export const mapStmt = (
  s: Stmt,
  onScalar: (s: Scalar) => Scalar,
  onIndex: (i: Index) => Index,
  onBody: (body: readonly Stmt[]) => readonly Stmt[],
): Stmt => {
  switch (s.tag) {
    case 'comment':
      return s
    case 'for': {
      const body = onBody(s.body)
      return body === s.body ? s : { ...s, body }
    }
    case 'while': {
      const [condition, body] = [onScalar(s.condition), onBody(s.body)]
      return condition === s.condition && body === s.body ? s : { ...s, condition, body }
    }
    case 'if': {
      const condition = onScalar(s.condition)
      const [taken, otherwise] = [onBody(s.then), onBody(s.otherwise)]
      const same = condition === s.condition && taken === s.then && otherwise === s.otherwise
      return same ? s : branching(condition, taken, otherwise)
    }
    case 'let':
    case 'assign': {
      const value = onScalar(s.value)
      return value === s.value ? s : { tag: s.tag, name: s.name, value }
    }
    case 'variable': {
      const value = onScalar(s.value)
      return value === s.value ? s : { ...s, value }
    }
    case 'store': {
      const at = onIndex(s.at)
      const value = onScalar(s.value)
      if (at === s.at && value === s.value) return s
      return { tag: 'store', buffer: s.buffer, at, value }
    }
    default:
      return s satisfies never
  }
}

/** What the statements become, each for itself; the same list where none changes. */
export const mapBody = (body: readonly Stmt[], onStmt: (s: Stmt) => Stmt): readonly Stmt[] => {
  let made: Stmt[] | null = null
  for (let n = 0; n < body.length; n++) {
    const s = body[n]!
    const after = onStmt(s)
    if (made === null && after !== s) made = body.slice(0, n)
    made?.push(after)
  }
  return made ?? body
}

/** What the statements become, each any number of them; the same list where none changes. */
export const replaceEach = (
  body: readonly Stmt[],
  replace: (s: Stmt) => readonly Stmt[] | Stmt,
): readonly Stmt[] => {
  let made: Stmt[] | null = null
  for (let n = 0; n < body.length; n++) {
    const s = body[n]!
    const after = replace(s)
    if (made === null && after !== s) made = body.slice(0, n)
    if (made === null) continue
    if (isList(after)) made.push(...after)
    else made.push(after)
  }
  return made ?? body
}

const isList = (made: readonly Stmt[] | Stmt): made is readonly Stmt[] => Array.isArray(made)

/** A statement with other bodies inside; the same where none changes. */
export const withBodies = (s: Stmt, onBody: (body: readonly Stmt[]) => readonly Stmt[]): Stmt => {
  if (s.tag === 'for' || s.tag === 'while') {
    const body = onBody(s.body)
    return body === s.body ? s : { ...s, body }
  }
  if (s.tag !== 'if') return s
  const [taken, otherwise] = [onBody(s.then), onBody(s.otherwise)]
  return taken === s.then && otherwise === s.otherwise
    ? s
    : branching(s.condition, taken, otherwise)
}

export interface Rewriter {
  readonly scalar: (s: Scalar) => Scalar
  readonly index: (i: Index) => Index
  readonly body: (body: readonly Stmt[]) => readonly Stmt[]
}

/** What a substitution replaces; names that are missing stay. */
export interface Substitution {
  readonly counters?: ReadonlyMap<string, Index>
  readonly locals?: ReadonlyMap<string, Scalar>
  /** New names of the locals that the statements declare. */
  readonly declared?: ReadonlyMap<string, string>
}

/** Capture is the caller's business: names put in must not be declared inside. */
export const substitution = (by: Substitution): Rewriter => {
  const indices = new Map<Index, Index>()
  const values = new Map<Scalar, Scalar>()
  const rename = (name: string): string => by.declared?.get(name) ?? name

  const index = (i: Index): Index => {
    if (i.tag === 'counter') return by.counters?.get(i.name) ?? i
    if (i.tag === 'constant') return i
    const done = indices.get(i)
    if (done !== undefined) return done
    const made = mapIndex(i, index, scalar)
    indices.set(i, made)
    return made
  }
  const scalar = (s: Scalar): Scalar => {
    if (s.tag === 'literal') return s
    const done = values.get(s)
    if (done !== undefined) return done
    const made = s.tag === 'local' ? localOf(s) : mapScalar(s, scalar, index)
    values.set(s, made)
    return made
  }
  const localOf = (s: Extract<Scalar, { readonly tag: 'local' }>): Scalar => {
    const replaced = by.locals?.get(s.name)
    if (replaced !== undefined) return replaced
    return by.declared?.has(s.name) ? { ...s, name: rename(s.name) } : s
  }
  const statement = (s: Stmt): Stmt => {
    const made = mapStmt(s, scalar, index, body)
    const declares = made.tag === 'let' || made.tag === 'variable' || made.tag === 'assign'
    if (!declares) return made
    const name = rename(made.name)
    return name === made.name ? made : { ...made, name }
  }
  const body = (statements: readonly Stmt[]): readonly Stmt[] => mapBody(statements, statement)
  return { scalar, index, body }
}

/** The counter of a loop as an index. */
export const counterOf = (loop: { readonly counter: string; readonly extent: number }): Index =>
  counter(loop.counter, loop.extent)
