/**
 * Running an executable of WebAssembly while watching the heap: a kernel changes nothing but
 * its results, and these depend neither on what lies around its arrays nor on the order in which
 * the rounds of its phases run, nor on what its results held before.
 */
import { Storage, type TypedArray, type Var, dtypeInfo } from '@cotangent/core'
import type { Executable, KernelStep } from '@cotangent/jit'
import { WasmProgram } from '../../../packages/jit/src/wasm/executable.ts'
import type { KernelFunction } from '../../../packages/jit/src/wasm/kernels.ts'
import { guardBytes } from '../../../packages/jit/src/wasm/heap/index.ts'
import { bytesOf } from '../../../packages/jit/src/plan/plan.ts'
import { type PhaseCall, instantiate } from '../../../packages/jit/src/wasm/instance.ts'
import { theHeap } from '../../../packages/jit/src/wasm/runtime.ts'
import { kernelSteps } from './steps.ts'

interface Span {
  readonly from: number
  readonly to: number
}

interface Region extends Span {
  readonly access: 'read' | 'write' | 'readwrite'
}

/** Where `a` and `b` differ at an address outside of the regions; −1: nowhere. */
const changedOutside = (a: Uint8Array, b: Uint8Array, regions: readonly Region[]): number => {
  let at = 0
  const sorted = regions.toSorted((x, y) => x.from - y.from)
  for (const { from, to } of [...sorted, { from: a.length, to: a.length }]) {
    if (from > at && Buffer.compare(a.subarray(at, from), b.subarray(at, from)) !== 0) {
      for (let i = at; i < from; i++) if (a[i] !== b[i]) return i
    }
    at = Math.max(at, to)
  }
  return -1
}

/** Bytes around the program's memory that are watched, too. */
const margin = 4096
/** A kernel is watched so many times: rounds of loops are alike. */
const timesWatched = 2
/** What lies where a kernel has no business: NaN, −1, a bool that is none. */
const poison = 0xff

class Watch {
  readonly #executable: Executable
  readonly #heap = theHeap()
  readonly #steps: readonly KernelStep[]
  readonly #times = new Map<KernelStep, number>()
  #origin: Span = { from: 0, to: 0 }
  #before: Uint8Array | null = null
  #phases: readonly PhaseCall[] | null = null

  constructor(executable: Executable) {
    this.#executable = executable
    this.#steps = kernelSteps(executable.program)
  }

  run(inputs: readonly TypedArray[]): readonly TypedArray[] {
    const { program, plan, origins } = this.#executable
    const sites = new Map(this.#steps.map((step, n) => [step, n] as const))
    const forked = (): void => {}
    const watched: WasmProgram = new WasmProgram(program, plan, origins, 'watched', {
      sites,
      mark: (n) => this.#mark(n, watched),
      forked,
    })
    watched.start()
    const storages = inputs.map((data) => new Storage(data))
    const given = new Set<Var>(plan.donations.values())
    const donated = program.inputs.map((v) => given.has(v))
    return watched.call(storages, donated).map((storage) => storage.read())
  }

  #mark(n: number, watched: WasmProgram): void {
    const step = this.#steps[n >> 1]!
    const times = this.#times.get(step) ?? 0
    if (times >= timesWatched) return
    if (n % 2 === 0) {
      this.#origin = this.#window(watched)
      this.#before = this.#snapshot()
      return
    }
    this.#times.set(step, times + 1)
    try {
      this.#check(step, watched, this.#before!)
    } catch (error) {
      const source = watched.sources.get(step) ?? ''
      throw new Error(`kernel ${step.kernel.name}\n${source}`, { cause: error })
    }
  }

  /** All that the program has to do with, and some bytes around. */
  #window({ module: { ground }, groundAddress }: WasmProgram): Span {
    const heap = this.#heap
    let [from, to] = [groundAddress, groundAddress + ground.bytes]
    for (const { slot, at } of ground.pointers) {
      const address = heap.u32[(groundAddress + at) / 4]!
      from = Math.min(from, address)
      to = Math.max(to, address + bytesOf(slot))
    }
    const end = heap.stats().bytesTouched + guardBytes
    return { from: Math.max(0, from - margin), to: Math.min(end, to + margin) }
  }

  #snapshot(): Uint8Array {
    return this.#heap.u8.slice(this.#origin.from, this.#origin.to)
  }

  #check(step: KernelStep, watched: WasmProgram, before: Uint8Array): void {
    const heap = this.#heap
    const args = watched.groundAddress + watched.module.ground.arguments
    const { from: origin } = this.#origin
    const first = args - origin
    const pointers: Region = { from: first, to: first + 4 * step.arguments.length, access: 'write' }
    const regions = step.kernel.buffers.map(({ dtype, size, access }, i): Region => {
      const from = heap.u32[args / 4 + i]! - origin
      return { from, to: from + size * dtypeInfo[dtype].bytes, access }
    })
    const written = [pointers, ...regions.filter((r) => r.access !== 'read')]
    const after = this.#snapshot()
    const changed = changedOutside(before, after, written)
    if (changed >= 0) throw new Error(`${place(changed, regions)} is changed`)
    // What an output starts from is copied there as a part of the step.
    if (step.copies.length > 0) return
    const around = before.slice()
    fillOutside(around, regions)
    for (const r of regions) {
      const shared = regions.some((x) => x.access !== 'write' && x.from < r.to && r.from < x.to)
      if (r.access === 'write' && !shared) around.fill(poison, r.from, r.to)
    }
    around.set(after.subarray(pointers.from, pointers.to), pointers.from)
    heap.u8.set(around, origin)
    this.#runBackwards(functionOf(step, watched), watched, args)
    const again = this.#snapshot()
    heap.u8.set(after, origin)
    const stored = changedOutside(around, again, written)
    if (stored >= 0) throw new Error(`${place(stored, regions)} is written`)
    for (const { from, to } of written) {
      if (Buffer.compare(after.subarray(from, to), again.subarray(from, to)) === 0) continue
      // Copies of operands are padded: that padding is never written, and read by lanes that store nothing.
      const differs = (i: number): boolean =>
        after[i] !== again[i] && (after[i] !== before[i] || again[i] !== around[i])
      let at = from
      while (at < to && !differs(at)) at++
      if (at === to) continue
      throw new Error(`${place(at, regions)} depends on the order of rounds or on memory around`)
    }
  }

  #runBackwards({ phases }: KernelFunction, { module }: WasmProgram, args: number): void {
    this.#phases ??= instantiate(module, this.#heap, () => () => 1, {
      sites: new Map(),
      mark: () => {},
      forked: () => {},
    }).phases
    for (const { number, rounds } of phases) {
      for (let round = rounds - 1; round >= 0; round--)
        this.#phases[number]!(args, round, round + 1)
    }
  }
}

const functionOf = (step: KernelStep, { module, sources }: WasmProgram): KernelFunction => {
  const found = module.kernels.find(({ source }) => source === sources.get(step))
  if (found === undefined) throw new Error('the module lacks the kernel')
  return found
}

const fillOutside = (bytes: Uint8Array, regions: readonly Region[]): void => {
  let at = 0
  for (const { from, to } of regions.toSorted((x, y) => x.from - y.from)) {
    if (from > at) bytes.fill(poison, at, from)
    at = Math.max(at, to)
  }
  bytes.fill(poison, at)
}

const place = (address: number, regions: readonly Region[]): string => {
  const distances = regions.map(({ from, to, access }, i) => {
    if (address >= from && address < to)
      return { far: 0, text: `byte ${address - from} of ${access} ${i}` }
    const far = address < from ? from - address : address - to + 1
    return { far, text: `a byte ${far} ${address < from ? 'before' : 'behind'} argument ${i}` }
  })
  return distances.toSorted((a, b) => a.far - b.far)[0]?.text ?? `address ${address}`
}

/** Runs an executable of WebAssembly with every kernel watched. */
export const runWatchedWasm = (
  executable: Executable,
  inputs: readonly TypedArray[],
): readonly TypedArray[] => new Watch(executable).run(inputs)
