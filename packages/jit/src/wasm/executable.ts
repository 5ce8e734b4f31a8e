/** Running a program in WebAssembly: storages in, storages out. */
import {
  type Atom,
  CompileError,
  InternalError,
  Literal,
  Storage,
  type TypedArray,
  type Concrete,
} from '@cotangent/core'
import { lengthOf } from '../driver/views.ts'
import type { OutputOrigin } from '../origins.ts'
import { type Plan, bytesOf } from '../plan/plan.ts'
import type { Observer } from '../profile/observer.ts'
import { stage } from '../profile/stopwatch.ts'
import { type KernelStep, type Program, typeOf } from '../program.ts'
import { Forker } from './fork.ts'
import type { Handed } from './ground.ts'
import type { Arena, Heap } from './heap/index.ts'
import {
  type Fork,
  type Instance,
  type Linking,
  type PhaseCall,
  type WasmModule,
  linking,
  printModule,
} from './instance.ts'
import { theHeap } from './runtime.ts'

const noneDonated: readonly boolean[] = []

/** A program as a module. It can be called once `start` has said so, or `ready` has come. */
export class WasmProgram {
  readonly module: WasmModule
  readonly #heap: Heap
  readonly #linking: Linking
  #instance: Instance | null = null
  /** Whether this thread may not compile so long a module at once. */
  #isRefused = false
  #arriving: Promise<void> | null = null
  #failure: CompileError | null = null
  readonly #arena: Arena
  readonly #origins: readonly OutputOrigin[]
  /** For each output of the module, the input whose memory it takes, or −1. */
  readonly #donors: readonly number[]
  /** For each output of the program, which of the module's it is. */
  readonly #made: readonly number[]
  readonly #label: string
  /** The stamp of the ground when the constants were last put there. */
  #constantsAt = 0

  constructor(
    program: Program,
    plan: Plan,
    origins: readonly OutputOrigin[],
    label: string,
    observer: Observer | null = null,
  ) {
    this.#heap = theHeap()
    this.#label = label
    this.#origins = origins
    const shared = this.#heap.isShared
    this.module = stage('print', () => printModule(program, plan, shared, observer))
    const { bytes, hosting } = this.module
    const makeFork = (phases: readonly PhaseCall[]): Fork => new Forker(bytes, phases, hosting).fork
    this.#linking = linking(this.module, this.#heap, makeFork, observer)
    const { ground } = this.module
    this.#arena = this.#heap.arena(ground.bytes, label)
    const positions = new Map(ground.inputs.map((h, i) => [h.slot, i]))
    const donations: ReadonlyMap<unknown, unknown> = plan.donations
    this.#donors = ground.outputs.map(({ slot }) => {
      const donor = donations.get(slot)
      return ground.inputs.findIndex((h) => h.slot === donor)
    })
    this.#made = program.outputs.map((atom) =>
      positions.has(atom) ? -1 : ground.outputs.findIndex((h) => h.slot === atom),
    )
  }

  /** The kernels, in the order in which they were printed, as readable text. */
  get kernels(): readonly { readonly name: string; readonly source: string }[] {
    return this.module.kernels.map(({ name, source }) => ({ name, source }))
  }

  /** Where the ground is during the current call. */
  get groundAddress(): number {
    return this.#arena.address
  }

  /** The text of each step's kernel. */
  get sources(): ReadonlyMap<KernelStep, string> {
    return this.module.sources
  }

  /**
   * Compiles the module now, unless it has been. The main thread of a page may compile only short ones
   * so (up to 8 MB in Chromium): then it is compiled in the background, and this says false until it
   * is there.
   * @throws CompileError where that failed
   */
  start(): boolean {
    if (this.#instance !== null) return true
    if (this.#failure !== null) throw this.#failure
    if (!this.#isRefused) {
      try {
        this.#instance = stage('link', this.#linking.now)
        return true
      } catch (error) {
        if (!(error instanceof RangeError)) throw error
        this.#isRefused = true
      }
    }
    // Who calls it next is told of a failure.
    this.ready().catch(() => {})
    return false
  }

  /** Compiles the module in the background, unless it has been. @throws CompileError where that fails */
  async ready(): Promise<void> {
    if (this.#instance !== null) return
    this.#arriving ??= this.#arrive()
    await this.#arriving
  }

  async #arrive(): Promise<void> {
    try {
      const instance = await this.#linking.later()
      this.#instance ??= instance
    } catch (error) {
      this.#failure = new CompileError({
        operation: this.#label,
        problem: `its WebAssembly module cannot be compiled: ${String(error)}`,
        got: `${this.module.bytes.length} bytes`,
        fix: "leave memory for it, or compile with jit(f, { backend: 'js' })",
      })
      throw this.#failure
    }
  }

  /** Runs once. Donated storages cannot be read afterwards. */
  call(inputs: readonly Storage[], donated: readonly boolean[] = noneDonated): readonly Storage[] {
    const heap = this.#heap
    heap.beginCall(this.#label)
    const owned: number[] = []
    try {
      const ground = this.#arena.address
      const pointers = this.#point(inputs, donated, ground, owned)
      const { i32 } = heap
      for (let n = 0; n < pointers.length; n++) i32[(ground >> 2) + n] = pointers[n]!
      this.#running.run(ground)
      return this.#results(inputs, donated, pointers, owned)
    } finally {
      for (const address of owned) heap.free(address)
      heap.endCall()
    }
  }

  get #running(): Instance {
    if (this.#instance !== null) return this.#instance
    throw new InternalError({ operation: 'run', problem: 'the module has not been compiled' })
  }

  /** Everything's address; blocks that this call owns for now are noted in `owned`. */
  #point(
    inputs: readonly Storage[],
    donated: readonly boolean[],
    ground: number,
    owned: number[],
  ): readonly number[] {
    const heap = this.#heap
    const { ground: layout } = this.module
    const pointers: number[] = []
    const elements: (TypedArray | null)[] = []
    layout.inputs.forEach(({ staged }, i) => {
      const storage = inputs[i]!
      if (staged !== null) {
        elements.push(donated[i] === true ? storage.donate() : storage.read())
        pointers.push(ground + staged)
        return
      }
      elements.push(null)
      if (donated[i] === true) {
        const address = heap.take(storage)
        owned.push(address)
        pointers.push(address)
      } else pointers.push(heap.pointer(storage))
    })
    const { stamp } = this.#arena
    const stale = this.#constantsAt !== stamp
    for (const { slot, staged } of layout.literals) {
      const { storage } = valueOf(slot)
      if (staged === null) pointers.push(heap.pointer(storage))
      else {
        pointers.push(ground + staged)
        if (stale) heap.write(ground + staged, storage.read())
      }
    }
    this.#constantsAt = stamp
    layout.outputs.forEach(({ slot, staged }, o) => {
      const donor = this.#donors[o]!
      if (staged !== null) pointers.push(ground + staged)
      else if (donor >= 0) pointers.push(pointers[donor]!)
      else {
        const address = heap.allocate(bytesOf(slot))
        owned.push(address)
        pointers.push(address)
      }
    })
    layout.inputs.forEach(({ staged }, i) => {
      if (staged !== null) heap.write(ground + staged, elements[i]!)
    })
    return pointers
  }

  #results(
    inputs: readonly Storage[],
    donated: readonly boolean[],
    pointers: readonly number[],
    owned: number[],
  ): readonly Storage[] {
    const { ground: layout } = this.module
    const first = layout.inputs.length + layout.literals.length
    const results: Storage[] = []
    this.#origins.forEach((origin, i) => {
      switch (origin.tag) {
        case 'made': {
          const o = this.#made[i]!
          results.push(this.#adopt(layout.outputs[o]!, pointers[first + o]!, owned))
          return
        }
        case 'input':
          results.push(
            donated[origin.position] === true
              ? this.#adopt(layout.inputs[origin.position]!, pointers[origin.position]!, owned)
              : inputs[origin.position]!.share(),
          )
          return
        case 'output':
          results.push(results[origin.position]!.share())
          return
        case 'constant':
          results.push(origin.storage.share())
          return
        default:
          origin satisfies never
      }
    })
    return results
  }

  #adopt({ slot, staged }: Handed, address: number, owned: number[]): Storage {
    const { dtype } = typeOf(slot)
    const length = lengthOf(slot)
    if (staged !== null) return new Storage(this.#heap.read(address, dtype, length))
    owned.splice(owned.indexOf(address), 1)
    return this.#heap.adopt(address, dtype, length)
  }
}

const valueOf = (slot: Atom): Concrete => {
  if (slot instanceof Literal) return slot.value
  throw new InternalError({ operation: 'run', problem: 'a variable is among the constants' })
}
