/** `vmap`, and the named axes that collectives speak of. */
import { requireFunction, requireOptions } from '../arguments.ts'
import type { Aval } from '../aval.ts'
import { leafTensor } from '../convert.ts'
import { ShapeError, TracerError, TreeError } from '../errors.ts'
import { broadcastFront, moveAxis } from '../prims/structural.ts'
import type { BatchDim } from '../primitive.ts'
import { range, without } from '../shape.ts'
import { type Tensor, fromNDArray, normalizeAxis } from '../tensor.ts'
import { broadcastPrefix, flatten, unflatten } from '../tree/structure.ts'
import { type AnyFunction, erase, traceTree } from './apply.ts'
import { vmapGraph } from './vmap.ts'

/** `0`, `-1`, `null` (not mapped), or a tree of these that is a prefix of what it describes. */
export type AxisSpec = number | null | readonly AxisSpec[] | { readonly [name: string]: AxisSpec }

export interface VmapOptions {
  /** One spec for all arguments, or an array with one for each. 0 by default. */
  readonly inAxes?: AxisSpec
  readonly outAxes?: AxisSpec
  /** What `lax.psum` and its neighbours call this axis. */
  readonly axisName?: string
  /** Needed only when no argument is mapped. */
  readonly axisSize?: number
}

/** A named axis while its function is traced: a scalar that is the position along it. */
interface NamedAxis {
  readonly index: Tensor
  readonly size: number
}

let namedAxes: ReadonlyMap<string, NamedAxis> = new Map()

/** The named axis of an enclosing `vmap`. @throws TracerError where there is none. */
export const namedAxis = (operation: string, name: string): NamedAxis => {
  const axis = namedAxes.get(name)
  if (axis !== undefined) return axis
  throw new TracerError({
    operation,
    problem: `no enclosing vmap has the axis "${name}"`,
    got: namedAxes.size === 0 ? 'no named axis at all' : `axes ${[...namedAxes.keys()].join(', ')}`,
    fix: `call it inside vmap(f, { axisName: "${name}" })`,
  })
}

const isBatchDim = (value: unknown): value is BatchDim =>
  value === null || typeof value === 'number'

const removeAxis = (type: Aval, dim: BatchDim): Aval =>
  dim === null ? type : { ...type, shape: without(type.shape, [dim]) }

const batchSize = (
  leaves: readonly Tensor[],
  dims: readonly BatchDim[],
  given: number | undefined,
): number => {
  const sizes = leaves.flatMap((x, i) => (dims[i] === null ? [] : [x.shape[dims[i]!]!]))
  const size = given ?? sizes[0]
  if (size === undefined) {
    throw new ShapeError({
      operation: 'vmap',
      problem: 'no argument is mapped',
      want: 'at least one axis that is not null in inAxes, or axisSize',
      fix: 'map an argument, or say how large the axis is: { axisSize: 8 }',
    })
  }
  const odd = sizes.find((s) => s !== size)
  if (odd !== undefined) {
    throw new ShapeError({
      operation: 'vmap',
      problem: 'the mapped axes differ in size',
      got: `sizes ${sizes.join(', ')}${given === undefined ? '' : ` with axisSize ${given}`}`,
      fix: 'set inAxes so that every mapped argument has the same batch size, null for those without one',
    })
  }
  return size
}

/**
 * Maps a function over an axis of its arguments: written for one example, run on the whole batch.
 * @throws ShapeError when sizes along the mapped axes differ, IndexError for axes out of range.
 * @example
 * vmap((x: Tensor, w: Tensor) => x.dot(w), { inAxes: [0, null] })(np.ones([8, 3]), np.ones([3])).shape // [8]
 */
export const vmap = <A extends readonly unknown[], R>(
  f: (...args: A) => R,
  options: VmapOptions = {},
): ((...args: A) => R) => {
  requireFunction('vmap', f)
  requireOptions('vmap', options, ['inAxes', 'outAxes', 'axisName', 'axisSize'])
  const { inAxes = 0, outAxes = 0, axisName = null } = options
  return (...args) => {
    const { leaves, structure } = flatten(args, 'vmap')
    const xs = leaves.map(leafTensor)
    const spec = broadcastPrefix('vmap inAxes', inAxes, structure, isBatchDim)
    if (spec.length !== xs.length) {
      throw new TreeError({
        operation: 'vmap',
        problem: 'inAxes does not match the arguments',
        got: `${spec.length} axes for ${xs.length} tensors`,
        fix: 'give one axis for each argument, or one for all',
      })
    }
    const dims = xs.map((x, i) =>
      spec[i] === null ? null : normalizeAxis('vmap inAxes', spec[i]!, x.ndim),
    )
    const size = batchSize(xs, dims, options.axisSize)
    const position = fromNDArray({
      shape: [size],
      dtype: 'int32',
      data: Int32Array.from(range(size)),
    })

    const types = xs.map((x, i) => removeAxis(x.aval, dims[i]!))
    const positionType: Aval = { shape: [], dtype: 'int32', weak: false }
    const withAxis = inNamedAxis(axisName, size, erase(f))
    // The first argument is the position along the axis: what collectives depend on.
    const whole = flatten([position, args], 'vmap').structure
    const traced = traceTree('vmap', withAxis, whole, [positionType, ...types])
    const captureDims: readonly BatchDim[] = traced.captures.map(() => null)
    const { outputs, dims: outDims } = vmapGraph(
      traced.graph,
      [...traced.captures, position, ...xs],
      [...captureDims, 0, ...dims],
      { size, name: axisName },
    )
    const outSpec = broadcastPrefix('vmap outAxes', outAxes, traced.structure, isBatchDim)
    const placed = outputs.map((y, i) => placeAxis(y, outDims[i]!, outSpec[i]!, size))
    return unflatten(traced.structure, placed)
  }
}

const inNamedAxis =
  (name: string | null, size: number, f: AnyFunction): AnyFunction =>
  (...parts) => {
    const [index, args] = parts
    const outer = namedAxes
    if (name !== null) namedAxes = new Map([...outer, [name, { index: tensorOf(index), size }]])
    try {
      return f(...listOf(args))
    } finally {
      namedAxes = outer
    }
  }

const tensorOf = (value: unknown): Tensor => leafTensor(flatten(value, 'vmap').leaves[0]!)
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : [])

const placeAxis = (y: Tensor, dim: BatchDim, wanted: BatchDim, size: number): Tensor => {
  if (wanted === null) {
    if (dim === null) return y
    throw new ShapeError({
      operation: 'vmap',
      problem: 'outAxes is null for an output that differs along the batch',
      fix: 'give the output an axis, or reduce it over the batch (lax.pmean)',
    })
  }
  if (dim === null)
    return moveAxis(broadcastFront(y, size), 0, normalizeAxis('vmap outAxes', wanted, y.ndim + 1))
  return moveAxis(y, dim, normalizeAxis('vmap outAxes', wanted, y.ndim))
}
