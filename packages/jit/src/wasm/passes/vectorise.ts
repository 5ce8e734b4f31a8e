/**
 * Lanes for parallel loops: the innermost one whose body has vector instructions for everything, and
 * whose stores lie side by side.
 */
import { type Index, type Lanes, type Scalar, type Stmt, dtypeInfo, scalars } from '@cotangent/core'
import { mapBody, mapData, mapScalar, mapStmt, withBodies } from '../../loops/rewrite.ts'
import { effectsOf, indexOf, scalarsOf, walk } from '../../loops/visit.ts'
import { isChoiceOfLanes } from './guards.ts'
import { isVectorBinary, isVectorUnary } from '../print/vector.ts'
import { type IsReadable, isReadable } from './readable.ts'

const { minus, selectOp } = scalars

type Loop = Extract<Stmt, { readonly tag: 'for' }>
type Guard = Extract<Scalar, { readonly tag: 'guard' }>

/** Gives lanes to every parallel loop that gains by it. */
export const vectorise = (body: readonly Stmt[], readable: IsReadable): readonly Stmt[] => {
  const inside = (block: readonly Stmt[]): readonly Stmt[] => mapBody(block, statement)
  const statement = (s: Stmt): Stmt => {
    if (s.tag !== 'for') return withBodies(s, inside)
    if (s.lanes !== undefined) return s
    const made = withBodies(s, inside)
    if (made.tag === 'for' && made.body.some(hasLanes)) return made
    return withLanes(s, readable) ?? s
  }
  return inside(body)
}

const hasLanes = (s: Stmt): boolean => {
  if (s.tag === 'for') return s.lanes !== undefined || s.body.some(hasLanes)
  if (s.tag === 'while') return s.body.some(hasLanes)
  return s.tag === 'if' && (s.then.some(hasLanes) || s.otherwise.some(hasLanes))
}

/** Whether a loop can run in lanes, and gains by it. */
export const takesLanes = (loop: Loop, readable: IsReadable): boolean =>
  judged(loop, readable)?.isGain === true

const judged = (loop: Loop, readable: IsReadable): Judge | null => {
  if (loop.parallel !== true || (loop.step ?? 1) !== 1 || loop.reverse === true) return null
  if (loop.extent < 2) return null
  const judge = new Judge(loop, readable)
  judge.body(loop.body)
  return judge
}

const withLanes = (loop: Loop, readable: IsReadable): Loop | null => {
  const judge = judged(loop, readable)
  if (judge === null || !judge.isGain) return null
  const lanes = judge.wide ? 2 : 4
  return { ...loop, lanes, body: withVectors(withSelects(loop.body, judge), lanes) }
}

// Guards whose condition lanes disagree on become choices between two values.
const withSelects = (body: readonly Stmt[], judge: Judge): readonly Stmt[] => {
  const memo = new Map<Scalar, Scalar>()
  const scalar = (s: Scalar): Scalar => {
    const known = memo.get(s)
    if (known !== undefined) return known
    const made = mapScalar(s, scalar, index)
    const chosen = s.tag === 'guard' && judge.isChoice(s) && made.tag === 'guard'
    const result = chosen ? selectOp(made.condition, made.value, made.otherwise) : made
    memo.set(s, result)
    return result
  }
  const index = (i: Index): Index => mapData(i, scalar)
  const block = (statements: readonly Stmt[]): readonly Stmt[] =>
    mapBody(statements, (s) => mapStmt(s, scalar, index, block))
  return block(body)
}

// What is declared inside has a value for each lane.
const withVectors = (body: readonly Stmt[], lanes: Lanes): readonly Stmt[] =>
  mapBody(body, (s) => {
    if (s.tag === 'variable') return s.lanes === lanes ? s : { ...s, lanes }
    return withBodies(s, (inner) => withVectors(inner, lanes))
  })

/** Makes vectors of the variables that passes have declared inside of loops with lanes. */
export const vectorVariables = (body: readonly Stmt[]): readonly Stmt[] =>
  mapBody(body, (s) => {
    const { lanes } = s.tag === 'for' ? s : { lanes: undefined }
    return withBodies(s, (inner) =>
      lanes === undefined ? vectorVariables(inner) : withVectors(inner, lanes),
    )
  })

/** Looks at what a loop's body would be with lanes. */
class Judge {
  readonly #counter: string
  /** Locals with a value for each lane. */
  readonly #varying = new Set<string>()
  readonly #declared: ReadonlySet<string>
  /** Values that vary, and those that do not as far as is known: locals may turn out to. */
  readonly #varied = new Set<Scalar>()
  readonly #uniform = new Set<Scalar>()
  /** Stores that fill vectors together with another. */
  readonly #paired = new Set<Stmt>()
  readonly #readable: IsReadable
  #possible = true
  #arithmetic = 0
  #sideBySide = 0
  #apart = 0
  #storesApart = 0
  wide = false

  constructor(loop: Loop, readable: IsReadable) {
    this.#counter = loop.counter
    this.#readable = readable
    this.#declared = effectsOf(loop.body).declared
    walk({
      statement: (s) => {
        // Rather too many than too few: a variable may be assigned a value that varies.
        if (s.tag === 'variable') this.#varying.add(s.name)
      },
    }).body(loop.body)
  }

  /** Loads of lanes that lie apart cost as much as without lanes; stores too. */
  get isGain(): boolean {
    if (!this.#possible) return false
    const gain = this.#arithmetic + this.#sideBySide
    return this.#storesApart === 0
      ? this.#apart <= gain + 2
      : this.#arithmetic >= 4 * (this.#apart + this.#storesApart)
  }

  body(body: readonly Stmt[]): void {
    for (const s of pairedIn(body)) this.#paired.add(s)
    for (const s of body) this.#statement(s)
  }

  #statement(s: Stmt): void {
    switch (s.tag) {
      case 'comment':
        return
      case 'for':
        if (s.reverse === true && s.lanes !== undefined) this.#possible = false
        this.body(s.body)
        return
      case 'while':
        this.#scalar(s.condition)
        if (this.#varies(s.condition)) this.#possible = false
        this.body(s.body)
        return
      case 'if':
        this.#scalar(s.condition)
        if (this.#varies(s.condition)) this.#possible = false
        this.body(s.then)
        this.body(s.otherwise)
        return
      case 'let':
        this.#scalar(s.value)
        if (!this.#varies(s.value)) return
        this.#varying.add(s.name)
        this.#uniform.clear()
        return
      case 'variable':
        this.#scalar(s.value)
        return
      case 'assign':
        this.#scalar(s.value)
        if (!this.#declared.has(s.name)) this.#possible = false
        return
      case 'store':
        this.#store(s)
        return
      default:
        s satisfies never
    }
  }

  #store(s: Extract<Stmt, { readonly tag: 'store' }>): void {
    this.#scalar(s.value)
    const stride = this.#stride(s.at)
    if (stride === 0) this.#possible = false
    else if (stride === 1 || this.#paired.has(s)) this.#sideBySide++
    else this.#storesApart++
    if (s.value.dtype === 'float64') this.wide = true
  }

  #scalar(root: Scalar): void {
    walk({
      scalar: (s) => {
        if (s.dtype === 'float64') this.wide = true
        if (s.dtype === 'complex64') this.#possible = false
        if (this.#varies(s)) this.#node(s)
      },
    }).scalar(root)
  }

  #node(s: Scalar): void {
    const at = indexOf(s)
    if (at !== null && this.#stride(at) === null && isDivided(at, this.#counter))
      this.#possible = false
    switch (s.tag) {
      case 'load':
        if (isNear(this.#stride(s.at))) this.#sideBySide++
        else this.#apart++
        return
      case 'unary':
        this.#arithmetic++
        if (!isVectorUnary(s)) this.#possible = false
        return
      case 'binary':
        this.#arithmetic++
        if (!isVectorBinary(s)) this.#possible = false
        return
      case 'guard':
        this.#arithmetic++
        if (this.#varies(s.condition) && !isChoiceOfLanes(s) && !this.isChoice(s))
          this.#possible = false
        return
      case 'bitcast':
        if (s.dtype === 'float64' || s.x.dtype === 'float64' || s.dtype === 'bool')
          this.#possible = false
        return
      case 'across':
        this.#possible = false
        return
      case 'compare':
      case 'select':
      case 'convert':
      case 'fromIndex':
      case 'within':
        this.#arithmetic++
        return
      case 'literal':
      case 'local':
        return
      default:
        s satisfies never
    }
  }

  #varies(s: Scalar): boolean {
    if (this.#varied.has(s)) return true
    if (this.#uniform.has(s)) return false
    const at = indexOf(s)
    const found =
      s.tag === 'local'
        ? this.#varying.has(s.name)
        : scalarsOf(s).some((x) => this.#varies(x)) || (at !== null && this.#stride(at) !== 0)
    const known = found ? this.#varied : this.#uniform
    known.add(s)
    return found
  }

  /** A guard that lanes disagree on, of loads that may run all the same. */
  isChoice(s: Guard): boolean {
    return this.#varies(s.condition) && !isChoiceOfLanes(s) && isReadable(s.value, this.#readable)
  }

  /** How far apart lanes are; null where that is not one number. */
  #stride(at: Index): number | null {
    const terms = at.tag === 'affine' ? at.terms : [{ coefficient: 1, term: at }]
    let stride = 0
    for (let n = 0; n < terms.length; n++) {
      const { coefficient, term } = terms[n]!
      if (term.tag === 'counter') {
        if (term.name === this.#counter) stride += coefficient
      } else if (term.tag === 'data') {
        if (this.#varies(term.value)) return null
      } else if (
        term.tag !== 'constant' &&
        this.#stride(term.tag === 'affine' ? term : term.value) !== 0
      ) {
        return null
      }
    }
    return stride
  }
}

// Two vectors have every second element.
const isNear = (stride: number | null): boolean => stride === 1 || stride === 2

// Stores of neighbours, which the printer joins where lanes are two elements apart.
const pairedIn = (body: readonly Stmt[]): readonly Stmt[] => {
  const stores = body.filter((s) => s.tag === 'store' && dtypeInfo[s.value.dtype].bytes === 4)
  return stores.flatMap((s, n): readonly Stmt[] => {
    const next = stores[n + 1]
    if (s.tag !== 'store' || next?.tag !== 'store' || s.buffer !== next.buffer) return []
    const gap = minus(next.at, s.at)
    return gap.tag === 'constant' && Math.abs(gap.value) === 1 ? [s, next] : []
  })
}

// Vectors of integers cannot be divided.
const isDivided = (at: Index, counter: string): boolean => {
  let found = false
  const visit = (i: Index, below: boolean): void => {
    if (i.tag === 'counter' && i.name === counter && below) found = true
    else if (i.tag === 'affine') for (const t of i.terms) visit(t.term, below)
    else if (i.tag === 'floorDivide' || i.tag === 'modulo') visit(i.value, true)
  }
  visit(at, false)
  return found || hasVaryingBelow(at)
}

// Data below a division may vary, too.
const hasVaryingBelow = (at: Index): boolean => {
  const terms = at.tag === 'affine' ? at.terms.map((t) => t.term) : [at]
  return terms.some((t) => (t.tag === 'floorDivide' || t.tag === 'modulo') && hasData(t.value))
}

const hasData = (i: Index): boolean => {
  if (i.tag === 'data') return true
  if (i.tag === 'affine') return i.terms.some((t) => hasData(t.term))
  return (i.tag === 'floorDivide' || i.tag === 'modulo') && hasData(i.value)
}
