/** Addition: what makes tangents and cotangents a vector space. */
import { binaryLoop } from '../maths/loops.ts'
import type { Primitive } from '../primitive.ts'
import { binaryOp } from '../scalars.ts'
import type { Tensor } from '../tensor.ts'
import { bind1 } from '../trace.ts'
import { elementwise } from './elementwise.ts'

/** `x + y`; integers wrap, booleans are refused. */
export const addP: Primitive<readonly ['x', 'y'], null> = elementwise({
  name: 'add',
  slots: ['x', 'y'],
  resultDType: (type) => type.dtype,
  loop: (dtype) => binaryLoop('add', dtype),
  lowerScalar: ([x, y]) => binaryOp('add', x, y),
  cost: 'cheap',
  jvp: { x: (dx) => dx, y: (dy) => dy },
  transpose: { x: (ct) => ct, y: (ct) => ct },
})

export const add = (x: Tensor, y: Tensor): Tensor => bind1(addP, [x, y], null)

/** Sums tensors and symbolic zeros. */
export const addMaybe = (x: Tensor | null, y: Tensor | null): Tensor | null => {
  if (x === null) return y
  return y === null ? x : add(x, y)
}
