/** An index expression by NumPy's rules, resolved against a shape. */
import {
  DTypeError,
  IndexError,
  type IndexPart,
  type NestedNumbers,
  type Shape,
  type Slice,
  Tensor,
  isInteger,
  showShape,
  tensor,
} from '@cotangent/core'
import { cast } from '../promote.ts'

/** A strided range along one axis: `count` elements from `start` in steps of `step` (negative: back). */
export interface Range {
  readonly kind: 'range'
  readonly start: number
  readonly step: number
  readonly count: number
}
/** What one axis is indexed with. */
export type Component =
  | Range
  /** A static position; kept as given, so that reads clamp and writes drop. */
  | { readonly kind: 'position'; readonly at: number }
  | { readonly kind: 'array'; readonly indices: Tensor }
  | { readonly kind: 'newaxis' }
  /** A boolean: a new axis of extent 1, kept or emptied, that gathers with the arrays. */
  | { readonly kind: 'scalarMask'; readonly keep: boolean }

/** Components, one for each input axis beside the new ones. */
export interface ParsedIndex {
  readonly components: readonly Component[]
  /** Whether any integer tensor takes part, which makes positions gather with it. */
  readonly isAdvanced: boolean
}

/**
 * Resolves the parts of an index. Boolean masks become the positions of their true elements and so
 * must be known. @throws IndexError @throws TracerError for a traced mask
 */
export const parseIndex = (shape: Shape, parts: readonly IndexPart[]): ParsedIndex => {
  const read = parts.flatMap(readPart)
  const used = read.reduce((sum, part) => sum + axesUsed(part), 0)
  const ellipses = read.filter((part) => part.kind === 'ellipsis').length
  if (used > shape.length || ellipses > 1) throw badCount(shape, parts, ellipses)
  const missing = shape.length - used
  const full = ellipses === 1 ? read : [...read, { kind: 'ellipsis' } as const]
  const components: Component[] = []
  let axis = 0
  for (const part of full) {
    const taken = part.kind === 'ellipsis' ? missing : axesUsed(part)
    components.push(...resolve(part, shape.slice(axis, axis + taken), axis))
    axis += taken
  }
  return {
    components,
    isAdvanced: components.some((c) => c.kind === 'array' || c.kind === 'scalarMask'),
  }
}

type Part =
  | { readonly kind: 'ellipsis' }
  | { readonly kind: 'newaxis' }
  | { readonly kind: 'slice'; readonly slice: Slice }
  | { readonly kind: 'position'; readonly at: number }
  | { readonly kind: 'array'; readonly indices: Tensor }
  | { readonly kind: 'mask'; readonly mask: Tensor }

const axesUsed = (part: Part): number => {
  if (part.kind === 'ellipsis' || part.kind === 'newaxis') return 0
  return part.kind === 'mask' ? part.mask.ndim : 1
}

const readPart = (part: IndexPart): readonly Part[] => {
  if (part === null) return [{ kind: 'newaxis' }]
  if (part === '...') return [{ kind: 'ellipsis' }]
  if (typeof part === 'string') return [{ kind: 'slice', slice: parseSlice(part) }]
  if (typeof part === 'number') return [{ kind: 'position', at: requirePosition(part) }]
  if (typeof part === 'boolean') return [{ kind: 'mask', mask: tensor(part) }]
  if (part instanceof Tensor) return [readTensor(part)]
  return [isNested(part) ? readTensor(nestedIndex(part)) : { kind: 'slice', slice: part }]
}

const isNested = (part: NestedNumbers | Slice): part is NestedNumbers => Array.isArray(part)

const nestedIndex = (nested: NestedNumbers): Tensor => {
  const indices = tensor(nested)
  if (indices.dtype === 'bool') return indices
  const { data } = indices.concrete('index').ndarray()
  for (const position of data) requirePosition(position)
  return tensor(nested, { dtype: 'int32' })
}

const requirePosition = (position: number): number => {
  if (Number.isInteger(position)) return position
  throw new IndexError({
    operation: 'index',
    problem: 'a position is an integer',
    got: String(position),
    fix: 'round it, or write a slice as text: "1:3"',
  })
}

const readTensor = (x: Tensor): Part => {
  if (x.dtype === 'bool') return { kind: 'mask', mask: x }
  if (isInteger(x.dtype)) return { kind: 'array', indices: cast(x, 'int32') }
  throw new DTypeError({
    operation: 'index',
    problem: 'positions are integers, and masks booleans',
    got: x.dtype,
    fix: 'convert with astype("int32")',
  })
}

const slicePattern = /^\s*(-?\d+)?\s*:\s*(-?\d+)?\s*(?::\s*(-?\d+)?\s*)?$/

/** `'a:b:c'` with every part optional. @throws IndexError for other text. */
export const parseSlice = (text: string): Slice => {
  const match = slicePattern.exec(text)
  if (match === null) {
    throw new IndexError({
      operation: 'index',
      problem: 'this text is no slice',
      got: JSON.stringify(text),
      want: '"start:stop:step", each part optional, or "..."',
      fix: 'write a slice like "1:-1" or "::2"',
    })
  }
  const part = (i: number): number | null => (match[i] === undefined ? null : Number(match[i]))
  return { start: part(1), stop: part(2), step: part(3) }
}

const resolve = (part: Part, extents: Shape, axis: number): readonly Component[] => {
  switch (part.kind) {
    case 'ellipsis':
      return extents.map((count) => ({ kind: 'range', start: 0, step: 1, count }))
    case 'newaxis':
      return [part]
    case 'slice':
      return [resolveSlice(part.slice, extents[0]!)]
    case 'position':
    case 'array':
      if (extents[0] === 0 && (part.kind === 'position' || part.indices.size > 0)) {
        throw new IndexError({
          operation: 'index',
          problem: 'an axis without elements has no position',
          got: `axis ${axis}, which has extent 0`,
          fix: 'check the shape before indexing',
        })
      }
      return [part]
    case 'mask':
      return maskPositions(part.mask, extents, axis)
    default:
      return part satisfies never
  }
}

/** The elements that Python's slice of this extent selects. @throws IndexError for a step of 0. */
export const resolveSlice = ({ start, stop, step }: Slice, extent: number): Range => {
  const stride = step ?? 1
  if (!Number.isInteger(stride) || stride === 0) {
    throw new IndexError({
      operation: 'index',
      problem: 'a slice steps by an integer other than 0',
      got: `step ${stride}`,
      fix: 'give a step of 1 or more, or a negative one to go backwards',
    })
  }
  const [lowest, highest] = stride > 0 ? [0, extent] : [-1, extent - 1]
  const bound = (given: number | null | undefined, fallback: number): number => {
    if (given === null || given === undefined) return fallback
    const position = requirePosition(given)
    return Math.min(highest, Math.max(lowest, position < 0 ? position + extent : position))
  }
  const from = bound(start, stride > 0 ? lowest : highest)
  const to = bound(stop, stride > 0 ? highest : lowest)
  const count = Math.max(0, Math.ceil((to - from) / stride))
  return { kind: 'range', start: count === 0 ? 0 : from, step: stride, count }
}

// One index tensor for each axis of the mask; they are broadcast together, so that they pair up.
const maskPositions = (mask: Tensor, extents: Shape, axis: number): readonly Component[] => {
  const matches = mask.shape.every((extent, d) => extent === extents[d])
  if (!matches) {
    throw new IndexError({
      operation: 'index',
      problem: 'the mask does not have the shape of the axes it selects from',
      got: `a mask of shape ${showShape(mask.shape)} at axis ${axis}`,
      want: showShape(extents),
      fix: 'make the mask from the tensor that it indexes',
    })
  }
  const positions = truePositions(mask)
  if (mask.ndim > 0) return positions.map((indices) => ({ kind: 'array', indices }))
  return [{ kind: 'scalarMask', keep: mask.item() !== 0 }]
}

/** The coordinates of the true elements of a known mask, one int32 vector an axis. */
export const truePositions = (mask: Tensor): readonly Tensor[] => {
  const { shape, data } = mask.concrete('boolean index').ndarray()
  const flat: number[] = []
  data.forEach((value, i) => {
    if (value !== 0) flat.push(i)
  })
  let inner = 1
  const columns = [...shape].reverse().map((extent) => {
    const stride = inner
    inner *= extent
    return tensor(Int32Array.from(flat, (i) => Math.floor(i / stride) % extent))
  })
  return columns.reverse()
}

const badCount = (shape: Shape, parts: readonly IndexPart[], ellipses: number): IndexError =>
  new IndexError({
    operation: 'index',
    problem: ellipses > 1 ? 'an index has at most one "..."' : 'the index has more parts than axes',
    got: `${parts.length} parts for shape ${showShape(shape)}`,
    fix: 'give at most one part for each axis; null adds an axis',
  })
