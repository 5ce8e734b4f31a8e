/**
 * Dims in the form that kernels want: a dim that loads divide (a channel's group, a reshaped axis) is
 * split until they move evenly along each part, and neighbours that memory does not tell apart (the
 * rows and columns of a 1×1 convolution) become one.
 */
import { type Index, type Scalar, type Stmt, scalars } from '@cotangent/core'
import { substitution } from '../rewrite.ts'
import type { Dim } from '../tiling.ts'
import { walk } from '../visit.ts'

const { affine, constant, counter } = scalars

export interface Space {
  readonly outputs: readonly Dim[]
  /** Outermost first. */
  readonly reduced: readonly Dim[]
  readonly steps: readonly Scalar[]
  readonly finish: readonly Stmt[]
  /** Stores of each term. */
  readonly visits: readonly Stmt[]
}

// Every index that something reads as a whole, each once.
const indicesOf = ({ steps, finish, visits }: Space): readonly Index[] => {
  const found: Index[] = []
  const w = walk({
    scalar: (s) => {
      if (s.tag === 'load') found.push(s.at)
      if (s.tag === 'within' || s.tag === 'fromIndex') found.push(s.value)
    },
    statement: (s) => {
      if (s.tag === 'store') found.push(s.at)
    },
  })
  for (const s of steps) w.scalar(s)
  w.body(finish)
  w.body(visits)
  return found
}

const replace = (space: Space, counters: ReadonlyMap<string, Index>): Space => {
  const rewriter = substitution({ counters })
  return {
    ...space,
    steps: space.steps.map(rewriter.scalar),
    finish: rewriter.body(space.finish),
    visits: rewriter.body(space.visits),
  }
}

/** The divisors by which loads cut each counter. */
const divisorsOf = (space: Space): ReadonlyMap<string, ReadonlySet<number>> => {
  const found = new Map<string, Set<number>>()
  const w = walk({
    index: (i) => {
      if (i.tag !== 'floorDivide' && i.tag !== 'modulo') return
      const terms = i.value.tag === 'affine' ? i.value.terms : [{ coefficient: 1, term: i.value }]
      for (const { coefficient, term } of terms) {
        if (term.tag !== 'counter') continue
        const by = i.by / coefficient
        if (!Number.isInteger(by) || by <= 1) continue
        const divisors = found.get(term.name) ?? new Set()
        found.set(term.name, divisors.add(by))
      }
    },
  })
  for (const s of space.steps) w.scalar(s)
  w.body(space.finish)
  w.body(space.visits)
  return found
}

/** Splits dims by the divisors of the divisions and remainders above them. */
export const splitDims = (space: Space): Space => {
  let current = space
  for (let round = 0; round < 4; round++) {
    const divisors = divisorsOf(current)
    const counters = new Map<string, Index>()
    const split = (dim: Dim): readonly Dim[] => {
      const fits = [...(divisors.get(dim.name) ?? [])].filter(
        (by) => by < dim.extent && dim.extent % by === 0,
      )
      if (fits.length === 0) return [dim]
      const by = Math.max(...fits)
      const high = { name: `${dim.name}h`, extent: dim.extent / by }
      const low = { name: `${dim.name}l`, extent: by }
      const terms = [
        [by, counter(high.name, high.extent)],
        [1, counter(low.name, low.extent)],
      ] as const
      counters.set(dim.name, affine(terms))
      return [high, low]
    }
    const outputs = current.outputs.flatMap(split)
    const reduced = current.reduced.flatMap(split)
    if (counters.size === 0) break
    current = { ...replace(current, counters), outputs, reduced }
  }
  return current
}

const isBelow = (i: Index, name: string): boolean => {
  let found = false
  walk({
    index: (inner) => {
      if (inner.tag === 'counter' && inner.name === name) found = true
    },
  }).index(i)
  return found
}

/** How far one step of the counter moves the index; null where it does not move evenly. */
const strideIn = (i: Index, name: string): number | null => {
  let stride = 0
  const terms = i.tag === 'affine' ? i.terms : [{ coefficient: 1, term: i }]
  for (const { coefficient, term } of terms) {
    if (term.tag === 'counter') stride += term.name === name ? coefficient : 0
    else if (isBelow(term, name)) return null
  }
  return stride
}

export const mergeAdjacent = (
  space: Space,
  dims: readonly Dim[],
): { readonly space: Space; readonly dims: readonly Dim[] } => {
  const all = indicesOf(space)
  const counters = new Map<string, Index>()
  const merged: Dim[] = []
  for (const dim of dims) {
    if (dim.extent === 1) {
      counters.set(dim.name, constant(0))
      continue
    }
    const outer = merged.at(-1)
    const fits =
      outer !== undefined &&
      all.every((i) => {
        const [high, low] = [strideIn(i, outer.name), strideIn(i, dim.name)]
        return high !== null && low !== null && high === low * dim.extent
      })
    if (outer === undefined || !fits) {
      merged.push(dim)
      continue
    }
    // The inner counter takes over: `outer · extent + inner` runs over both.
    const name = dim.name
    counters.set(outer.name, constant(0))
    counters.set(name, counter(name, outer.extent * dim.extent))
    merged[merged.length - 1] = { name, extent: outer.extent * dim.extent }
  }
  return { space: counters.size === 0 ? space : replace(space, counters), dims: merged }
}

/** Merges neighbouring dims that every index crosses as if they were one, and drops those of extent 1. */
export const collapseDims = (space: Space): Space => {
  const outer = mergeAdjacent(space, space.outputs)
  const inner = mergeAdjacent(outer.space, space.reduced)
  return { ...inner.space, outputs: outer.dims, reduced: inner.dims }
}
