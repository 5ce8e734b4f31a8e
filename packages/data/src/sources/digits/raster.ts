/** Ink on a square grid of pixels. */
import type { Chain } from './curve.ts'

/** A square picture with values from 0 (paper) to 1 (ink), row-major. */
export interface Picture {
  readonly side: number
  readonly ink: Float64Array
}

/** The pen along a stroke: its radius in pixels where it starts and where it ends, and its ink. */
export interface Pen {
  readonly from: number
  readonly to: number
  readonly ink: number
}

/**
 * Draws a chain, whose points are in pixels (a pixel's centre is at its index plus a half), with a
 * round pen. The edge falls off over one pixel; where strokes overlap the darker one shows.
 */
export const stroke = (picture: Picture, { x, y }: Chain, pen: Pen): void => {
  const pieces = x.length - 1
  for (let i = 0; i < pieces; i++) {
    const radius = pen.from + ((pen.to - pen.from) * (i + 0.5)) / pieces
    piece(picture, x[i]!, y[i]!, x[i + 1]!, y[i + 1]!, radius, pen.ink)
  }
}

const piece = (
  { side, ink }: Picture,
  ax: number,
  ay: number,
  bx: number,
  by: number,
  radius: number,
  darkness: number,
): void => {
  const reach = radius + 1
  const left = Math.max(0, Math.floor(Math.min(ax, bx) - reach))
  const right = Math.min(side - 1, Math.floor(Math.max(ax, bx) + reach))
  const top = Math.max(0, Math.floor(Math.min(ay, by) - reach))
  const bottom = Math.min(side - 1, Math.floor(Math.max(ay, by) + reach))
  const dx = bx - ax
  const dy = by - ay
  const squared = dx * dx + dy * dy
  const inverse = squared > 0 ? 1 / squared : 0
  for (let row = top; row <= bottom; row++) {
    const py = row + 0.5 - ay
    for (let column = left; column <= right; column++) {
      const px = column + 0.5 - ax
      const along = Math.min(1, Math.max(0, (px * dx + py * dy) * inverse))
      const qx = px - along * dx
      const qy = py - along * dy
      const depth = radius + 0.5 - Math.sqrt(qx * qx + qy * qy)
      if (depth <= 0) continue
      const value = depth < 1 ? depth * darkness : darkness
      const at = row * side + column
      if (value > ink[at]!) ink[at] = value
    }
  }
}

/** Blurs in place with the kernel `[w, 1 − 2w, w]` both ways; beyond the border there is paper. */
export const blur = ({ side, ink }: Picture, w: number): void => {
  const pass = (start: number, step: number): void => {
    let before = 0
    for (let i = 0, at = start; i < side; i++, at += step) {
      const here = ink[at]!
      const after = i + 1 < side ? ink[at + step]! : 0
      ink[at] = here + w * (before + after - 2 * here)
      before = here
    }
  }
  for (let i = 0; i < side; i++) pass(i * side, 1)
  for (let i = 0; i < side; i++) pass(i, side)
}

/** Bytes from 0 to 255, rounded, after noise of mean 0 that `next` gives for each pixel. */
export const toBytes = ({ ink }: Picture, next: () => number, out: Uint8Array): void => {
  for (let i = 0; i < ink.length; i++) {
    const value = ink[i]! + next()
    out[i] = Math.floor(Math.min(1, Math.max(0, value)) * 255 + 0.5)
  }
}
