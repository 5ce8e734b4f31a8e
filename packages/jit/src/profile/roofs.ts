/**
 * What this machine can do: the rate of vector multiply-adds and of moving memory, on one thread,
 * measured once with two small functions. A kernel is held against these roofs.
 */
import { FunctionBody } from '../wasm/encode/body.ts'
import { ModuleBuilder } from '../wasm/encode/module.ts'
import { op, simd } from '../wasm/encode/opcodes.ts'
import { wasmAvailable } from '../wasm/runtime.ts'

/** Memory of one size, and how fast it is moved. */
export interface Bandwidth {
  /** Up to how many bytes in use this holds. */
  readonly bytes: number
  /** Bytes read and written in a second. */
  readonly bytesPerSecond: number
}

/** What one thread can do. */
export interface Roofs {
  /** float32 operations in a second; a multiplication and an addition are two. */
  readonly flopsPerSecond: number
  /** From the smallest to the largest; the last is for everything beyond. */
  readonly memory: readonly Bandwidth[]
}

let measured: Roofs | null = null

/** The roofs of one thread. The first call takes about 150 ms to measure them. */
export const measuredRoofs = (): Roofs => {
  if (measured !== null) return measured
  const measure = wasmAvailable() ? prepareWasm() : measureScript
  // Twice: the engine has its best code only after a while, later still where the machine is busy.
  measured = better(measure(), measure())
  return measured
}

const better = (a: Roofs, b: Roofs): Roofs => ({
  flopsPerSecond: Math.max(a.flopsPerSecond, b.flopsPerSecond),
  memory: a.memory.map(({ bytes, bytesPerSecond }, i) => ({
    bytes,
    bytesPerSecond: Math.max(bytesPerSecond, b.memory[i]!.bytesPerSecond),
  })),
})

/** The bandwidth of the smallest memory that holds so many bytes. */
export const bandwidthFor = ({ memory }: Roofs, bytes: number): number =>
  (memory.find((m) => bytes <= m.bytes) ?? memory.at(-1)!).bytesPerSecond

/** Accumulators: more than the latency of a multiply-add times its throughput, fewer than registers. */
const chains = 12
const chainRounds = 8192
/** Bytes in use: within the first cache, within the second, beyond. */
const sizes = [16 * 1024, 512 * 1024, 32 * 1024 * 1024]
const pageBytes = 65536

/** Milliseconds without a better time after which the best is taken. The engine compiles meanwhile. */
const patience = 8
const longest = 60

/** The least seconds that `run` takes. */
const leastSeconds = (run: () => void): number => {
  const started = performance.now()
  let best = Number.POSITIVE_INFINITY
  let improved = started
  for (;;) {
    const before = performance.now()
    run()
    const now = performance.now()
    const took = now - before
    if (took > 0 && took < 0.95 * best) improved = now
    if (took > 0 && took < best) best = took
    if (now - improved > patience || now - started > longest) break
  }
  // A clock too coarse to see one run at all: as if it took what the clock can tell.
  return (best === Number.POSITIVE_INFINITY ? 0.1 : best) / 1000
}

const prepareWasm = (): (() => Roofs) => {
  const pages = sizes.at(-1)! / pageBytes
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(roofModule()), {
    env: { memory },
  })
  const [multiply, move] = [callable(exports['multiply']), callable(exports['move'])]
  return () => ({
    flopsPerSecond: (chainRounds * chains * 8) / leastSeconds(() => multiply(chainRounds)),
    memory: sizes.map((bytes) => {
      const passes = Math.max(1, Math.floor(262_144 / bytes))
      const took = leastSeconds(() => {
        for (let pass = 0; pass < passes; pass++) move(bytes / 2)
      })
      // One half is read, the other read and written.
      return { bytes, bytesPerSecond: (passes * bytes * 1.5) / took }
    }),
  })
}

const callable = (value: unknown): ((n: number) => unknown) =>
  typeof value === 'function' ? (n) => value(n) : () => undefined

// multiply(rounds): `rounds` multiply-adds in each of the chains, summed and stored at 0.
// move(bytes): adds the bytes from `bytes` on to the first `bytes`, as float32.
const roofModule = (): Uint8Array<ArrayBuffer> => {
  const module = new ModuleBuilder()
  module.importMemory('env', 'memory', { initial: 1, maximum: 65_536, shared: false })
  const multiply = module.declare('multiply', ['i32'], [])
  const move = module.declare('move', ['i32'], [])
  module.define(multiply, multiplyBody())
  module.define(move, moveBody())
  module.export('multiply', multiply)
  module.export('move', move)
  return module.toBytes()
}

const multiplyBody = (): FunctionBody => {
  const body = new FunctionBody(['i32'])
  const half = body.local('v128')
  body.f32(0.5)
  body.simd(simd.f32x4Splat)
  body.set(half)
  const sums = Array.from({ length: chains }, () => body.local('v128'))
  body.loop()
  for (const sum of sums) {
    body.get(sum)
    body.get(half)
    body.simd(simd.f32x4Mul)
    body.get(half)
    body.simd(simd.f32x4Add)
    body.set(sum)
  }
  countDown(body, 1)
  body.i32(0)
  body.get(half)
  for (const sum of sums) {
    body.get(sum)
    body.simd(simd.f32x4Add)
  }
  body.simdLoad(simd.v128Store, 0)
  return body
}

const unrolled = 4

const moveBody = (): FunctionBody => {
  const body = new FunctionBody(['i32'])
  const [first, second] = [body.local('i32'), body.local('i32')]
  body.get(0)
  body.set(second)
  body.loop()
  for (let n = 0; n < unrolled; n++) {
    body.get(first)
    body.get(first)
    body.simdLoad(simd.v128Load, 16 * n)
    body.get(second)
    body.simdLoad(simd.v128Load, 16 * n)
    body.simd(simd.f32x4Add)
    body.simdLoad(simd.v128Store, 16 * n)
  }
  for (const pointer of [first, second]) {
    body.get(pointer)
    body.i32(16 * unrolled)
    body.op(op.i32Add)
    body.set(pointer)
  }
  countDown(body, 16 * unrolled)
  return body
}

// Takes `by` from the first parameter, and goes on while it is not 0.
const countDown = (body: FunctionBody, by: number): void => {
  body.get(0)
  body.i32(by)
  body.op(op.i32Sub)
  body.tee(0)
  body.brIf(0)
  body.end()
}

/** The same for an engine without vectors: what loops of JavaScript reach. */
const measureScript = (): Roofs => {
  const sink = new Float64Array(1)
  const rounds = 200_000
  const seconds = leastSeconds(() => {
    let [a, b, c, d] = [1, 1, 1, 1]
    for (let i = 0; i < rounds; i++) {
      a = a * 0.5 + 0.5
      b = b * 0.5 + 0.5
      c = c * 0.5 + 0.5
      d = d * 0.5 + 0.5
    }
    sink[0] = a + b + c + d
  })
  return {
    flopsPerSecond: (rounds * 8) / seconds,
    memory: sizes.map((bytes) => {
      const [x, y] = [new Float32Array(bytes / 8), new Float32Array(bytes / 8)]
      const passes = Math.max(1, Math.floor(262_144 / bytes))
      const took = leastSeconds(() => {
        for (let pass = 0; pass < passes; pass++)
          for (let i = 0; i < x.length; i++) x[i] = x[i]! + y[i]!
      })
      return { bytes, bytesPerSecond: (passes * bytes * 1.5) / took }
    }),
  }
}
