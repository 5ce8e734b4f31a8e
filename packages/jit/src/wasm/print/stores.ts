/** Vectors to memory: side by side, evenly spaced, or wherever data says. */
import { InternalError, type Scalar, type Stmt } from '@cotangent/core'
import { op, simd } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { emitAddress, emitLaneIndex, laneStride } from './indices.ts'
import { activeLanes, emitElementAddress } from './laneAddresses.ts'
import { storeOf, widthOf } from './layout.ts'
import { uniform } from './uniform.ts'

type Store = Extract<Stmt, { readonly tag: 'store' }>

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
