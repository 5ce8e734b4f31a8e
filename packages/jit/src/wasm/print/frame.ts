/** What the printer knows while it writes one function: locals, counters, pointers. */
import { type DType, type Index, InternalError, type Lanes, type Scalar } from '@cotangent/core'
import type { FunctionBody, ValueType } from '../encode/body.ts'
import { kindOf } from './layout.ts'

/** A loop's counter: a constant where the loop has one round. */
export type CounterBinding = {
  /** The first lane's value is a constant, or in a local. */
  readonly at:
    | { readonly tag: 'constant'; readonly value: number }
    | { readonly tag: 'local'; readonly local: number }
  /** The counter of a loop with lanes: lane `l` is `at + l`. */
  readonly varies: boolean
  /** How many lanes there are; the rest of the vector is surplus. */
  readonly active: number
}

/** A named scalar, as one value or one for each lane; `splat` is the one value in every lane. */
export interface NamedLocal {
  readonly dtype: DType
  readonly uniform: number | null
  readonly varying: number | null
  /** Lanes of the vector, where it is one. */
  readonly lanes: Lanes | null
}

/** An address that loops advance: `pointer + width · (index − offset)`. */
export interface Pointer {
  readonly local: number
  /** The constant part of the index that the pointer includes. */
  readonly offset: number
}

/**
 * How scalars are printed. Indices hold scalars and scalars hold indices: each finds the other here.
 */
export interface ScalarPrinters {
  /** Pushes a value that is the same in every lane. */
  readonly uniform: (frame: Frame, s: Scalar) => void
  /** Pushes a value for each lane. */
  readonly vector: (frame: Frame, s: Scalar) => void
  /** Pushes a bool as a mask with lanes of so many bits. */
  readonly mask: (frame: Frame, s: Scalar, width: 32 | 64) => void
}

export class Frame {
  readonly body: FunctionBody
  /** Locals that hold the address of each buffer. */
  readonly buffers: ReadonlyMap<string, number>
  /** Functions of JavaScript, by operator and dtype, as indices of imports. */
  readonly host: ReadonlyMap<string, number>
  readonly print: ScalarPrinters
  readonly counters: Map<string, CounterBinding> = new Map()
  readonly locals: Map<string, NamedLocal> = new Map()
  /** By the key of the access; an inner loop's pointers hide those of outer ones. */
  readonly pointers: Map<string, Pointer> = new Map()
  /** Lanes of the loop that is being printed. */
  lanes: Lanes | null = null
  /** Which scalars vary; forgotten whenever a counter is bound. */
  readonly known: Map<Scalar, boolean> = new Map()
  readonly #spare = new Map<ValueType, number[]>()

  constructor(
    body: FunctionBody,
    buffers: ReadonlyMap<string, number>,
    host: ReadonlyMap<string, number>,
    print: ScalarPrinters,
  ) {
    this.print = print
    this.body = body
    this.buffers = buffers
    this.host = host
  }

  /** Runs `use` with a counter bound. */
  bind(name: string, binding: CounterBinding, use: () => void): void {
    const outer = this.counters.get(name)
    this.counters.set(name, binding)
    this.forget()
    use()
    this.forget()
    if (outer === undefined) this.counters.delete(name)
    else this.counters.set(name, outer)
  }

  /** A name means something else: what is known of scalars may be wrong. */
  forget(): void {
    if (this.known.size > 0) this.known.clear()
  }

  counter(name: string): CounterBinding {
    const found = this.counters.get(name)
    if (found === undefined) throw unknown('counter', name)
    return found
  }

  local(name: string): NamedLocal {
    const found = this.locals.get(name)
    if (found === undefined) throw unknown('local', name)
    return found
  }

  buffer(name: string): number {
    const found = this.buffers.get(name)
    if (found === undefined) throw unknown('buffer', name)
    return found
  }

  /** Runs `use` with a local that is free again afterwards. */
  scratch<T>(type: ValueType, use: (local: number) => T): T {
    const spare = this.#spare.get(type) ?? []
    this.#spare.set(type, spare)
    const local = spare.pop() ?? this.body.local(type)
    const result = use(local)
    spare.push(local)
    return result
  }

  /** Names a new local for a scalar of this dtype: one value, or one for each lane. */
  declare(name: string, dtype: DType, lanes: Lanes | null): number {
    const local = this.body.local(lanes === null ? kindOf(dtype) : 'v128')
    const named =
      lanes === null ? { uniform: local, varying: null } : { uniform: null, varying: local }
    this.locals.set(name, { dtype, lanes, ...named })
    this.forget()
    return local
  }
}

const unknown = (what: string, name: string): InternalError =>
  new InternalError({
    operation: 'print kernel',
    problem: `no ${what} of this name is in scope`,
    got: name,
  })

/** Whether a scalar has a value for each lane. */
export const varies = (frame: Frame, s: Scalar): boolean => {
  if (s.tag === 'literal' || s.tag === 'local') return variesAnew(frame, s)
  const known = frame.known.get(s)
  if (known !== undefined) return known
  const found = variesAnew(frame, s)
  frame.known.set(s, found)
  return found
}

const variesAnew = (frame: Frame, s: Scalar): boolean => {
  const visit = (x: Scalar): boolean => varies(frame, x)
  switch (s.tag) {
    case 'literal':
    case 'across':
      return false
    case 'local':
      return frame.local(s.name).varying !== null && frame.local(s.name).uniform === null
    case 'load':
      return indexVaries(frame, s.at)
    case 'within':
    case 'fromIndex':
      return indexVaries(frame, s.value)
    case 'unary':
    case 'convert':
    case 'bitcast':
      return visit(s.x)
    case 'binary':
    case 'compare':
      return visit(s.x) || visit(s.y)
    case 'select':
      return visit(s.condition) || visit(s.onTrue) || visit(s.onFalse)
    case 'guard':
      return visit(s.condition) || visit(s.value) || visit(s.otherwise)
    default:
      return s satisfies never
  }
}

/** Whether an index has a value for each lane. */
export const indexVaries = (frame: Frame, i: Index): boolean => {
  switch (i.tag) {
    case 'constant':
      return false
    case 'counter':
      return frame.counter(i.name).varies
    case 'affine':
      return i.terms.some((t) => indexVaries(frame, t.term))
    case 'floorDivide':
    case 'modulo':
      return indexVaries(frame, i.value)
    case 'data':
      return varies(frame, i.value)
    default:
      return i satisfies never
  }
}
