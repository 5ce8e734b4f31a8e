/** Numbers at which functions of floats are tried, and how far results are from the truth. */
const single = new Float32Array(1)
const singleBits = new Int32Array(single.buffer)

/** The float32 with these bits. */
export const fromBits = (bits: number): number => {
  singleBits[0] = bits
  return single[0]!
}

/** Every exponent of both signs with several significands, special values, and random bits. */
export const float32Samples = (random: number): Float32Array => {
  const significands = [0, 1, 0x1fffff, 0x2aaaaa, 0x3504f3, 0x3504f4, 0x400000, 0x555555, 0x7fffff]
  const samples: number[] = []
  for (let exponent = 0; exponent < 256; exponent++) {
    for (const s of significands) {
      const bits = (exponent << 23) | s
      samples.push(fromBits(bits), fromBits(bits | (1 << 31)))
    }
  }
  for (const x of [
    0.5, 1, 1.5, 2, 3, 4, 5, 10, 0.95, 0.625, 88.72283, 88.72284, 103.97, 9628.7314,
  ]) {
    const { bits } = { bits: bitsOf(x) }
    for (let d = -2; d <= 2; d++) samples.push(fromBits(bits + d), -fromBits(bits + d))
  }
  for (let n = -40; n <= 40; n++) samples.push(n, n / 2, n * Math.PI, (n * Math.PI) / 2)
  let state = 0x9e3779b9
  for (let n = 0; n < random; n++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    // A third of the numbers anywhere, the rest where functions do something.
    samples.push(n % 3 === 0 ? fromBits(state) : (state / 2 ** 31) * (n % 3 === 1 ? 4 : 40))
  }
  return Float32Array.from(samples)
}

const bitsOf = (x: number): number => {
  single[0] = x
  return singleBits[0]!
}

// Codes of floats in their order, zeros together.
const place = (x: number): number => {
  const bits = bitsOf(x)
  return bits < 0 ? -(bits & 0x7fffffff) : bits
}

/** How many float32 lie between a result and the correctly rounded truth; Infinity for a wrong NaN or zero. */
export const stepsBetween32 = (found: number, truth: number): number => {
  const rounded = Math.fround(truth)
  if (Object.is(found, rounded)) return 0
  if (Number.isNaN(found) || Number.isNaN(rounded)) return Infinity
  if (found === 0 && rounded === 0) return Infinity
  return Math.abs(place(found) - place(rounded))
}

const double = new Float64Array(1)
const doubleBits = new BigInt64Array(double.buffer)

/** Every exponent of both signs, special values, and random numbers where functions do something. */
export const float64Samples = (random: number): Float64Array => {
  const samples: number[] = []
  for (let exponent = 0n; exponent < 2048n; exponent++) {
    for (const significand of [0n, 0x6a09e667f3bcdn, 0xfffffffffffffn]) {
      doubleBits[0] = (exponent << 52n) | significand
      samples.push(double[0]!, -double[0]!)
    }
  }
  for (const x of [0.47, 0.5, 0.625, 1, 1.5, 2, 3, 27.2, 709.78, 710.47, 745.13, 1e5, 1e6, 1e22]) {
    samples.push(x, -x)
  }
  for (let n = -20; n <= 20; n++) samples.push(n, n / 2, n * Math.PI, (n * Math.PI) / 2)
  let state = 0x9e3779b9
  for (let n = 0; n < random; n++) {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    samples.push((state / 2 ** 31) * [1, 2, 4, 40, 800][n % 5]!)
  }
  return Float64Array.from(samples)
}

const placeOf = (x: number): bigint => {
  double[0] = x
  const bits = doubleBits[0]!
  return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits
}

/** How many float64 lie between two; Infinity for a wrong NaN or zero. */
export const stepsBetween64 = (found: number, truth: number): number => {
  if (Object.is(found, truth)) return 0
  if (Number.isNaN(found) || Number.isNaN(truth) || (found === 0 && truth === 0)) return Infinity
  const distance = placeOf(found) - placeOf(truth)
  return Number(distance < 0n ? -distance : distance)
}
