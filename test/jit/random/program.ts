/** Random programs, and running one compiled and interpreted. */
import { type DType, type Tensor, Concrete, Storage, isFloat, makeStore } from '@cotangent/core'
import fc from 'fast-check'
import { drawsFrom, edgesOf, encode } from '../programs.ts'
import { runSteps } from './control.ts'
import { Pool, type PoolOptions, type Step, type Value } from './pool.ts'

export interface Program {
  readonly seed: number
  readonly steps: readonly Step[]
  /** Which values are returned, counting from the newest; inputs, constants and twice the same too. */
  readonly outputs: readonly number[]
}

const stepOf = (depth: number): fc.Arbitrary<Step> =>
  fc.record({
    op: fc.nat(997),
    a: fc.nat(40),
    b: fc.nat(40),
    c: fc.nat(40),
    body: depth === 0 ? fc.constant([]) : fc.array(stepOf(depth - 1), { maxLength: 4 }),
  })

export const programs = (maxLength = 12, depth = 2): fc.Arbitrary<Program> =>
  fc.record({
    seed: fc.nat(1 << 20),
    steps: fc.array(stepOf(depth), { minLength: 1, maxLength }),
    outputs: fc.array(fc.nat(16), { minLength: 1, maxLength: 5 }),
  })

type InputType = readonly [DType, readonly number[]]

const inputTypes: readonly InputType[] = [
  ['float32', [3, 4]],
  ['int32', [4]],
  ['float32', [2, 3, 4]],
  ['bool', [3, 4]],
  ['float32', []],
  ['int32', [2, 3]],
  ['float32', [0, 4]],
  ['uint8', [4]],
  ['float64', [3, 1]],
  ['float32', [5, 6]],
  // Enough rows, and long enough, for kernels over rows.
  ['float32', [6, 12]],
  ['float32', [5, 3, 9]],
  ['int32', [8, 8]],
  ['uint32', [4]],
  ['bfloat16', [4]],
  ['float16', [3, 4]],
  ['int8', [3]],
  // Whole vectors and what is left over, in more than a kibibyte.
  ['float32', [7, 3, 13]],
  ['float32', [1, 5, 1]],
  ['float64', [13]],
  ['uint16', [7, 5]],
  ['int16', [1, 13]],
]

const valueOf = (dtype: DType, draws: ReturnType<typeof drawsFrom>): number => {
  if (draws.chance(0.04)) {
    const edges = edgesOf(dtype).filter((x) => !isFloat(dtype) || Math.abs(x) < 100 || x !== x)
    return draws.pick(edges)
  }
  if (dtype === 'bool') return draws.below(2)
  if (isFloat(dtype)) return (draws.below(33) - 16) / 8 + (draws.chance(0.5) ? 0.0625 : 0)
  return dtype.startsWith('u') ? draws.below(9) : draws.below(11) - 5
}

/** Enough for several rounds of every loop that threads share, and for lanes that are left over. */
const largeTypes: readonly InputType[] = [
  ['float32', [131, 97]],
  ['float32', [97]],
  ['float32', [131, 1]],
  ['int32', [131, 97]],
  ['uint8', [131, 97]],
  ['float32', [3, 4099]],
  ['bool', [131, 97]],
  ['bfloat16', [131, 97]],
  ['float16', [97]],
  ['float64', [131, 97]],
  ['int16', [131, 97]],
  ['uint32', [97]],
  ['int32', [7]],
  ['float32', [5, 7, 13, 29]],
]

/** The inputs of a program; the same every time. `smooth` leaves out special values and all but float32. */
export const inputsOf = ({ seed }: Program, smooth = false): readonly Concrete[] => {
  const types = smooth ? inputTypes.filter(([dtype]) => dtype === 'float32') : inputTypes
  return drawInputs(seed, types, smooth)
}

/** Inputs of some ten thousand elements. */
export const largeInputsOf = ({ seed }: Program): readonly Concrete[] =>
  drawInputs(seed, largeTypes, false)

const drawInputs = (
  seed: number,
  types: readonly InputType[],
  smooth: boolean,
): readonly Concrete[] => {
  const draws = drawsFrom(seed)
  return Array.from({ length: 2 + draws.below(3) }, (_, i) => {
    const [dtype, shape] = i === 0 ? types[0]! : draws.pick(types)
    const size = shape.reduce((n, extent) => n * extent, 1)
    const values = Array.from({ length: size }, () =>
      smooth ? (draws.below(2000) - 1000) / 700 : valueOf(dtype, draws),
    )
    return new Concrete({ shape, dtype, weak: false }, new Storage(encode(dtype, values)))
  })
}

/** The same tensors as views: every other element of a row, rows from the last to the first. */
export const asViews = (tensors: readonly Concrete[]): readonly Concrete[] =>
  tensors.map((x, n) => {
    const { shape, dtype } = x.aval
    const elements = x.storage.read()
    if (elements.length === 0 || n % 3 === 2) return x
    const wide = makeStore(dtype, 2 * elements.length + 5)
    const rows = shape[0] ?? 1
    const row = elements.length / rows
    elements.forEach((value, i) => {
      wide[5 + 2 * ((rows - 1 - Math.floor(i / row)) * row + (i % row))] = value
    })
    const inner = (d: number): number => shape.slice(d + 1).reduce((m, extent) => m * extent, 2)
    return new Concrete(x.aval, new Storage(wide), {
      offset: 5 + 2 * (rows - 1) * row,
      strides: shape.map((_, d) => (d === 0 ? -inner(0) : inner(d))),
    })
  })

/** Every value of a program run on these inputs; the inputs first. */
export const valuesOf = (
  { steps }: Program,
  inputs: readonly Tensor[],
  options: PoolOptions,
): readonly Value[] => {
  const pool = new Pool(
    inputs.map((tensor) => ({ tensor, tolerance: 0 })),
    options,
  )
  runSteps(pool, steps)
  return pool.values
}

/** The values that a program returns. */
export const outputsOf = (program: Program, values: readonly Value[]): readonly Value[] =>
  program.outputs.map((n) => values[values.length - 1 - (n % values.length)]!)
