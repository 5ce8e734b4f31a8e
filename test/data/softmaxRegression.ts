/** Softmax regression by plain loops: a yardstick for how hard a set of images is. */

export interface LabelledPixels {
  /** One row of `width` numbers for each label. */
  readonly pixels: ArrayLike<number>
  readonly labels: ArrayLike<number>
}

const classes = 10

/** Trains by stochastic gradient descent with momentum, in the given order; returns a classifier. */
export const fitSoftmax = (
  { pixels, labels }: LabelledPixels,
  width: number,
  epochs: number,
): ((data: LabelledPixels) => number) => {
  const weights = new Float64Array(classes * (width + 1))
  const velocity = new Float64Array(weights.length)
  const count = labels.length
  const batch = 25
  const gradient = new Float64Array(weights.length)
  for (let epoch = 0; epoch < epochs; epoch++) {
    const rate = 0.05 * (1 - epoch / epochs)
    for (let start = 0; start < count; start += batch) {
      const end = Math.min(count, start + batch)
      gradient.fill(0)
      for (let i = start; i < end; i++) {
        const errors = softmax(scores(weights, pixels, i, width))
        errors[labels[i]!]! -= 1
        for (let k = 0; k < classes; k++) {
          const row = k * (width + 1)
          const error = errors[k]! / (end - start)
          for (let j = 0; j < width; j++) gradient[row + j]! += error * pixels[i * width + j]!
          gradient[row + width]! += error
        }
      }
      for (let j = 0; j < weights.length; j++) {
        velocity[j] = 0.9 * velocity[j]! - rate * gradient[j]!
        weights[j]! += velocity[j]!
      }
    }
  }
  return (data) => accuracy(weights, data, width)
}

const scores = (
  weights: Float64Array,
  pixels: ArrayLike<number>,
  row: number,
  width: number,
): Float64Array => {
  const out = new Float64Array(classes)
  for (let k = 0; k < classes; k++) {
    const start = k * (width + 1)
    let sum = weights[start + width]!
    for (let j = 0; j < width; j++) sum += weights[start + j]! * pixels[row * width + j]!
    out[k] = sum
  }
  return out
}

const softmax = (logits: Float64Array): Float64Array => {
  const largest = Math.max(...logits)
  const powers = logits.map((z) => Math.exp(z - largest))
  const total = powers.reduce((sum, p) => sum + p, 0)
  return powers.map((p) => p / total)
}

const accuracy = (
  weights: Float64Array,
  { pixels, labels }: LabelledPixels,
  width: number,
): number => {
  let right = 0
  for (let i = 0; i < labels.length; i++) {
    const row = scores(weights, pixels, i, width)
    if (row.indexOf(Math.max(...row)) === labels[i]) right++
  }
  return right / labels.length
}
