/** Inverse trigonometric functions of float32. */
import { type Inverses, makeInverses } from '../families/inverse.ts'

const halfPi = Math.fround(Math.PI / 2)

export const inverses: Inverses = makeInverses({
  halfPi,
  halfPiRest: Math.PI / 2 - halfPi,
  // Within 2^-27 of asin x, and 2^-28 of atan x.
  arcsineTail: [0.16666755, 0.0749519, 0.045484144, 0.024110187, 0.042286307],
  arctangentTail: [
    -0.33333302, 0.19998626, -0.14265092, 0.10956657, -0.084164545, 0.058177873, -0.031394172,
    0.011028764, -0.0018186589,
  ],
})
