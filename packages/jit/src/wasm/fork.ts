/** Running a phase: on this thread, or on all, whichever is sooner done. */
import type { Fork, PhaseCall } from './instance.ts'
import { thePool } from './runtime.ts'

/**
 * Phases of a module over all threads. The workers learn of the module with its first job. Results
 * do not depend on how many threads there are: rounds are independent.
 */
export class Forker {
  readonly #bytes: Uint8Array
  readonly #phases: readonly PhaseCall[]
  /** Phases that call JavaScript, which workers cannot. */
  readonly #alone: ReadonlySet<number>
  /** The module's number in the pool; what a finaliser must not keep this object for. */
  readonly #registration: { module: number | null } = { module: null }

  constructor(bytes: Uint8Array, phases: readonly PhaseCall[], alone: ReadonlySet<number>) {
    this.#bytes = bytes
    this.#phases = phases
    this.#alone = alone
    retired.register(this, this.#registration)
  }

  readonly fork: Fork = (phase, args, rounds, grain, microseconds) => {
    const pool = thePool()
    if (pool.pays(1000 * microseconds) && !this.#alone.has(phase)) {
      this.#registration.module ??= pool.register(this.#bytes)
      pool.run(this.#registration.module, phase, this.#phases[phase]!, args, rounds, grain)
      return Math.min(1 + pool.started, Math.ceil(rounds / grain))
    }
    const call = this.#phases[phase]!
    // In pieces: the engine puts better code in place between calls.
    for (let from = 0; from < rounds; from += grain) {
      call(args, from, Math.min(from + grain, rounds))
    }
    return 1
  }
}

const retired = new FinalizationRegistry<{ readonly module: number | null }>(({ module }) => {
  if (module !== null) thePool().unregister(module)
})
