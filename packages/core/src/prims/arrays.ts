/** Arrays that evaluation rules fill. */
import type { Aval } from '../aval.ts'
import { isHalf, makeStore } from '../dtype.ts'
import type { NDArray } from '../primitive.ts'
import { sizeOf } from '../shape.ts'

/** An output array for evaluation; half floats are computed in float32. */
export const makeArray = (type: Aval): NDArray => ({
  shape: type.shape,
  dtype: type.dtype,
  data: isHalf(type.dtype)
    ? new Float32Array(sizeOf(type.shape))
    : makeStore(type.dtype, sizeOf(type.shape)),
})
