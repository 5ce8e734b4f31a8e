/**
 * The threefry2x32 block function with 20 rounds: two words of key, two of counter, two of random
 * bits. @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"
 */
import {
  type Index,
  type NDArray,
  type Primitive,
  type Scalar,
  type Source,
  type Tensor,
  type TypedArray,
  alignBatch,
  aval,
  bind,
  definePrimitive,
  makeArray,
  requireDType,
  requireSame,
  scalars,
  wholeEquation,
} from '@cotangent/core'
import { neverLinear } from './rules.ts'

const { binaryOp, literal } = scalars

type Slots = readonly ['k0', 'k1', 'c0', 'c1']
const slots: Slots = ['k0', 'k1', 'c0', 'c1']

const parity = 0x1bd11bda
const rotations: readonly (readonly number[])[] = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
]

/** The block function on plain numbers, element by element. */
const hashAll = (inputs: readonly NDArray[], first: TypedArray, second: TypedArray): void => {
  const [k0, k1, c0, c1] = inputs.map((x) => x.data)
  for (let i = 0; i < first.length; i++) {
    const [x, y] = [k0![i]!, k1![i]!]
    const keys = [x, y, x ^ y ^ parity]
    let a = (c0![i]! + x) | 0
    let b = (c1![i]! + y) | 0
    for (let group = 0; group < 5; group++) {
      const turns = rotations[group % 2]!
      for (let round = 0; round < 4; round++) {
        const by = turns[round]!
        a = (a + b) | 0
        b = ((b << by) | (b >>> (32 - by))) ^ a
      }
      a = (a + keys[(group + 1) % 3]!) | 0
      b = (b + keys[(group + 2) % 3]! + group + 1) | 0
    }
    first[i] = a
    second[i] = b
  }
}

const word = (value: number): Scalar => literal('uint32', value)
const plus = (x: Scalar, y: Scalar): Scalar => binaryOp('add', x, y)
const xor = (x: Scalar, y: Scalar): Scalar => binaryOp('xor', x, y)

const rotate = (x: Scalar, by: number): Scalar =>
  binaryOp(
    'or',
    binaryOp('shiftLeft', x, word(by)),
    binaryOp('shiftRightLogical', x, word(32 - by)),
  )

// The same as expressions: a graph in which every round reads the nodes of the one before.
const blockScalars = (
  k0: Scalar,
  k1: Scalar,
  c0: Scalar,
  c1: Scalar,
): readonly [Scalar, Scalar] => {
  const keys = [k0, k1, xor(xor(k0, k1), word(parity))] as const
  let a = plus(c0, k0)
  let b = plus(c1, k1)
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2]!) {
      a = plus(a, b)
      b = xor(rotate(b, by), a)
    }
    a = plus(a, keys[(group + 1) % 3]!)
    b = plus(plus(b, keys[(group + 2) % 3]!), word(group + 1))
  }
  return [a, b]
}

// Both outputs at one index are the same expression graph, so that they can be computed together.
const blockAt = (
  inputs: readonly Source[],
): ((index: readonly Index[]) => readonly [Scalar, Scalar]) => {
  const known = new WeakMap<readonly Index[], readonly [Scalar, Scalar]>()
  return (index) => {
    const found = known.get(index)
    if (found !== undefined) return found
    const [k0, k1, c0, c1] = inputs.map((source) => source.at(index))
    const words = blockScalars(k0!, k1!, c0!, c1!)
    known.set(index, words)
    return words
  }
}

/** Random bits; see `threefry2x32`. */
export const threefry2x32P: Primitive<Slots, null> = definePrimitive({
  name: 'threefry2x32',
  slots,
  typing: (types) => {
    const type = requireSame('threefry2x32', slots, [...types])
    requireDType('threefry2x32', type, (dtype) => dtype === 'uint32', 'uint32')
    return [aval(type.shape, 'uint32'), aval(type.shape, 'uint32')]
  },
  evaluate: (inputs, _, [first, second]) => {
    const [a, b] = [makeArray(first!), makeArray(second!)]
    hashAll([...inputs], a.data, b.data)
    return [a, b]
  },
  jvp: (inputs) => ({ outputs: bind(threefry2x32P, inputs, null), tangents: [null, null] }),
  transpose: neverLinear('threefry2x32'),
  partition: wholeEquation,
  batch: (inputs, dims, _, { size }) => {
    const [k0, k1, c0, c1] = alignBatch([...inputs], [...dims], size)
    return { outputs: bind(threefry2x32P, [k0!, k1!, c0!, c1!], null), dims: [0, 0] }
  },
  lower: (inputs) => {
    const words = blockAt([...inputs])
    return {
      tag: 'pull',
      cost: 'expensive',
      outputs: [(index) => words(index)[0], (index) => words(index)[1]],
    }
  },
  effectful: false,
})

/** Two words of random bits for each element; all four are uint32 of one shape. */
export const threefry2x32 = (
  k0: Tensor,
  k1: Tensor,
  c0: Tensor,
  c1: Tensor,
): readonly [Tensor, Tensor] => {
  const [a, b] = bind(threefry2x32P, [k0, k1, c0, c1], null)
  return [a!, b!]
}
