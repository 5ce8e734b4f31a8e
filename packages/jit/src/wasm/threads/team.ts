/** Running workers and the control block that they share with the main thread. */
import { type WorkerError, workerFailed } from './errors.ts'
import { type StartThread, type Thread, canWait, startWatcher } from './host.ts'
import { controlWords, exhausted, failureBytes, layout, own } from './layout.ts'
import { watcherSource, workerSource } from './source.ts'

/** What a team needs to start. */
export interface TeamOptions {
  readonly threads: number
  readonly memory: WebAssembly.Memory
  readonly code: WebAssembly.Memory
  readonly start: StartThread
  /** Milliseconds for which an idle worker looks for work before it sleeps. */
  readonly spin: number
}

/** How long the main thread looks at a worker's word before it sleeps, in milliseconds. */
const spinning = 0.2
/** Notifying workers takes some 3 µs; more, in milliseconds, means to lose the core to one. */
const costly = 0.04
/** After so many milliseconds it is tried again at the latest. */
const longestPenalty = 4
/** How often a sleeping main thread looks again by itself, in milliseconds. */
const patience = 250
/** How long a main thread that may not sleep waits for a worker, in milliseconds. */
const limit = 60_000

/**
 * The workers of a pool from their start to the first failure. There is no way back from a failure:
 * what was being computed is lost, and the pool starts another team.
 */
export class Team {
  readonly words: Int32Array
  readonly threads: number
  private readonly control: SharedArrayBuffer
  private readonly workers: readonly Thread[]
  private watcher: { readonly terminate: () => void } | null = null
  private generation = 0
  /** The workers' naps when they were last woken. */
  private naps = 0
  /** Workers are not woken before this time. */
  private notBefore = 0
  /** For how long they were not after the last time. */
  private penalty = 0
  private death: string | null = null
  private absence: string | null = null
  private stopped = false

  constructor({ threads, memory, code, start, spin }: TeamOptions) {
    this.threads = threads
    this.control = new SharedArrayBuffer(4 * controlWords(threads))
    this.words = new Int32Array(this.control)
    const { control } = this
    this.workers = Array.from({ length: threads - 1 }, (_, i) =>
      start(workerSource, { control, code, memory, index: i + 1, spin }, (reason) => {
        this.lose(i + 1, reason)
      }),
    )
  }

  get started(): number {
    return Atomics.load(this.words, layout.ready)
  }

  /** How many workers look for jobs now, rather than sleep or start. */
  get awake(): number {
    return this.started - Atomics.load(this.words, layout.sleepers)
  }

  /** Why a worker never started, or null. */
  get missing(): string | null {
    return this.absence
  }

  /** Opens the job whose words have been written: from now on workers join it. */
  open(): void {
    const { words } = this
    this.generation = (this.generation + 1) & 0x3fff_ffff
    Atomics.store(words, layout.state, 2 * this.generation + 1)
    this.wake()
  }

  /**
   * Wakes sleeping workers, who then look for jobs for a while. A worker is told once: until it has
   * woken and gone to sleep again, more notifications would only keep it from taking the lock that
   * they share. Where all cores are busy a worker that wakes takes this thread's core, and nothing
   * is gained: then this is left out for a while, longer each time.
   */
  wake(): void {
    const naps = Atomics.load(this.words, layout.naps)
    if (naps === this.naps) return
    const started = performance.now()
    if (started < this.notBefore) return
    this.naps = naps
    Atomics.add(this.words, layout.wake, 1)
    Atomics.notify(this.words, layout.wake)
    const displaced = performance.now() - started > costly
    this.penalty = displaced ? Math.min(Math.max(2 * this.penalty, 0.25), longestPenalty) : 0
    this.notBefore = started + this.penalty
  }

  /** Takes all chunks away that nobody has begun. */
  cancel(): void {
    for (let p = 0; p < this.threads; p++)
      Atomics.store(this.words, layout.threads + p * layout.stride + own.next, exhausted)
  }

  /**
   * Closes the job and waits for the workers that joined it, and for no others: one that has not
   * woken by now will find it closed.
   */
  close(): void {
    const { words } = this
    Atomics.store(words, layout.state, 2 * this.generation)
    for (let p = 1; p < this.threads; p++) {
      const entered = layout.threads + p * layout.stride + own.entered
      if (Atomics.load(words, entered) === 1) this.waitFor(p, entered)
    }
  }

  /** Why the results of jobs cannot be trusted, or null. */
  failure(): WorkerError | null {
    if (this.death !== null) return workerFailed(this.death)
    if (Atomics.load(this.words, layout.failed) === 0) return null
    return workerFailed(this.failureText())
  }

  /** Stops all workers, wherever they are. */
  stop(): void {
    this.stopped = true
    for (const worker of this.workers) worker.terminate()
    this.watcher?.terminate()
  }

  private waitFor(p: number, entered: number): void {
    const { words } = this
    const started = performance.now()
    do {
      for (let look = 0; look < 128; look++) if (Atomics.load(words, entered) === 0) return
    } while (performance.now() - started < spinning)
    const sleeps = canWait()
    for (;;) {
      if (sleeps) this.sleepUntilLeft(entered)
      if (Atomics.load(words, entered) === 0) return
      const waited = performance.now() - started
      if (Atomics.load(words, layout.threads + p * layout.stride + own.dead) === 1) {
        this.death ??= 'a worker died while it was at work'
        return
      }
      if (sleeps && waited > patience) this.watch()
      if (!sleeps && waited > limit) {
        this.death ??= `a worker did not finish its part within ${limit / 1000} seconds`
        return
      }
    }
  }

  // Sleeps until a worker leaves the job, or some time has passed.
  private sleepUntilLeft(entered: number): void {
    const { words } = this
    Atomics.store(words, layout.waiting, 1)
    const ticket = Atomics.load(words, layout.join)
    if (Atomics.load(words, entered) === 1) Atomics.wait(words, layout.join, ticket, patience)
    Atomics.store(words, layout.waiting, 0)
  }

  // While this thread waits it hears of no worker's end, so after a while another listens for it.
  private watch(): void {
    const ports = this.workers.map(({ port }) => port)
    this.watcher ??= startWatcher(watcherSource, { control: this.control, ports })
  }

  private lose(p: number, reason: string): void {
    if (this.stopped) return
    const part = layout.threads + p * layout.stride
    if (Atomics.load(this.words, part + own.started) === 0) this.absence ??= reason
    else this.death ??= reason
    Atomics.store(this.words, part + own.dead, 1)
  }

  // Text cannot be decoded from shared memory everywhere: it is copied first.
  private failureText(): string {
    // Empty where a second worker failed while the first was still writing.
    const length = Math.min(Atomics.load(this.words, layout.failureLength), failureBytes)
    const bytes = new Uint8Array(this.control, 4 * layout.failureText, length).slice()
    return new TextDecoder().decode(bytes)
  }
}
