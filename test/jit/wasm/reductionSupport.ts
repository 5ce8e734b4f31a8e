/** Reductions as plain loops and as tiles of vectors, walked and compared. */
import { type DType, type Index, type Scalar, type Stmt, makeStore, scalars } from '@cotangent/core'
import { type VectorReductionSpec, describePlan, emitVectorReduction } from '@cotangent/jit'
import { expect } from 'vitest'
import { LanesWalker } from './lanesWalk.ts'

const { affine, binaryOp, convertTo, flatten, literal, load, local } = scalars

export const size = (shape: readonly number[]): number => shape.reduce((a, b) => a * b, 1)
export const wide = (x: Scalar): Scalar => convertTo('float64', x)
export const add = (x: Scalar, y: Scalar): Scalar => binaryOp('add', x, y)
export const multiply = (x: Scalar, y: Scalar): Scalar => binaryOp('multiply', x, y)
export const read = (name: string, shape: readonly number[], at: readonly Index[]): Scalar =>
  load(name, 'float32', flatten(shape, at))
export const sum = (...terms: readonly (readonly [number, Index])[]): Index => affine(terms)

/** The reduction as plain loops: what every tile must agree with. */
const plainLoops = (spec: VectorReductionSpec): readonly Stmt[] => {
  const names = spec.accumulators.map((_, a) => `total${a}`)
  const accs = spec.accumulators.map((a, n) => local(a.dtype, names[n]!))
  const out = spec.outputs.map((o) => scalars.counter(o.name, o.extent))
  const next = spec.step(
    accs,
    out,
    spec.extents.map((extent, d) => scalars.counter(`r${d}`, extent)),
  )
  const loop = (counter: string, extent: number, body: readonly Stmt[]): readonly Stmt[] => [
    { tag: 'for', counter, extent, body },
  ]
  const step = [
    ...next.map((value, a): Stmt => ({ tag: 'let', name: `next${a}`, value })),
    ...names.map((name, a): Stmt => {
      return { tag: 'assign', name, value: local(accs[a]!.dtype, `next${a}`) }
    }),
  ]
  const inner = spec.extents.reduceRight<readonly Stmt[]>(
    (body, extent, d) => loop(`r${d}`, extent, body),
    step,
  )
  const declared = spec.accumulators.map(({ dtype, initial }, a): Stmt => {
    return { tag: 'variable', name: names[a]!, value: literal(dtype, initial) }
  })
  return spec.outputs.reduceRight<readonly Stmt[]>(
    (body, o) => loop(o.name, o.extent, body),
    [...declared, ...inner, ...spec.finish(accs, out)],
  )
}

export interface Case {
  readonly spec: Omit<VectorReductionSpec, 'scratch' | 'before'>
  readonly inputs: Readonly<Record<string, readonly number[]>>
  readonly output: readonly number[]
  readonly dtype?: DType
  readonly inputType?: DType
  /** Relative to the largest result. */
  readonly tolerance?: number
  /** False where loops surround the reduction: no scratch, nothing before. */
  readonly outermost?: boolean
}

const sample = (dtype: DType, n: number): number =>
  dtype === 'int32' ? ((n * 7919) % 23) - 11 : (((n * 7919) % 1009) - 504) / 256

/** Runs both and compares; gives what was planned. */
export const agree = (c: Case): string => {
  const { inputs, output, dtype = 'float32', inputType = dtype, tolerance = 1e-5 } = c
  const run = (
    make: (
      buffers: Map<string, { dtype: DType; data: ReturnType<typeof makeStore> }>,
    ) => readonly Stmt[],
  ): ReturnType<typeof makeStore> => {
    const buffers = new Map<string, { dtype: DType; data: ReturnType<typeof makeStore> }>()
    for (const [name, shape] of Object.entries(inputs)) {
      const data = makeStore(inputType, size(shape))
      for (let i = 0; i < data.length; i++) data[i] = sample(inputType, i + name.length)
      buffers.set(name, { dtype: inputType, data })
    }
    const out = makeStore(dtype, size(output))
    out.fill(77)
    buffers.set('out', { dtype, data: out })
    new LanesWalker(buffers).run(make(buffers))
    return out
  }
  const wanted = run(() => plainLoops(c.spec))
  const got = run((buffers) => {
    const before: Stmt[] = []
    const outermost = {
      scratch: (elements: number, type: DType): string => {
        const name = `s${buffers.size}`
        buffers.set(name, { dtype: type, data: makeStore(type, elements).fill(99) })
        return name
      },
      before: (phase: readonly Stmt[]): void => {
        before.push(...phase)
      },
    }
    const spec = c.outermost === false ? c.spec : { ...c.spec, ...outermost }
    const body = emitVectorReduction(spec)
    return [...before, ...body]
  })
  let largest = 1
  for (const x of wanted) if (Number.isFinite(x)) largest = Math.max(largest, Math.abs(x))
  for (let i = 0; i < wanted.length; i++) {
    const [x, y] = [wanted[i]!, got[i]!]
    const close = Object.is(x, y) || x === y || Math.abs(x - y) <= tolerance * largest
    if (!close)
      expect(y, `element ${i} of ${describePlan({ ...c.spec, scratch: () => 's' })}`).toBe(x)
  }
  return describePlan(c.outermost === false ? c.spec : { ...c.spec, scratch: () => 's' })
}

/** Stores the one accumulator as float32. */
export const storing =
  (output: readonly number[], dtype: DType = 'float32'): VectorReductionSpec['finish'] =>
  ([acc], index) => [
    { tag: 'store', buffer: 'out', at: flatten(output, index), value: convertTo(dtype, acc!) },
  ]
