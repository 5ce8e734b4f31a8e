/** Worker threads that run the rounds of parallel loops together with the main thread. */
import { CodeStore } from './code.ts'
import type { WorkerError } from './errors.ts'
import { type StartThread, canShareMemory, startThread } from './host.ts'
import { layout, own } from './layout.ts'
import { forksAlways } from './settings.ts'
import { Team } from './team.ts'

/** A phase of a module: rounds `lo` to `hi - 1` of a parallel loop over the arguments at `args`. */
export type Phase = (args: number, lo: number, hi: number) => void

/** What may differ between pools; the defaults are right for all but tests. */
export interface PoolOptions {
  /** Milliseconds for which idle workers look for work before they sleep. */
  readonly spin?: number
  /** How workers are started. */
  readonly start?: StartThread
}

// Waking a worker takes 10 to 50 µs, a job for one that is awake less than 1 µs; while asleep they
// cost nothing, while awake a core.
const defaultSpin = 0.08

// Two threads against one, measured: with a worker awake a job of 2 µs takes as long and one of
// 6 µs 0.6 of the time; with one asleep it is 60 µs, and 180 µs 0.6 of the time.
const hotLeast = 3_000
const coldLeast = 80_000

/**
 * A pool of workers over one shared memory. A module exports its phases as `p0`, `p1`, …, each of
 * the signature of {@link Phase}; their rounds are independent of each other. Workers start with the
 * first job and never keep a process alive.
 *
 * @example
 * const pool = new Pool(memory, 4)
 * const module = pool.register(bytes)
 * pool.run(module, 0, exports.p0, args, 1000, 50) // rounds 0 to 999, 50 at a time
 */
export class Pool {
  private readonly memory: WebAssembly.Memory
  private readonly code: CodeStore | null
  private readonly options: Required<PoolOptions>
  private count: number
  private team: Team | null = null
  private busy = false
  private freed = 0

  /** `memory` is what the modules import; without a shared one everything runs on this thread. */
  constructor(memory: WebAssembly.Memory, threads: number, options: PoolOptions = {}) {
    this.memory = memory
    const shared = canShareMemory() && memory.buffer instanceof SharedArrayBuffer
    this.code = shared ? new CodeStore() : null
    this.count = shared ? threads : 1
    this.options = { spin: defaultSpin, start: startThread, ...options }
  }

  /** How many threads take part in jobs, the calling one included. */
  get threads(): number {
    return this.count
  }

  /** How many workers have started: the first job starts them, some 20 ms later they are there. */
  get started(): number {
    return this.team?.started ?? 0
  }

  /** How many workers look for work at this moment; the others sleep or have not started. */
  get awake(): number {
    return this.team?.awake ?? 0
  }

  /** Whether all workers are awake, so that even a job of 1 µs gains from them. */
  get hot(): boolean {
    return this.team !== null && this.team.awake === this.count - 1
  }

  /** Whether a job that takes one thread so many nanoseconds ends sooner on all of them. */
  pays(nanoseconds: number): boolean {
    if (this.count === 1) return false
    return forksAlways() || nanoseconds > (this.hot ? hotLeast : coldLeast)
  }

  /** Changes the number of threads; workers start anew with the next job. */
  resize(threads: number): void {
    if (threads === this.count || this.code === null) return
    this.stop()
    this.count = threads
  }

  /**
   * Makes a module known to the workers, who compile it when it first has a job for them, and
   * returns its number. The modules import the pool's memory, under any name; functions that they
   * import cannot be called from phases.
   */
  register(bytes: Uint8Array): number {
    return this.code?.add(bytes) ?? 0
  }

  /** Forgets a module: its number may be given to another. */
  unregister(module: number): void {
    if (this.code === null) return
    this.code.remove(module)
    // A worker that is copying these bytes must notice before others are written in their place.
    this.freed = (this.freed + 1) | 0
    if (this.team !== null) Atomics.store(this.team.words, layout.freed, this.freed)
  }

  /** Wakes the workers ahead of jobs to come, without waiting for them. */
  wake(): void {
    this.ready()?.wake()
  }

  /**
   * Runs the rounds `0` to `count - 1` of phase `phase` of a module, `grain` at a time, on all
   * threads; `main` is the same phase of this thread's instance. Returns when all rounds are done.
   * Each thread begins with its own share of the rounds, so over several jobs of one shape it meets
   * the same memory, and then helps the others with theirs.
   * @throws WorkerError if a worker trapped or died: the results are then not valid. The next job
   *   starts new workers.
   */
  run(
    module: number,
    phase: number,
    main: Phase,
    args: number,
    count: number,
    grain: number,
  ): void {
    const chunks = Math.ceil(count / grain)
    const { code } = this
    const team = chunks > 1 ? this.ready() : null
    if (team === null || code === null) {
      if (count > 0) main(args, 0, count)
      return
    }
    const { words } = team
    const entry = code.get(module)
    const participants = Math.min(this.count, chunks)
    words[layout.slot] = entry.slot
    words[layout.serial] = entry.serial
    words[layout.codeOffset] = entry.offset
    words[layout.codeLength] = entry.length
    words[layout.phase] = phase
    words[layout.args] = args
    words[layout.count] = count
    words[layout.grain] = grain
    words[layout.chunks] = chunks
    words[layout.participants] = participants
    for (let p = 0; p < participants; p++) words[layout.threads + p * layout.stride + own.next] = 0
    this.busy = true
    team.open()
    try {
      work(words, main, args, count, grain, chunks, participants)
    } catch (error) {
      team.cancel()
      this.finish(team)
      throw error
    }
    const failure = this.finish(team)
    if (failure !== null) throw failure
  }

  /** Stops the workers. A later job would start new ones. */
  dispose(): void {
    this.stop()
  }

  private finish(team: Team): WorkerError | null {
    team.close()
    this.busy = false
    const failure = team.failure()
    if (failure !== null) this.stop()
    return failure
  }

  // The team for a job, or null where this thread does it alone: also in a phase of another job.
  private ready(): Team | null {
    if (this.count === 1 || this.busy) return null
    this.team ??= this.start()
    const missing = this.team?.missing ?? null
    if (missing !== null) this.goAlone(missing)
    return this.team
  }

  private start(): Team | null {
    const { memory, code, options } = this
    if (code === null) return null
    try {
      return new Team({ threads: this.count, memory, code: code.memory, ...options })
    } catch (error) {
      this.goAlone(String(error))
      return null
    }
  }

  // Workers may be forbidden, as by a page's content security policy, or beyond a limit.
  private goAlone(reason: string): void {
    console.warn(`cotangent: worker threads do not start, one is used: ${reason}`)
    this.stop()
    this.count = 1
  }

  private stop(): void {
    this.team?.stop()
    this.team = null
  }
}

// The main thread's part of a job: first its own share, then what is left of the others'.
const work = (
  words: Int32Array,
  phase: Phase,
  args: number,
  count: number,
  grain: number,
  chunks: number,
  participants: number,
): void => {
  for (let p = 0; p < participants; p++) {
    const first = Math.floor((p * chunks) / participants)
    const end = Math.floor(((p + 1) * chunks) / participants)
    const counter = layout.threads + p * layout.stride + own.next
    for (;;) {
      const chunk = first + Atomics.add(words, counter, 1)
      if (chunk >= end) break
      const lo = chunk * grain
      phase(args, lo, Math.min(lo + grain, count))
    }
  }
}
