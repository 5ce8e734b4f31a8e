/** The encoder of WebAssembly modules: bytes, opcodes, function bodies, modules. */
export * from './body.ts'
export * from './bytes.ts'
export * from './module.ts'
export * from './opcodes.ts'
