import { encode } from '@cotangent/jit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { bodyOf, disassemble, instantiate, moduleOf } from './encodeSupport.ts'

const { FunctionBody, ModuleBuilder, op, simd } = encode

const limits = { initial: 1, maximum: 2, shared: true }

describe('modules', () => {
  test('disassemble to what was written, with names', () => {
    const module = new ModuleBuilder()
    module.importMemory('env', 'memory', limits)
    const log = module.importFunction('env', 'log', ['i32', 'i32'], ['i32'])
    const driver = module.declare('driver', ['i32', 'i32'], ['i32'])
    const scale = module.declare('scale', ['i32', 'f32'], [])
    const scaleBody = new FunctionBody(['i32', 'f32'])
    const factor = scaleBody.local('v128')
    scaleBody.get(1)
    scaleBody.simd(simd.f32x4Splat)
    scaleBody.set(factor)
    scaleBody.get(0)
    scaleBody.get(0)
    scaleBody.simdLoad(simd.v128Load, 16)
    scaleBody.get(factor)
    scaleBody.simd(simd.f32x4Mul)
    scaleBody.simdLoad(simd.v128Store, 16)
    module.define(scale, scaleBody)
    const body = new FunctionBody(['i32', 'i32'])
    const i = body.local('i32')
    body.block()
    body.loop()
    body.get(i)
    body.get(1)
    body.op(op.i32GeU)
    body.brIf(1)
    body.get(0)
    body.get(i)
    body.i32(4)
    body.op(op.i32Shl)
    body.op(op.i32Add)
    body.f32(0.5)
    body.call(scale)
    body.get(i)
    body.i32(1)
    body.op(op.i32Add)
    body.set(i)
    body.br(0)
    body.end()
    body.end()
    body.get(0)
    body.get(1)
    body.call(log)
    module.define(driver, body)
    module.export('run', driver)
    expect(disassemble(module.toBytes())).toMatchInlineSnapshot(`
      "(module
        (type (;0;) (func (param i32 i32) (result i32)))
        (type (;1;) (func (param i32 f32)))
        (import "env" "memory" (memory (;0;) 1 2 shared))
        (import "env" "log" (func $log (type 0)))
        (func $driver (type 0) (param i32 i32) (result i32)
          (local i32)
          block  ;; label = @1
            loop  ;; label = @2
              local.get 2
              local.get 1
              i32.ge_u
              br_if 1 (;@1;)
              local.get 0
              local.get 2
              i32.const 4
              i32.shl
              i32.add
              f32.const 0x1p-1 (;=0.5;)
              call 2
              local.get 2
              i32.const 1
              i32.add
              local.set 2
              br 0 (;@2;)
            end
          end
          local.get 0
          local.get 1
          call 0)
        (func $scale (type 1) (param i32 f32)
          (local v128)
          local.get 1
          f32x4.splat
          local.set 2
          local.get 0
          local.get 0
          v128.load offset=16
          local.get 2
          f32x4.mul
          v128.store offset=16)
        (export "run" (func 1)))
      "
    `)
  })

  test('a signature is stored once', () => {
    const module = new ModuleBuilder()
    for (let i = 0; i < 20; i++) {
      const index = module.declare(`f${i}`, ['i32', 'f64'], ['i32'])
      module.define(
        index,
        bodyOf(['i32', 'f64'], (body) => body.get(0)),
      )
    }
    expect(disassemble(module.toBytes()).match(/\(type \(/g)?.length).toBe(1)
  })

  test('memories that are shared and that are not', () => {
    for (const shared of [false, true])
      for (const [initial, maximum] of [
        [0, 1],
        [1, 65536],
        [300, 300],
      ] as const) {
        const module = new ModuleBuilder()
        module.importMemory('host', 'heap', { initial, maximum, shared })
        const bytes = module.toBytes()
        const end = shared ? ' shared' : ''
        expect(disassemble(bytes)).toContain(`(memory (;0;) ${initial} ${maximum}${end})`)
        const heap = new WebAssembly.Memory({ initial, maximum, shared })
        const made = new WebAssembly.Instance(new WebAssembly.Module(bytes), { host: { heap } })
        expect(Object.keys(made.exports)).toEqual([])
      }
  })

  test('functions call forwards, each other, and what was imported', () => {
    const module = new ModuleBuilder()
    const host = module.importFunction('env', 'double', ['i32'], ['i32'])
    const even = module.declare('even', ['i32'], ['i32'])
    const odd = module.declare('odd', ['i32'], ['i32'])
    const step = (otherwise: number, atZero: number): encode.FunctionBody =>
      bodyOf(['i32'], (body) => {
        body.get(0)
        body.op(op.i32Eqz)
        body.if('i32')
        body.i32(atZero)
        body.else()
        body.get(0)
        body.i32(1)
        body.op(op.i32Sub)
        body.call(otherwise)
        body.end()
      })
    module.define(odd, step(even, 0))
    module.define(even, step(odd, 1))
    const twice = module.declare('twice', ['i32'], ['i32'])
    const body = bodyOf(['i32'], (body) => {
      body.get(0)
      body.call(host)
      body.call(even)
    })
    module.define(twice, body)
    module.export('twice', twice)
    module.export('odd', odd)
    const double = (x: number): number => 2 * x
    const call = instantiate(module.toBytes(), { double })
    expect(call('odd')(7)).toBe(1)
    expect(call('twice')(7)).toBe(1)
  })

  test('an empty module is valid', () => {
    expect(disassemble(new ModuleBuilder().toBytes())).toBe('(module)\n')
  })
})

describe('locals', () => {
  test('a thousand of them, each of its own type and value', () => {
    const types = ['i32', 'i64', 'f32', 'f64', 'v128'] as const
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(...types), { minLength: 1000, maxLength: 1000 }),
        fc.nat(999),
        (choice, probe) => {
          const bytes = moduleOf(['i32', 'f64'], ['i32'], (body) => {
            const locals = choice.map((type) => body.local(type))
            expect(locals[0]).toBe(2)
            locals.forEach((index, i) => {
              const type = choice[i]!
              if (type === 'i32') body.i32(i)
              else if (type === 'i64') body.i64(BigInt(i))
              else if (type === 'f32') body.f32(i)
              else if (type === 'f64') body.f64(i)
              else {
                body.i32(i)
                body.simd(simd.i32x4Splat)
              }
              body.set(index)
            })
            body.get(locals[probe]!)
            const type = choice[probe]!
            if (type === 'i64') body.op(op.i32WrapI64)
            else if (type === 'f32') body.op(op.i32TruncF32S)
            else if (type === 'f64') body.op(op.i32TruncF64S)
            else if (type === 'v128') body.simdLane(simd.i32x4ExtractLane, 3)
          })
          expect(instantiate(bytes)('f')(0, 0)).toBe(probe)
        },
      ),
      { numRuns: 20 },
    )
  })

  test('are declared in runs of one type', () => {
    const text = disassemble(
      moduleOf([], [], (body) => {
        for (let i = 0; i < 300; i++) body.local('v128')
        body.local('i32')
      }),
    )
    expect(text).toContain(`(local${' v128'.repeat(300)} i32)`)
    const bytes = moduleOf([], [], (body) => {
      for (let i = 0; i < 300; i++) body.local('v128')
    })
    // One run: its count in two bytes and its type.
    expect(Buffer.from(bytes).includes(Buffer.from([1, 0xac, 0x02, 0x7b, 0x0b]))).toBe(true)
  })
})

describe('what cannot be encoded is an error', () => {
  test('with the fault named', () => {
    const body = new FunctionBody([])
    expect(() => body.load(op.i32Add, 0)).toThrow(/does not address memory/)
    expect(() => body.simdLoad(simd.f32x4Add, 0)).toThrow(/does not address memory/)
    expect(() => body.shuffle([1, 2])).toThrow(/16 lanes/)
    expect(() => body.v128(new Uint8Array(15))).toThrow(/16 bytes/)
    expect(body.length).toBe(0)
    const module = new ModuleBuilder()
    const index = module.declare('f', ['i32'], [])
    expect(() => module.toBytes()).toThrow(/without a body/)
    expect(() => module.define(index, body)).toThrow(/other parameters/)
    expect(() => module.define(7, body)).toThrow(/never declared/)
    module.define(index, new FunctionBody(['i32']))
    expect(() => module.define(index, new FunctionBody(['i32']))).toThrow(/second body/)
    expect(() => module.importFunction('env', 'late', [], [])).toThrow(/before all declared/)
  })
})
