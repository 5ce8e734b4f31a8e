import { encode } from '@cotangent/jit'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Build, assemble, moduleOf, valueOf } from './encodeSupport.ts'

const { Bytes, extended, op, relaxed, simd } = encode

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

const fullTable = '(global (mut i32) (i32.const 0)) (table 1 funcref) (type $none (func))'

/** What wabt makes of a line of text between two `unreachable`s, which suit any types. */
const assembled = (text: string, more = ''): string => {
  return hex(
    assemble(`(module (import "env" "memory" (memory 1 2 shared)) ${more}
      (func (export "f") (local i32) unreachable ${text} unreachable))`),
  )
}

/** `i32Load8U` as the specification spells it: `i32.load8_u`. */
const spelled = (key: string): string =>
  key.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`).replace('_', '.')

const encoded = (build: Build): string => {
  const bytes = moduleOf([], [], (body) => {
    body.local('i32')
    body.unreachable()
    build(body)
    body.unreachable()
  })
  return hex(bytes)
}

/** The same bytes but for the name section, which wabt was not asked for. */
const expectSame = (text: string, build: Build): void => {
  const mine = encoded(build)
  const theirs = assembled(text)
  expect(`${text} ${mine.slice(0, theirs.length)}`).toBe(`${text} ${theirs}`)
}

describe('every opcode is what wabt assembles', () => {
  const entries = Object.entries(op)
  const isMemory = (key: string): boolean => /^[if]\d\d(Load|Store)/.test(key)
  const immediate = /Const$|^local|^global|^br|^call|^memory|^(block|loop|if|else|end)$/

  test('arithmetic of one byte', () => {
    const plain = entries.filter(([key]) => !isMemory(key) && !immediate.test(key))
    expect(plain.length).toBe(5 + 0xc4 - 0x45 + 1)
    for (const [key, code] of plain) {
      const name = /^[if]\d\d/.test(key) ? spelled(key) : key
      expectSame(name, (body) => body.op(code))
    }
  })

  test('loads and stores with their natural alignment', () => {
    const memoryCodes = entries.filter(([key]) => isMemory(key))
    expect(memoryCodes.length).toBe(23)
    for (const [key, code] of memoryCodes)
      for (const offset of [0, 127, 128, 0xffff_ffff])
        expectSame(`${spelled(key)} offset=${offset}`, (body) => body.load(code, offset))
  })

  test('locals, calls and structure', () => {
    expectSame('local.get 0', (body) => body.get(0))
    expectSame('local.set 0', (body) => body.set(0))
    expectSame('local.tee 0', (body) => body.tee(0))
    expectSame('call 0', (body) => body.call(0))
    expectSame('return', (body) => body.return())
    expectSame('block loop br 1 br_if 0 end end', (body) => {
      body.block()
      body.loop()
      body.br(1)
      body.brIf(0)
      body.end()
      body.end()
    })
    expectSame('if (result i32) i32.const 1 else i32.const 2 end drop', (body) => {
      body.if('i32')
      body.i32(1)
      body.else()
      body.i32(2)
      body.end()
      body.op(op.drop)
    })
    for (const type of ['i32', 'i64', 'f32', 'f64', 'v128'] as const) {
      expectSame(`block (result ${type}) unreachable end`, (body) => {
        body.block(type)
        body.unreachable()
        body.end()
      })
      expectSame(`loop (result ${type}) unreachable end`, (body) => {
        body.loop(type)
        body.unreachable()
        body.end()
      })
    }
  })

  test('codes whose immediates the body does not write', () => {
    const lines = {
      brTable: 'br_table 0 0',
      callIndirect: 'call_indirect (type $none)',
      globalGet: 'global.get 0',
      globalSet: 'global.set 0',
      memorySize: 'memory.size',
      memoryGrow: 'memory.grow',
      nop: 'nop',
    } as const
    for (const [key, text] of Object.entries(lines)) {
      const code = Object.entries(op).find(([name]) => name === key)?.[1] ?? -1
      // One local of type i32, `unreachable`, then the code.
      expect(assembled(text, fullTable)).toContain(`01017f00${code.toString(16).padStart(2, '0')}`)
    }
  })

  test('vectors', () => {
    let plain = 0
    for (const [key, code] of Object.entries(simd)) {
      const name = spelled(key)
      if (key === 'v128Const')
        expectSame('v128.const i8x16 0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 255', (body) =>
          body.v128(Uint8Array.of(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 255)),
        )
      else if (key === 'i8x16Shuffle')
        expectSame(`${name} 0 31 2 3 4 5 6 7 8 9 10 11 12 13 14 16`, (body) =>
          body.shuffle([0, 31, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 16]),
        )
      else if (/^v128(Load|Store)\d+Lane$/.test(key))
        expectSame(`${name} offset=300 1`, (body) => body.simdMemoryLane(code, 300, 1))
      else if (/^v128(Load|Store)/.test(key))
        expectSame(`${name} offset=300`, (body) => body.simdLoad(code, 300))
      else if (/(Extract|Replace)Lane/.test(key))
        expectSame(`${name} 1`, (body) => body.simdLane(code, 1))
      else {
        plain++
        expectSame(name, (body) => body.simd(code))
      }
    }
    expect(plain).toBe(236 - 38)
    expect(Object.keys(simd).length).toBe(236)
  })

  test('relaxed vectors, saturating conversions, bulk memory', () => {
    expect(Object.keys(relaxed).length).toBe(20)
    for (const [key, code] of Object.entries(relaxed))
      expectSame(spelled(key), (body) => body.relaxed(code))
    for (const [key, code] of Object.entries(extended))
      if (!key.startsWith('memory')) expectSame(spelled(key), (body) => body.extended(code))
    expectSame('memory.copy', (body) => body.memoryCopy())
    expectSame('memory.fill', (body) => body.memoryFill())
  })
})

describe('constants', () => {
  test('integers at the limits of each length', () => {
    for (let bits = 0; bits <= 32; bits++)
      for (const value of [2 ** bits - 1, 2 ** bits, -(2 ** bits), -(2 ** bits) - 1])
        if (value >= -(2 ** 31) && value < 2 ** 32) {
          expect(valueOf('i32', (body) => body.i32(value))).toBe(value | 0)
          if (value < 2 ** 31) expectSame(`i32.const ${value}`, (body) => body.i32(value))
        }
    for (let bits = 0n; bits <= 64n; bits++)
      for (const value of [2n ** bits - 1n, 2n ** bits, -(2n ** bits), -(2n ** bits) - 1n]) {
        const wrapped = BigInt.asIntN(64, value)
        expect(valueOf('i64', (body) => body.i64(value))).toBe(wrapped)
        expectSame(`i64.const ${wrapped}`, (body) => body.i64(value))
      }
  })

  test('any integer', () => {
    fc.assert(
      fc.property(fc.integer(), fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), (a, b) => {
        expect(valueOf('i32', (body) => body.i32(a))).toBe(a)
        expect(valueOf('i64', (body) => body.i64(b))).toBe(b)
      }),
    )
  })

  test('unsigned integers and names', () => {
    const bytes = new Bytes(1)
    for (const value of [0, 127, 128, 16383, 16384, 2 ** 32 - 1]) bytes.u32(value)
    expect(hex(bytes.toUint8Array())).toBe('007f8001ff7f808001ffffffff0f')
    expect(hex(new Bytes(1).name('ünï').toUint8Array())).toBe('05c3bc6ec3af')
    const twice = new Bytes().append(bytes).append(bytes)
    expect(twice.length).toBe(2 * bytes.length)
  })

  test('floats, with the sign of zero and one NaN', () => {
    const bits32 = (x: number): unknown =>
      valueOf('i32', (body) => {
        body.f32(x)
        body.op(op.i32ReinterpretF32)
      })
    const bits64 = (x: number): unknown =>
      valueOf('i64', (body) => {
        body.f64(x)
        body.op(op.i64ReinterpretF64)
      })
    expect(bits32(Number.NaN)).toBe(0x7fc0_0000)
    expect(bits64(Number.NaN)).toBe(0x7ff8_0000_0000_0000n)
    expect(bits32(-0)).toBe(-(2 ** 31))
    expect(bits64(-0)).toBe(-(2n ** 63n))
    fc.assert(
      fc.property(fc.double({ noNaN: true }), (x) => {
        expect(valueOf('f64', (body) => body.f64(x))).toBe(x)
        expect(valueOf('f32', (body) => body.f32(x))).toBe(Math.fround(x))
      }),
    )
    for (const x of [Infinity, -Infinity, 5e-324, 1e-45, 3.4028234663852886e38])
      expect(valueOf('f64', (body) => body.f64(x))).toBe(x)
  })
})

describe('function bodies', () => {
  const sum = (build: (body: encode.FunctionBody) => void): encode.FunctionBody => {
    const body = new encode.FunctionBody(['i32'])
    body.local('i32')
    build(body)
    return body
  }
  const step = (body: encode.FunctionBody): void => {
    body.get(0)
    body.i32(300)
    body.op(op.i32Add)
    body.set(0)
  }

  test('repeat instructions as if they were written again', () => {
    const repeated = sum((body) => {
      body.get(0)
      body.set(1)
      const start = body.length
      step(body)
      const bytes = body.length - start
      for (let n = 0; n < 99; n++) body.repeat(start, bytes)
    })
    const written = sum((body) => {
      body.get(0)
      body.set(1)
      for (let n = 0; n < 100; n++) step(body)
    })
    expect(repeated.equals(written)).toBe(true)
  })

  test('are equal where types and instructions are', () => {
    expect(sum(step).equals(sum(step))).toBe(true)
    const others = [
      sum(() => {}),
      sum((body) => {
        step(body)
        step(body)
      }),
      sum((body) => {
        step(body)
        body.local('i32')
      }),
    ]
    for (const other of others) expect(sum(step).equals(other)).toBe(false)
  })
})
