/** Vectors from memory: side by side, evenly spaced, or wherever data says. */
import type { Scalar } from '@cotangent/core'
import { simd } from '../encode/opcodes.ts'
import type { Frame } from './frame.ts'
import { emitAddress, emitLaneIndex, laneStride } from './indices.ts'
import { activeLanes, emitElementAddress } from './laneAddresses.ts'
import { isUnsigned, kindOf, loadOf, widthOf } from './layout.ts'
import type { LoadPair } from './loadPairs.ts'

type Load = Extract<Scalar, { readonly tag: 'load' }>

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

const everySecond = [0, 1, 2, 3, 8, 9, 10, 11, 16, 17, 18, 19, 24, 25, 26, 27]

// Two vectors, half of which is wanted; what is read beyond, a vector at most, is there.
const loadEverySecond = (frame: Frame, s: Load): void => {
  const { body } = frame
  frame.scratch('i32', (pointer) => {
    const offset = emitAddress(frame, s.buffer, s.at, 4)
    body.tee(pointer)
    body.simdLoad(simd.v128Load, offset)
    body.get(pointer)
    body.simdLoad(simd.v128Load, offset + 16)
    body.shuffle(everySecond)
  })
}

const everyOther = [4, 5, 6, 7, 12, 13, 14, 15, 20, 21, 22, 23, 28, 29, 30, 31]

/** Loads two vectors: the elements in even places into one local, those in odd places into another. */
export const loadPair = (
  { low: { buffer, at } }: LoadPair,
  frame: Frame,
  even: number,
  odd: number,
): void => {
  const { body } = frame
  frame.scratch('i32', (pointer) =>
    frame.scratch('v128', (second) => {
      const offset = emitAddress(frame, buffer, at, 4)
      body.tee(pointer)
      body.simdLoad(simd.v128Load, offset)
      body.set(odd)
      body.get(pointer)
      body.simdLoad(simd.v128Load, offset + 16)
      body.set(second)
      for (const [local, lanes] of [
        [even, everySecond],
        [odd, everyOther],
      ] as const) {
        body.get(odd)
        body.get(second)
        body.shuffle(lanes)
        body.set(local)
      }
    }),
  )
}

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
