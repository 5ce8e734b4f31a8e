/**
 * Reading loop IR: what an expression depends on, what statements declare and write. Loops here count
 * with an index: until the engine has optimised a function, `for … of` makes an object for every step.
 */
import type { Index, Scalar, Stmt } from '@cotangent/core'

/** Called once for each distinct node below the roots, children included. */
export interface Visitor {
  readonly scalar?: (s: Scalar) => void
  readonly index?: (i: Index) => void
  readonly statement?: (s: Stmt) => void
}

export interface Walk {
  readonly scalar: (s: Scalar) => void
  readonly index: (i: Index) => void
  /** The statement without those inside of it. */
  readonly own: (s: Stmt) => void
  readonly body: (body: readonly Stmt[]) => void
}

/** A walk over DAGs: every node is visited once, however often it is used. */
export const walk = (visitor: Visitor): Walk => {
  const seen = new Set<Scalar | Index>()
  const { scalar: onScalar, index: onIndex, statement: onStatement } = visitor
  const index = (i: Index): void => {
    if (onIndex === undefined) {
      // Nobody is called for these, and only data has scalars below it.
      if (i.tag === 'counter' || i.tag === 'constant') return
      if (i.tag === 'affine') {
        for (let n = 0; n < i.terms.length; n++) {
          const { term } = i.terms[n]!
          if (term.tag !== 'counter') index(term)
        }
        return
      }
    }
    if (seen.has(i)) return
    seen.add(i)
    onIndex?.(i)
    switch (i.tag) {
      case 'counter':
      case 'constant':
        return
      case 'affine':
        for (let n = 0; n < i.terms.length; n++) index(i.terms[n]!.term)
        return
      case 'floorDivide':
      case 'modulo':
        index(i.value)
        return
      case 'data':
        scalar(i.value)
        return
      default:
        return i satisfies never
    }
  }
  const scalar = (s: Scalar): void => {
    if (onScalar === undefined && (s.tag === 'local' || s.tag === 'literal')) return
    const before = seen.size
    if (seen.add(s).size === before) return
    onScalar?.(s)
    // The compiler's hottest path: no lists of children are made, and the commonest kinds come first.
    switch (s.tag) {
      case 'binary':
      case 'compare':
        scalar(s.x)
        return scalar(s.y)
      case 'local':
      case 'literal':
        return
      case 'load':
        return index(s.at)
      case 'unary':
      case 'convert':
      case 'bitcast':
      case 'across':
        return scalar(s.x)
      case 'within':
      case 'fromIndex':
        return index(s.value)
      case 'select':
        scalar(s.condition)
        scalar(s.onTrue)
        return scalar(s.onFalse)
      case 'guard':
        scalar(s.condition)
        scalar(s.value)
        return scalar(s.otherwise)
      default:
        return s satisfies never
    }
  }
  const onlyStatements = onScalar === undefined && onIndex === undefined
  const own = (s: Stmt): void => {
    onStatement?.(s)
    if (onlyStatements) return
    switch (s.tag) {
      case 'comment':
      case 'for':
        return
      case 'while':
      case 'if':
        return scalar(s.condition)
      case 'let':
      case 'variable':
      case 'assign':
        return scalar(s.value)
      case 'store':
        index(s.at)
        return scalar(s.value)
      default:
        return s satisfies never
    }
  }
  const statement = (s: Stmt): void => {
    own(s)
    if (s.tag === 'for' || s.tag === 'while') body(s.body)
    else if (s.tag === 'if') {
      body(s.then)
      body(s.otherwise)
    }
  }
  const body = (statements: readonly Stmt[]): void => {
    for (let n = 0; n < statements.length; n++) statement(statements[n]!)
  }
  return { scalar, index, own, body }
}

/**
 * What a visitor finds in statements, remembered for every body: passes ask again at each loop of a
 * nest. What bodies share is found in each of them.
 */
export const gathering = <T>(
  visitor: (add: (found: T) => void) => Visitor,
): ((body: readonly Stmt[]) => readonly T[]) => {
  const known = new WeakMap<readonly Stmt[], readonly T[]>()
  const gather = (body: readonly Stmt[]): readonly T[] => {
    const done = known.get(body)
    if (done !== undefined) return done
    const found: T[] = []
    const add = (x: T): void => {
      found.push(x)
    }
    const visit = walk(visitor(add))
    for (const s of body) {
      visit.own(s)
      if (s.tag === 'for' || s.tag === 'while') gather(s.body).forEach(add)
      else if (s.tag === 'if') {
        gather(s.then).forEach(add)
        gather(s.otherwise).forEach(add)
      }
    }
    known.set(body, found)
    return found
  }
  return gather
}

/** The indices that statements load from, store to or compute with. */
export const indicesIn: (body: readonly Stmt[]) => readonly Index[] = gathering<Index>((add) => ({
  scalar: (s) => {
    if (s.tag === 'load') add(s.at)
    else if (s.tag === 'within' || s.tag === 'fromIndex') add(s.value)
  },
  statement: (s) => {
    if (s.tag === 'store') add(s.at)
  },
}))

/** The scalar operands of a scalar. */
export const scalarsOf = (s: Scalar): readonly Scalar[] => {
  switch (s.tag) {
    case 'literal':
    case 'load':
    case 'local':
    case 'within':
    case 'fromIndex':
      return []
    case 'unary':
    case 'convert':
    case 'bitcast':
    case 'across':
      return [s.x]
    case 'binary':
    case 'compare':
      return [s.x, s.y]
    case 'select':
      return [s.condition, s.onTrue, s.onFalse]
    case 'guard':
      return [s.condition, s.value, s.otherwise]
    default:
      return s satisfies never
  }
}

/** The index operand of a scalar, if it has one. */
export const indexOf = (s: Scalar): Index | null => {
  if (s.tag === 'load') return s.at
  return s.tag === 'within' || s.tag === 'fromIndex' ? s.value : null
}

/** An `if`; the loop IR calls its first branch `then`. */
export const branching = (
  condition: Scalar,
  taken: readonly Stmt[],
  otherwise: readonly Stmt[],
  // oxlint-disable-next-line unicorn/no-thenable -- the field's name in the loop IR
): Stmt => ({ tag: 'if', condition, then: taken, otherwise })

/** What running statements changes: buffers stored to, variables assigned. */
export interface Effects {
  readonly stored: ReadonlySet<string>
  readonly assigned: ReadonlySet<string>
  /** Locals and counters declared anywhere inside. */
  readonly declared: ReadonlySet<string>
}

const noNames: ReadonlySet<string> = new Set()

/** Names found in a body, and the sets of the bodies inside of it. */
class Names {
  #own: Set<string> | null = null
  readonly #inside: ReadonlySet<string>[] = []

  add(name: string): void {
    this.#own ??= new Set()
    this.#own.add(name)
  }

  include(names: ReadonlySet<string>): void {
    if (names.size > 0) this.#inside.push(names)
  }

  /** All of them. Around one loop it is the same set at every depth. */
  get all(): ReadonlySet<string> {
    const inside = this.#inside
    if (this.#own === null && inside.length <= 1) return inside[0] ?? noNames
    const names = this.#own ?? new Set<string>()
    const add = (name: string): void => {
      names.add(name)
    }
    for (let n = 0; n < inside.length; n++) inside[n]!.forEach(add)
    return names
  }
}

class BodyEffects implements Effects {
  readonly #body: readonly Stmt[]
  #stored: ReadonlySet<string> | null = null
  #assigned: ReadonlySet<string> = noNames
  #declared: ReadonlySet<string> | null = null

  constructor(body: readonly Stmt[]) {
    this.#body = body
  }

  get stored(): ReadonlySet<string> {
    return this.#stored ?? this.#findWritten()
  }

  get assigned(): ReadonlySet<string> {
    if (this.#stored === null) this.#findWritten()
    return this.#assigned
  }

  get declared(): ReadonlySet<string> {
    this.#declared ??= this.#findDeclared()
    return this.#declared
  }

  // Who asks for one asks for the other.
  #findWritten(): ReadonlySet<string> {
    const stored = new Names()
    const assigned = new Names()
    const include = (body: readonly Stmt[]): void => {
      const inner = effectsOf(body)
      stored.include(inner.stored)
      assigned.include(inner.assigned)
    }
    for (let n = 0; n < this.#body.length; n++) {
      const s = this.#body[n]!
      if (s.tag === 'store') stored.add(s.buffer)
      else if (s.tag === 'assign') assigned.add(s.name)
      else if (s.tag === 'for' || s.tag === 'while') include(s.body)
      else if (s.tag === 'if') {
        include(s.then)
        include(s.otherwise)
      }
    }
    this.#assigned = assigned.all
    this.#stored = stored.all
    return this.#stored
  }

  #findDeclared(): ReadonlySet<string> {
    const names = new Names()
    for (let n = 0; n < this.#body.length; n++) {
      const s = this.#body[n]!
      if (s.tag === 'let' || s.tag === 'variable') names.add(s.name)
      else if (s.tag === 'for') {
        names.add(s.counter)
        names.include(effectsOf(s.body).declared)
      } else if (s.tag === 'while') names.include(effectsOf(s.body).declared)
      else if (s.tag === 'if') {
        names.include(effectsOf(s.then).declared)
        names.include(effectsOf(s.otherwise).declared)
      }
    }
    return names.all
  }
}

const effects = new WeakMap<readonly Stmt[], Effects>()

/** Passes ask again and again for bodies that none of them changed. */
export const effectsOf = (body: readonly Stmt[]): Effects => {
  const known = effects.get(body)
  if (known !== undefined) return known
  const made = new BodyEffects(body)
  effects.set(body, made)
  return made
}

/** How many distinct nodes the expressions of the statements have: an estimate of printed size. */
export const sizeOfBody = (body: readonly Stmt[]): number => {
  let size = 0
  const count = (): void => {
    size++
  }
  walk({ scalar: count, statement: count }).body(body)
  return size
}

/**
 * Names that the statements do not declare: `b0`, `b1`, … They are looked at when the first is asked
 * for. Buffers that are only read are inputs, whose names begin with `in` and are not met.
 */
export const freshNames = (body: readonly Stmt[]): ((prefix: string) => string) => {
  let names: Set<string> | null = null
  const next = new Map<string, number>()
  return (prefix) => {
    if (names === null) {
      const { declared, stored } = effectsOf(body)
      names = new Set([...declared, ...stored])
    }
    const taken = names
    let n = next.get(prefix) ?? 0
    while (taken.has(`${prefix}${n}`)) n++
    next.set(prefix, n + 1)
    const name = `${prefix}${n}`
    taken.add(name)
    return name
  }
}
