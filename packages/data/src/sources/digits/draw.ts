/** One handwritten digit from one key. */
import { Draws, sumOfBytes } from '../../random/draws.ts'
import type { Key } from '../../random/key.ts'
import { clutter } from './clutter.ts'
import { type Chain, follow } from './curve.ts'
import { type Variation, affine, elastic, wobble } from './distort.ts'
import { type Picture, blur, stroke, toBytes } from './raster.ts'
import { type Skeleton, skeletons } from './skeletons.ts'

// A digit's box takes this part of the picture's side, as in MNIST (20 of 28 pixels).
const boxSize = 20 / 28

const variation: Variation = {
  wobble: 0.016,
  rotation: 0.08,
  shear: 0.2,
  scale: 0.09,
  shift: 0.1,
  elastic: 0.042,
}

/**
 * Draws `digit` into `out`, `side * side` bytes, row-major, 0 for paper and 255 for full ink. The
 * bytes depend on the three arguments alone, on every machine.
 */
export const drawDigit = (key: Key, digit: number, side: number, out: Uint8Array): void => {
  const draws = new Draws(key)
  const picture: Picture = { side, ink: new Float64Array(side * side) }
  // Lengths of pens are given for 28 pixels.
  const unit = side / 28

  const skeleton = wobble(choose(skeletons[digit]!, draws), variation.wobble, draws)
  const bend = elastic(variation, draws)
  const place = affine(variation, draws)
  const radius = unit * draws.between(0.65, 1.75)
  const ink = draws.between(0.72, 1)
  const fade = draws.between(-0.3, 0.3)
  for (const part of skeleton.strokes) {
    const chain = follow(part)
    bend(chain)
    place(chain)
    toPixels(chain, side)
    stroke(picture, chain, { from: radius * (1 + fade), to: radius * (1 - fade), ink })
  }
  clutter(picture, unit, draws)

  const softness = draws.between(0, 0.22)
  const passes = Math.max(1, Math.floor(unit + 0.5))
  for (let pass = 0; pass < passes; pass++) blur(picture, softness)
  const deviation = Math.max(0, draws.between(-0.03, 0.06))
  // Four bytes of one word: a cheap, exact stand-in for a normal number.
  const noise = (): number => ((sumOfBytes(draws.word()) - 510) * deviation) / 147.8
  toBytes(picture, deviation > 0 ? noise : () => 0, out)
}

const choose = (forms: readonly Skeleton[], draws: Draws): Skeleton => {
  const total = forms.reduce((sum, { weight }) => sum + weight, 0)
  let left = draws.between(0, total)
  const chosen = forms.find(({ weight }) => (left -= weight) < 0)
  return chosen ?? forms[0]!
}

const toPixels = ({ x, y }: Chain, side: number): void => {
  const margin = (1 - boxSize) / 2
  for (let i = 0; i < x.length; i++) {
    x[i] = side * (margin + boxSize * x[i]!)
    y[i] = side * (margin + boxSize * y[i]!)
  }
}
