/** How much an activation shrinks what goes through it. */

export type Nonlinearity = 'linear' | 'conv' | 'sigmoid' | 'tanh' | 'relu' | 'leakyRelu' | 'selu'

/**
 * The factor on a layer's standard deviation that its activation calls for, PyTorch's values: 1, 5/3 for
 * tanh, √2 for relu, √(2 / (1 + slope²)) for leakyRelu (slope 0.01 unless given), 3/4 for selu.
 * @example
 * // PyTorch's default for linear and convolutional layers, uniform within ±1/√fanIn:
 * initializers.kaimingUniform({ gain: initializers.calculateGain('leakyRelu', Math.sqrt(5)) })
 */
export const calculateGain = (nonlinearity: Nonlinearity, slope = 0.01): number => {
  switch (nonlinearity) {
    case 'linear':
    case 'conv':
    case 'sigmoid':
      return 1
    case 'tanh':
      return 5 / 3
    case 'relu':
      return Math.SQRT2
    case 'leakyRelu':
      return Math.sqrt(2 / (1 + slope * slope))
    case 'selu':
      return 3 / 4
    default:
      return nonlinearity satisfies never
  }
}
