/**
 * What workers run, as text: a worker made of text needs no file, so the same package works in Node
 * and in a bundle for a page. Both are plain JavaScript that refers to nothing outside itself.
 */
import { exhausted, failureBytes, layout, own } from './layout.ts'

/** What a worker is started with. */
export interface WorkerData {
  readonly control: SharedArrayBuffer
  /** Holds the bytes of modules. */
  readonly code: WebAssembly.Memory
  /** What the modules compute in. */
  readonly memory: WebAssembly.Memory
  /** 1 and up; 0 is the main thread. */
  readonly index: number
  /** How long to look for the next job before sleeping, in milliseconds. */
  readonly spin: number
}

const constants = Object.entries({ ...layout, ...own, exhausted, failureBytes })
  .map(([name, value]) => `${name} = ${value}`)
  .join(', ')

/** Starts `begin` with the data of the worker, in Node and in browsers. */
const start = `
if (typeof require === 'function') begin(require('node:worker_threads').workerData)
else self.onmessage = (event) => begin(event.data)
`

/** A worker of a pool: waits for jobs, joins those that are open, and takes chunks of them. */
export const workerSource: string = `'use strict'
const ${constants}
const begin = ({ control, code, memory, index, spin }) => {
  const words = new Int32Array(control)
  const me = threads + index * stride
  const instances = new Map()
  let last = 0

  // Instances import the memory; what else they import belongs to their drivers, not to phases.
  const importsOf = (module) => {
    const imports = {}
    for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {}
      imports[from][name] = kind === 'memory' ? memory : () => {
        throw new Error('a phase called ' + from + '.' + name + ', which only the main thread has')
      }
    }
    return imports
  }

  // The phases of the module that the open job names, or null where that job is over. Whether the
  // words and the bytes belong together is known only after they were read.
  const phasesFor = (now) => {
    const before = Atomics.load(words, freed)
    const at = words[slot], number = words[serial]
    const offset = words[codeOffset], length = words[codeLength]
    if (Atomics.load(words, state) !== now) return null
    const known = instances.get(at)
    if (known !== undefined && known.number === number) return known.phases
    if (code.buffer.byteLength < offset + length) return null
    const bytes = new Uint8Array(code.buffer, offset, length).slice()
    if (Atomics.load(words, freed) !== before) return null
    const module = new WebAssembly.Module(bytes)
    const { exports } = new WebAssembly.Instance(module, importsOf(module))
    const phases = []
    for (let i = 0; exports['p' + i] !== undefined; i++) phases.push(exports['p' + i])
    instances.set(at, { number, phases })
    return phases
  }

  // The error is seen after its text is there, and in any case before this worker leaves the job.
  const fail = (error) => {
    if (Atomics.compareExchange(words, explained, 0, 1) === 0) {
      const text = new TextEncoder().encode(String(error)).subarray(0, failureBytes)
      new Uint8Array(control, 4 * failureText).set(text)
      Atomics.store(words, failureLength, text.length)
    }
    Atomics.store(words, failed, 1)
  }

  // First the chunks of the own share, in order, then what others left of theirs.
  const work = (phases) => {
    const run = phases[words[phase]]
    const pointer = words[args], rounds = words[count], size = words[grain]
    const total = words[chunks], parts = words[participants]
    for (let k = 0; k < parts; k++) {
      const p = (index + k) % parts
      const first = Math.floor(p * total / parts), end = Math.floor((p + 1) * total / parts)
      const counter = threads + p * stride + next
      for (;;) {
        const chunk = first + Atomics.add(words, counter, 1)
        if (chunk >= end) break
        const lo = chunk * size
        run(pointer, lo, Math.min(lo + size, rounds))
      }
    }
  }

  const attend = (now) => {
    let phases
    try {
      phases = phasesFor(now)
    } catch (error) {
      last = now
      fail(error)
      return
    }
    if (phases === null) return
    Atomics.store(words, me + entered, 1)
    // From here on the main thread waits for this worker, if the job has not been closed by now.
    if (Atomics.load(words, state) === now) {
      last = now
      try {
        if (index < words[participants]) work(phases)
      } catch (error) {
        fail(error)
        for (let p = 0; p < words[participants]; p++)
          Atomics.store(words, threads + p * stride + next, exhausted)
      }
    }
    Atomics.store(words, me + entered, 0)
    if (Atomics.load(words, waiting) === 1) {
      Atomics.add(words, join, 1)
      Atomics.notify(words, join)
    }
  }

  const isOpen = (now) => (now & 1) === 1 && now !== last

  const sleep = () => {
    Atomics.add(words, sleepers, 1)
    Atomics.add(words, naps, 1)
    // Read before the last look at the state: a job published after that look changes it.
    const ticket = Atomics.load(words, wake)
    if (!isOpen(Atomics.load(words, state))) Atomics.wait(words, wake, ticket)
    Atomics.sub(words, sleepers, 1)
  }

  Atomics.store(words, me + started, 1)
  Atomics.add(words, ready, 1)
  let deadline = performance.now() + spin
  for (let turn = 1; ; turn++) {
    const now = Atomics.load(words, state)
    if (isOpen(now)) {
      attend(now)
      deadline = performance.now() + spin
    } else if (turn % 128 === 0 && performance.now() > deadline) {
      sleep()
      deadline = performance.now() + spin
    }
  }
}
${start}`

/** What the watcher is started with: for each worker, the other end of a port that it holds. */
export interface WatcherData {
  readonly control: SharedArrayBuffer
  readonly ports: readonly unknown[]
}

/**
 * Tells the main thread, which waits and hears no events, that a worker is gone: the port that the
 * worker held closes with it.
 */
export const watcherSource: string = `'use strict'
const ${constants}
const begin = ({ control, ports }) => {
  const words = new Int32Array(control)
  ports.forEach((port, i) => {
    port.on('close', () => {
      Atomics.store(words, threads + (i + 1) * stride + dead, 1)
      Atomics.add(words, join, 1)
      Atomics.notify(words, join)
    })
    port.ref()
  })
}
${start}`
