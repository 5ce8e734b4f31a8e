/** Einstein summation. */
import {
  ShapeError,
  type Tensor,
  type TensorLike,
  range,
  reduceSum,
  reshape,
  transpose,
} from '@cotangent/core'
import { dotGeneral } from '../prims/contract.ts'
import { reduceOr } from '../prims/reduce.ts'
import { cast, promoteDTypes } from '../promote.ts'
import { type Labelled, labelExtents, parseEinsum } from './einsumParse.ts'
import { diagonal } from './rearrange.ts'
import { broadcastTo } from './shape.ts'

const sumOver = (x: Tensor, axes: readonly number[]): Tensor =>
  x.dtype === 'bool' ? reduceOr(x, axes) : reduceSum(x, axes)

// A label that an operand has twice is its diagonal, which goes last.
const withoutRepeats = ({ x, labels }: Labelled): Labelled => {
  const second = labels.findIndex((label, d) => labels.indexOf(label) !== d)
  if (second < 0) return { x, labels }
  const first = labels.indexOf(labels[second]!)
  if (x.shape[first] !== x.shape[second]) {
    throw new ShapeError({
      operation: 'np.einsum',
      problem: `the label ${labels[second]} has extents ${x.shape[first]} and ${x.shape[second]} in one operand`,
      fix: 'a repeated label takes the diagonal of a square',
    })
  }
  const rest = labels.filter((_, d) => d !== first && d !== second)
  const line = diagonal(x, { axis1: first, axis2: second })
  return withoutRepeats({ x: line, labels: [...rest, labels[second]!] })
}

// An extent of 1 that others broadcast is no axis at all.
const withoutOnes = ({ x, labels }: Labelled, extents: ReadonlyMap<string, number>): Labelled => {
  const isKept = (label: string, d: number): boolean => x.shape[d] === extents.get(label)
  return {
    x: reshape(
      x,
      x.shape.filter((_, d) => isKept(labels[d]!, d)),
    ),
    labels: labels.filter(isKept),
  }
}

const summed = ({ x, labels }: Labelled, needed: ReadonlySet<string>): Labelled => {
  const gone = range(labels.length).filter((d) => !needed.has(labels[d]!))
  return { x: sumOver(x, gone), labels: labels.filter((label) => needed.has(label)) }
}

// Labels that the rest of the program still reads.
const neededBy = (others: readonly Labelled[], output: readonly string[]): ReadonlySet<string> =>
  new Set([...output, ...others.flatMap(({ labels }) => labels)])

const contractPair = (a: Labelled, b: Labelled, needed: ReadonlySet<string>): Labelled => {
  const shared = a.labels.filter((label) => b.labels.includes(label))
  const batch = shared.filter((label) => needed.has(label))
  const contracted = shared.filter((label) => !needed.has(label))
  const left = summed(a, new Set([...needed, ...shared]))
  const right = summed(b, new Set([...needed, ...shared]))
  const axes = ({ labels }: Labelled, of: readonly string[]): readonly number[] =>
    of.map((label) => labels.indexOf(label))
  const free = ({ labels }: Labelled): readonly string[] =>
    labels.filter((label) => !shared.includes(label))
  return {
    x: dotGeneral(left.x, right.x, {
      contract: [axes(left, contracted), axes(right, contracted)],
      batch: [axes(left, batch), axes(right, batch)],
    }),
    labels: [...batch, ...free(left), ...free(right)],
  }
}

type Extents = ReadonlyMap<string, number>

const sizeOfLabels = (labels: Iterable<string>, extents: Extents): number => {
  let size = 1
  for (const label of labels) size *= extents.get(label)!
  return size
}

// The pair whose product grows memory least, then the one that costs least.
const nextPair = (
  operands: readonly Labelled[],
  output: readonly string[],
  extents: Extents,
): readonly [number, number] => {
  let best: readonly [number, number] = [0, 1]
  let least: readonly [number, number] = [Infinity, Infinity]
  for (const i of range(operands.length)) {
    for (const j of range(operands.length).slice(i + 1)) {
      const needed = neededBy(
        operands.filter((_, k) => k !== i && k !== j),
        output,
      )
      const [a, b] = [operands[i]!.labels, operands[j]!.labels]
      const union = new Set([...a, ...b])
      const kept = [...union].filter((label) => needed.has(label))
      const growth =
        sizeOfLabels(kept, extents) - sizeOfLabels(a, extents) - sizeOfLabels(b, extents)
      const cost = sizeOfLabels(union, extents)
      if (growth < least[0] || (growth === least[0] && cost < least[1])) {
        best = [i, j]
        least = [growth, cost]
      }
    }
  }
  return best
}

/**
 * Sums products over the labels that the output does not have. Every axis of an operand has a
 * letter; equal letters are one index, repeated letters in an operand take its diagonal, `...`
 * stands for leading axes that broadcast. Without `->` the output has the letters that occur once,
 * in alphabetical order. Several operands are contracted pairwise in a greedy order.
 * @throws ShapeError for malformed subscripts, and for extents that differ.
 * @example
 * np.einsum('bij,bjk->bik', a, b) // batched matrix products
 * np.einsum('ii', a) // the trace
 */
export const einsum = (subscripts: string, ...operands: readonly TensorLike[]): Tensor => {
  const typed = promoteDTypes('np.einsum', operands).map((x) => cast(x, x.dtype))
  const program = parseEinsum(subscripts, typed)
  const { output } = program
  const plain = program.operands.map(withoutRepeats)
  const extents = labelExtents(subscripts, plain)
  let rest = plain
    .map((operand) => withoutOnes(operand, extents))
    .map((operand, i, all) =>
      summed(
        operand,
        neededBy(
          all.filter((_, k) => k !== i),
          output,
        ),
      ),
    )
  while (rest.length > 1) {
    const [i, j] = nextPair(rest, output, extents)
    const others = rest.filter((_, k) => k !== i && k !== j)
    rest = [...others, contractPair(rest[i]!, rest[j]!, neededBy(others, output))]
  }
  const result = summed(rest[0]!, new Set(output))
  return arrange(result, output, extents)
}

// Output labels that only ever had extent 1 beside a broadcast one are repeated here.
const arrange = ({ x, labels }: Labelled, output: readonly string[], extents: Extents): Tensor => {
  const present = output.filter((label) => labels.includes(label))
  const ordered = transpose(
    x,
    present.map((label) => labels.indexOf(label)),
  )
  if (present.length === output.length) return ordered
  const shape = output.map((label) => (present.includes(label) ? extents.get(label)! : 1))
  return broadcastTo(
    reshape(ordered, shape),
    output.map((label) => extents.get(label)!),
  )
}

/** The order of pairwise contractions that `einsum` takes, as positions in the shrinking list. */
export const einsumPath = (
  subscripts: string,
  ...operands: readonly TensorLike[]
): readonly (readonly [number, number])[] => {
  const program = parseEinsum(subscripts, promoteDTypes('np.einsumPath', operands))
  const extents = labelExtents(subscripts, program.operands)
  const path: (readonly [number, number])[] = []
  let rest: readonly Labelled[] = program.operands
  while (rest.length > 1) {
    const [i, j] = nextPair(rest, program.output, extents)
    const others = rest.filter((_, k) => k !== i && k !== j)
    const needed = neededBy(others, program.output)
    const kept = [...new Set([...rest[i]!.labels, ...rest[j]!.labels])].filter((label) =>
      needed.has(label),
    )
    path.push([i, j])
    rest = [...others, { x: rest[i]!.x, labels: kept }]
  }
  return path
}
