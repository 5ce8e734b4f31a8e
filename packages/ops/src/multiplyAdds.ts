/** Multiply-adds of products and convolutions as they are defined: a lowering may get by with fewer. */
import { type Equation, sizeOf, typesOf } from '@cotangent/core'

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const numbers = (values: unknown): readonly number[] =>
  Array.isArray(values) ? values.filter((n) => typeof n === 'number') : []

// Every output element takes a window of all channels of its group; where zeros lie between the
// inputs (a transposed convolution), every input element goes into one window instead.
const ofConvolution = ({ inputs, outputs, params }: Equation): number => {
  const [x, kernel] = typesOf(inputs)
  const dilation = isRecord(params) ? numbers(params['inputDilation']) : []
  return dilation.some((d) => d > 1)
    ? (sizeOf(x!.shape) * sizeOf(kernel!.shape)) / (x!.shape[1]! || 1)
    : (sizeOf(outputs[0]!.aval.shape) * sizeOf(kernel!.shape)) / (kernel!.shape[0]! || 1)
}

const ofProduct = ({ inputs, outputs, params }: Equation): number => {
  const pairs = isRecord(params) ? params['contract'] : undefined
  const contracted = numbers(Array.isArray(pairs) ? pairs[0] : undefined)
  const { shape } = inputs[0]!.aval
  return contracted.reduce((n, a) => n * shape[a]!, sizeOf(outputs[0]!.aval.shape))
}

/** Those of a convolution or a product, padding included; null for other operations. */
export const multiplyAddsOf = (equation: Equation): number | null => {
  switch (equation.primitive.name) {
    case 'conv':
      return ofConvolution(equation)
    case 'dotGeneral':
      return ofProduct(equation)
    default:
      return null
  }
}
