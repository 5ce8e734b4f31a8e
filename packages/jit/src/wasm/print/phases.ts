/**
 * A kernel as phases: functions `phase(arguments, from, to)` over the rounds of a parallel loop, to be
 * called with any partition of the rounds, one phase after the other.
 */
import { type Stmt, scalars } from '@cotangent/core'
import type { Kernel } from '../../kernel.ts'
import { substitution } from '../../loops/rewrite.ts'
import { effectsOf, walk } from '../../loops/visit.ts'
import { FunctionBody } from '../encode/body.ts'
import { op } from '../encode/opcodes.ts'
import { Frame } from './frame.ts'
import { type HostFunction, hostFunctionOf } from './host.ts'
import type { Loop } from './pointers.ts'
import { printBody } from './statements.ts'
import { mask } from './masks.ts'
import { uniform } from './uniform.ts'
import { vector } from './vector.ts'
import { nanosecondsOf } from './work.ts'

const { affine, counter } = scalars

/** Statements that run `rounds` times, and what they need of the block before them. */
export interface Phase {
  readonly prelude: readonly Stmt[]
  /** The loops whose rounds are counted, outermost first; empty where there is one round. */
  readonly loops: readonly Loop[]
  readonly body: readonly Stmt[]
  readonly rounds: number
  /** Estimated nanoseconds of one round. */
  readonly cost: number
  /** The buffers that it loads from or stores to. */
  readonly buffers: ReadonlySet<string>
  readonly hostFunctions: readonly HostFunction[]
}

/** A phase as a function of a module. */
export interface PrintedPhase {
  readonly body: FunctionBody
  readonly rounds: number
  readonly cost: number
}

/** Nanoseconds beyond which a round is split where its loops allow it. */
const dearRound = 20_000
/**
 * Rounds that cost at least so many nanoseconds are split even if nobody else takes a part of them: a
 * loop that stays inside takes registers from those in it. Products with 32 rows, 256 terms and 768
 * columns made 40 GFLOP/s with eight tiles in a round and make 45 with one.
 */
const leastRound = 150
/** Fewer rounds than this do not share out evenly. */
const fewRounds = 16
/** Elements that one round of a flat loop takes. */
const blockSize = 4096

/** Splits a kernel's statements into phases. */
export const phasesOf = (statements: readonly Stmt[]): readonly Phase[] => {
  const body = statements.flatMap(splitFlat)
  const whole = (): readonly Phase[] => [phaseOf([], body)]
  const phases: Phase[] = []
  const lets: Stmt[] = []
  const stored = new Set<string>()
  for (const s of body) {
    if (s.tag === 'comment') continue
    if (s.tag === 'let') {
      lets.push(s)
      continue
    }
    if (s.tag !== 'for') return whole()
    const prelude = neededBy(s, lets)
    // A value read before a phase must not be read again after that phase has overwritten it.
    if (readsAny(prelude, stored)) return whole()
    phases.push(phaseOf(prelude, [s]))
    for (const name of effectsOf([s]).stored) stored.add(name)
  }
  return phases.length === 0 ? whole() : phases
}

const phaseOf = (prelude: readonly Stmt[], body: readonly Stmt[]): Phase => {
  const loops: Loop[] = []
  let inner = body
  let cost = nanosecondsOf(inner)
  let rounds = 1
  for (;;) {
    const only = inner.length === 1 ? inner[0] : undefined
    if (only?.tag !== 'for' || only.parallel !== true || only.lanes !== undefined) break
    const own = Math.ceil(only.extent / (only.step ?? 1))
    const isFine = rounds >= fewRounds && cost <= dearRound && cost / own < leastRound
    if (loops.length > 0 && isFine) break
    loops.push(only)
    rounds *= own
    cost /= own
    inner = only.body
  }
  return { prelude, loops, body: inner, rounds, cost, ...usesOf([...prelude, ...inner]) }
}

const neededBy = (s: Stmt, lets: readonly Stmt[]): readonly Stmt[] => {
  // Not `lets` itself, to which more are added for later phases.
  if (lets.length === 0) return []
  const names = new Set<string>()
  const visitor = walk({
    scalar: (x) => {
      if (x.tag === 'local') names.add(x.name)
    },
  })
  visitor.body([s])
  return lets
    .toReversed()
    .filter((l) => {
      if (l.tag !== 'let' || !names.has(l.name)) return false
      visitor.scalar(l.value)
      return true
    })
    .toReversed()
}

const readsAny = (body: readonly Stmt[], stored: ReadonlySet<string>): boolean => {
  let found = false
  walk({
    scalar: (s) => {
      if (s.tag === 'load' && stored.has(s.buffer)) found = true
    },
  }).body(body)
  return found
}

// A long flat loop with lanes becomes a loop over blocks, and what is left over.
const splitFlat = (s: Stmt): readonly Stmt[] => {
  if (s.tag !== 'for' || s.parallel !== true || s.lanes === undefined) return [s]
  if (s.extent < 2 * blockSize) return [s]
  const blocks = Math.floor(s.extent / blockSize)
  const rest = s.extent - blocks * blockSize
  const block = `${s.counter}_block`
  const from = (first: ReturnType<typeof counter>, size: number): Loop => {
    const inner = counter(s.counter, size)
    const at = affine([
      [1, inner],
      [1, first],
    ])
    const body = substitution({ counters: new Map([[s.counter, at]]) }).body(s.body)
    return { ...s, extent: size, body }
  }
  const first = affine([[blockSize, counter(block, blocks)]])
  return [
    { tag: 'for', counter: block, extent: blocks, parallel: true, body: [from(first, blockSize)] },
    ...(rest === 0 ? [] : [from(scalars.constant(blocks * blockSize), rest)]),
  ]
}

/** Writes a phase as a function of its arguments' address and a range of rounds. */
export const printPhase = (
  kernel: Kernel,
  phase: Phase,
  host: ReadonlyMap<string, number>,
): PrintedPhase => {
  const body = new FunctionBody(['i32', 'i32', 'i32'])
  const [args, from, to] = [0, 1, 2]
  const buffers = new Map<string, number>()
  kernel.buffers.forEach(({ name }, n) => {
    if (!phase.buffers.has(name)) return
    const local = body.local('i32')
    body.get(args)
    body.load(op.i32Load, 4 * n)
    body.set(local)
    buffers.set(name, local)
  })
  const frame = new Frame(body, buffers, host, { uniform, vector, mask })
  printBody(frame, phase.prelude)
  if (phase.loops.length === 0) printBody(frame, phase.body)
  else {
    body.block()
    body.loop()
    body.get(from)
    body.get(to)
    body.op(op.i32GeS)
    body.brIf(1)
    bindRounds(frame, phase.loops, from, () => printBody(frame, phase.body))
    body.get(from)
    body.i32(1)
    body.op(op.i32Add)
    body.set(from)
    body.br(0)
    body.end()
    body.end()
  }
  return { body, rounds: phase.rounds, cost: phase.cost }
}

// The counters of the loops, from the number of the round.
const bindRounds = (frame: Frame, loops: readonly Loop[], round: number, use: () => void): void => {
  const { body } = frame
  const bindFrom = (depth: number, rest: number): void => {
    const loop = loops[depth]
    if (loop === undefined) return use()
    const inside = loops
      .slice(depth + 1)
      .reduce((n, l) => n * Math.ceil(l.extent / (l.step ?? 1)), 1)
    const local = body.local('i32')
    let next = rest
    body.get(rest)
    if (inside > 1) {
      body.i32(inside)
      body.op(op.i32DivU)
      body.set(local)
      next = body.local('i32')
      body.get(rest)
      body.get(local)
      body.i32(inside)
      body.op(op.i32Mul)
      body.op(op.i32Sub)
      body.set(next)
      body.get(local)
    }
    const step = loop.step ?? 1
    if (step !== 1) {
      body.i32(step)
      body.op(op.i32Mul)
    }
    body.set(local)
    const at = { tag: 'local', local } as const
    frame.bind(loop.counter, { at, varies: false, active: 1 }, () => bindFrom(depth + 1, next))
  }
  bindFrom(0, round)
}

const usesOf = (body: readonly Stmt[]): Pick<Phase, 'buffers' | 'hostFunctions'> => {
  const buffers = new Set<string>()
  const hostFunctions = new Map<string, HostFunction>()
  walk({
    scalar: (s) => {
      if (s.tag === 'load') buffers.add(s.buffer)
      const called = hostFunctionOf(s)
      if (called !== null) hostFunctions.set(called.name, called)
    },
    statement: (s) => {
      if (s.tag === 'store') buffers.add(s.buffer)
    },
  }).body(body)
  return { buffers, hostFunctions: [...hostFunctions.values()] }
}
