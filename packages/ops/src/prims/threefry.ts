/**
 * The threefry2x32 block function with 20 rounds: two words of key, two of counter, two of random
 * bits. @see Salmon et al. 2011, "Parallel random numbers: as easy as 1, 2, 3"
 */
import {
  type Index,
  type Primitive,
  type Scalar,
  type Source,
  type Tensor,
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

/** Words of 32 bits, as numbers or as expressions. */
interface Words<W> {
  readonly add: (x: W, y: W) => W
  readonly xor: (x: W, y: W) => W
  readonly rotate: (x: W, by: number) => W
  readonly constant: (value: number) => W
}

const block = <W>(word: Words<W>, k0: W, k1: W, c0: W, c1: W): readonly [W, W] => {
  const keys = [k0, k1, word.xor(word.xor(k0, k1), word.constant(parity))]
  let a = word.add(c0, k0)
  let b = word.add(c1, k1)
  for (let group = 0; group < 5; group++) {
    for (const by of rotations[group % 2]!) {
      a = word.add(a, b)
      b = word.xor(word.rotate(b, by), a)
    }
    a = word.add(a, keys[(group + 1) % 3]!)
    b = word.add(word.add(b, keys[(group + 2) % 3]!), word.constant(group + 1))
  }
  return [a, b]
}

const numbers: Words<number> = {
  add: (x, y) => (x + y) | 0,
  xor: (x, y) => x ^ y,
  rotate: (x, by) => (x << by) | (x >>> (32 - by)),
  constant: (value) => value,
}

const word = (value: number): Scalar => literal('uint32', value)

const expressions: Words<Scalar> = {
  add: (x, y) => binaryOp('add', x, y),
  xor: (x, y) => binaryOp('xor', x, y),
  rotate: (x, by) =>
    binaryOp(
      'or',
      binaryOp('shiftLeft', x, word(by)),
      binaryOp('shiftRightLogical', x, word(32 - by)),
    ),
  constant: word,
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
    const words = block(expressions, k0!, k1!, c0!, c1!)
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
  evaluate: ([k0, k1, c0, c1], _, [first, second]) => {
    const [a, b] = [makeArray(first!), makeArray(second!)]
    for (let i = 0; i < a.data.length; i++) {
      const words = block(numbers, k0.data[i]!, k1.data[i]!, c0.data[i]!, c1.data[i]!)
      a.data[i] = words[0]
      b.data[i] = words[1]
    }
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
