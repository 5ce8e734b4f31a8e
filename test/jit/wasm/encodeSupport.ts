import { encode } from '@cotangent/jit'
import { expect } from 'vitest'
import wabt from 'wabt'

const { FunctionBody, ModuleBuilder } = encode

/** The WebAssembly binary toolkit: the judge of what the encoder writes. */
const tools = await wabt()
const features = {
  simd: true,
  relaxed_simd: true,
  threads: true,
  bulk_memory: true,
  sat_float_to_int: true,
  sign_extension: true,
}

export type Build = (body: encode.FunctionBody) => void

/** A function body made by `build`. */
export const bodyOf = (params: readonly encode.ValueType[], build: Build): encode.FunctionBody => {
  const body = new FunctionBody(params)
  build(body)
  return body
}

/** A module with one function `f`, made by `build`, over an imported shared memory. */
export const moduleOf = (
  params: readonly encode.ValueType[],
  results: readonly encode.ValueType[],
  build: Build,
): Uint8Array<ArrayBuffer> => {
  const module = new ModuleBuilder()
  module.importMemory('env', 'memory', { initial: 1, maximum: 2, shared: true })
  const index = module.declare('f', params, results)
  module.define(index, bodyOf(params, build))
  module.export('f', index)
  return module.toBytes()
}

export const memory = new WebAssembly.Memory({ initial: 1, maximum: 2, shared: true })

/** The exported functions of a module, whose arguments the caller answers for. */
export const instantiate = (
  bytes: Uint8Array<ArrayBuffer>,
  imports: WebAssembly.ModuleImports = {},
): ((name: string) => (...args: readonly unknown[]) => unknown) => {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(bytes), {
    env: { memory, ...imports },
  })
  return (name) => {
    const found = exports[name]
    if (typeof found !== 'function') throw new Error(`no export ${name}`)
    return (...args): unknown => Reflect.apply(found, undefined, args)
  }
}

export const valueOf = (result: encode.ValueType, build: Build): unknown =>
  instantiate(moduleOf([], [result], build))('f')()

/** The text of a module, which wabt and the engine both find valid. */
export const disassemble = (bytes: Uint8Array): string => {
  const module = tools.readWasm(bytes, { ...features, readDebugNames: true })
  const text = module.toText({})
  module.destroy()
  // The validator of wabt's JavaScript build knows no shared memories: the engine judges those.
  expect(WebAssembly.validate(new Uint8Array(bytes))).toBe(true)
  const parsed = tools.parseWat('test.wat', text.replace(' shared))', '))'), features)
  parsed.validate()
  parsed.destroy()
  return text
}

/** What wabt makes of a module in text form. */
export const assemble = (text: string): Uint8Array => {
  const module = tools.parseWat('test.wat', text, features)
  const bytes = module.toBinary({}).buffer
  module.destroy()
  return bytes
}
