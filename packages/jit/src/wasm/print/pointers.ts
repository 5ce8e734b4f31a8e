/**
 * Addresses that loops advance. An access whose index is affine gets a pointer at the outermost loop
 * around which everything else in its index stands still; each round of a loop adds a constant to it.
 */
import type { Index, Scalar, Stmt } from '@cotangent/core'
import { type Effects, effectsOf, walk } from '../../loops/visit.ts'
import { op } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { constantOf, emitSum, settled, termsOf, variableKey } from './indices.ts'
import { widthOf } from './layout.ts'
import { type Loop, firstOf } from './rounds.ts'

export type { Loop } from './rounds.ts'

/** One access of a body, wherever it is printed. */
interface Inside {
  readonly buffer: string
  readonly width: number
  readonly at: Index
  /** The loops of the body that are around it, outermost first. */
  readonly loops: readonly Loop[]
}

/** One access of a loop's body that moves with the loop. */
interface Access extends Inside {
  readonly key: string
}

/** A pointer and how each loop moves it, in bytes for each unit of the counter. */
interface Moving {
  readonly local: number
  readonly strides: ReadonlyMap<string, number>
  /** Loops with an access that uses the pointer somewhere inside. */
  readonly users: ReadonlySet<Loop>
}

/** The pointers that a loop moves, while it is printed. */
export type Movement = readonly { readonly local: number; readonly stride: number }[]

const movesWith = (at: Index, counter: string): boolean => {
  const terms = termsOf(at)
  for (let n = 0; n < terms.length; n++) {
    const { term } = terms[n]!
    if (term.tag === 'counter' && term.name === counter) return true
  }
  return false
}

const inside = new WeakMap<readonly Stmt[], readonly Inside[]>()
const noLoops: readonly Loop[] = []

/** Reads and writes of a body, branches and `while` apart. Every loop around asks for them. */
const insideOf = (body: readonly Stmt[]): readonly Inside[] => {
  const known = inside.get(body)
  if (known !== undefined) return known
  const found: Inside[] = []
  const add = (buffer: string, width: number, at: Index): void => {
    found.push({ buffer, width, at, loops: noLoops })
  }
  const reading = walk({
    scalar: (s: Scalar) => {
      if (s.tag === 'load') add(s.buffer, widthOf(s.dtype), s.at)
    },
  })
  for (const s of body) {
    if (s.tag === 'for') {
      for (const { buffer, width, at, loops } of insideOf(s.body)) {
        found.push({ buffer, width, at, loops: [s, ...loops] })
      }
    } else if (s.tag === 'store') {
      add(s.buffer, widthOf(s.value.dtype), s.at)
      reading.index(s.at)
      reading.scalar(s.value)
    } else if (s.tag === 'let' || s.tag === 'variable' || s.tag === 'assign') {
      reading.scalar(s.value)
    }
  }
  inside.set(body, found)
  return found
}

/** Those that move with the loop, with the part of their index that does, by which pointers are shared. */
const accessesOf = (frame: Frame, loop: Loop): readonly Access[] => {
  const found: Access[] = []
  const all = insideOf(loop.body)
  for (let n = 0; n < all.length; n++) {
    const { buffer, width, at: index, loops } = all[n]!
    if (!movesWith(index, loop.counter)) continue
    const at = settled(frame, index, loops)
    if (!movesWith(at, loop.counter)) continue
    const key = variableKey(at, index)
    if (key !== null && key !== '')
      found.push({ buffer, width, at, key: `${buffer} ${key}`, loops })
  }
  return found
}

// Everything in the index but the counters of these loops keeps its value while they run.
const standsStill = (at: Index, loops: readonly Loop[], { assigned, declared }: Effects): boolean =>
  termsOf(at).every(({ term }) => {
    if (term.tag === 'counter') return true
    let still = true
    walk({
      index: (i) => {
        if (i.tag !== 'counter') return
        if (declared.has(i.name) || loops.some((l) => l.counter === i.name)) still = false
      },
      scalar: (s) => {
        if (s.tag !== 'local') return
        if (assigned.has(s.name) || declared.has(s.name)) still = false
      },
    }).index(term)
    return still
  })

export class Pointers {
  readonly #frame: Frame
  /** Pointers in use, innermost last. */
  #moving: readonly Moving[] = []

  constructor(frame: Frame) {
    this.#frame = frame
  }

  /**
   * Runs `use` with pointers for what the loop accesses, set for its first round. The counter is
   * bound to its first value outside: `first`.
   */
  within(loop: Loop, first: number, use: () => void): void {
    const frame = this.#frame
    const outer = this.#moving
    const hidden: [string, ReturnType<typeof frame.pointers.get>][] = []
    const groups = new Map<string, Access[]>()
    const effects = effectsOf(loop.body)
    const accesses = accessesOf(frame, loop)
    for (let n = 0; n < accesses.length; n++) {
      const access = accesses[n]!
      if (frame.pointers.has(access.key)) continue
      const moving = [loop, ...access.loops]
      // A counter of an inner loop beside the access, bound by name only inside, moves nothing here.
      const known = termsOf(access.at).every(
        ({ term }) =>
          term.tag !== 'counter' ||
          moving.some((l) => l.counter === term.name) ||
          frame.counters.has(term.name),
      )
      if (!known || !standsStill(access.at, moving, effects)) continue
      const group = groups.get(access.key)
      if (group === undefined) groups.set(access.key, [access])
      else group.push(access)
    }
    const added: Moving[] = []
    for (const [key, group] of groups) {
      const one = group[0]!
      const offset = Math.min(...group.map((a) => constantOf(a.at)))
      const local = frame.body.local('i32')
      this.#start(one, offset, loop, first, local)
      const strides = new Map<string, number>()
      for (const { coefficient, term } of termsOf(one.at)) {
        if (term.tag === 'counter') strides.set(term.name, coefficient * one.width)
      }
      const users = new Set([loop, ...group.flatMap((a) => a.loops)])
      added.push({ local, strides, users })
      hidden.push([key, frame.pointers.get(key)])
      frame.pointers.set(key, { local, offset })
    }
    this.#moving = [...outer, ...added]
    use()
    this.#moving = outer
    for (const [key, before] of hidden) {
      if (before === undefined) frame.pointers.delete(key)
      else frame.pointers.set(key, before)
    }
  }

  // The address at the first round of every loop inside.
  #start(access: Access, offset: number, loop: Loop, first: number, local: number): void {
    const { body } = this.#frame
    const inner = new Map(access.loops.map((l) => [l.counter, firstOf(l)]))
    inner.set(loop.counter, first)
    let constant = offset
    const rest = termsOf(access.at).filter(({ coefficient, term }) => {
      const value = term.tag === 'counter' ? inner.get(term.name) : undefined
      if (value === undefined) return true
      constant += coefficient * value
      return false
    })
    body.get(this.#frame.buffer(access.buffer))
    emitSum(this.#frame, rest, constant, access.width)
    body.op(op.i32Add)
    body.set(local)
  }

  /** What one round of the loop, `step` counters long, moves. */
  movement(loop: Loop, step: number): Movement {
    return this.#moving.flatMap(({ local, strides, users }) => {
      const stride = (strides.get(loop.counter) ?? 0) * step
      return stride === 0 || !users.has(loop) ? [] : [{ local, stride }]
    })
  }

  /** Moves the pointers by so many rounds. */
  advance(movement: Movement, rounds: number): void {
    const { body } = this.#frame
    if (rounds === 0) return
    for (const { local, stride } of movement) {
      body.get(local)
      body.i32(stride * rounds)
      body.op(op.i32Add)
      body.set(local)
    }
  }
}
