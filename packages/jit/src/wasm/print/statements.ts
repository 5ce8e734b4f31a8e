/** Statements as instructions. */
import {
  type DType,
  InternalError,
  type Lanes,
  type Scalar,
  type Stmt,
  isFloat,
} from '@cotangent/core'
import { effectsOf, walk } from '../../loops/visit.ts'
import { op, relaxed } from '../encode/opcodes.ts'
import { fusesMultiplyAdd } from '../fusedMultiplyAdd.ts'
import { type CounterBinding, type Frame, indexVaries, varies } from './frame.ts'
import { kindOf } from './layout.ts'
import { type LoadPair, loadPairsIn } from './loadPairs.ts'
import { loadPair } from './loads.ts'
import { type Movement, Pointers } from './pointers.ts'
import { type Loop, firstOf } from './rounds.ts'
import { storeInTurns, storeLanes, storeOne } from './stores.ts'
import { turnsIn } from './turns.ts'
import { uniform } from './uniform.ts'
import { vector } from './vector.ts'

/** Writes statements into the frame's function. */
export const printBody = (frame: Frame, body: readonly Stmt[]): void =>
  new StatementPrinter(frame).body(body)

class StatementPrinter {
  readonly #frame: Frame
  readonly #pointers: Pointers

  constructor(frame: Frame) {
    this.#frame = frame
    this.#pointers = new Pointers(frame)
  }

  body(statements: readonly Stmt[]): void {
    const turns = turnsIn(this.#frame, statements)
    const pairs = loadPairsIn(this.#frame, statements)
    const values = new Map<Stmt, number>()
    for (const s of statements) {
      const pair = pairs.get(s)
      if (pair !== undefined) {
        if (pair !== null) this.#pair(pair)
        continue
      }
      const turn = turns.get(s)
      if (turn === undefined || s.tag !== 'store') {
        this.#statement(s)
        continue
      }
      const value = this.#frame.body.local('v128')
      vector(this.#frame, s.value)
      this.#frame.body.set(value)
      values.set(s, value)
      if (turn.tag === 'first') continue
      const other = values.get(turn.first)!
      if (turn.isLow) storeInTurns(this.#frame, s, value, other)
      else storeInTurns(this.#frame, turn.first, other, value)
    }
  }

  #statement(s: Stmt): void {
    const { body } = this.#frame
    switch (s.tag) {
      case 'comment':
        return
      case 'for':
        this.#loop(s)
        return
      case 'while':
        body.block()
        body.loop()
        uniform(this.#frame, s.condition)
        body.op(op.i32Eqz)
        body.brIf(1)
        this.body(s.body)
        body.br(0)
        body.end()
        body.end()
        return
      case 'if':
        uniform(this.#frame, s.condition)
        body.if()
        this.body(s.then)
        if (s.otherwise.length > 0) {
          body.else()
          this.body(s.otherwise)
        }
        body.end()
        return
      case 'let':
        this.#let(s.name, s.value)
        return
      case 'variable':
        this.#declare(
          s.name,
          s.value,
          s.lanes ?? (varies(this.#frame, s.value) ? this.#frame.lanes : null),
        )
        return
      case 'assign':
        this.#assign(s.name, s.value)
        return
      case 'store':
        if (this.#frame.lanes !== null && indexVaries(this.#frame, s.at)) storeLanes(this.#frame, s)
        else storeOne(this.#frame, s)
        return
      default:
        s satisfies never
    }
  }

  // Numbers read once inside of lanes are wanted in every lane.
  #let(name: string, value: Scalar): void {
    const { lanes } = this.#frame
    const splat = isFloat(value.dtype) && value.tag === 'load'
    const vectorised = lanes !== null && (splat || varies(this.#frame, value))
    this.#declare(name, value, vectorised ? lanes : null)
  }

  #declare(name: string, value: Scalar, lanes: Lanes | null): void {
    const frame = this.#frame
    if (lanes === null) uniform(frame, value)
    else vector(frame, value)
    frame.body.set(frame.declare(name, value.dtype, lanes))
  }

  #pair(pair: LoadPair): void {
    const { lanes } = this.#frame
    const [even, odd] = pair.names.map((name) => this.#frame.declare(name, pair.low.dtype, lanes))
    loadPair(pair, this.#frame, even!, odd!)
  }

  #assign(name: string, value: Scalar): void {
    const frame = this.#frame
    const { uniform: local, varying } = frame.local(name)
    if (local === null) {
      if (!this.#fused(name, value)) vector(frame, value)
      frame.body.set(varying!)
      return
    }
    uniform(frame, value)
    frame.body.set(local)
  }

  // A term of a sum of products as one instruction. Elsewhere each operation is rounded, on which
  // the functions of the maths rely.
  #fused(name: string, value: Scalar): boolean {
    if (!fusesMultiplyAdd() || value.tag !== 'binary' || value.op !== 'add') return false
    const { x: sum, y: term } = value
    const isTerm = term.tag === 'binary' && term.op === 'multiply' && isFloat(term.dtype)
    if (sum.tag !== 'local' || sum.name !== name || !isTerm) return false
    const frame = this.#frame
    vector(frame, term.x)
    vector(frame, term.y)
    vector(frame, sum)
    const wide = kindOf(term.dtype) === 'f64'
    frame.body.relaxed(wide ? relaxed.f64x2RelaxedMadd : relaxed.f32x4RelaxedMadd)
    return true
  }

  #loop(loop: Loop): void {
    if (loop.lanes !== undefined) this.#lanesLoop(loop, loop.lanes)
    else this.#plainLoop(loop)
  }

  #plainLoop(loop: Loop): void {
    const step = loop.step ?? 1
    const rounds = Math.ceil(loop.extent / step)
    if (rounds <= 0) return
    const first = firstOf(loop)
    if (rounds === 1) {
      this.#once(loop, { at: { tag: 'constant', value: first }, varies: false, active: 1 })
      return
    }
    const moves = loop.reverse === true ? -step : step
    this.#repeat(loop, { first, moves, rounds, varies: false, active: 1 })
  }

  #lanesLoop(loop: Loop, lanes: Lanes): void {
    const frame = this.#frame
    const outer = frame.lanes
    if (outer !== null && outer !== lanes) {
      throw new InternalError({
        operation: 'print kernel',
        problem: 'nested loops have different lanes',
      })
    }
    frame.lanes = lanes
    const rounds = Math.floor(loop.extent / lanes)
    const rest = loop.extent - rounds * lanes
    if (rounds === 0 || (rounds === 1 && rest === 0)) {
      this.#once(loop, { at: { tag: 'constant', value: 0 }, varies: true, active: rest || lanes })
    } else {
      this.#splatting(loop, () =>
        this.#repeat(loop, { first: 0, moves: lanes, rounds, varies: true, active: lanes }, rest),
      )
    }
    frame.lanes = outer
    frame.known.clear()
  }

  // One value that every round wants in all lanes is put there before the loop.
  #splatting(loop: Loop, use: () => void): void {
    const frame = this.#frame
    const wanted = new Map<string, DType>()
    walk({
      scalar: (s) => {
        if (s.tag !== 'local' || !isFloat(s.dtype)) return
        const known = frame.locals.get(s.name)
        if (known?.varying === null && !isAssigned(loop, s.name)) wanted.set(s.name, s.dtype)
      },
    }).body(loop.body)
    const before = [...wanted].slice(0, 6).map(([name, dtype]) => {
      const known = frame.local(name)
      const local = frame.body.local('v128')
      vector(frame, { tag: 'local', dtype, name })
      frame.body.set(local)
      frame.locals.set(name, { ...known, varying: local, lanes: frame.lanes })
      return [name, known] as const
    })
    use()
    for (const [name, known] of before) frame.locals.set(name, known)
  }

  // A loop of one round: the counter is a constant.
  #once(loop: Loop, binding: CounterBinding): void {
    this.#frame.bind(loop.counter, binding, () => this.body(loop.body))
  }

  #repeat(loop: Loop, rounds: Rounds, rest = 0): void {
    const frame = this.#frame
    const { body } = frame
    const counter = body.local('i32')
    body.i32(rounds.first)
    body.set(counter)
    const { varies: isVarying, active } = rounds
    const inRounds: CounterBinding = {
      at: { tag: 'local', local: counter },
      varies: isVarying,
      active,
    }
    const last = rounds.first + rounds.moves * rounds.rounds
    frame.bind(loop.counter, inRounds, () =>
      this.#pointers.within(loop, rounds.first, () => {
        const movement = this.#pointers.movement(loop, rounds.moves)
        const round = (): void => {
          this.body(loop.body)
          this.#pointers.advance(movement, 1)
          body.get(counter)
          body.i32(rounds.moves)
          body.op(op.i32Add)
          body.tee(counter)
          body.i32(last)
        }
        if (rounds.rounds === 1) {
          round()
          body.op(op.drop)
          body.op(op.drop)
        } else if (isShortStep(loop)) {
          // The exit in the middle keeps each step a block of its own: the engine schedules loads
          // to the top of a block, and two steps' loads do not fit in registers.
          body.block()
          body.loop()
          const start = body.length
          round()
          const length = body.length - start
          body.op(op.i32Eq)
          body.brIf(1)
          body.repeat(start, length)
          body.op(op.i32Ne)
          body.brIf(0)
          body.end()
          body.end()
        } else {
          body.loop()
          round()
          body.op(op.i32Ne)
          body.brIf(0)
          body.end()
        }
        if (rest > 0) this.#tail(loop, last, rest)
        this.#restore(movement, rounds.rounds)
      }),
    )
  }

  // Accesses in the loops around go on from where the pointers were.
  #restore(movement: Movement, rounds: number): void {
    this.#pointers.advance(movement, -rounds)
  }

  #tail(loop: Loop, first: number, rest: number): void {
    this.#frame.bind(
      loop.counter,
      { at: { tag: 'constant', value: first }, varies: true, active: rest },
      () => this.body(loop.body),
    )
  }
}

interface Rounds {
  readonly first: number
  /** What one round adds to the counter. */
  readonly moves: number
  readonly rounds: number
  readonly varies: boolean
  readonly active: number
}

const isAssigned = (loop: Loop, name: string): boolean => effectsOf(loop.body).assigned.has(name)

// A step of a register tile: assignments to a few vectors, and what they read.
const isShortStep = (loop: Loop): boolean => {
  let [assigns, others] = [0, 0]
  const visit = (body: readonly Stmt[]): void => {
    for (const s of body) {
      if (s.tag === 'assign' && kindOf(s.value.dtype) !== 'i32') assigns++
      else if (s.tag === 'for' && s.lanes !== undefined && s.extent <= s.lanes) visit(s.body)
      else if (s.tag !== 'let' && s.tag !== 'comment') others++
    }
  }
  visit(loop.body)
  return others === 0 && assigns >= 4 && assigns <= 10
}
