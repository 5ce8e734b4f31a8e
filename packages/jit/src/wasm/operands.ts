/** Where the driver finds arrays: in locals, or at distances from its own ground. */
import type { FunctionBody } from './encode/body.ts'
import { op } from './encode/opcodes.ts'

/** A pointer that the driver can push: the value of a local plus a constant. */
export interface Operand {
  readonly local: number
  readonly offset: number
}

export const pushOperand = (body: FunctionBody, { local, offset }: Operand): void => {
  body.get(local)
  if (offset === 0) return
  body.i32(offset)
  body.op(op.i32Add)
}
