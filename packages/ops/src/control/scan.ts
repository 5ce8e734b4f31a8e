/** `scan`: a loop over the leading axis of trees, with a carry. */
import {
  ShapeError,
  type Structure,
  type Tensor,
  erase,
  flatten,
  leafPaths,
  listStructure,
  showAval,
  traceTree,
  typesOf,
  unflatten,
} from '@cotangent/core'
import { castCarry, settleCarry } from './carry.ts'
import { type TreeBody, checkpointed, inChunks, unrolled } from './chunks.ts'
import { runScan } from './scanPrimitive.ts'
import { type Like, type Tensors, flattenTensors, pairStructures, typesOfTensors } from './trees.ts'

export interface ScanOptions {
  /** Needed only where there are no xs. */
  readonly length?: number
  /** From the last slice to the first. */
  readonly reverse?: boolean
  /** How many steps are laid out one after the other in the loop's body; `true`: all of them. */
  readonly unroll?: number | boolean
  /**
   * Keeps the carry of every n-th step alone for the backward pass, and computes the steps between
   * again; `true` takes the square root of the length, which needs the least memory.
   * @see Chen et al. 2016, Training Deep Nets with Sublinear Memory Cost
   */
  readonly checkpoint?: boolean | number
}

/**
 * `[carry, y] = f(carry, x)` for each slice `x` of `xs` along its first axis; returns the last carry
 * and all ys, stacked. Carry, xs and ys are trees. The body is traced once, so compile time
 * does not grow with the length; every transform goes through.
 * A weakly typed start (a plain number) takes the type that the body returns.
 * @throws ShapeError where lengths differ or there is none; TreeError, ShapeError or DTypeError
 * where the body changes the carry's structure, shape or dtype.
 * @example
 * scan((sum, x) => [sum.add(x), sum], 0, tensor([1, 2, 3])) // [6, [0, 1, 3]]
 */
export const scan = <const C, const X, Y>(
  f: (carry: Tensors<C>, x: Tensors<X>) => readonly [Like<C>, Y],
  init: C,
  xs: X,
  options: ScanOptions = {},
): readonly [Tensors<C>, Tensors<Y>] => {
  const { leaves, structure } = flatten(scanTrees(erase(f), init, xs, options), 'scan')
  return unflatten(structure, leaves)
}

/** `scan` of trees whose types are forgotten. */
export const scanTrees: TreeBody<ScanOptions> = (f, init, xs, options) => {
  const scanned = flattenTensors(xs, 'scan')
  const length = scanLength(scanned.leaves, scanned.structure, options.length)
  const { reverse = false, unroll = 1, checkpoint = false } = options
  const plain = { length, reverse }
  const size = checkpoint === true ? Math.ceil(Math.sqrt(length)) : Number(checkpoint)
  if (size > 1 && length > 1) {
    const inner = checkpointed(scanTrees, f, { reverse, unroll })
    return inChunks(scanTrees, inner, init, xs, plain, size)
  }
  const steps = unroll === true ? length : Number(unroll)
  if (steps > 1) return inChunks(scanTrees, unrolled(f, reverse), init, xs, plain, steps)

  const start = flattenTensors(init, 'scan')
  const structure = listStructure([start.structure, scanned.structure])
  const slices = typesOfTensors(scanned.leaves).map((t) => ({ ...t, shape: t.shape.slice(1) }))
  const { types, result } = settleCarry(
    'scan',
    start.structure,
    typesOfTensors(start.leaves),
    (carryTypes) => {
      const traced = traceTree('scan', f, structure, [...carryTypes, ...slices])
      const [carry, y] = pairStructures('scan', traced.structure)
      return { traced, structure: carry, y, types: typesOf(traced.graph.outputs) }
    },
  )
  const { traced } = result
  const inputs = [...traced.captures, ...castCarry(start.leaves, types), ...scanned.leaves]
  const outputs = runScan(inputs, {
    body: traced.graph,
    length,
    reverse,
    constants: traced.captures.length,
    carries: start.leaves.length,
  })
  return unflatten(listStructure([start.structure, result.y]), outputs)
}

const scanLength = (
  leaves: readonly Tensor[],
  structure: Structure,
  given: number | undefined,
): number => {
  leaves.forEach((x, i) => {
    if (x.ndim > 0) return
    throw new ShapeError({
      operation: 'scan',
      problem: 'a scalar has no axis to scan over',
      got: `${showAval(x.aval)} at xs${pathText(structure, i)}`,
      fix: 'close over it in the body, or give it a leading axis',
    })
  })
  const sizes = leaves.map((x) => x.shape[0]!)
  const length = given ?? sizes[0]
  if (length === undefined || !Number.isInteger(length) || length < 0) {
    throw new ShapeError({
      operation: 'scan',
      problem: 'the number of steps is not known',
      got: given === undefined ? 'no xs and no length' : `length ${given}`,
      fix: 'give xs with a leading axis, or { length }',
    })
  }
  if (sizes.some((size) => size !== length)) {
    throw new ShapeError({
      operation: 'scan',
      problem: 'the leading axes of xs and the length differ',
      got: `leading axes ${sizes.join(', ')}${given === undefined ? '' : ` with length ${given}`}`,
      want: 'one number of steps',
      fix: 'give every leaf of xs one slice for each step',
    })
  }
  return length
}

const pathText = (structure: Structure, i: number): string => {
  const path = leafPaths(structure)[i]!
  return path === '' ? '' : ` (${path})`
}
