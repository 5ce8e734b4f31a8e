/** Faster forms of functions for float32 operands. */
import type { UnaryOp } from '@cotangent/core'

/** Results equal those of the general function after rounding to float32. */
export const fastFloat32: Readonly<Partial<Record<UnaryOp, (x: number) => number>>> = {}
