/** The work of a graph, as textbooks count it. */
import {
  type Aval,
  type Equation,
  type Graph,
  type Region,
  type ShapeDType,
  type Tensor,
  bindAny,
  erase,
  loweringOf,
  sizeOf,
  trace,
  typesOf,
} from '@cotangent/core'
import { costOf } from '@cotangent/ops'

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

/** What a graph computes. */
export interface Work {
  /** Of products and convolutions. */
  readonly multiplyAdds: number
  /** Two for each multiply-add, and one for every other operation on floats. */
  readonly flops: number
}

const nothing: Work = { multiplyAdds: 0, flops: 0 }
const products = (n: number): Work => ({ multiplyAdds: n, flops: 2 * n })
const plus = (a: Work, b: Work): Work => ({
  multiplyAdds: a.multiplyAdds + b.multiplyAdds,
  flops: a.flops + b.flops,
})
const dearer = (a: Work, b: Work): Work => (b.flops > a.flops ? b : a)

const single = ({ primitive, inputs, params }: Equation): Work => {
  const f = (...xs: readonly Tensor[]): readonly Tensor[] => bindAny(primitive, xs, params)
  return { multiplyAdds: 0, flops: costOf(erase(f))(...typesOf(inputs).map(plainType)).flops }
}
const plainType = ({ shape, dtype }: Aval): ShapeDType => ({ shape, dtype })

const ofRegion = (region: Region): Work => {
  switch (region.kind) {
    case 'call':
      return workOf(region.graph)
    case 'scan': {
      const { multiplyAdds, flops } = workOf(region.body)
      return { multiplyAdds: region.length * multiplyAdds, flops: region.length * flops }
    }
    case 'while':
      return plus(workOf(region.condition), workOf(region.body))
    case 'branch':
      return region.branches.map(workOf).reduce(dearer, nothing)
    case 'host':
      return nothing
    default:
      return region satisfies never
  }
}

const ofEquation = (equation: Equation): Work => {
  const { name } = equation.primitive
  // As they are defined: a lowering may get by with fewer products.
  if (name === 'conv') return products(ofConvolution(equation))
  if (name === 'dotGeneral') return products(ofProduct(equation))
  const lowering = loweringOf(equation)
  if (lowering.tag === 'region') return ofRegion(lowering.region)
  if (lowering.tag !== 'expand') return single(equation)
  const { expand } = lowering
  return workOf(trace('summary', (...xs) => expand(xs), typesOf(equation.inputs)).graph)
}

/**
 * The work of a graph, padding included; a loop's as often as it runs (a while loop, whose steps are
 * not known, once), of branches the dearest.
 */
export const workOf = (graph: Graph): Work => graph.equations.map(ofEquation).reduce(plus, nothing)
