import { encode, threads } from '@cotangent/jit'

const { FunctionBody, ModuleBuilder, op } = encode
const { Pool } = threads

/** Pages of the test memory. */
const pages = 64

/** The phases of the test module. */
export const phases = { increment: 0, trapAt: 1, callHost: 2, slow: 3 } as const

/** `for (i = lo; i < hi; i++) step(i)`, the counter in a local. */
const counting = (step: (body: encode.FunctionBody, i: number) => void): encode.FunctionBody => {
  const body = new FunctionBody(['i32', 'i32', 'i32'])
  const i = body.local('i32')
  body.get(1)
  body.set(i)
  body.block()
  body.loop()
  body.get(i)
  body.get(2)
  body.op(op.i32GeS)
  body.brIf(1)
  step(body, i)
  body.get(i)
  body.i32(1)
  body.op(op.i32Add)
  body.set(i)
  body.br(0)
  body.end()
  body.end()
  return body
}

/** `memory[args + 4 i] += amount`: a round done twice, or never, shows. */
const addAt = (body: encode.FunctionBody, i: number, amount: number): void => {
  const address = (): void => {
    body.get(0)
    body.get(i)
    body.i32(4)
    body.op(op.i32Mul)
    body.op(op.i32Add)
  }
  address()
  address()
  body.load(op.i32Load, 0)
  body.i32(amount)
  body.op(op.i32Add)
  body.load(op.i32Store, 0)
}

/** A module whose phases are those of `phases`; each round adds `amount` to its word. */
export const testModule = (amount = 1): Uint8Array<ArrayBuffer> => {
  const module = new ModuleBuilder()
  module.importMemory('heap', 'memory', { initial: 1, maximum: pages, shared: true })
  const host = module.importFunction('host', 'onlyHere', [], [])
  const bodies = [
    counting((body, i) => addAt(body, i, amount)),
    // Traps in the round whose number the word at `args - 4` holds.
    counting((body, i) => {
      body.get(i)
      body.get(0)
      body.i32(4)
      body.op(op.i32Sub)
      body.load(op.i32Load, 0)
      body.op(op.i32Eq)
      body.if()
      body.unreachable()
      body.end()
      addAt(body, i, amount)
    }),
    counting((body, i) => {
      body.call(host)
      addAt(body, i, amount)
    }),
    counting((body, i) => {
      const turns = body.local('i32')
      body.i32(20_000)
      body.set(turns)
      body.loop()
      body.get(turns)
      body.i32(1)
      body.op(op.i32Sub)
      body.tee(turns)
      body.brIf(0)
      body.end()
      addAt(body, i, amount)
    }),
  ]
  bodies.forEach((body, phase) => {
    const index = module.declare(`phase ${phase}`, ['i32', 'i32', 'i32'], [])
    module.define(index, body)
    module.export(`p${phase}`, index)
  })
  return module.toBytes()
}

export interface Bench {
  readonly pool: threads.Pool
  readonly words: Int32Array
  readonly module: number
  /** Runs a phase over `count` words from word 16 on. */
  readonly run: (phase: number, count: number, grain: number, module?: number) => void
}

/** The phases of this thread's instance of a module. */
export const phasesOf = (
  bytes: Uint8Array<ArrayBuffer>,
  memory: WebAssembly.Memory,
): readonly threads.Phase[] => {
  const host = { onlyHere: (): void => undefined }
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    heap: { memory },
    host,
  })
  return [0, 1, 2, 3].map((phase) => {
    const run = instance.exports[`p${phase}`]
    if (typeof run !== 'function') throw new Error(`no phase ${phase}`)
    return (args, lo, hi): void => {
      run(args, lo, hi)
    }
  })
}

export const firstWord = 16

export const newMemory = (): WebAssembly.Memory =>
  new WebAssembly.Memory({ initial: pages, maximum: pages, shared: true })

/** A pool with the test module. */
export const bench = (count: number, options: threads.PoolOptions = {}): Bench => {
  const memory = newMemory()
  const words = new Int32Array(memory.buffer)
  const pool = new Pool(memory, count, options)
  const bytes = testModule()
  const main = phasesOf(bytes, memory)
  const module = pool.register(bytes)
  return {
    pool,
    words,
    module,
    run: (phase, rounds, grain, which = module) =>
      pool.run(which, phase, main[phase]!, 4 * firstWord, rounds, grain),
  }
}

/** Waits until all workers have started; without a pause, in browsers they would not. */
export const untilStarted = async (pool: threads.Pool): Promise<void> => {
  pool.wake()
  while (pool.started < pool.threads - 1) await new Promise((resolve) => setTimeout(resolve, 1))
}

/** Passes some time without giving the thread away. */
export const pause = (turns: number): number => {
  let x = 1
  for (let i = 0; i < turns; i++) x = (x * 48_271) % 2_147_483_647
  return x
}
