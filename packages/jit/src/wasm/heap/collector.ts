/**
 * Asking the garbage collector, in the middle of a task, which tensors are dead. JavaScript has no
 * such question (registries answer between tasks), but Node has all it takes: it can run the
 * collector, and its inspector lists what is left in a WeakSet.
 */
import type * as Util from 'node:util'
import type * as V8 from 'node:v8'
import type * as Vm from 'node:vm'

// The method that Node's `inspect` calls instead of listing an object's properties.
const inspected = Symbol.for('nodejs.util.inspect.custom')

/** Makes witnesses of all objects that have this prototype: `told` hears of each that is alive. */
export const makeWitnesses = <T extends object>(prototype: T, told: (witness: T) => void): void => {
  Object.defineProperty(prototype, inspected, {
    value(this: T): string {
      told(this)
      return ''
    },
  })
}

export interface Collector {
  /** Runs the garbage collector, for young objects only or for all: about 0.2 and 5 ms. */
  readonly collect: (all: boolean) => void
  /**
   * Tells those of `witnesses` that are left. False where it cannot vouch for having told them all.
   */
  readonly tell: (witnesses: WeakSet<object>) => boolean
}

type Collect = (options: { readonly type: 'minor' | 'major' }) => void
type Inspect = typeof Util.inspect

let found: { readonly collector: Collector | null } | null = null

/** This platform's collector; null where it cannot be asked. Looked for once. */
export const findCollector = (): Collector | null => {
  found ??= { collector: lookForCollector() }
  return found.collector
}

const lookForCollector = (): Collector | null => {
  // Not imported: a page has no such modules, and a bundler would look for them.
  if (typeof process === 'undefined' || typeof process.getBuiltinModule !== 'function') return null
  const util = process.getBuiltinModule('node:util')
  const v8 = process.getBuiltinModule('node:v8')
  const vm = process.getBuiltinModule('node:vm')
  if (util === undefined || v8 === undefined || vm === undefined) return null
  const collect = collectOf(v8, vm)
  if (collect === null) return null
  const collector = {
    collect: (all: boolean): void => collect({ type: all ? 'major' : 'minor' }),
    tell: tellWith(util.inspect),
  }
  return keepsItsWord(collector) ? collector : null
}

/**
 * The function that runs the collector. It is a flag of V8 whether *new* contexts have it, so the
 * flag is up for as long as it takes to make one: no other code sees the function, the context of
 * the program stays as it was, and so does the hash of all flags, by which V8 tells whether code
 * that it cached on disk is still good.
 */
const collectOf = (v8: typeof V8, vm: typeof Vm): Collect | null => {
  const look = (): unknown => vm.runInNewContext('typeof gc === "function" ? gc : null')
  try {
    // Up already where the program was started with --expose-gc: then it stays up.
    const present = look()
    if (isCollect(present)) return present
    v8.setFlagsFromString('--expose-gc')
    try {
      const exposed = look()
      return isCollect(exposed) ? exposed : null
    } finally {
      v8.setFlagsFromString('--no-expose-gc')
    }
  } catch {
    // A policy of the platform forbids flags, or contexts: then there are only registries.
    return null
  }
}

const isCollect = (value: unknown): value is Collect => typeof value === 'function'

// That `showHidden` lists the entries of weak sets is documented.
const listing = {
  showHidden: true,
  customInspect: true,
  maxArrayLength: Number.POSITIVE_INFINITY,
  depth: 0,
  compact: true,
  breakLength: Number.POSITIVE_INFINITY,
  sorted: false,
  getters: false,
  colors: false,
} as const

const tellWith =
  (inspect: Inspect) =>
  (witnesses: WeakSet<object>): boolean => {
    let told = false
    const control = {}
    makeWitnesses(control, () => {
      told = true
    })
    witnesses.add(control)
    // A stack that overflows on the way is not thrown, but printed in place of the list.
    return inspect(witnesses, listing).startsWith('WeakSet {') && told
  }

/** More than are listed where no one asks for all. */
const sample = 256

// About 2 ms: nothing is freed on the word of a collector that leaves out
// live objects, and there is no use in one that cannot find the dead.
const keepsItsWord = ({ collect, tell }: Collector): boolean => {
  const told = new Set<number>()
  class Numbered {
    readonly index: number
    constructor(index: number) {
      this.index = index
    }
  }
  makeWitnesses(Numbered.prototype, ({ index }) => told.add(index))
  const witnesses = new WeakSet<object>()
  const make = (from: number): readonly object[] =>
    Array.from({ length: sample }, (_, i) => {
      const witness = new Numbered(from + i)
      witnesses.add(witness)
      return witness
    })
  const live = make(0)
  make(sample)
  collect(false)
  if (!tell(witnesses) || told.size > sample + sample / 8) return false
  return live.every((_, i) => told.has(i))
}
