/** Runs one kernel as a WebAssembly module of its own, with memory of its own. */
import type { DType, Scalar, TypedArray } from '@cotangent/core'
import { scalars } from '@cotangent/core'
import type { Kernel } from '../../../packages/jit/src/kernel.ts'
import { ModuleBuilder } from '../../../packages/jit/src/wasm/encode/module.ts'
import { runWasmPasses } from '../../../packages/jit/src/wasm/passes/passes.ts'
import { phasesOf, printPhase } from '../../../packages/jit/src/wasm/print/phases.ts'

const { counter, load } = scalars
const pageBytes = 65536
const headBytes = 1024

/** A kernel in WebAssembly; `host` are the functions of JavaScript that it calls. */
export interface WasmKernel {
  readonly host: readonly string[]
  readonly hasLanes: boolean
  readonly run: () => void
  /** The memory of each buffer. */
  readonly arrays: readonly TypedArray[]
}

const arrayOf = (memory: ArrayBuffer, dtype: DType, at: number, size: number): TypedArray => {
  if (dtype === 'float32') return new Float32Array(memory, at, size)
  if (dtype === 'float64') return new Float64Array(memory, at, size)
  if (dtype === 'int32') return new Int32Array(memory, at, size)
  if (dtype === 'uint32') return new Uint32Array(memory, at, size)
  return dtype === 'int8' ? new Int8Array(memory, at, size) : new Uint8Array(memory, at, size)
}

/** Compiles a kernel with the passes and the printer of the WebAssembly backend. */
export const wasmKernel = (kernel: Kernel): WasmKernel => {
  const ready = runWasmPasses(kernel)
  const module = new ModuleBuilder()
  module.importMemory('env', 'memory', { initial: 1, maximum: 65536, shared: false })
  const phases = phasesOf(ready.body)
  const functions = phases.flatMap((phase) => phase.hostFunctions)
  const host = new Map(
    functions.map((f) => {
      const params = f.arity === 1 ? ([f.kind] as const) : ([f.kind, f.kind] as const)
      return [f.name, module.importFunction('maths', f.name, params, [f.kind])]
    }),
  )
  const printed = phases.map((phase) => printPhase(ready, phase, host))
  printed.forEach(({ body }, n) => {
    const index = module.declare(`phase${n}`, ['i32', 'i32', 'i32'], [])
    module.define(index, body)
    module.export(`p${n}`, index)
  })
  let end = headBytes
  const places = kernel.buffers.map(({ size }) => {
    const at = end
    end += Math.ceil((size * 8 + 64) / 64) * 64
    return at
  })
  const memory = new WebAssembly.Memory({
    initial: Math.ceil((end + 64) / pageBytes),
    maximum: 65536,
  })
  const heads = new Int32Array(memory.buffer, 0, places.length)
  heads.set(places)
  const maths = Object.fromEntries(functions.map((f) => [f.name, f.run]))
  const compiled = new WebAssembly.Module(module.toBytes())
  const { exports } = new WebAssembly.Instance(compiled, { env: { memory }, maths })
  const calls = phases.map(({ rounds }, n) => {
    const call = exports[`p${n}`]
    if (typeof call !== 'function') throw new Error(`phase ${n} is no function`)
    return (): unknown => call(0, 0, rounds)
  })
  return {
    host: functions.map((f) => f.name),
    hasLanes: JSON.stringify(ready.body).includes('"lanes":'),
    run: () => {
      for (const call of calls) call()
    },
    arrays: kernel.buffers.map((b, n) => arrayOf(memory.buffer, b.dtype, places[n]!, b.size)),
  }
}

/** A kernel that stores a function of elements at the same position of its operands. */
export const mapKernel = (
  size: number,
  operands: readonly DType[],
  f: (...values: readonly Scalar[]) => Scalar,
): Kernel => {
  const at = counter('i', size)
  const value = f(...operands.map((dtype, n) => load(`x${n}`, dtype, at)))
  return {
    name: 'map',
    buffers: [
      ...operands.map((dtype, n) => ({ name: `x${n}`, dtype, size, access: 'read' as const })),
      { name: 'out', dtype: value.dtype, size, access: 'write' as const },
    ],
    body: [
      {
        tag: 'for',
        counter: 'i',
        extent: size,
        parallel: true,
        body: [{ tag: 'store', buffer: 'out', at, value }],
      },
    ],
  }
}
