/**
 * Inputs that every library makes for itself: a number depends on its place and a seed alone, so that
 * programs in other languages get the same ones.
 */

/** Thirty-two well mixed bits for a place: the finaliser of MurmurHash3 over a Weyl sequence. */
export const bitsAt = (place: number, seed: number): number => {
  const start = (place + Math.imul(seed, 0x9e3779b1)) >>> 0
  const once = Math.imul(start ^ (start >>> 16), 0x85ebca6b) >>> 0
  const twice = Math.imul(once ^ (once >>> 13), 0xc2b2ae35) >>> 0
  return (twice ^ (twice >>> 16)) >>> 0
}

/** Normal numbers by Box and Muller, the cosine half, in float64 and then rounded. */
export const normalFloats = (
  count: number,
  seed: number,
  scale: number,
  shift: number,
): Float32Array =>
  Float32Array.from({ length: count }, (_, i) => {
    const radius = Math.sqrt(-2 * Math.log((bitsAt(2 * i, seed) + 1) / 2 ** 32))
    const angle = (2 * Math.PI * bitsAt(2 * i + 1, seed)) / 2 ** 32
    return radius * Math.cos(angle) * scale + shift
  })

/** Integers from 0 up to `below`, exclusive. */
export const integersBelow = (count: number, seed: number, below: number): Int32Array =>
  Int32Array.from({ length: count }, (_, i) => bitsAt(i, seed) % below)

const signSeed = 7

/** Two numbers for each array: its Euclidean norm, and its product with a fixed row of signs. */
export const checksum = (arrays: readonly ArrayLike<number>[]): readonly number[] =>
  arrays.flatMap((values) => {
    let squares = 0
    let signed = 0
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!
      squares += value * value
      signed += (bitsAt(i, signSeed) & 1) === 1 ? value : -value
    }
    return [Math.sqrt(squares), signed]
  })
