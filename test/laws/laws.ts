/** The laws that every primitive obeys, as functions that throw where one is broken. */
import {
  type BatchDim,
  type Graph,
  type Shape,
  type Tensor,
  type Traced,
  check,
  dtypeInfo,
  evaluateGraph,
  fromNDArray,
  isInexact,
  jvpGraph,
  linearizeGraph,
  moveAxis,
  runGraph,
  sizeOf,
  subgraphs,
  tensor,
  trace,
  transposeGraph,
  vmap,
  vmapGraph,
  withZeros,
  zerosLike,
} from '@cotangent/core'
import { expect } from 'vitest'
import { type Random, type Sample, seeded, uniform } from './sample.ts'

const inputsOf = (sample: Sample, seed: number): readonly Tensor[] => sample.inputs(seeded(seed))

const traceSample = (sample: Sample, inputs: readonly Tensor[]): Traced => {
  const traced = trace(
    'law',
    sample.run,
    inputs.map((x) => x.aval),
  )
  check(traced.graph, 'tracing')
  return traced
}

const contains = (graph: Graph, name: string): boolean =>
  graph.equations.some(
    (e) =>
      e.primitive.name === name || subgraphs(e.params).some(([, inner]) => contains(inner, name)),
  )

const valuesOf = (x: Tensor): ArrayLike<number> => x.data()

/** Largest difference relative to the larger magnitude; NaN equals NaN. */
const difference = (got: ArrayLike<number>, want: ArrayLike<number>): number => {
  let scale = 1
  for (let i = 0; i < want.length; i++) {
    if (Number.isFinite(want[i])) scale = Math.max(scale, Math.abs(want[i]!))
  }
  let worst = got.length === want.length ? 0 : Infinity
  for (let i = 0; i < want.length; i++) {
    if (Object.is(got[i], want[i]) || got[i] === want[i]) continue
    const gap = Math.abs(got[i]! - want[i]!)
    worst = Math.max(worst, Number.isNaN(gap) ? Infinity : gap)
  }
  return worst / scale
}

const show = (x: Tensor): string => Array.from(valuesOf(x)).join(' ')

const expectClose = (what: string, got: Tensor, want: Tensor, tolerance: number): void => {
  expect(got.shape, `${what}: shape`).toEqual(want.shape)
  expect(got.dtype, `${what}: dtype`).toBe(want.dtype)
  const error = difference(valuesOf(got), valuesOf(want))
  if (error > tolerance) {
    throw new Error(`${what}: off by ${error}\n  got  ${show(got)}\n  want ${show(want)}`)
  }
}

const toleranceOf = (x: Tensor): number => {
  if (!isInexact(x.dtype)) return 0
  const { bytes } = dtypeInfo[x.dtype]
  return bytes === 8 ? 1e-12 : bytes === 4 ? 1e-5 : 2e-2
}

/** The program uses the primitive, and its declared types are those of its results. */
export const typingLaw = (name: string, sample: Sample): void => {
  const inputs = inputsOf(sample, 1)
  const { graph } = traceSample(sample, inputs)
  expect(contains(graph, name), `the program uses ${name}`).toBe(true)
  const arrays = evaluateGraph(
    graph,
    inputs.map((x) => x.concrete('law').ndarray()),
  )
  arrays.forEach((array, i) => {
    const { shape, dtype } = graph.outputs[i]!.aval
    expect(array.shape).toEqual(shape)
    expect(array.dtype).toBe(dtype)
    expect(array.data.length).toBe(sizeOf(shape))
    const typed = fromNDArray(array)
    expect(Array.from(typed.data()), 'the array has the storage of its dtype').toEqual(
      Array.from(array.data),
    )
  })
}

const isVaried = (x: Tensor): boolean => x.dtype === 'float64'

const tangentsFor = (inputs: readonly Tensor[], random: Random): readonly (Tensor | null)[] =>
  inputs.map((x) => (isVaried(x) ? uniform(random, x.shape) : null))

const along = (
  inputs: readonly Tensor[],
  tangents: readonly (Tensor | null)[],
  step: number,
): readonly Tensor[] =>
  inputs.map((x, i) => {
    const dx = tangents[i]!
    if (dx === null) return x
    const [a, b] = [valuesOf(x), valuesOf(dx)]
    const moved = Float64Array.from({ length: a.length }, (_, k) => a[k]! + step * b[k]!)
    return tensor(moved, { shape: x.shape })
  })

/** The derivative of `f` by central differences of fourth order; null for integer outputs. */
const differenceQuotient = (
  f: (...inputs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
  tangents: readonly (Tensor | null)[],
): readonly (Tensor | null)[] => {
  const h = 1e-3
  const at = (k: number): readonly Tensor[] => f(...along(inputs, tangents, k * h))
  const [a, b, c, d] = [at(-2), at(-1), at(1), at(2)]
  return a.map((y, o) => {
    if (!isInexact(y.dtype)) return null
    const [p, q, r, s] = [a, b, c, d].map((ys) => valuesOf(ys[o]!))
    const slope = Float64Array.from(
      { length: y.size },
      (_, k) => (p![k]! - 8 * q![k]! + 8 * r![k]! - s![k]!) / (12 * h),
    )
    return tensor(slope, { shape: y.shape, dtype: y.dtype })
  })
}

const filledIn = (tangent: Tensor | null | undefined, output: Tensor): Tensor =>
  tangent ?? zerosLike(output)

const derivativeTolerance = 1e-7

const expectDerivative = (
  what: string,
  f: (...inputs: readonly Tensor[]) => readonly Tensor[],
  inputs: readonly Tensor[],
  random: Random,
): void => {
  const traced = trace(
    'law',
    f,
    inputs.map((x) => x.aval),
  )
  const tangents = tangentsFor(inputs, random)
  const { outputs, tangents: dys } = jvpGraph(traced.graph, inputs, tangents)
  differenceQuotient(f, inputs, tangents).forEach((want, o) => {
    if (want === null) return
    expectClose(`${what} of output ${o}`, filledIn(dys[o], outputs[o]!), want, derivativeTolerance)
  })
}

/** jvp = the difference quotient; its outputs = the function's. */
export const jvpLaw = (sample: Sample): void => {
  for (const seed of [1, 2]) {
    const inputs = inputsOf(sample, seed)
    expectDerivative('jvp', sample.run, inputs, seeded(seed + 100))
    const { graph } = traceSample(sample, inputs)
    const { outputs } = jvpGraph(graph, inputs, tangentsFor(inputs, seeded(7)))
    sample.run(...inputs).forEach((y, o) => expectClose(`output ${o}`, outputs[o]!, y, 1e-12))
  }
}

const inner = (xs: readonly (Tensor | null)[], ys: readonly (Tensor | null)[]): number =>
  xs.reduce((sum, x, i) => {
    const y = ys[i] ?? null
    if (x === null || y === null) return sum
    const [a, b] = [valuesOf(x), valuesOf(y)]
    return Array.from(a).reduce((s, v, k) => s + v * b[k]!, sum)
  }, 0)

/** The vector-Jacobian product as a function: one gradient for each varied input. */
const pullback = (
  graph: Graph,
  inputs: readonly Tensor[],
  cotangents: (outputs: readonly Tensor[]) => readonly Tensor[],
): readonly Tensor[] => {
  const wrt = inputs.map(isVaried)
  const { outputs, linear, dependent } = linearizeGraph(graph, inputs, wrt)
  check(linear.graph, 'linearisation')
  const holes = inputs.filter(isVaried).map(() => null)
  const cts = cotangents(outputs).filter((_, o) => dependent[o]!)
  const grads = transposeGraph(linear.graph, [...linear.captures, ...holes], cts)
  return inputs.filter(isVaried).map((x, i) => grads[i] ?? zerosLike(x))
}

const cotangentsLike =
  (random: Random): ((outputs: readonly Tensor[]) => readonly Tensor[]) =>
  (outputs) =>
    outputs.map((y) => uniform(random, y.shape, y.dtype))

/** ⟨transpose(ct), dx⟩ = ⟨ct, jvp(dx)⟩, the right side by the linear graph or by differences. */
export const transposeLaw = (sample: Sample): void => {
  for (const seed of [1, 2]) {
    const inputs = inputsOf(sample, seed)
    const { graph } = traceSample(sample, inputs)
    const tangents = tangentsFor(inputs, seeded(seed + 200))
    const varied = tangents.filter((t) => t !== null)
    const cts = cotangentsLike(seeded(seed + 300))(sample.run(...inputs))
    const gradients = pullback(graph, inputs, () => cts)
    gradients.forEach((g, i) => expect(g.shape).toEqual(inputs.filter(isVaried)[i]!.shape))
    const left = inner(gradients, varied)
    if (sample.derivatives !== 'reverse') {
      const { outputs, linear, dependent } = linearizeGraph(graph, inputs, inputs.map(isVaried))
      const dys = runGraph(linear.graph, [...linear.captures, ...varied])
      const right = inner(
        cts,
        withZeros(
          dependent,
          dys,
          outputs.map((y) => y.aval),
        ),
      )
      expect(Math.abs(left - right) / Math.max(1, Math.abs(right))).toBeLessThan(1e-11)
    }
    const slopes = differenceQuotient(sample.run, inputs, tangents)
    const measured = inner(cts, slopes)
    expect(Math.abs(left - measured) / Math.max(1, Math.abs(measured))).toBeLessThan(1e-6)
  }
}

/** The derivative of the gradient agrees with differences of the gradient. */
export const secondOrderLaw = (sample: Sample): void => {
  const inputs = inputsOf(sample, 3)
  const cts = cotangentsLike(seeded(42))(sample.run(...inputs))
  const gradient = (...xs: readonly Tensor[]): readonly Tensor[] =>
    pullback(
      trace(
        'law',
        sample.run,
        xs.map((x) => x.aval),
      ).graph,
      xs,
      () => cts,
    )
  expectDerivative('derivative of the gradient', gradient, inputs, seeded(43))
}

const batchSize = 3

const stack = (items: readonly Tensor[], axis: number): Tensor => {
  const first = items[0]!
  const row = first.size
  const data = new Float64Array(row * items.length)
  items.forEach((x, b) => data.set(Array.from(valuesOf(x)), b * row))
  const front = tensor(data, { shape: [items.length, ...first.shape], dtype: first.dtype })
  return moveAxis(front, 0, axis)
}

const unstack = (batched: Tensor, dim: BatchDim, b: number): Tensor => {
  if (dim === null) return batched
  const front = moveAxis(batched, dim, 0)
  const shape: Shape = front.shape.slice(1)
  const data = valuesOf(front)
  const row = sizeOf(shape)
  return tensor(
    Float64Array.from({ length: row }, (_, k) => data[b * row + k]!),
    {
      shape,
      dtype: batched.dtype,
    },
  )
}

/** Every choice of batched inputs, and every place of the batch axis. */
const batchings = (
  inputs: readonly Tensor[],
  unbatched: readonly number[],
): readonly (readonly BatchDim[])[] => {
  const rank = Math.max(0, ...inputs.map((x) => x.ndim))
  const result: (readonly BatchDim[])[] = []
  for (let mask = 1; mask < 2 ** inputs.length; mask++) {
    if (unbatched.some((i) => (mask >> i) & 1)) continue
    for (let place = 0; place <= rank; place++) {
      result.push(inputs.map((x, i) => ((mask >> i) & 1 ? Math.min(place, x.ndim) : null)))
    }
  }
  return result
}

/** vmap = a loop, wherever the batch axis is, also counted from the end. */
export const vmapLaw = (sample: Sample): void => {
  const rows = Array.from({ length: batchSize }, (_, b) => inputsOf(sample, 10 + b))
  const first = rows[0]!
  const { graph } = traceSample(sample, first)
  for (const dims of batchings(first, sample.unbatched)) {
    const inputs = first.map((x, i) => {
      const dim = dims[i]!
      return dim === null
        ? x
        : stack(
            rows.map((row) => row[i]!),
            dim,
          )
    })
    const negative = dims.map((d, i) => (d === null ? null : d - inputs[i]!.ndim))
    const { outputs, dims: outDims } = vmapGraph(graph, inputs, dims, {
      size: batchSize,
      name: null,
    })
    const mapped = vmap(sample.run, { inAxes: negative, outAxes: -1 })(...inputs)
    for (let b = 0; b < batchSize; b++) {
      const row = first.map((x, i) => (dims[i] === null ? x : rows[b]![i]!))
      sample.run(...row).forEach((want, o) => {
        const what = `output ${o} of row ${b}, axes ${dims.join(',')}`
        const tolerance = toleranceOf(want)
        expectClose(what, unstack(outputs[o]!, outDims[o]!, b), want, tolerance)
        expectClose(
          `${what}, negative`,
          unstack(mapped[o]!, mapped[o]!.ndim - 1, b),
          want,
          tolerance,
        )
      })
    }
  }
}
