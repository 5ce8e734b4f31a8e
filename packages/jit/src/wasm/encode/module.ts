/** A WebAssembly module: imports, functions, exports and names, put together section by section. */
import { InternalError } from '@cotangent/core'
import { type FunctionBody, typeCodes, type ValueType } from './body.ts'
import { Bytes } from './bytes.ts'

/** The size of a memory in pages of 64 KiB. A shared memory has a maximum. */
export interface MemoryLimits {
  readonly initial: number
  readonly maximum: number
  readonly shared: boolean
}

interface Declared {
  readonly name: string
  readonly type: number
  readonly params: readonly ValueType[]
  body: FunctionBody | undefined
}

const sections = { type: 1, import: 2, function: 3, export: 7, code: 10 } as const
const functionKind = 0
const memoryKind = 2
const functionType = 0x60
const functionNames = 1

/**
 * A module under construction. Imports come first, then functions are declared (which gives each
 * its index, so bodies may call forwards and recursively) and defined in any order.
 *
 * @example
 * const module = new ModuleBuilder()
 * const add = module.declare('add', ['i32', 'i32'], ['i32'])
 * const body = new FunctionBody(['i32', 'i32'])
 * body.get(0)
 * body.get(1)
 * body.op(op.i32Add)
 * module.define(add, body)
 * module.export('add', add)
 * new WebAssembly.Module(module.toBytes())
 */
export class ModuleBuilder {
  private readonly types = new Bytes()
  private readonly typeIndices = new Map<string, number>()
  private readonly imports = new Bytes()
  private readonly importedNames: string[] = []
  private importCount = 0
  private readonly functions: Declared[] = []
  private readonly exports = new Bytes()
  private exportCount = 0

  /** Imports the memory that all loads and stores address. */
  importMemory(module: string, name: string, limits: MemoryLimits): void {
    this.imports.name(module).name(name).u8(memoryKind)
    // Bit 0: there is a maximum; bit 1: the memory is shared.
    this.imports
      .u8(limits.shared ? 3 : 1)
      .u32(limits.initial)
      .u32(limits.maximum)
    this.importCount++
  }

  /** Imports a function and returns its index. @throws InternalError after the first `declare` */
  importFunction(
    module: string,
    name: string,
    params: readonly ValueType[],
    results: readonly ValueType[],
  ): number {
    if (this.functions.length > 0) throw broken('imports come before all declared functions', name)
    this.imports.name(module).name(name).u8(functionKind).u32(this.typeIndex(params, results))
    this.importCount++
    return this.importedNames.push(name) - 1
  }

  /** Declares a function, to be defined later, and returns its index. Profilers show its name. */
  declare(name: string, params: readonly ValueType[], results: readonly ValueType[]): number {
    const type = this.typeIndex(params, results)
    this.functions.push({ name, type, params, body: undefined })
    return this.importedNames.length + this.functions.length - 1
  }

  /** Gives a declared function its body. @throws InternalError on a second body or other params */
  define(index: number, body: FunctionBody): void {
    const declared = this.functions[index - this.importedNames.length]
    if (declared === undefined) throw broken('a body for a function never declared', `${index}`)
    if (declared.body !== undefined) throw broken('a second body for one function', declared.name)
    if (declared.params.join() !== body.params.join())
      throw broken('a body with other parameters than declared', declared.name)
    declared.body = body
  }

  /** Exports a function. */
  export(name: string, index: number): void {
    this.exports.name(name).u8(functionKind).u32(index)
    this.exportCount++
  }

  /** The module's bytes. @throws InternalError if a declared function has no body */
  toBytes(): Uint8Array<ArrayBuffer> {
    const functionTypes = new Bytes()
    const code = new Bytes(4096)
    for (const { name, type, body } of this.functions) {
      if (body === undefined) throw broken('a declared function without a body', name)
      functionTypes.u32(type)
      body.writeTo(code)
    }
    const out = new Bytes(code.length + 1024)
    for (const byte of [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00]) out.u8(byte)
    writeSection(out, sections.type, this.typeIndices.size, this.types)
    writeSection(out, sections.import, this.importCount, this.imports)
    writeSection(out, sections.function, this.functions.length, functionTypes)
    writeSection(out, sections.export, this.exportCount, this.exports)
    writeSection(out, sections.code, this.functions.length, code)
    this.writeNames(out)
    return out.toUint8Array()
  }

  private typeIndex(params: readonly ValueType[], results: readonly ValueType[]): number {
    const key = `${params.join()}>${results.join()}`
    const known = this.typeIndices.get(key)
    if (known !== undefined) return known
    const index = this.typeIndices.size
    this.typeIndices.set(key, index)
    this.types.u8(functionType).u32(params.length)
    for (const type of params) this.types.u8(typeCodes[type])
    this.types.u32(results.length)
    for (const type of results) this.types.u8(typeCodes[type])
    return index
  }

  private writeNames(out: Bytes): void {
    const names = [...this.importedNames, ...this.functions.map(({ name }) => name)]
    if (names.length === 0) return
    const map = new Bytes().u32(names.length)
    names.forEach((name, index) => map.u32(index).name(name))
    const section = new Bytes().name('name').u8(functionNames).u32(map.length).append(map)
    out.u8(0).u32(section.length).append(section)
  }
}

/** A vector of `count` items as a section; an empty one is left out. */
const writeSection = (out: Bytes, id: number, count: number, items: Bytes): void => {
  if (count === 0) return
  const head = new Bytes(8).u32(count)
  out
    .u8(id)
    .u32(head.length + items.length)
    .append(head)
    .append(items)
}

const broken = (problem: string, got: string): InternalError =>
  new InternalError({ operation: 'encode', problem, got })
