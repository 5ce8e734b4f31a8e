/**
 * How people write the ten digits: for each, several skeletons of pen strokes.
 *
 * A stroke is the list of points it passes, in a box of width and height 1 (x to the right, y
 * down). A `curve` passes them smoothly, a `line` with corners.
 */

export type Point = readonly [x: number, y: number]

export interface Stroke {
  readonly kind: 'curve' | 'line'
  readonly points: readonly Point[]
}

export interface Skeleton {
  /** How often this form comes up, relative to the digit's other forms. */
  readonly weight: number
  readonly strokes: readonly Stroke[]
}

const curve = (...points: readonly Point[]): Stroke => ({ kind: 'curve', points })
const line = (...points: readonly Point[]): Stroke => ({ kind: 'line', points })
const form = (weight: number, ...strokes: readonly Stroke[]): Skeleton => ({ weight, strokes })

// One point a line would hide the pen's movement.
// biome-ignore format: see above
const zero: readonly Skeleton[] = [
  form(4, curve([0.56, 0.05], [0.36, 0.12], [0.23, 0.35], [0.21, 0.62], [0.31, 0.87], [0.5, 0.95],
    [0.69, 0.86], [0.79, 0.61], [0.77, 0.33], [0.67, 0.12], [0.5, 0.05])),
  // Narrow, the end crossing the start.
  form(2, curve([0.66, 0.1], [0.48, 0.08], [0.35, 0.26], [0.31, 0.55], [0.37, 0.85], [0.5, 0.94],
    [0.64, 0.82], [0.69, 0.52], [0.63, 0.23], [0.5, 0.1], [0.38, 0.05])),
  // Round, left open at the top.
  form(1.5, curve([0.44, 0.1], [0.24, 0.24], [0.17, 0.52], [0.26, 0.8], [0.5, 0.92], [0.74, 0.8],
    [0.83, 0.5], [0.74, 0.22], [0.56, 0.08])),
  form(0.5, curve([0.5, 0.05], [0.3, 0.15], [0.21, 0.5], [0.3, 0.86], [0.5, 0.95], [0.7, 0.86],
    [0.79, 0.5], [0.7, 0.15], [0.5, 0.05]), line([0.74, 0.12], [0.28, 0.86])),
]

// biome-ignore format: see above
const one: readonly Skeleton[] = [
  form(4, line([0.5, 0.05], [0.5, 0.95])),
  form(2.5, line([0.33, 0.26], [0.54, 0.05], [0.53, 0.95])),
  form(1, line([0.33, 0.24], [0.52, 0.06], [0.51, 0.93]), line([0.29, 0.94], [0.74, 0.93])),
  form(1.5, curve([0.6, 0.05], [0.53, 0.36], [0.48, 0.65], [0.44, 0.95])),
]

// biome-ignore format: see above
const two: readonly Skeleton[] = [
  form(3, curve([0.22, 0.27], [0.34, 0.09], [0.54, 0.05], [0.73, 0.18], [0.7, 0.41], [0.46, 0.69],
    [0.2, 0.94]), line([0.2, 0.94], [0.82, 0.92])),
  // A loop at the lower left.
  form(3, curve([0.24, 0.22], [0.42, 0.06], [0.65, 0.1], [0.7, 0.32], [0.55, 0.6], [0.35, 0.86],
    [0.19, 0.92], [0.19, 0.78], [0.36, 0.77], [0.58, 0.92], [0.84, 0.88])),
  form(1.5, curve([0.26, 0.16], [0.5, 0.06], [0.7, 0.16], [0.64, 0.44], [0.4, 0.74], [0.22, 0.92],
    [0.36, 0.88], [0.6, 0.93], [0.82, 0.84])),
  // A swan's neck.
  form(1, curve([0.3, 0.34], [0.27, 0.16], [0.45, 0.05], [0.66, 0.11], [0.72, 0.3], [0.6, 0.55],
    [0.42, 0.76], [0.26, 0.93]), curve([0.26, 0.93], [0.5, 0.9], [0.68, 0.94], [0.84, 0.9])),
]

// biome-ignore format: see above
const three: readonly Skeleton[] = [
  form(4, curve([0.22, 0.16], [0.44, 0.04], [0.69, 0.14], [0.67, 0.35], [0.42, 0.47]),
    curve([0.42, 0.47], [0.7, 0.56], [0.77, 0.77], [0.54, 0.95], [0.2, 0.86])),
  // A flat top.
  form(1.5, line([0.24, 0.08], [0.74, 0.07], [0.44, 0.4]),
    curve([0.44, 0.4], [0.7, 0.48], [0.78, 0.72], [0.58, 0.94], [0.22, 0.88])),
  // A small loop in the middle.
  form(2, curve([0.25, 0.14], [0.5, 0.04], [0.71, 0.17], [0.62, 0.38], [0.42, 0.48], [0.4, 0.4],
    [0.52, 0.43], [0.74, 0.58], [0.74, 0.82], [0.48, 0.96], [0.2, 0.84])),
  // A small upper and a large lower bowl.
  form(1, curve([0.34, 0.12], [0.54, 0.05], [0.66, 0.16], [0.58, 0.31], [0.42, 0.36]),
    curve([0.42, 0.36], [0.7, 0.43], [0.8, 0.68], [0.6, 0.93], [0.3, 0.94], [0.18, 0.8])),
]

// biome-ignore format: see above
const four: readonly Skeleton[] = [
  form(3, line([0.28, 0.06], [0.2, 0.54], [0.82, 0.52]), line([0.66, 0.22], [0.62, 0.96])),
  // Closed, in one go.
  form(2, line([0.86, 0.66], [0.16, 0.67], [0.6, 0.05], [0.61, 0.96])),
  form(2.5, curve([0.25, 0.1], [0.19, 0.36], [0.32, 0.52], [0.54, 0.5], [0.74, 0.42]),
    curve([0.76, 0.08], [0.71, 0.4], [0.66, 0.7], [0.64, 0.96])),
  // The last stroke is long and begins at the top.
  form(1, line([0.4, 0.05], [0.15, 0.6], [0.78, 0.6]), line([0.56, 0.36], [0.5, 0.96])),
]

// biome-ignore format: see above
const five: readonly Skeleton[] = [
  form(3, line([0.76, 0.06], [0.32, 0.08], [0.28, 0.44]),
    curve([0.28, 0.44], [0.5, 0.38], [0.74, 0.52], [0.76, 0.76], [0.54, 0.95], [0.2, 0.88])),
  // One smooth stroke, like an S.
  form(1.5, curve([0.8, 0.09], [0.52, 0.06], [0.32, 0.2], [0.34, 0.4], [0.6, 0.5], [0.75, 0.68],
    [0.64, 0.9], [0.4, 0.95], [0.2, 0.86])),
  // The bar is added last.
  form(2.5, line([0.34, 0.12], [0.27, 0.44]),
    curve([0.27, 0.44], [0.48, 0.4], [0.68, 0.54], [0.7, 0.76], [0.5, 0.94], [0.2, 0.9]),
    line([0.34, 0.1], [0.82, 0.04])),
  // A small bowl.
  form(1, line([0.7, 0.1], [0.36, 0.1], [0.34, 0.5]),
    curve([0.34, 0.5], [0.54, 0.52], [0.66, 0.66], [0.6, 0.86], [0.4, 0.95], [0.24, 0.9])),
]

// biome-ignore format: see above
const six: readonly Skeleton[] = [
  form(4, curve([0.68, 0.05], [0.42, 0.2], [0.27, 0.48], [0.23, 0.75], [0.38, 0.94], [0.62, 0.93],
    [0.76, 0.75], [0.66, 0.57], [0.44, 0.57], [0.26, 0.72])),
  // A straight back and a small loop.
  form(2, curve([0.46, 0.04], [0.36, 0.34], [0.3, 0.64], [0.34, 0.88], [0.5, 0.95], [0.66, 0.85],
    [0.66, 0.7], [0.52, 0.62], [0.36, 0.72], [0.32, 0.82])),
  // A wide curl.
  form(1.5, curve([0.76, 0.16], [0.6, 0.06], [0.36, 0.16], [0.21, 0.44], [0.22, 0.76], [0.42, 0.95],
    [0.68, 0.88], [0.74, 0.66], [0.56, 0.52], [0.32, 0.6], [0.22, 0.74])),
]

// biome-ignore format: see above
const seven: readonly Skeleton[] = [
  form(4, line([0.2, 0.1], [0.78, 0.08], [0.44, 0.95])),
  form(1.5, line([0.2, 0.1], [0.78, 0.08], [0.42, 0.95]), line([0.32, 0.5], [0.74, 0.46])),
  // A serif, and a curved back.
  form(2, line([0.2, 0.24], [0.23, 0.09], [0.78, 0.08]),
    curve([0.78, 0.08], [0.6, 0.36], [0.5, 0.64], [0.46, 0.95])),
  form(1.5, curve([0.18, 0.18], [0.36, 0.1], [0.58, 0.12], [0.76, 0.1], [0.7, 0.3], [0.54, 0.6],
    [0.42, 0.95])),
]

// biome-ignore format: see above
const eight: readonly Skeleton[] = [
  form(4, curve([0.68, 0.16], [0.5, 0.05], [0.31, 0.16], [0.33, 0.36], [0.53, 0.49], [0.73, 0.66],
    [0.7, 0.88], [0.48, 0.96], [0.27, 0.86], [0.29, 0.66], [0.5, 0.48], [0.68, 0.32], [0.67, 0.14])),
  // Two rings.
  form(1.5, curve([0.5, 0.05], [0.33, 0.13], [0.32, 0.34], [0.5, 0.45], [0.68, 0.34], [0.67, 0.13],
    [0.5, 0.05]), curve([0.5, 0.45], [0.28, 0.56], [0.25, 0.82], [0.5, 0.96], [0.75, 0.82],
    [0.72, 0.56], [0.5, 0.45])),
  // The ends do not meet.
  form(2, curve([0.78, 0.1], [0.56, 0.06], [0.36, 0.14], [0.36, 0.32], [0.54, 0.48], [0.68, 0.68],
    [0.58, 0.92], [0.36, 0.94], [0.28, 0.78], [0.42, 0.58], [0.62, 0.4], [0.8, 0.18])),
]

// biome-ignore format: see above
const nine: readonly Skeleton[] = [
  form(3, curve([0.72, 0.24], [0.56, 0.06], [0.32, 0.13], [0.25, 0.35], [0.42, 0.5], [0.63, 0.43],
    [0.72, 0.22]), curve([0.72, 0.22], [0.71, 0.5], [0.68, 0.74], [0.66, 0.95])),
  // The tail swings to the left.
  form(2.5, curve([0.7, 0.2], [0.5, 0.05], [0.3, 0.16], [0.27, 0.38], [0.46, 0.49], [0.66, 0.37],
    [0.72, 0.2]), curve([0.72, 0.2], [0.75, 0.48], [0.66, 0.78], [0.46, 0.95], [0.26, 0.9])),
  // One stroke: a small loop, a slanted stem.
  form(2, curve([0.68, 0.14], [0.48, 0.08], [0.34, 0.24], [0.42, 0.42], [0.6, 0.36], [0.7, 0.16],
    [0.66, 0.42], [0.56, 0.7], [0.46, 0.96])),
]

/** The forms of each digit, by its value. */
export const skeletons: readonly (readonly Skeleton[])[] = [
  zero,
  one,
  two,
  three,
  four,
  five,
  six,
  seven,
  eight,
  nine,
]
