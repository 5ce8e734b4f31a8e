/** The body of one WebAssembly function: locals and instructions, encoded as they are written. */
import { InternalError } from '@cotangent/core'
import { Bytes } from './bytes.ts'
import { extended, op, simd } from './opcodes.ts'

/** The types of values that functions take, give and hold. */
export type ValueType = 'i32' | 'i64' | 'f32' | 'f64' | 'v128'

/** The byte that stands for a type in a module. */
export const typeCodes: Readonly<Record<ValueType, number>> = {
  i32: 0x7f,
  i64: 0x7e,
  f32: 0x7d,
  f64: 0x7c,
  v128: 0x7b,
}

const noResult = 0x40
const simdPrefix = 0xfd
const extendedPrefix = 0xfc

/** Base-2 logarithms of the bytes that a load or store touches, from `i32.load` on. */
const alignments: readonly number[] = [
  2, 3, 2, 3, 0, 0, 1, 1, 0, 0, 1, 1, 2, 2, 2, 3, 2, 3, 0, 1, 0, 1, 2,
]

/** The same for vector memory instructions, by opcode. */
const simdAlignments: ReadonlyMap<number, number> = new Map([
  [simd.v128Load, 4],
  [simd.v128Store, 4],
  [simd.v128Load8x8S, 3],
  [simd.v128Load8x8U, 3],
  [simd.v128Load16x4S, 3],
  [simd.v128Load16x4U, 3],
  [simd.v128Load32x2S, 3],
  [simd.v128Load32x2U, 3],
  [simd.v128Load8Splat, 0],
  [simd.v128Load16Splat, 1],
  [simd.v128Load32Splat, 2],
  [simd.v128Load64Splat, 3],
  [simd.v128Load32Zero, 2],
  [simd.v128Load64Zero, 3],
  [simd.v128Load8Lane, 0],
  [simd.v128Load16Lane, 1],
  [simd.v128Load32Lane, 2],
  [simd.v128Load64Lane, 3],
  [simd.v128Store8Lane, 0],
  [simd.v128Store16Lane, 1],
  [simd.v128Store32Lane, 2],
  [simd.v128Store64Lane, 3],
])

/**
 * A function under construction. Each method appends one instruction: `body.get(0)`,
 * `body.op(op.i32Add)`. The final `end` is added by the module. Nothing is validated here beyond
 * what the encoding itself needs.
 */
export class FunctionBody {
  readonly params: readonly ValueType[]
  private readonly code = new Bytes()
  private readonly locals: ValueType[] = []

  constructor(params: readonly ValueType[]) {
    this.params = params
  }

  /** The number of bytes of instructions so far. */
  get length(): number {
    return this.code.length
  }

  /** So many bytes of instructions from a position on, once more: in the same blocks, on the same locals. */
  repeat(from: number, bytes: number): void {
    this.code.repeat(from, bytes)
  }

  /** Declares a local, zero at first, and returns its index; the parameters come before all locals. */
  local(type: ValueType): number {
    this.locals.push(type)
    return this.params.length + this.locals.length - 1
  }

  /** An instruction of one byte without immediates. */
  op(code: number): void {
    this.code.u8(code)
  }

  /** A vector instruction without immediates. */
  simd(code: number): void {
    this.code.pair(simdPrefix, code)
  }

  /** A relaxed vector instruction; these have no immediates. */
  relaxed(code: number): void {
    return this.simd(code)
  }

  /** A saturating conversion. */
  extended(code: number): void {
    this.code.pair(extendedPrefix, code)
  }

  get(index: number): void {
    this.code.pair(op.localGet, index)
  }

  set(index: number): void {
    this.code.pair(op.localSet, index)
  }

  tee(index: number): void {
    this.code.pair(op.localTee, index)
  }

  /** An i32 constant, signed or unsigned: `value` modulo 2³². */
  i32(value: number): void {
    this.code.u8(op.i32Const).s32(value)
  }

  i64(value: bigint): void {
    this.code.u8(op.i64Const).s64(value)
  }

  f32(value: number): void {
    this.code.u8(op.f32Const).f32(value)
  }

  f64(value: number): void {
    this.code.u8(op.f64Const).f64(value)
  }

  /** A vector constant of 16 bytes, lane 0 first. */
  v128(bytes: Uint8Array): void {
    if (bytes.length !== 16) throw wrongCount('a vector constant', 'bytes', bytes.length)
    this.simd(simd.v128Const)
    this.code.raw(bytes)
  }

  /** A load or store of one byte (`op.f32Load`, `op.i32Store8`, …), naturally aligned. */
  load(code: number, offset: number): void {
    const alignment = alignments[code - op.i32Load]
    if (alignment === undefined) throw notMemory(code)
    this.code.pair(code, alignment).u32(offset)
  }

  /** A vector load or store; extending, splatting and zeroing loads too. */
  simdLoad(code: number, offset: number): void {
    const alignment = simdAlignments.get(code)
    if (alignment === undefined) throw notMemory(code)
    this.simd(code)
    this.code.pair(alignment, offset)
  }

  /** Takes a lane out of a vector or puts one in. */
  simdLane(code: number, lane: number): void {
    this.simd(code)
    this.code.u8(lane)
  }

  /** Loads or stores one lane of a vector. */
  simdMemoryLane(code: number, offset: number, lane: number): void {
    this.simdLoad(code, offset)
    this.code.u8(lane)
  }

  /** Picks 16 bytes out of two vectors: lanes 0 to 15 are the first's, 16 to 31 the second's. */
  shuffle(lanes: readonly number[]): void {
    if (lanes.length !== 16) throw wrongCount('a shuffle', 'lanes', lanes.length)
    this.simd(simd.i8x16Shuffle)
    for (const lane of lanes) this.code.u8(lane)
  }

  /** Copies within memory: the stack holds destination, source and length. */
  memoryCopy(): void {
    this.extended(extended.memoryCopy)
    this.code.u8(0).u8(0)
  }

  /** Fills memory: the stack holds destination, value and length. */
  memoryFill(): void {
    this.extended(extended.memoryFill)
    this.code.u8(0)
  }

  block(result?: ValueType): void {
    return this.open(op.block, result)
  }

  loop(result?: ValueType): void {
    return this.open(op.loop, result)
  }

  if(result?: ValueType): void {
    return this.open(op.if, result)
  }

  else(): void {
    return this.op(op.else)
  }

  end(): void {
    return this.op(op.end)
  }

  br(depth: number): void {
    return this.indexed(op.br, depth)
  }

  brIf(depth: number): void {
    return this.indexed(op.brIf, depth)
  }

  call(functionIndex: number): void {
    return this.indexed(op.call, functionIndex)
  }

  return(): void {
    return this.op(op.return)
  }

  unreachable(): void {
    return this.op(op.unreachable)
  }

  /** Appends the function as an entry of a code section: size, locals in runs of one type, code. */
  writeTo(section: Bytes): void {
    const head = new Bytes(16)
    const runs: { type: ValueType; count: number }[] = []
    for (const type of this.locals) {
      const last = runs.at(-1)
      if (last?.type === type) last.count++
      else runs.push({ type, count: 1 })
    }
    head.u32(runs.length)
    for (const { type, count } of runs) head.u32(count).u8(typeCodes[type])
    section.u32(head.length + this.code.length + 1)
    section.append(head).append(this.code).u8(op.end)
  }

  /** Whether the other is the same function. */
  equals(other: FunctionBody): boolean {
    return (
      this.params.length === other.params.length &&
      this.locals.length === other.locals.length &&
      this.code.equals(other.code) &&
      this.params.every((type, n) => type === other.params[n]) &&
      this.locals.every((type, n) => type === other.locals[n])
    )
  }

  private indexed(code: number, index: number): void {
    this.code.pair(code, index)
  }

  private open(code: number, result: ValueType | undefined): void {
    this.code.u8(code).u8(result === undefined ? noResult : typeCodes[result])
  }
}

const notMemory = (code: number): InternalError =>
  new InternalError({
    operation: 'encode',
    problem: 'an instruction that does not address memory was given an offset',
    got: `opcode 0x${code.toString(16)}`,
  })

const wrongCount = (what: string, unit: string, count: number): InternalError =>
  new InternalError({
    operation: 'encode',
    problem: `${what} has 16 ${unit}`,
    got: `${count} ${unit}`,
  })
