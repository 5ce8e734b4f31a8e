/** Where lanes are in memory, and how many of them really are. */
import type { Index } from '@cotangent/core'
import { op, simd } from '../encode/opcodes.ts'
import { type Frame, indexVaries } from './frame.ts'
import { termsOf } from './indices.ts'

/** Lanes that an access really has: the fewest of the counters it moves with. */
export const activeLanes = (frame: Frame, i: Index): number => {
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

/** Pushes the address of one lane's element; `positions` holds those of all lanes. */
export const emitElementAddress = (
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
