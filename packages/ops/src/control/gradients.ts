/** How large the gradient of each layer is, and where it gets lost. */
import {
  type Tensor,
  erase,
  flatten,
  leafPaths,
  leafTensor,
  requireFunction,
  requireOptions,
  traceTree,
  valueAndGrad,
} from '@cotangent/core'

export type GradientVerdict = 'healthy' | 'vanishes' | 'explodes' | 'nan'

/** The gradient of one layer: of all parameters that share a parent in the tree. */
export interface LayerGradient {
  /** The path of the parent, `encoder.dense1`; of the parameter itself where it has none. */
  readonly layer: string
  /** The number of parameters. */
  readonly parameters: number
  /** The Euclidean norm of the gradient. */
  readonly norm: number
  /** The Euclidean norm of the parameters. */
  readonly parameterNorm: number
  /** `norm / parameterNorm`; `norm` itself where all parameters are zero. */
  readonly ratio: number
  /** The largest absolute value. */
  readonly largest: number
  /** The share of values that are exactly zero, 0 to 1: dead units. */
  readonly zeros: number
  readonly verdict: GradientVerdict
}

export interface GradientLimits {
  /** A ratio below this counts as vanished; 1e-6 by default. */
  readonly vanishing?: number
  /** A ratio above this counts as exploded; 1e3 by default. */
  readonly exploding?: number
}

/** What `debug.gradients` finds; as text, a table. */
export interface GradientReport {
  /** What the function gave. */
  readonly value: number
  /** In the order in which the function first uses them. */
  readonly layers: readonly LayerGradient[]
  /**
   * The first layer that is not healthy, counted as gradients travel: from the value backwards.
   * Those before it in the network suffer from it. Null where all are healthy.
   */
  readonly first: LayerGradient | null
  toString(): string
}

/**
 * The gradient of a scalar function by its first argument, layer by layer: norms, and a verdict on
 * each. A gradient's norm is judged relative to that of the parameters: that is what a step changes
 * of them.
 * @throws ShapeError unless the function gives a scalar, DTypeError for integer parameters.
 * @see Hochreiter 1991; Pascanu, Mikolov & Bengio 2013
 * @example
 * const report = debug.gradients(loss)(params, x, y)
 * if (report.first !== null) console.log(report.first.layer, report.first.verdict)
 * console.log(String(report)) // a table
 */
export const gradients = <A extends readonly unknown[]>(
  f: (...args: A) => Tensor,
  limits: GradientLimits = {},
): ((...args: A) => GradientReport) => {
  requireFunction('debug.gradients', f)
  requireOptions('debug.gradients', limits, ['vanishing', 'exploding'])
  return (...args) => {
    const [value, gradient] = valueAndGrad(f)(...args)
    const parameters = flatten(args[0], 'debug.gradients')
    const flat = flatten(gradient, 'debug.gradients')
    const norms = parameters.leaves.map((leaf, i): Measured => {
      const values = leafTensor(flat.leaves[i]!).data()
      return { ...measure(values), parameterSquares: measure(leafTensor(leaf).data()).squares }
    })
    const uses = firstUses(f, args, norms.length)
    const layers = groupByLayer(leafPaths(parameters.structure), uses).map(([layer, places]) =>
      judge(
        layer,
        places.map((i) => norms[i]!),
        limits,
      ),
    )
    const first = layers.findLast(({ verdict }) => verdict !== 'healthy') ?? null
    return Object.freeze({
      value: value.item(),
      layers: Object.freeze(layers),
      first,
      toString: () => showReport(value.item(), layers, first),
    })
  }
}

interface Totals {
  readonly count: number
  readonly squares: number
  readonly largest: number
  readonly zeros: number
}

interface Measured extends Totals {
  readonly parameterSquares: number
}

// In float64, where the square of no float32 overflows.
const measure = (values: ArrayLike<number>): Totals => {
  let [squares, largest, zeros] = [0, 0, 0]
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!)
    squares += size * size
    largest = Math.max(largest, size)
    if (size === 0) zeros++
  }
  return { count: values.length, squares, largest, zeros }
}

/** For each parameter the place of the first operation that uses it; Infinity where none does. */
const firstUses = (
  f: (...args: never) => unknown,
  args: readonly unknown[],
  parameters: number,
): readonly number[] => {
  const { leaves, structure } = flatten(args, 'debug.gradients')
  const xs = leaves.map(leafTensor)
  const types = xs.map((x) => x.aval)
  const { graph } = traceTree('debug.gradients', erase(f), structure, types, xs)
  const start = graph.inputs.length - xs.length
  return graph.inputs.slice(start, start + parameters).map((parameter) => {
    const place = graph.equations.findIndex(({ inputs }) => inputs.includes(parameter))
    return place < 0 ? Infinity : place
  })
}

/** `encoder.dense1` of `encoder.dense1.kernel`. */
const layerOf = (path: string): string => {
  const end = path.lastIndexOf('.')
  return end < 0 ? path : path.slice(0, end)
}

// Ordered by first use; among equals (a compiled function is one operation) by name.
const groupByLayer = (
  paths: readonly string[],
  uses: readonly number[],
): readonly (readonly [layer: string, places: readonly number[]])[] => {
  const groups = new Map<string, number[]>()
  paths.forEach((path, i) => {
    const layer = layerOf(path)
    groups.set(layer, [...(groups.get(layer) ?? []), i])
  })
  const firstOf = (places: readonly number[]): number => Math.min(...places.map((i) => uses[i]!))
  return [...groups].sort(
    ([a, as], [b, bs]) =>
      compare(firstOf(as), firstOf(bs)) || a.localeCompare(b, 'en', { numeric: true }),
  )
}

// Infinity − Infinity would be NaN.
const compare = (a: number, b: number): number => (a === b ? 0 : a - b)

const judge = (
  layer: string,
  parts: readonly Measured[],
  { vanishing = 1e-6, exploding = 1e3 }: GradientLimits,
): LayerGradient => {
  const sum = (of: (part: Measured) => number): number => parts.reduce((n, p) => n + of(p), 0)
  const parameters = sum(({ count }) => count)
  const norm = Math.sqrt(sum(({ squares }) => squares))
  const parameterNorm = Math.sqrt(sum(({ parameterSquares }) => parameterSquares))
  const ratio = parameterNorm === 0 ? norm : norm / parameterNorm
  const verdict = verdictOn(ratio, vanishing, exploding)
  return Object.freeze({
    layer,
    parameters,
    norm,
    parameterNorm,
    ratio,
    largest: Math.max(...parts.map(({ largest }) => largest)),
    zeros: sum(({ zeros }) => zeros) / parameters,
    verdict,
  })
}

const verdictOn = (ratio: number, vanishing: number, exploding: number): GradientVerdict => {
  if (Number.isNaN(ratio)) return 'nan'
  if (ratio > exploding) return 'explodes'
  return ratio < vanishing ? 'vanishes' : 'healthy'
}

const heads = ['layer', 'parameters', 'gradient', 'weights', 'ratio', 'largest', 'zeros', '']

const showReport = (
  value: number,
  layers: readonly LayerGradient[],
  first: LayerGradient | null,
): string => {
  const lines = layers.map((l) => [
    l.layer,
    l.parameters.toLocaleString('en'),
    ...[l.norm, l.parameterNorm, l.ratio, l.largest].map((x) => x.toExponential(1)),
    `${(100 * l.zeros).toFixed(0)} %`,
    l.verdict === 'healthy' ? '' : l.verdict,
  ])
  const rows = [heads, ...lines]
  const widths = heads.map((_, c) => Math.max(...rows.map((row) => row[c]!.length)))
  const table = rows.map((row) =>
    row
      .map((cell, c) => (c === 0 ? cell.padEnd(widths[c]!) : cell.padStart(widths[c]!)))
      .join('  ')
      .trimEnd(),
  )
  const found =
    first === null
      ? 'all gradients are healthy'
      : `from the value backwards, ${first.layer} is the first that ${
          first.verdict === 'nan' ? 'is NaN' : first.verdict
        }`
  return [`value ${value}; ${found}`, ...table].join('\n')
}
