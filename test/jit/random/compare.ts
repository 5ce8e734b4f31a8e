/** Comparing what a compiled program gives with what the interpreter gives. */
import { type Tensor, isFloat } from '@cotangent/core'

/** The largest finite value anywhere: what rounding errors are measured against. */
export const scaleOf = (tensors: readonly Tensor[]): number => {
  let scale = 1
  for (const t of tensors) {
    if (!isFloat(t.dtype)) continue
    for (const x of t.data()) if (Number.isFinite(x)) scale = Math.max(scale, Math.abs(x))
  }
  return scale
}

/** Throws where a value differs by more than `tolerance · scale`; 0 asks for the same bits. */
export const expectSame = (
  got: Tensor,
  want: Tensor,
  tolerance: number,
  scale: number,
  name: string,
): void => {
  const types = [got, want].map((t) => `${t.dtype}[${t.shape.join(',')}]`)
  if (types[0] !== types[1]) throw new Error(`${name}: got ${types[0]}, want ${types[1]}`)
  const [xs, ys] = [got.data(), want.data()]
  for (let i = 0; i < ys.length; i++) {
    const [x, y] = [xs[i]!, ys[i]!]
    if (Object.is(x, y)) continue
    if (tolerance > 0) {
      if (Math.abs(x - y) <= tolerance * scale || x === y) continue
      // Overflow happens here or there when intermediate values are that large.
      if (scale > 1e6 && !Number.isFinite(x - y)) continue
    }
    throw new Error(
      `${name} (${types[1]}, tolerance ${tolerance}, scale ${scale}), element ${i}: got ${x}, want ${y}`,
    )
  }
}
