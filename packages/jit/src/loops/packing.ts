/**
 * Packing: an operand that many outputs use is copied once into float64 scratch, in the order in
 * which the tiles read it. Every load then is contiguous and needs no conversion, and what was
 * fused into the operand is computed once: worth a fifth of the time of a matrix product.
 */
import { InternalError, type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { accessesOf } from './access.ts'
import { substitution } from './rewrite.ts'
import type { Dim } from './tiling.ts'
import { walk } from './visit.ts'

const { affine, boundsOf, constant, convertTo, counter, load, plus } = scalars

/** Fewer uses of an element do not repay its copy. */
const leastReuse = 16
/** Elements, of 8 bytes, that a copy may have. */
const mostElements = 2 ** 21

/** A factor of the terms that may be packed. */
export interface Operand {
  /** The local that stands for it in the steps. */
  readonly name: string
  readonly value: Scalar
  /** The output dims it depends on. */
  readonly outputs: readonly Dim[]
  /** The reduction dims it depends on. */
  readonly reduced: readonly Dim[]
  /** Overlapping windows are copied as they lie in memory: the first element, and how many. */
  readonly span: { readonly first: number; readonly size: number } | null
}

const countersOf = (s: Scalar): ReadonlySet<string> => {
  const names = new Set<string>()
  walk({
    index: (i) => {
      if (i.tag === 'counter') names.add(i.name)
    },
  }).scalar(s)
  return names
}

const extentOf = (dims: readonly Dim[]): number => dims.reduce((n, d) => n * d.extent, 1)

// Overlapping loads, as of a convolution's window, would multiply the memory.
const isInjective = (value: Scalar, dims: readonly Dim[]): boolean =>
  accessesOf([value]).every((access) => {
    if (access.uneven.size > 0) return false
    let reach = 0
    const strides = dims.flatMap((d) => {
      const stride = Math.abs(access.strides.get(d.name) ?? 0)
      return d.extent === 1 ? [] : [{ stride, extent: d.extent }]
    })
    for (const { stride, extent } of strides.sort((a, b) => a.stride - b.stride)) {
      if (stride <= reach) return false
      reach += stride * (extent - 1)
    }
    return true
  })

/** Guards and values of the surrounding block would have to be evaluated elsewhere. */
const isSelfContained = (value: Scalar): boolean => {
  let loads = 0
  let plain = true
  walk({
    scalar: (s) => {
      if (s.tag === 'load') loads++
      if (s.tag === 'local' || s.tag === 'guard') plain = false
    },
  }).scalar(value)
  return plain && loads > 0
}

/** The factors of a sum of products that are worth packing. */
export const packableOperands = (
  step: Scalar | undefined,
  outputs: readonly Dim[],
  reduced: readonly Dim[],
  prefix: string,
): readonly Operand[] => {
  const term = step?.tag === 'binary' && step.op === 'add' ? step.y : null
  if (term?.tag !== 'binary' || term.op !== 'multiply' || term.dtype !== 'float64') return []
  const total = extentOf(outputs) * extentOf(reduced)
  return [term.x, term.y].flatMap((value, n): readonly Operand[] => {
    const names = countersOf(value)
    const mine = {
      outputs: outputs.filter((d) => names.has(d.name) && d.extent !== 1),
      reduced: reduced.filter((d) => names.has(d.name)),
    }
    const known = mine.outputs.length + mine.reduced.length === names.size
    if (!known || !isSelfContained(value)) return []
    const overlaps = !isInjective(value, [...mine.outputs, ...mine.reduced])
    const span = overlaps ? spanOf(value) : null
    if (overlaps && span === null) return []
    const operand = { name: `${prefix}packed${n}`, value, ...mine, span }
    const elements = packedSize(operand)
    return elements <= mostElements && total / elements >= leastReuse ? [operand] : []
  })
}

// The part of memory that a load without anything fused to it reads.
const spanOf = (value: Scalar): Operand['span'] => {
  if (value.tag !== 'convert' || value.x.tag !== 'load') return null
  const [first, last] = boundsOf(value.x.at)
  return { first, size: last - first + 1 }
}

/** Where along one output dim a tile lies: the first output, how many, and which of them. */
export interface Spot {
  readonly base: Index
  readonly count: number
  readonly point: number
}

/** An operand with its copy's place. */
export interface PackedOperand extends Operand {
  readonly buffer: string
  /** The one output dim along which tiles take several outputs, or null. */
  readonly tiled: Dim | null
}

/** Elements of an operand's copy. */
export const packedSize = ({ span, outputs, reduced }: Operand): number =>
  span?.size ?? extentOf(outputs) * extentOf(reduced)

/** The dim along which an operand's tiles are wide; undefined where there are two. */
export const tiledDim = (
  operand: Operand,
  isTiled: (d: Dim) => boolean,
): Dim | null | undefined => {
  if (operand.span !== null) return null
  const tiled = operand.outputs.filter(isTiled)
  return tiled.length > 1 ? undefined : (tiled[0] ?? null)
}

/** `[…outputs, block of tiles, …reduced, output in tile]`: a tile reads one run of memory. */
export const packedLoad = (
  operand: PackedOperand,
  spot: (d: Dim) => Spot,
  reducedAt: (d: Dim) => Index,
): Scalar => {
  const { buffer, span, value, outputs, reduced } = operand
  if (span === null) return load(buffer, 'float64', packedAddress(operand, spot, reducedAt))
  const counters = new Map([
    ...outputs.map((d) => [d.name, plus(spot(d).base, spot(d).point)] as const),
    ...reduced.map((d) => [d.name, reducedAt(d)] as const),
  ])
  const at = spannedLoad(value).at
  return load(buffer, 'float64', plus(substitution({ counters }).index(at), -span.first))
}

const spannedLoad = (value: Scalar): Extract<Scalar, { readonly tag: 'load' }> => {
  if (value.tag === 'convert' && value.x.tag === 'load') return value.x
  throw new InternalError({ operation: 'pack operand', problem: 'only plain loads have a span' })
}

const packedAddress = (
  { outputs, reduced, tiled }: PackedOperand,
  spot: (d: Dim) => Spot,
  reducedAt: (d: Dim) => Index,
): Index => {
  const blocks = [...outputs.filter((d) => d !== tiled), ...(tiled === null ? [] : [tiled])]
  const { count, point } = tiled === null ? { count: 1, point: 0 } : spot(tiled)
  let position: Index = constant(0)
  for (const d of blocks) {
    const { base } = spot(d)
    position = affine([
      [d.extent, position],
      [1, base],
    ])
  }
  let inner: Index = constant(0)
  for (const d of reduced) {
    inner = affine([
      [d.extent, inner],
      [1, reducedAt(d)],
    ])
  }
  return affine(
    [
      [extentOf(reduced), position],
      [count, inner],
    ],
    point,
  )
}

/** The loops that fill an operand's copy; `sizeOf` gives the tile's size along its tiled dim. */
export const packStatements = (
  operand: PackedOperand,
  sizeAlong: (d: Dim) => number,
): readonly Stmt[] => {
  const { outputs, reduced, tiled, value, buffer, span } = operand
  if (span !== null) {
    const { buffer: from, dtype } = spannedLoad(value)
    const at = counter(`${operand.name}_at`, span.size)
    const copied = convertTo('float64', load(from, dtype, plus(at, span.first)))
    return loopOver(`${operand.name}_at`, span.size, 1, [
      { tag: 'store', buffer, at, value: copied },
    ])
  }
  const fill = (spots: ReadonlyMap<Dim, Spot>, count: number): readonly Stmt[] => {
    const at = (d: Dim): Index => counter(d.name, d.extent)
    const stores = Array.from({ length: count }, (_, point): Stmt => {
      const spot = (d: Dim): Spot =>
        d === tiled ? { ...spots.get(d)!, point } : { base: at(d), count: 1, point: 0 }
      const counters = new Map(outputs.map((d) => [d.name, plus(spot(d).base, spot(d).point)]))
      return {
        tag: 'store',
        buffer,
        at: packedAddress(operand, spot, at),
        value: substitution({ counters }).scalar(value),
      }
    })
    return reduced.reduceRight<readonly Stmt[]>(
      (inner, d) => loopOver(d.name, d.extent, 1, inner),
      stores,
    )
  }
  let body: readonly Stmt[]
  if (tiled === null) body = fill(new Map(), 1)
  else {
    const size = sizeAlong(tiled)
    const rest = tiled.extent % size
    const full = tiled.extent - rest
    const spotAt = (base: Index, count: number): ReadonlyMap<Dim, Spot> =>
      new Map([[tiled, { base, count, point: 0 }]])
    const main = fill(spotAt(counter(tiled.name, full - size + 1), size), size)
    body = [
      ...loopOver(tiled.name, full, size, main),
      ...(rest === 0 ? [] : fill(spotAt(constant(full), rest), rest)),
    ]
  }
  return outputs
    .filter((d) => d !== tiled)
    .reduceRight((inner, d) => loopOver(d.name, d.extent, 1, inner), body)
}

const loopOver = (
  name: string,
  extent: number,
  step: number,
  body: readonly Stmt[],
): readonly Stmt[] => [{ tag: 'for', counter: name, extent, step, body }]
