/** Cosine and sine by exact operations only: Math.sin may differ in its last bit between machines. */

/** The point of the unit circle after `turns` whole turns from (1, 0); error below 1e-12. */
export const direction = (turns: number): readonly [number, number] => {
  const quarters = Math.floor(4 * turns + 0.5)
  const angle = (4 * turns - quarters) * (Math.PI / 2)
  const square = angle * angle
  // Taylor's series of both, at most π/4 from 0.
  const cos = series(square, 0)
  const sin = angle * series(square, 1)
  switch (((quarters % 4) + 4) % 4) {
    case 0:
      return [cos, sin]
    case 1:
      return [-sin, cos]
    case 2:
      return [-cos, -sin]
    default:
      return [sin, -cos]
  }
}

/** 1 − s/((o+1)(o+2)) + s²/((o+1)(o+2)(o+3)(o+4)) − …, by Horner's rule. */
const series = (square: number, offset: number): number => {
  let sum = 1
  for (let n = 14; n > 0; n -= 2) sum = 1 - (sum * square) / ((n + offset - 1) * (n + offset))
  return sum
}
