/** The loop IR with lanes, run by walking it lane by lane: slow, checked, independent of printers. */
import {
  type DType,
  type Index,
  type Scalar,
  type Stmt,
  type TypedArray,
  isFloat,
  maths,
} from '@cotangent/core'
import { walkScalar } from '../walk.ts'

interface Buffer {
  readonly dtype: DType
  readonly data: TypedArray
}

interface Counter {
  readonly value: number
  /** Lanes that exist, where the counter is one of a loop with lanes. */
  readonly active: number | null
}

type Value = number | readonly number[]

const widest = 4
/** Elements behind a buffer's end that may be read. */
const surplus = 16

export class LanesWalker {
  readonly #buffers: ReadonlyMap<string, Buffer>
  readonly #counters = new Map<string, Counter>()
  readonly #locals = new Map<string, Value>()
  #lanes: number | null = null

  constructor(buffers: ReadonlyMap<string, Buffer>) {
    this.#buffers = buffers
  }

  run(body: readonly Stmt[]): void {
    for (const s of body) this.#statement(s)
  }

  #index(i: Index, lane: number): number {
    switch (i.tag) {
      case 'constant':
        return i.value
      case 'counter': {
        const found = this.#counters.get(i.name)
        if (found === undefined) throw new Error(`no loop has the counter ${i.name}`)
        return found.value + (found.active === null ? 0 : lane)
      }
      case 'affine':
        return i.terms.reduce(
          (sum, t) => sum + t.coefficient * this.#index(t.term, lane),
          i.constant,
        )
      case 'floorDivide':
        return Math.floor(this.#index(i.value, lane) / i.by)
      case 'modulo': {
        const value = this.#index(i.value, lane)
        return value - Math.floor(value / i.by) * i.by
      }
      case 'data':
        return this.#scalar(i.value, lane)
      default:
        return i satisfies never
    }
  }

  #active(i: Index): number {
    let active = widest
    const visit = (x: Index): void => {
      if (x.tag === 'counter')
        active = Math.min(active, this.#counters.get(x.name)!.active ?? widest)
      else if (x.tag === 'affine') for (const t of x.terms) visit(t.term)
      else if (x.tag === 'floorDivide' || x.tag === 'modulo') visit(x.value)
    }
    visit(i)
    return active
  }

  #moves(i: Index): boolean {
    if (i.tag === 'counter') return this.#counters.get(i.name)!.active !== null
    if (i.tag === 'affine') return i.terms.some((t) => this.#moves(t.term))
    return i.tag === 'floorDivide' || i.tag === 'modulo' ? this.#moves(i.value) : false
  }

  #scalar(s: Scalar, lane: number): number {
    const value = (x: Scalar): number => this.#scalar(x, lane)
    switch (s.tag) {
      case 'load': {
        const { data } = this.#buffers.get(s.buffer)!
        const at = this.#index(s.at, lane)
        if (this.#moves(s.at) && lane >= this.#active(s.at)) return NaN
        if (at >= 0 && at < data.length) return data[at]!
        if (this.#moves(s.at) && at >= 0 && at < data.length + surplus) return NaN
        throw new RangeError(`${s.buffer}[${at}] lies outside its ${data.length} elements`)
      }
      case 'local': {
        const found = this.#locals.get(s.name)
        if (found === undefined) throw new Error(`no local is called ${s.name}`)
        return typeof found === 'number' ? found : found[lane]!
      }
      case 'within': {
        const i = this.#index(s.value, lane)
        return Number(i >= s.low && i < s.high)
      }
      case 'across': {
        const lanes = s.dtype === 'float64' ? 2 : 4
        const all = Array.from({ length: lanes }, (_, l) => this.#scalar(s.x, l))
        const combine = maths.binaryFunction(s.op, s.dtype)
        return all.reduce((x, y) => this.#round(s.dtype, combine(x, y)))
      }
      case 'fromIndex':
        return this.#index(s.value, lane)
      case 'guard':
        return value(s.condition) === 0 ? value(s.otherwise) : value(s.value)
      case 'literal':
      case 'unary':
      case 'binary':
      case 'compare':
      case 'select':
      case 'convert':
      case 'bitcast':
        return this.#flat(s, value)
      default:
        return s satisfies never
    }
  }

  // Everything else is arithmetic on its operands.
  #flat(s: Scalar, value: (x: Scalar) => number): number {
    const known = (x: Scalar): Scalar => ({ tag: 'literal', dtype: x.dtype, value: value(x) })
    const state = { buffers: new Map(), counters: new Map(), locals: new Map() }
    switch (s.tag) {
      case 'unary':
      case 'convert':
      case 'bitcast':
        return walkScalar({ ...s, x: known(s.x) }, state)
      case 'binary':
      case 'compare':
        return walkScalar({ ...s, x: known(s.x), y: known(s.y) }, state)
      case 'select':
        return value(s.condition) === 0 ? value(s.onFalse) : value(s.onTrue)
      case 'literal':
      case 'load':
      case 'local':
      case 'guard':
      case 'within':
      case 'fromIndex':
      case 'across':
        return walkScalar(s, state)
      default:
        return s satisfies never
    }
  }

  #round(dtype: DType, x: number): number {
    return isFloat(dtype) && dtype !== 'float64' ? Math.fround(x) : x
  }

  #value(s: Scalar, lanes: number | null): Value {
    if (lanes === null) return this.#scalar(s, 0)
    return Array.from({ length: widest }, (_, l) => (l < lanes ? this.#scalar(s, l) : NaN))
  }

  #statement(s: Stmt): void {
    switch (s.tag) {
      case 'comment':
        return
      case 'for': {
        const outer = this.#lanes
        const step = s.lanes ?? s.step ?? 1
        if (s.lanes !== undefined) this.#lanes = s.lanes
        for (let i = 0; i < s.extent; i += step) {
          const active = s.lanes === undefined ? null : Math.min(s.lanes, s.extent - i)
          this.#counters.set(s.counter, { value: i, active })
          this.run(s.body)
        }
        this.#counters.delete(s.counter)
        this.#lanes = outer
        return
      }
      case 'let':
        this.#locals.set(s.name, this.#value(s.value, this.#lanes))
        return
      case 'variable':
        this.#locals.set(s.name, this.#value(s.value, s.lanes ?? this.#lanes))
        return
      case 'assign': {
        const vector = typeof this.#locals.get(s.name) !== 'number'
        this.#locals.set(s.name, this.#value(s.value, vector ? (this.#lanes ?? widest) : null))
        return
      }
      case 'store': {
        const { data } = this.#buffers.get(s.buffer)!
        const count = this.#moves(s.at) ? Math.min(this.#lanes ?? 1, this.#active(s.at)) : 1
        for (let l = 0; l < count; l++) {
          const at = this.#index(s.at, l)
          if (at < 0 || at >= data.length) throw new RangeError(`store to ${s.buffer}[${at}]`)
          data[at] = this.#scalar(s.value, l)
        }
        return
      }
      case 'while':
      case 'if':
        throw new Error(`${s.tag} is not part of reductions`)
      default:
        s satisfies never
    }
  }
}
