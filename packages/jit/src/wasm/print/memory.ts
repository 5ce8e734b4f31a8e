/** Vectors to and from memory: side by side, evenly spaced, or wherever data says. */
import { type Index, InternalError, type Scalar, type Stmt } from '@cotangent/core'
import { op, simd } from '../encode/opcodes.ts'
import { type Frame, indexVaries } from './frame.ts'
import { emitAddress, emitLaneIndex, laneStride, termsOf } from './indices.ts'
import { isUnsigned, kindOf, loadOf, storeOf, widthOf } from './layout.ts'
import { uniform } from './uniform.ts'

type Load = Extract<Scalar, { readonly tag: 'load' }>
type Store = Extract<Stmt, { readonly tag: 'store' }>

/** Lanes that an access really has: the fewest of the counters it moves with. */
const activeLanes = (frame: Frame, i: Index): number => {
  const lanes = frame.lanes ?? 1
  let active: number = lanes
  const visit = (x: Index): void => {
    if (x.tag === 'counter') {
      const { varies, active: own } = frame.counter(x.name)
      if (varies) active = Math.min(active, own)
    } else if (x.tag === 'floorDivide' || x.tag === 'modulo') visit(x.value)
    else for (const { term } of x.tag === 'affine' ? x.terms : []) visit(term)
  }
  visit(i)
  // Data that varies says nothing of how many lanes there are: all counters in scope do.
  const data = termsOf(i).some((t) => t.term.tag === 'data' && indexVaries(frame, t.term))
  if (data)
    for (const c of frame.counters.values()) if (c.varies) active = Math.min(active, c.active)
  return active
}

/** Pushes a vector of elements; small ones are widened to 32 bits. */
export const loadLanes = (frame: Frame, s: Load): void => {
  const stride = laneStride(frame, s.at)
  if (stride === 1) return loadSideBySide(frame, s)
  const active = activeLanes(frame, s.at)
  if (stride === 2 && active > 1 && frame.lanes === 4 && widthOf(s.dtype) === 4)
    return loadEverySecond(frame, s)
  if (stride !== null && stride > 0) {
    return loadApart(frame, s, stride, active)
  }
  gather(frame, s, active)
}

const loadSideBySide = (frame: Frame, s: Load): void => {
  const { body, lanes } = frame
  const width = widthOf(s.dtype)
  const offset = emitAddress(frame, s.buffer, s.at, width)
  if (width === 8 || (width === 4 && lanes === 4)) return body.simdLoad(simd.v128Load, offset)
  if (width === 4) return body.simdLoad(simd.v128Load64Zero, offset)
  if (width === 2) {
    body.simdLoad(lanes === 4 ? simd.v128Load64Zero : simd.v128Load32Zero, offset)
    return body.simd(isUnsigned(s.dtype) ? simd.i32x4ExtendLowI16x8U : simd.i32x4ExtendLowI16x8S)
  }
  body.simdLoad(simd.v128Load32Zero, offset)
  body.simd(isUnsigned(s.dtype) ? simd.i16x8ExtendLowI8x16U : simd.i16x8ExtendLowI8x16S)
  body.simd(isUnsigned(s.dtype) ? simd.i32x4ExtendLowI16x8U : simd.i32x4ExtendLowI16x8S)
}

// Two vectors, half of which is wanted; what is read beyond, a vector at most, is there.
const loadEverySecond = (frame: Frame, s: Load): void => {
  const { body } = frame
  frame.scratch('i32', (pointer) => {
    const offset = emitAddress(frame, s.buffer, s.at, 4)
    body.tee(pointer)
    body.simdLoad(simd.v128Load, offset)
    body.get(pointer)
    body.simdLoad(simd.v128Load, offset + 16)
    body.shuffle([0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27])
  })
}

const everySecond = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]

// One address, the other lanes at constant distances from it.
const loadApart = (frame: Frame, s: Load, stride: number, active: number): void => {
  const { body } = frame
  const width = widthOf(s.dtype)
  frame.scratch('i32', (pointer) => {
    const offset = emitAddress(frame, s.buffer, s.at, width)
    body.set(pointer)
    if (width < 4) {
      return insertLanes(frame, s, active, (lane) => {
        body.get(pointer)
        return offset + lane * stride * width
      })
    }
    if (width === 4 && stride === 2 && active === 4) {
      for (const part of [0, 16]) {
        body.get(pointer)
        body.simdLoad(simd.v128Load, offset + part)
      }
      return body.shuffle(everySecond)
    }
    body.get(pointer)
    body.simdLoad(width === 8 ? simd.v128Load64Zero : simd.v128Load32Zero, offset)
    for (let lane = 1; lane < active; lane++) {
      frame.scratch('v128', (v) => {
        body.set(v)
        body.get(pointer)
        body.get(v)
        const code = width === 8 ? simd.v128Load64Lane : simd.v128Load32Lane
        body.simdMemoryLane(code, offset + lane * stride * width, lane)
      })
    }
  })
}

// Every lane has an address of its own.
const gather = (frame: Frame, s: Load, active: number): void => {
  const { body } = frame
  frame.scratch('v128', (positions) => {
    emitLaneIndex(frame, s.at)
    body.set(positions)
    insertLanes(frame, s, active, (lane) => {
      emitElementAddress(frame, s.buffer, widthOf(s.dtype), positions, lane)
      return 0
    })
  })
}

const emitElementAddress = (
  frame: Frame,
  buffer: string,
  width: number,
  positions: number,
  lane: number,
): void => {
  const { body } = frame
  body.get(frame.buffer(buffer))
  body.get(positions)
  body.simdLane(simd.i32x4ExtractLane, lane)
  if (width > 1) {
    body.i32(Math.log2(width))
    body.op(op.i32Shl)
  }
  body.op(op.i32Add)
}

/** Builds a vector from scalar loads; `address` pushes a lane's address and gives the offset. */
const insertLanes = (
  frame: Frame,
  s: Load,
  active: number,
  address: (lane: number) => number,
): void => {
  const { body } = frame
  const kind = kindOf(s.dtype)
  body.v128(new Uint8Array(16))
  for (let lane = 0; lane < active; lane++) {
    const offset = address(lane)
    body.load(loadOf(s.dtype), offset)
    if (kind === 'f32') body.simdLane(simd.f32x4ReplaceLane, lane)
    else if (kind === 'f64') body.simdLane(simd.f64x2ReplaceLane, lane)
    else body.simdLane(simd.i32x4ReplaceLane, lane)
  }
}

/** Stores a value for each lane that is no surplus. */
export const storeLanes = (frame: Frame, s: Store): void => {
  const { body } = frame
  const stride = laneStride(frame, s.at)
  const active = activeLanes(frame, s.at)
  if (stride === 0) throw oneElement(s)
  frame.scratch('v128', (value) => {
    frame.print.vector(frame, s.value)
    if (s.value.dtype === 'bool') {
      body.v128(new Uint8Array(Int32Array.of(1, 1, 1, 1).buffer))
      body.simd(simd.v128And)
    }
    body.set(value)
    if (stride === 1) return storeSideBySide(frame, s, value, active)
    if (stride === null) {
      return frame.scratch('v128', (positions) => {
        emitLaneIndex(frame, s.at)
        body.set(positions)
        const width = widthOf(s.value.dtype)
        for (let lane = 0; lane < active; lane++) {
          emitElementAddress(frame, s.buffer, width, positions, lane)
          storeLane(frame, s.value, value, lane, 0)
        }
      })
    }
    storeApart(frame, s, value, stride, active)
  })
}

const oneElement = (s: Store): InternalError =>
  new InternalError({
    operation: 'print kernel',
    problem: 'every lane stores to the same element',
    got: s.buffer,
  })

const storeApart = (
  frame: Frame,
  s: Store,
  value: number,
  stride: number,
  active: number,
): void => {
  const { body } = frame
  const width = widthOf(s.value.dtype)
  frame.scratch('i32', (pointer) => {
    const offset = emitAddress(frame, s.buffer, s.at, width)
    body.set(pointer)
    for (let lane = 0; lane < active; lane++) {
      const distance = offset + lane * stride * width
      body.get(pointer)
      if (distance < 0) {
        body.i32(distance)
        body.op(op.i32Add)
      }
      storeLane(frame, s.value, value, lane, Math.max(0, distance))
    }
  })
}

// Takes the address from the stack.
const storeLane = (
  { body }: Frame,
  s: Scalar,
  value: number,
  lane: number,
  offset: number,
): void => {
  body.get(value)
  switch (widthOf(s.dtype)) {
    case 8:
      return body.simdMemoryLane(simd.v128Store64Lane, offset, lane)
    case 4:
      return body.simdMemoryLane(simd.v128Store32Lane, offset, lane)
    case 2:
      return body.simdMemoryLane(simd.v128Store16Lane, offset, 2 * lane)
    default:
      return body.simdMemoryLane(simd.v128Store8Lane, offset, 4 * lane)
  }
}

// Moves the low parts of the lanes together.
const narrowed: Readonly<Record<1 | 2, readonly number[]>> = {
  1: [0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12, 0, 4, 8, 12],
  2: [0, 1, 4, 5, 8, 9, 12, 13, 0, 1, 4, 5, 8, 9, 12, 13],
}

const storeSideBySide = (frame: Frame, s: Store, value: number, active: number): void => {
  const { body } = frame
  const width = widthOf(s.value.dtype)
  if (width < 4) {
    body.get(value)
    body.get(value)
    body.shuffle(narrowed[width === 1 ? 1 : 2])
    body.set(value)
  }
  const bytes = width * active
  if (bytes === 16) {
    const offset = emitAddress(frame, s.buffer, s.at, width)
    body.get(value)
    return body.simdLoad(simd.v128Store, offset)
  }
  frame.scratch('i32', (pointer) => {
    const offset = emitAddress(frame, s.buffer, s.at, width)
    body.set(pointer)
    storeBytes(frame, pointer, offset, value, bytes)
  })
}

// The first bytes of a vector.
const storeBytes = (
  { body }: Frame,
  pointer: number,
  offset: number,
  value: number,
  bytes: number,
): void => {
  if (bytes >= 16) {
    body.get(pointer)
    body.get(value)
    return body.simdLoad(simd.v128Store, offset)
  }
  let done = 0
  for (const part of [8, 4, 2, 1] as const) {
    while (bytes - done >= part) {
      body.get(pointer)
      body.get(value)
      body.simdMemoryLane(storeParts[part], offset + done, done / part)
      done += part
    }
  }
}

/** Stores the lanes of two vectors in turns, from where the first one's lane 0 belongs. */
export const storeInTurns = (frame: Frame, first: Store, low: number, high: number): void => {
  const { body } = frame
  const elements = 2 * activeLanes(frame, first.at)
  frame.scratch('i32', (pointer) => {
    const offset = emitAddress(frame, first.buffer, first.at, 4)
    body.set(pointer)
    for (const half of [0, 1] as const) {
      const bytes = 4 * (elements - 4 * half)
      if (bytes <= 0) return
      frame.scratch('v128', (value) => {
        body.get(low)
        body.get(high)
        body.shuffle(inTurns[half])
        body.set(value)
        storeBytes(frame, pointer, offset + 16 * half, value, bytes)
      })
    }
  })
}

const inTurns: Readonly<Record<0 | 1, readonly number[]>> = {
  0: [0, 1, 2, 3, 16, 17, 18, 19, 4, 5, 6, 7, 20, 21, 22, 23],
  1: [8, 9, 10, 11, 24, 25, 26, 27, 12, 13, 14, 15, 28, 29, 30, 31],
}

const storeParts = {
  8: simd.v128Store64Lane,
  4: simd.v128Store32Lane,
  2: simd.v128Store16Lane,
  1: simd.v128Store8Lane,
} as const

/** A store outside of lanes. */
export const storeOne = (frame: Frame, s: Store): void => {
  const { body } = frame
  const offset = emitAddress(frame, s.buffer, s.at, widthOf(s.value.dtype))
  uniform(frame, s.value)
  body.load(storeOf(s.value.dtype), offset)
}
