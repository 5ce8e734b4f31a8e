/** Abstract values: what is known of a tensor while tracing. */
import { type DType, dtypeInfo } from './dtype.ts'
import { type Shape, sameShape, showShape } from './shape.ts'

/** Shape, dtype, and whether the dtype is weak (gives way in promotion, as a plain number does). */
export interface Aval {
  readonly shape: Shape
  readonly dtype: DType
  readonly weak: boolean
}

export const aval = (shape: Shape, dtype: DType, weak = false): Aval => ({ shape, dtype, weak })

/** The same type with a shape of its own that cannot be written to: callers may reuse theirs. */
export const sealed = (type: Aval): Aval =>
  Object.isFrozen(type.shape) ? type : { ...type, shape: Object.freeze([...type.shape]) }

/** `f32[2,3]`; a weak type has a trailing `*`. */
export const showAval = ({ shape, dtype, weak }: Aval): string =>
  `${dtypeInfo[dtype].short}${showShape(shape)}${weak ? '*' : ''}`

/** Equal shape and dtype; weakness aside. */
export const sameType = (a: Aval, b: Aval): boolean =>
  a.dtype === b.dtype && sameShape(a.shape, b.shape)

export const strong = (type: Aval): Aval => (type.weak ? { ...type, weak: false } : type)
