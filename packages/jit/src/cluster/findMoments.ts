/**
 * Statistics of each channel over images and space, as batch normalisation takes them, become sums of what a
 * kernel says of each slab of its results. Only of large arrays: what is still in a cache after the kernel costs
 * as little to go over then.
 */
import {
  type Atom,
  type Equation,
  type Graph,
  type Index,
  type Scalar,
  Var,
  currentMachine,
  dtypeInfo,
  isVar,
  sameShape,
  scalars,
  sizeOf,
} from '@cotangent/core'
import { lowerEquation } from '../passes/lowering.ts'
import type { Analysis } from './analysis.ts'
import { cachedRow } from './join.ts'
import {
  type Squaring,
  partMomentsP,
  partsOf,
  squaresOfPartsP,
  sumOfPartsP,
} from './partMoments.ts'
import { outputCounters } from './probe.ts'
import { slabRowsOf } from './slabs.ts'

/** Bytes of results that have left the caches when their kernel ends. */
const manyBytes = 8 * 1024 * 1024

/** Sums over all axes of `[images, channels, rows, …]` but that of channels. */
interface Statistics {
  /** Of the elements. */
  readonly sums: Equation[]
  /** Of the squares of what they are apart from a value of the channel. */
  readonly squares: (Centred & { readonly equation: Equation })[]
}

/** Elements minus or plus one value for each channel. */
interface Centred {
  readonly op: Squaring['op']
  readonly centre: Atom
}

/** The graph with statistics taken of slabs; the same one where there are none to take. */
export const withMoments = (graph: Graph, analysis: Analysis): Graph => {
  if (!currentMachine().vectors) return graph
  const found = new Map<Var, Statistics>()
  for (const equation of graph.equations) {
    const summed = sumOverImages(equation, analysis)
    if (summed !== null) note(found, equation, summed, analysis)
  }
  const replaced = new Map<Equation, Equation>()
  const added = new Map<Equation, Equation>()
  for (const [v, { sums, squares }] of found) {
    const rows = squares.length === 0 ? null : slabRowsOf(v, analysis)
    if (rows === null) continue
    const { shape, dtype } = v.aval
    const { parts, terms } = partsOf(shape, rows)
    const maker = analysis.producers.get(v)!.equation
    const held = [0, 1, 2].map(() => new Var({ shape: [shape[1]!, parts], dtype, weak: false }))
    const [means, deviations] = held
    const params = { rows }
    const { origin } = maker
    added.set(maker, { primitive: partMomentsP, inputs: [v], params, outputs: held, origin })
    for (const equation of sums) {
      const inputs = [means!, deviations!]
      replaced.set(equation, { ...equation, primitive: sumOfPartsP, inputs, params: { terms } })
    }
    for (const { equation, centre, op } of squares) {
      const squaring: Squaring = { terms, op }
      const inputs = [...held, centre]
      replaced.set(equation, { ...equation, primitive: squaresOfPartsP, inputs, params: squaring })
    }
  }
  if (added.size === 0) return graph
  const equations = graph.equations.flatMap((equation) => {
    const moments = added.get(equation)
    const kept = replaced.get(equation) ?? equation
    return moments === undefined ? [kept] : [kept, moments]
  })
  return { ...graph, equations }
}

const note = (
  found: Map<Var, Statistics>,
  equation: Equation,
  summed: Var,
  analysis: Analysis,
): void => {
  const of = (v: Var): Statistics => {
    const known = found.get(v) ?? { sums: [], squares: [] }
    found.set(v, known)
    return known
  }
  const apart = squareApart(summed, analysis)
  if (apart === null) of(summed).sums.push(equation)
  else of(apart.from).squares.push({ ...apart, equation })
}

/** What an equation sums over all axes but that of channels, if that is large enough. */
const sumOverImages = (equation: Equation, analysis: Analysis): Var | null => {
  const { lowering, accesses } = analysis.probes.get(equation)!
  const [summed] = equation.inputs
  if (lowering.tag !== 'reduce' || accesses.length !== 1) return null
  if (summed === undefined || !isVar(summed) || equation.inputs.length !== 1) return null
  const { shape, dtype } = summed.aval
  const channels = shape[1]
  const result = equation.outputs[0]!.aval
  if (dtype !== 'float32' || result.dtype !== dtype || shape.length < 3) return null
  if (channels === undefined || !sameShape(result.shape, [channels])) return null
  const bytes = dtypeInfo[dtype].bytes * sizeOf(shape)
  if (bytes < manyBytes && bytes / channels <= cachedRow) return null
  const axes = outputCounters([shape[0]!, ...shape.slice(2)], 'k')
  const expected = [axes[0]!, scalars.counter('i0', channels), ...axes.slice(1)]
  if (!sameIndices(accesses[0]!.index, expected)) return null
  const pulls = equation.inputs.map(() => () => scalars.local(dtype, 'element'))
  const again = lowerEquation(equation, pulls)
  if (again.tag !== 'reduce' || again.reduction.accumulators.length !== 1) return null
  const { accumulators, step, extents } = again.reduction
  const sum = scalars.local(accumulators[0]!.dtype, 'sum')
  const [next] = step([sum], outputCounters([channels]), outputCounters(extents, 'k'))
  if (accumulators[0]!.initial !== 0) return null
  return isSum(next!) ? summed : null
}

const isSum = (next: Scalar): boolean => {
  if (next.tag !== 'binary' || next.op !== 'add') return false
  const [sum, term] = [next.x, next.y.tag === 'convert' ? next.y.x : next.y]
  const isLocal = (s: Scalar, name: string): boolean => s.tag === 'local' && s.name === name
  return isLocal(sum, 'sum') && isLocal(term, 'element')
}

/** An element of an equation's output as an expression of what it reads: `read0`, `read1`, …. */
interface Element {
  readonly value: Scalar
  readonly reads: readonly { readonly atom: Atom; readonly index: readonly Index[] }[]
}

const elementOf = (v: Var, index: readonly Index[], analysis: Analysis): Element | null => {
  const made = analysis.producers.get(v)
  if (made === undefined) return null
  const reads: { readonly atom: Atom; readonly index: readonly Index[] }[] = []
  const pulls = made.equation.inputs.map((atom) => (at: readonly Index[]) => {
    reads.push({ atom, index: at })
    return scalars.local(atom.aval.dtype, `read${reads.length - 1}`)
  })
  const lowering = lowerEquation(made.equation, pulls)
  if (lowering.tag !== 'pull') return null
  return { value: lowering.outputs[made.output]!(index), reads }
}

/** What (from ∓ centre)² is of, where the centre is one for each channel. */
const squareApart = (
  squared: Var,
  analysis: Analysis,
): (Centred & { readonly from: Var }) | null => {
  const { shape } = squared.aval
  const own = outputCounters(shape)
  const square = elementOf(squared, own, analysis)
  const apart = square === null ? null : factorOf(square, own)
  if (apart === null || !isVar(apart)) return null
  const difference = elementOf(apart, own, analysis)
  if (difference === null) return null
  const { value, reads } = difference
  const [from, centre] = reads
  if (value.tag !== 'binary' || reads.length !== 2) return null
  const { op } = value
  if (op !== 'subtract' && op !== 'add') return null
  if (!isRead(value.x, 0) || !isRead(value.y, 1)) return null
  if (!isVar(from!.atom) || !sameShape(from!.atom.aval.shape, shape)) return null
  if (!sameIndices(from!.index, own)) return null
  const found = channelOf(centre!.atom, centre!.index, own[1]!, shape[1]!, analysis)
  return found === null ? null : { from: from!.atom, op, centre: found }
}

const isRead = (s: Scalar, n: number): boolean => s.tag === 'local' && s.name === `read${n}`

// What is multiplied by itself.
const factorOf = ({ value, reads }: Element, own: readonly Index[]): Atom | null => {
  if (value.tag !== 'binary' || value.op !== 'multiply') return null
  const [first] = reads
  const isSame = reads.every((r) => r.atom === first!.atom && sameIndices(r.index, own))
  const isSquare = isRead(value.x, 0) && isRead(value.y, reads.length - 1)
  return first !== undefined && isSame && isSquare ? first.atom : null
}

/** The atom with one element for each channel that is read at a position, through movements; or null. */
const channelOf = (
  atom: Atom,
  index: readonly Index[],
  channel: Index,
  channels: number,
  analysis: Analysis,
): Atom | null => {
  const { shape } = atom.aval
  if (sizeOf(shape) === channels) {
    return scalars.sameIndex(scalars.flatten(shape, index), channel) ? atom : null
  }
  const element = isVar(atom) ? elementOf(atom, index, analysis) : null
  const [read] = element?.reads ?? []
  if (element === null || read === undefined || !isRead(element.value, 0)) return null
  return channelOf(read.atom, read.index, channel, channels, analysis)
}

const sameIndices = (a: readonly Index[], b: readonly Index[]): boolean =>
  a.length === b.length && a.every((index, d) => scalars.sameIndex(index, b[d]!))
