/** Multiply-adds of a graph: what its products and convolutions multiply and add. */
import { type Equation, type Graph, loweringOf, sizeOf, trace, typesOf } from '@cotangent/core'

const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null

const numbers = (params: unknown, name: string): readonly number[] => {
  const value = isRecord(params) ? params[name] : undefined
  return Array.isArray(value) ? value.filter((n) => typeof n === 'number') : []
}

// Every output element takes a window of all channels of its group; where zeros lie between the
// inputs (a transposed convolution), every input element goes into one window instead.
const ofConvolution = ({ inputs, outputs, params }: Equation): number => {
  const [x, kernel] = typesOf(inputs)
  const isDilated = numbers(params, 'inputDilation').some((d) => d > 1)
  return isDilated
    ? (sizeOf(x!.shape) * sizeOf(kernel!.shape)) / (x!.shape[1]! || 1)
    : (sizeOf(outputs[0]!.aval.shape) * sizeOf(kernel!.shape)) / (kernel!.shape[0]! || 1)
}

const contracted = (params: unknown): readonly number[] => {
  const pairs = isRecord(params) ? params['contract'] : undefined
  const [axes]: readonly unknown[] = Array.isArray(pairs) ? pairs : []
  return Array.isArray(axes) ? axes.filter((n) => typeof n === 'number') : []
}

const ofProduct = ({ inputs, outputs, params }: Equation): number => {
  const { shape } = inputs[0]!.aval
  return contracted(params).reduce((n, a) => n * shape[a]!, sizeOf(outputs[0]!.aval.shape))
}

const ofEquation = (equation: Equation): number => {
  const { name } = equation.primitive
  if (name === 'conv') return ofConvolution(equation)
  if (name === 'dotGeneral') return ofProduct(equation)
  const lowering = loweringOf(equation)
  if (lowering.tag === 'expand') {
    const { expand } = lowering
    return multiplyAddsOf(trace('summary', (...xs) => expand(xs), typesOf(equation.inputs)).graph)
  }
  if (lowering.tag !== 'region') return 0
  const { region } = lowering
  switch (region.kind) {
    case 'call':
      return multiplyAddsOf(region.graph)
    case 'scan':
      return region.length * multiplyAddsOf(region.body)
    case 'while':
      return multiplyAddsOf(region.condition) + multiplyAddsOf(region.body)
    case 'branch':
      return Math.max(...region.branches.map(multiplyAddsOf))
    case 'host':
      return 0
    default:
      return region satisfies never
  }
}

/**
 * The multiply-adds of all products and convolutions of a graph; a loop's as often as it runs (a
 * while loop, whose steps are not known, once), of branches the dearest. Padding counts.
 */
export const multiplyAddsOf = (graph: Graph): number =>
  graph.equations.reduce((n, equation) => n + ofEquation(equation), 0)
